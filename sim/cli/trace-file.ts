/**
 * Trace files: reads and writes them, plain, gzip or zstd.
 *
 * The edge of the trace format. Rows come from the `ndjson` package, which this file wraps: it counts lines, knows where a row failed,
 * refuses rows that are no objects (one `null` would end ndjson's stream) and bounds everything a stranger's file could make grow:
 * the length of a line, the decompressed size, the number of ops, and through the codec what the header asks for.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import ndjson from 'ndjson';
import { decodeHeader, decodeOp, encodeHeader, encodeOp, parseJson, type Trace } from '../../traces/codec.ts';
import { show, TraceError } from '../../traces/format-error.ts';
import { DEFAULT_LIMITS, type TraceHeader, type TraceLimits } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { withModule } from './kernel-module.ts';
import { CompressionError, readBytes } from './trace-bytes.ts';
import { appearWhole } from './whole-file.ts';

/** What reading a file may cost. */
export interface ReadLimits extends TraceLimits {
  readonly ops: number;
  /** Bytes of one line. */ readonly lineBytes: number;
  /** Bytes of the file after decompression. */ readonly totalBytes: number;
}

/** 10 million ops, 1 MiB a line, 1 GiB in all, and the header's defaults. */
const DEFAULT_READ_LIMITS: ReadLimits = { ...DEFAULT_LIMITS, ops: 10_000_000, lineBytes: 2 ** 20, totalBytes: 2 ** 30 };

export interface ReadOptions {
  readonly limits?: Partial<ReadLimits>;
}

/** A trace that is being read: its header, and its ops in batches, which can be read once. */
export interface OpenTrace {
  readonly header: TraceHeader;
  readonly ops: AsyncIterable<Op[]>;
}

/** Reads a whole trace; `-` is standard input. @throws TraceError naming file, line and field */
export async function readTrace(path: string, options: ReadOptions = {}): Promise<Trace> {
  const { header, ops: batches } = await openTrace(path, options);
  const ops: Op[] = [];
  for await (const batch of batches) for (const op of batch) ops.push(op);
  return { header, ops };
}

/** Reads a trace's header and gives its ops as they are asked for. @throws TraceError; so does the iteration of `ops` */
export async function openTrace(path: string, options: ReadOptions = {}): Promise<OpenTrace> {
  const limits = { ...DEFAULT_READ_LIMITS, ...options.limits };
  const file = path === '-' ? '<stdin>' : path;
  const batches = readRecords(path, limits);
  const first = await batches.next();
  try {
    if (first.done === true) throw new TraceError({ file, line: 0 }, '', 'is empty (a trace begins with its header)');
    const header = decodeHeader(first.value[0], { file, line: 1 }, limits);
    return { header, ops: decodeBatches(first.value.slice(1), batches, file, limits.ops) };
  } catch (error) {
    await batches.return(undefined); // closes the file
    throw error;
  }
}

async function* decodeBatches(first: unknown[], rest: AsyncIterable<unknown[]>, file: string, opsMax: number): AsyncGenerator<Op[]> {
  let line = 1;
  const decode = (rows: unknown[]): Op[] => {
    if (line - 1 + rows.length > opsMax)
      throw new TraceError({ file, line: opsMax + 2 }, '', `is beyond the limit of ${opsMax} ops (raise the limit, or cut the trace)`);
    return rows.map((row) => decodeOp(row, { file, line: ++line }));
  };
  if (first.length > 0) yield decode(first);
  for await (const rows of rest) yield decode(rows);
}

// Records: line n of the file is the nth value.

/**
 * The values of a JSONL file, one object a line, in batches of one or more.
 *
 * @throws TraceError naming file and line, after every row before it has been given out
 */
