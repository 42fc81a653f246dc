/**
 * Reads valgrind's lackey: `valgrind --tool=lackey --trace-mem=yes --trace-syscalls=yes --trace-children=yes --log-file=NAME.%p`, one log a
 * process, or one JSONL file of touched pages and calls that was reduced from such logs.
 *
 * The logs have no common clock. A child is taken to run while its parent waits: at the parent's next wait, or where the parent ends.
 * A fork names its child on the line of the call and succeeds on the next; a call that blocks has its result on a later line.
 */
import { floorToPage } from '../../kernel-model/index.ts';
import { show, TraceError } from '../format-error.ts';
import { X86_64_NAMES } from './call-names.ts';
import { genericCall, numberedCall } from './calls.ts';
import type { LineReader } from './line-reader.ts';
import type { Recorded, RecordedCall } from './recorded.ts';
import type { ReportBook } from './report.ts';
import { NR } from '../riscv-linux-calls.ts';

/** End of the stack of a program under valgrind on x86-64. */
export const LACKEY_STACK_END = 0x1f_ff00_1000;

const ACCESS = /^(I | [SLM]) {1,2}([0-9a-f]+),(\d+)$/;
const SYSCALL = /^(?:==\d+== )?SYSCALL\[(\d+),\d+\]\((\d+)\)\s?(.*)$/;
const FORKED = /clone\(fork\): process (\d+) created child (\d+)/;
const RESULT = /--> \[?.*?\]?\s*(Success|Failure)\(0x([0-9a-f]+)\)/;

export class LackeyReader implements LineReader {
  private readonly book: ReportBook;
  /** By process, in the order of first lines. */
  private readonly logs = new Map<number, Recorded[]>();
  private readonly parents = new Map<number, number>();
  private readonly calls = new Map<number, RecordedCall>();
  /** Of a log that is being read, the process. */
  private readonly processOf = new Map<string, number>();
  /** The last page of each kind, by process: touches within it say nothing new. */
  private readonly last = new Map<string, number>();

  constructor(book: ReportBook) {
    this.book = book;
  }

  *read(text: string, line: number, file: string): Iterable<Recorded> {
    if (text.startsWith('{')) this.readReduced(text, line, file);
    else this.readLog(text, line, file);
    yield* [];
  }

  *finish(): Iterable<Recorded> {
    for (const [file, task] of [...this.processOf]) if (task < 0) this.tell(file, processOfName(file));
    const first = [...this.logs.keys()].filter((task) => !this.parents.has(task));
    for (const task of first) {
      yield { kind: 'image', line: 1, task };
      yield* this.run(task);
    }
    this.book.assume('children run while their parents wait: the logs have no common clock', 0);
  }

  /** A process's records; those of its children stand where it waits, or at its end. */
  private *run(task: number): Iterable<Recorded> {
    const waiting: number[] = [];
    for (const record of this.logs.get(task) ?? []) {
      const isWait = record.kind === 'enter' && record.call.nr === NR.wait4;
      const isEnd = record.kind === 'enter' && (record.call.nr === NR.exitGroup || record.call.nr === NR.exit);
      if (isWait || isEnd) for (const child of waiting.splice(0)) yield* this.run(child);
      yield record;
      if (record.kind === 'return' && record.nr === NR.clone && record.result > 0 && this.parents.get(record.result) === task)
        waiting.push(record.result);
    }
    for (const child of waiting) yield* this.run(child);
  }

  // A log as lackey writes it.

  private readLog(text: string, line: number, file: string): void {
    const access = ACCESS.exec(text);
    if (access !== null) {
      this.access(access[1]!.trim(), Number(`0x${access[2]!}`), Number(access[3]), line, this.processIn(file));
      return;
    }
    const call = SYSCALL.exec(text);
    if (call !== null) {
      const task = Number(call[1]);
      this.tell(file, task);
      this.call(task, Number(call[2]), call[3]!, line);
    } else if (/^\s*-->/.test(text)) this.result(this.processIn(file), text, line);
    else if (!/^(==|--)\d+(==|--)|^\s*$/.test(text)) this.book.skip('no line of lackey', line);
  }

  /** The process of a log; a negative number until the log says. */
  private processIn(file: string): number {
    const known = this.processOf.get(file);
    if (known !== undefined) return known;
    this.processOf.set(file, -1 - this.processOf.size);
    return this.processIn(file);
  }

  private tell(file: string, task: number): void {
    const before = this.processOf.get(file);
    if (before === task) return;
    this.processOf.set(file, task);
    const early = before === undefined || before > 0 ? undefined : this.logs.get(before);
    if (early === undefined) return;
    this.logs.delete(before!);
    this.logs.set(task, [...early.map((record) => ({ ...record, task })), ...(this.logs.get(task) ?? [])]);
  }

