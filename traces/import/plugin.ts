/**
 * Reads a page-touch recording: JSONL of a QEMU user-mode plugin that writes system calls and touched pages in program order.
 *
 * Records are `{"t":"image|enter|exit|child|touch|end","pid":N,…}`: `enter` has `nr`, six hex `args` and maybe `path`, `exit` has `nr`
 * and `ret` (decimal), `touch` has `page` (hex) and `a` (r, w or x). Numbers of calls are the guest's, whose name is in `image`,
 * which may say the program's `path` too.
 */
import { show, TraceError } from '../format-error.ts';
import { ARCHITECTURES, numberedCall, type Architecture } from './calls.ts';
import type { Recorded } from './recorded.ts';

/** Turns records into what the builder takes; keeps nothing but the architecture and the line. */
export class PluginReader {
  private readonly file: string;
  /** As the last image said. */
  architecture: Architecture;
  private line = 0;

  constructor(file: string, architecture: Architecture) {
    this.file = file;
    this.architecture = architecture;
  }

  /** @throws TraceError naming line and field of what is malformed */
  read(record: unknown, line = this.line + 1): Recorded {
    this.line = line;
    const row = this.object(record);
    const task = this.whole(row, 'pid');
    switch (row['t']) {
      case 'image':
        return this.image(row, task);
      case 'child':
        return { kind: 'child', line, task, parent: this.whole(row, 'ppid') };
      case 'enter': {
        const path = row['path'];
        const call = numberedCall(this.architecture, this.whole(row, 'nr'), this.args(row), typeof path === 'string' ? path : undefined);
        return { kind: 'enter', line, task, call };
      }
      case 'exit':
        return { kind: 'return', line, task, nr: numberedCall(this.architecture, this.whole(row, 'nr'), []).nr, result: this.result(row) };
      case 'touch':
        return this.touch(row, task);
      case 'end':
        return { kind: 'death', line, task };
      default:
        throw this.error('t', `${show(row['t'])} is no kind of record (image, enter, exit, child, touch or end)`);
    }
  }

  private image(row: Record<string, unknown>, task: number): Recorded {
    const target = ARCHITECTURES.find((name) => name === row['target']);
    if (target === undefined) throw this.error('target', `${show(row['target'])} is none of ${ARCHITECTURES.join(', ')}`);
    this.architecture = target;
    const path = row['path'];
    return { kind: 'image', line: this.line, task, ...(typeof path === 'string' && path !== '' ? { path } : {}) };
  }

  private touch(row: Record<string, unknown>, task: number): Recorded {
    const access = row['a'];
    if (access !== 'r' && access !== 'w' && access !== 'x') throw this.error('a', `${show(access)} is no kind of access (r, w or x)`);
    return { kind: 'touch', line: this.line, task, addr: this.hex(row['page'], 'page'), access, isPage: true };
  }

  private object(record: unknown): Record<string, unknown> {
    if (typeof record !== 'object' || record === null || Array.isArray(record))
      throw this.error('', 'is no JSON object (one record a line)');
    return record as Record<string, unknown>;
  }

  private whole(row: Record<string, unknown>, field: string): number {
    const value = row[field];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
      throw this.error(field, `is ${show(value)}, but must be a whole number`);
    return value;
  }

  /** A result: exact below 2^53, which holds every address and every errno. */
  private result(row: Record<string, unknown>): number {
    const value = row['ret'];
    const isNumber = typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && /^-?\d+$/.test(value));
    if (!isNumber) throw this.error('ret', `is ${show(value)}, but must be a decimal number`);
    return Number(value);
  }

  private args(row: Record<string, unknown>): number[] {
    const args = row['args'];
    if (!Array.isArray(args) || args.length !== 6) throw this.error('args', 'must be a list of six hex strings');
    return args.map((arg, index) => this.hex(arg, `args[${index}]`));
  }

  private hex(value: unknown, field: string): number {
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,16}$/.test(value))
      throw this.error(field, `is ${show(value)}, but must be a hex string`);
    return Number(value);
  }

  private error(field: string, problem: string): TraceError {
    return new TraceError({ file: this.file, line: this.line }, field, problem);
  }
}