export async function* readRecords(
  path: string,
  limits: Pick<ReadLimits, 'lineBytes' | 'totalBytes'> = DEFAULT_READ_LIMITS,
): AsyncGenerator<unknown[]> {
  const file = path === '-' ? '<stdin>' : path;
  const parser = new RowParser(file);
  const splitter = new LineSplitter(file, limits.lineBytes);
  let totalBytes = 0;
  try {
    for await (const chunk of readBytes(path)) {
      totalBytes += chunk.length;
      if (totalBytes > limits.totalBytes) {
        throw new TraceError(
          { file, line: splitter.line + 1 },
          '',
          `is beyond the limit of ${limits.totalBytes} bytes, decompressed (raise the limit, or cut the trace)`,
        );
      }
      yield* parser.rowsOf(splitter.split(chunk));
    }
    yield* parser.rowsOf(splitter.end());
  } catch (error) {
    throw explained(error, file, splitter.line);
  }
}

/** What the operating system or the decompressor said, as an error about the trace. */
function explained(error: unknown, file: string, lines: number): unknown {
  const upTo = lines === 0 ? 'before the end of line 1' : `after line ${lines}`;
  if (error instanceof CompressionError)
    return new TraceError({ file, line: lines }, '', `the file ${error.message}, ${upTo} (fetch or record it again)`);
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new TraceError({ file, line: 0 }, '', 'there is no such file (check the path)');
  if (code === 'EISDIR') return new TraceError({ file, line: 0 }, '', 'is a directory (name a file in it)');
  if (code === 'EACCES') return new TraceError({ file, line: 0 }, '', 'may not be read (check its permissions)');
  return error;
}

/** Whole lines of one chunk: `text` ends with a line end or holds the file's last line; a defect follows them. */
interface Lines {
  readonly text: Buffer;
  /** Line number of the first line in `text`. */ readonly firstLine: number;
  /** What is wrong with the line after `text`. */ readonly defect?: TraceError;
  /** The last line of `text` has no line end. */ readonly unfinished?: boolean;
}

const LF = 0x0a;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** Cuts bytes into whole lines and looks at each line's length and first byte. Holds at most one line. */
class LineSplitter {
  /** Whole lines seen so far. */
  line = 0;
  private readonly file: string;
  private readonly lineBytesMax: number;
  private held: Uint8Array[] = [];
  private heldBytes = 0;
  private blankLine = 0;

  constructor(file: string, lineBytesMax: number) {
    this.file = file;
    this.lineBytesMax = lineBytesMax;
  }

  split(chunk: Uint8Array): Lines {
    const end = chunk.lastIndexOf(LF) + 1;
    const isTooLong = this.heldBytes + (end === 0 ? chunk.length : chunk.indexOf(LF)) > this.lineBytesMax;
    if (isTooLong) return { text: Buffer.alloc(0), firstLine: this.line + 1, defect: this.tooLong() };
    if (end === 0) {
      this.hold(chunk);
      return { text: Buffer.alloc(0), firstLine: this.line + 1 };
    }
    const text = Buffer.concat([...this.held, chunk.subarray(0, end)]);
    this.held = [];
    this.heldBytes = 0;
    if (end < chunk.length) this.hold(chunk.subarray(end));
    return this.inspect(text);
  }

  /** What is left when the input ends: the last line, if it has no line end. */
  end(): Lines {
    const text = Buffer.concat(this.held);
    if (text.length === 0) return { text, firstLine: this.line + 1 };
    return { ...this.inspect(text), unfinished: true };
  }

  private hold(bytes: Uint8Array): void {
    this.held.push(bytes);
    this.heldBytes += bytes.length;
  }

  /** Counts the lines of `text`, and cuts it before the first that cannot be a record; blank lines at the end of the file are no lines. */
  private inspect(text: Buffer): Lines {
    const firstLine = this.line + 1;
    const start = this.line === 0 && text.subarray(0, 3).equals(BOM) ? 3 : 0;
    let end = start;
    for (let from = start; from < text.length;) {
      const found = text.indexOf(LF, from);
      const next = found === -1 ? text.length : found + 1;
      const defect = this.inspectLine(text, from, next);
      if (defect !== undefined) return { text: text.subarray(start, end), firstLine, defect };
      if (this.blankLine === 0) end = next;
      this.line++;
      from = next;
    }
    return { text: text.subarray(start, end), firstLine };
  }

