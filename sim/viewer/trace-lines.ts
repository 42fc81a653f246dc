/**
 * A trace from text that comes in pieces: lines are cut, numbered and decoded, and everything that can grow is bounded.
 *
 * The page's own reader, for a file that is dropped on it; the command line has another (sim/cli/trace-file.ts), which reads files.
 * Both give errors of the codec, naming file, line and field.
 */
import { decodeHeaderLine, decodeOpLine } from '../../traces/codec.ts';
import { TraceError } from '../../traces/format-error.ts';
import type { TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';

const LINE_CHARACTERS_MAX = 2 ** 20;
const OPS_MAX = 10_000_000;

export class TraceLines {
  readonly ops: Op[] = [];
  header: TraceHeader | undefined;
  private readonly file: string;
  private held = '';
  private line = 0;

  constructor(file: string) {
    this.file = file;
  }

  /** @throws TraceError at the first line that is no record */
  push(text: string): void {
    let from = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.take(this.held === '' ? text.slice(from, end) : this.held + text.slice(from, end));
      this.held = '';
      from = end + 1;
    }
    this.held += text.slice(from);
    if (this.held.length > LINE_CHARACTERS_MAX) throw this.error('is too long for a trace');
  }

  /** @throws TraceError if the last line is cut off, or there is no header */
  end(): { readonly header: TraceHeader; readonly ops: readonly Op[] } {
    if (this.held.trim() !== '') this.take(this.held);
    this.held = '';
    if (this.header === undefined) throw this.error('is missing: the file is empty (a trace begins with its header)');
    return { header: this.header, ops: this.ops };
  }

  private take(text: string): void {
    const where = { file: this.file, line: ++this.line };
    const line = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (line.length > LINE_CHARACTERS_MAX) throw new TraceError(where, '', 'is too long for a trace');
    if (this.header === undefined) this.header = decodeHeaderLine(line.replace(/^\uFEFF/, ''), where);
    else if (this.ops.length >= OPS_MAX) throw new TraceError(where, '', `is beyond the limit of ${OPS_MAX} ops`);
    else this.ops.push(decodeOpLine(line, where));
  }

  private error(problem: string): TraceError {
    return new TraceError({ file: this.file, line: this.line + 1 }, '', problem);
  }
}
