/**
 * Reads tracepoints: `perf script` and ftrace's `trace` file, which print the same fields.
 *
 * A command's name may hold anything, so a line is anchored on `pid [cpu]` and the time behind it. The lines of one file need not be in
 * order of time, so they are sorted first. A page fault is what the kernel saw, not what the program did: it becomes one access at that
 * address, which must succeed.
 */
import { numberedCall, type Architecture } from './calls.ts';
import type { LineReader } from './line-reader.ts';
import type { Recorded } from './recorded.ts';
import type { ReportBook } from './report.ts';

const PERF = /^\s*(?:.*\S)?\s+(\d+)(?:\/\d+)?\s+\[(\d+)\]\s+(?:\S+\s+)?(\d+\.\d+):\s+(?:\d+\s+)?(?:\w+:)?(\w+):\s*(.*)$/;
const FTRACE = /^\s*.*-(\d+)\s+(?:\(\s*[-\d]+\)\s+)?\[(\d+)\]\s+\S+\s+(\d+\.\d+):\s+(\w+):\s*(.*)$/;

interface Event {
  readonly time: number;
  readonly line: number;
  readonly task: number;
  readonly name: string;
  readonly payload: string;
}

const WRITE = 2;
const FETCH = 16;

export class TracepointReader implements LineReader {
  private readonly pattern: RegExp;
  private readonly architecture: Architecture;
  private readonly book: ReportBook;
  private readonly events: Event[] = [];

  constructor(form: 'perf' | 'ftrace', architecture: Architecture, book: ReportBook) {
    this.pattern = form === 'perf' ? PERF : FTRACE;
    this.architecture = architecture;
    this.book = book;
  }

  *read(text: string, line: number): Iterable<Recorded> {
    const [, task, , time, name, payload] = this.pattern.exec(text) ?? [];
    if (name !== undefined) this.events.push({ time: Number(time), line, task: Number(task), name, payload: payload! });
    else if (/LOST \d+/.test(text)) this.book.skip('events that the recorder lost (record with larger buffers)', line);
    else if (!/^\s*(#.*)?$/.test(text)) this.book.skip('no tracepoint', line);
    yield* [];
  }

  *finish(): Iterable<Recorded> {
    this.events.sort((a, b) => a.time - b.time || a.line - b.line);
    for (const event of this.events) yield* this.recordsOf(event);
  }

  private *recordsOf({ line, task, name, payload }: Event): Iterable<Recorded> {
    const record = this.recordOf({ name, payload }, line, task);
    if (record === undefined) this.book.skip(`${name}: no tracepoint of interest, or malformed`, line);
    else {
      this.book.read(name);
      yield record;
    }
  }

  private recordOf({ name, payload }: Pick<Event, 'name' | 'payload'>, line: number, task: number): Recorded | undefined {
    switch (name) {
      case 'sys_enter': {
        const [, number, args] = /^NR (-?\d+) \(([^)]*)\)/.exec(payload) ?? [];
        if (args === undefined) return undefined;
        const values = args.split(',').map((arg) => Number(`0x${arg.trim() || '0'}`));
        return { kind: 'enter', line, task, call: numberedCall(this.architecture, Number(number), values) };
      }
      case 'sys_exit': {
        const [, number, result] = /^NR (-?\d+) = (-?\d+)/.exec(payload) ?? [];
        if (result === undefined) return undefined;
        const { nr } = numberedCall(this.architecture, Number(number), []);
        return { kind: 'return', line, task, nr, result: Number(result) };
      }
      case 'page_fault_user':
      case 'page_fault_kernel':
        return faultOf(payload, name === 'page_fault_kernel', line, task);
      case 'sched_process_fork': {
        const child = /\bchild_pid=(\d+)/.exec(payload)?.[1];
        return child === undefined ? undefined : { kind: 'child', line, task: Number(child), parent: task };
      }
      case 'sched_process_exec': {
        const path = /^filename=(.*) pid=\d+ old_pid=\d+$/.exec(payload)?.[1];
        return path === undefined ? undefined : { kind: 'image', line, task, path };
      }
      case 'sched_process_exit':
        return { kind: 'death', line, task };
      default:
        return undefined;
    }
  }
}

function faultOf(payload: string, isKernel: boolean, line: number, task: number): Recorded | undefined {
  const [, address, code] = /^address=(0x[0-9a-f]+) ip=\S+ error_code=(0x[0-9a-f]+)/.exec(payload) ?? [];
  if (code === undefined) return undefined;
  const [addr, bits] = [Number(address), Number(code)];
  const isWrite = (bits & WRITE) !== 0;
  if (isKernel) return { kind: 'copy', line, task, addr, isWrite };
  return { kind: 'touch', line, task, addr, access: (bits & FETCH) !== 0 ? 'x' : isWrite ? 'w' : 'r', outcome: 0 };
}