  private inspectLine(text: Buffer, start: number, end: number): TraceError | undefined {
    if (end - start > this.lineBytesMax + 2) return this.tooLong();
    let at = start;
    while (at < end && (text[at] === 0x20 || text[at] === 0x09 || text[at] === 0x0d || text[at] === LF)) at++;
    if (at === end) {
      this.blankLine ||= this.line + 1;
      return undefined;
    }
    if (this.blankLine > 0) return this.error(this.blankLine, 'is blank (one record a line)');
    if (text[at] !== 0x7b)
      return this.error(
        this.line + 1,
        `begins with ${JSON.stringify(text.toString('latin1', at, Math.min(end, at + 20)).trimEnd())}, but must be a JSON object (one record a line)`,
      );
    return undefined;
  }

  private tooLong(): TraceError {
    return this.error(
      this.line + 1,
      `is longer than the limit of ${this.lineBytesMax} bytes (is this a trace? raise the limit, or split the record)`,
    );
  }

  private error(line: number, problem: string): TraceError {
    return new TraceError({ file: this.file, line }, '', problem);
  }
}

/** ndjson, fed whole lines and drained after each feeding, so that its rows and its errors can be counted. */
class RowParser {
  private readonly file: string;
  private readonly stream = ndjson.parse();
  /** Rows of this feeding before the first that is no JSON, or -1. */
  private rowsBeforeError = -1;

  constructor(file: string) {
    this.file = file;
    this.stream.on('error', () => {
      if (this.rowsBeforeError < 0) this.rowsBeforeError = this.stream.readableLength;
    });
  }

  /** The rows of some lines as one batch, if there are any, then what is wrong after them. */
  *rowsOf({ text, firstLine, defect, unfinished = false }: Lines): Generator<unknown[]> {
    if (text.length > 0) {
      this.stream.write(text);
      if (unfinished) this.stream.write('\n');
    }
    const rows: unknown[] = [];
    for (let row: unknown = this.stream.read(); row !== null; row = this.stream.read()) rows.push(row);
    const good = this.rowsBeforeError < 0 ? rows : rows.slice(0, this.rowsBeforeError);
    if (good.length > 0) yield good;
    if (this.rowsBeforeError >= 0) throw this.parseError(text, firstLine, this.rowsBeforeError, unfinished);
    if (defect !== undefined) throw defect;
  }

  private parseError(text: Buffer, firstLine: number, index: number, unfinished: boolean): TraceError {
    const lines = text.toString('utf8').split(/\r?\n/);
    const where = { file: this.file, line: firstLine + index };
    if (unfinished) {
      return new TraceError(
        where,
        '',
        `is no whole record and has no line end: ${show(lines[index])} (the file is cut off: fetch or record it again, or delete this line)`,
      );
    }
    try {
      parseJson(lines[index]!, where);
    } catch (error) {
      return error as TraceError;
    }
    return new TraceError(where, '', 'is no JSON');
  }
}

// Writing.

/** Ops encoded at a time. */
const BATCH_OPS = 512;

/**
 * Writes a trace: gzip if the name ends in `.gz`, `-` is standard output.
 *
 * The file appears whole or not at all: it is written beside its place and renamed. The same trace gives the same bytes.
 */
export async function writeTrace(path: string, header: TraceHeader, ops: Iterable<Op> | AsyncIterable<Op>): Promise<void> {
  const lines = Readable.from(encodeBatches(header, ops));
  if (path === '-') {
    await pipeline(lines, process.stdout, { end: false });
    return;
  }
  await appearWhole(path, (temporary) => {
    const out = createWriteStream(temporary);
    return path.endsWith('.gz') ? pipeline(lines, createGzip({ level: 9 }), out) : pipeline(lines, out);
  });
}

async function* encodeBatches(header: TraceHeader, ops: Iterable<Op> | AsyncIterable<Op>): AsyncGenerator<string> {
  let lines = [encodeHeader(withModule(header))];
  for await (const op of ops) {
    lines.push(encodeOp(op));
    if (lines.length < BATCH_OPS) continue;
    yield `${lines.join('\n')}\n`;
    lines = [];
  }
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}