  private access(kind: string, addr: number, width: number, line: number, task: number): void {
    const letters = kind === 'I' ? ['x'] : kind === 'L' ? ['r'] : kind === 'S' ? ['w'] : ['r', 'w'];
    this.book.read('accesses');
    for (const access of letters as ('r' | 'w' | 'x')[]) {
      for (const page of new Set([floorToPage(addr), floorToPage(addr + Math.max(width, 1) - 1)])) {
        const key = `${task} ${access}`;
        if (this.last.get(key) === page) continue;
        this.last.set(key, page);
        this.push({ kind: 'touch', line, task, addr: page, access, isPage: true });
      }
    }
  }

  // One JSONL file of all processes.

  private readReduced(text: string, line: number, file: string): void {
    const row = parseRow(text, line, file);
    const task = row['pid'];
    if (typeof task !== 'number') throw new TraceError({ file, line }, 'pid', `is ${show(task)}, but must be a whole number`);
    if (row['ev'] === 'sys') this.call(task, Number(row['nr']), String(row['text']), line);
    else {
      const access = row['acc'];
      if (access !== 'r' && access !== 'w' && access !== 'x')
        throw new TraceError({ file, line }, 'acc', `${show(access)} is no kind of access (r, w or x)`);
      const addr = Number(row['page']);
      if (!Number.isSafeInteger(addr) || addr < 0) throw new TraceError({ file, line }, 'page', `${show(row['page'])} is no address`);
      this.book.read('touches');
      this.push({ kind: 'touch', line, task, addr, access, isPage: true });
    }
  }

  // Calls.

  private call(task: number, number: number, text: string, line: number): void {
    if (text.startsWith('...')) {
      this.result(task, text, line);
      return;
    }
    this.book.read('calls');
    this.last.clear();
    const [, name = '', list = ''] = /^(?:sys_)?(\w+)\s*\(\s*(.*?)\s*\)(?:\s|\[|$)/.exec(text) ?? [];
    const args = list === '' ? [] : list.split(',').map((arg) => argumentOf(arg.trim(), name));
    const path = /\(([^()]*)\)\s*(?:,|$)/.exec(list)?.[1];
    const call = name === '' ? numberedCall('x86_64', number, []) : genericCall('x86_64', nameOf(number, name), args, path);
    this.calls.set(task, call);
    this.push({ kind: 'enter', line, task, call });
    const forked = FORKED.exec(text);
    if (forked === null) this.result(task, text, line);
    else {
      this.parents.set(Number(forked[2]), Number(forked[1]));
      this.done(task, Number(forked[2]), line);
    }
  }

  private result(task: number, text: string, line: number): void {
    const [, how, value] = RESULT.exec(text) ?? [];
    if (value === undefined) {
      if (text.includes('unimplemented')) this.done(task, -38, line);
      return;
    }
    this.done(task, how === 'Success' ? Number(`0x${value}`) : -Number(`0x${value}`), line);
  }

  private done(task: number, result: number, line: number): void {
    const call = this.calls.get(task);
    if (call === undefined) return;
    this.calls.delete(task);
    this.push({ kind: 'return', line, task, nr: call.nr, result });
  }

  private push(record: Recorded): void {
    const log = this.logs.get(record.task);
    if (log === undefined) this.logs.set(record.task, [record]);
    else log.push(record);
  }
}

/** `NAME.PID`. */
const processOfName = (file: string): number => Number(/(\d+)(?:\.\w+)?$/.exec(file)?.[1] ?? 1);

/** Valgrind's names for calls are not always Linux's; the number is. */
const nameOf = (number: number, name: string): string => X86_64_NAMES.get(number) ?? name;

/** Hex with or without 0x, decimal, and a pointer with the text behind it. Only clone and arch_prctl print hex without 0x. */
function argumentOf(text: string, name: string): number {
  const number = /^(?:0x([0-9a-f]+)|(-?\d+)|([0-9a-f]+))(?:\(.*\))?$/.exec(text);
  if (number === null) return 0;
  if (number[1] !== undefined) return Number(`0x${number[1]}`);
  if (number[2]?.startsWith('-') !== true && (name === 'clone' || number[2] === undefined)) return Number(`0x${text.replace(/\(.*$/, '')}`);
  return Number(number[2]);
}

function parseRow(text: string, line: number, file: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new TraceError({ file, line }, '', `is no JSON: ${show(text)} (the file is damaged or cut off)`);
  }
}
