/**
 * Reads the text of `strace -f`, with or without -X raw, -n, -y, -t…, -o.
 *
 * A call that another process interrupts stands on two lines, `name(… <unfinished ...>` and `<... name resumed>…) = result`; the cut may be
 * anywhere in the arguments. The call begins with the first line and has its effect with the second. Lines without a process number are
 * the first process's. What is no call, signal or end of a process is skipped and reported.
 */
import { errnoNumber } from './errno-numbers.ts';
import { genericCall, type Architecture } from './calls.ts';
import type { LineReader } from './line-reader.ts';
import type { Recorded, RecordedCall } from './recorded.ts';
import type { ReportBook } from './report.ts';
import { numberOf, pathBehind, splitArguments, stringOf, stringsOf } from './strace-values.ts';
import { NR } from '../riscv-linux-calls.ts';

const HEAD =
  /^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+(?=\S))?(?:\d\d:\d\d:\d\d(?:\.\d+)?\s+|\d+\.\d+\s+)?(?:\[\s*\d+\]\s+)?(?:\[[0-9a-f]{8,16}\]\s+)?(.*)$/s;
const BEGUN = /^(\w+)\((.*?)\s*<unfinished \.\.\.>$/s;
const RESUMED = /^<\.\.\. (\w+) resumed>(.*)$/s;
const WHOLE = /^(\w+)\((.*)\)\s*=\s*(.+)$/s;
const RESUMED_REST = /^(.*)\)\s*=\s*(.+)$/s;

interface Begun {
  readonly name: string;
  readonly args: string;
}

/** Where the arguments of clone are by name, in x86-64's order; strace prints only those that matter. */
const CLONE_ARGUMENTS = ['flags', 'child_stack', 'parent_tid', 'child_tidptr', 'tls'];

export class StraceReader implements LineReader {
  private readonly architecture: Architecture;
  private readonly book: ReportBook;
  private readonly begun = new Map<number, Begun>();
  private first = 0;

  constructor(architecture: Architecture, book: ReportBook) {
    this.architecture = architecture;
    this.book = book;
  }

  *read(text: string, line: number): Iterable<Recorded> {
    const [, bracketed, plain, rest = ''] = HEAD.exec(text.trimEnd()) ?? [];
    const said = bracketed ?? plain;
    const task = said === undefined ? this.first || 1 : Number(said);
    if (this.first === 0) this.first = task;
    if (rest === '') return;
    const begun = BEGUN.exec(rest);
    const resumed = RESUMED.exec(rest);
    const whole = WHOLE.exec(rest);
    if (rest.startsWith('+++')) yield* this.end(rest, line, task);
    else if (rest.startsWith('---')) this.book.read('signals');
    else if (begun !== null) yield* this.begin({ name: begun[1]!, args: begun[2]! }, line, task);
    else if (resumed !== null) yield* this.resume(resumed[1]!, resumed[2]!, line, task);
    else if (whole !== null) {
      const call = { name: whole[1]!, args: whole[2]! };
      yield* this.begin(call, line, task);
      yield* this.over(call, whole[3]!, line, task);
    } else this.book.skip(/^strace: Process \d+ (at|de)tached/.test(rest) ? 'a remark of strace' : 'no line of strace', line);
  }

  *finish(): Iterable<Recorded> {
    for (const [task, { name }] of this.begun) this.book.skip(`${name} of process ${task} is not resumed`, 0);
    yield* [];
  }

  private *begin(call: Begun, line: number, task: number): Iterable<Recorded> {
    this.book.read('calls');
    this.begun.set(task, call);
    yield { kind: 'enter', line, task, call: this.callOf(call, line) };
  }

  private *resume(name: string, text: string, line: number, task: number): Iterable<Recorded> {
    const begun = this.begun.get(task);
    const rest = RESUMED_REST.exec(text);
    if (begun === undefined || rest === null) {
      this.book.skip(begun === undefined ? `${name} resumes, but its beginning is missing` : 'no line of strace', line);
      return;
    }
    yield* this.over({ name: begun.name, args: begun.args + rest[1]! }, rest[2]!, line, task);
  }

  private *over(begun: Begun, resultText: string, line: number, task: number): Iterable<Recorded> {
    this.begun.delete(task);
    const result = resultOf(resultText);
    if (result === undefined) return; // exit, or detached
    const call = this.callOf(begun, line);
    if (call.nr !== NR.execve || result < 0) yield { kind: 'return', line, task, nr: call.nr, result, call };
    else
      yield {
        kind: 'image',
        line,
        task,
        path: call.path,
        ...(call.argv === undefined ? {} : { argv: call.argv }),
        ...(call.env === undefined ? {} : { env: call.env }),
      };
  }

  private *end(rest: string, line: number, task: number): Iterable<Recorded> {
    const [, status, signal] = /^\+\+\+ (?:exited with (\d+)|killed by (SIG\w+).*) \+\+\+$/.exec(rest) ?? [];
    this.begun.delete(task);
    if (status === undefined && signal === undefined) {
      this.book.skip('no line of strace', line);
      return;
    }
    this.book.read('ends of processes');
    yield { kind: 'death', line, task, signal, ...(status === undefined ? {} : { status: Number(status) }) };
  }

  private callOf({ name, args: text }: Begun, line: number): RecordedCall {
    const args = splitArguments(text);
    if (args.some((arg) => stringOf(arg)?.isCut === true))
      this.book.skip('the rest of a string that strace cut (record with -s 65535)', line);
    if (name === 'clone' || name === 'clone3') return this.cloneOf(args);
    const path = name === 'mmap' ? pathBehind(args[4] ?? '') : args.map(stringOf).find((string) => string !== undefined)?.text;
    const call = genericCall(this.architecture, name, args.map(numberOf), path);
    if (name !== 'execve') return call;
    return { ...call, argv: stringsOf(args[1] ?? ''), env: stringsOf(args[2] ?? '') };
  }

  private cloneOf(args: readonly string[]): RecordedCall {
    const fields = args.flatMap((arg) => splitArguments(/^\{(.*)\}/s.exec(arg)?.[1] ?? arg));
    const valueOf = (name: string): string | undefined => fields.find((field) => field.startsWith(`${name}=`));
    const numbers = CLONE_ARGUMENTS.map((name) =>
      numberOf(valueOf(name) ?? (name === 'child_tidptr' ? valueOf('child_tid') : undefined) ?? '0'),
    );
    const signal = valueOf('exit_signal');
    if (signal !== undefined) numbers[0] = numbers[0]! + numberOf(signal);
    return genericCall('x86_64', 'clone', numbers);
  }
}

/** `0`, `-1 ENOENT (…)`, `0x8000 (flags …)`, `3</path>`, `? ERESTARTSYS (…)`; undefined if the call has no result. */
function resultOf(text: string): number | undefined {
  const errno = /^(?:-1|\?) (E[A-Z0-9]+)/.exec(text)?.[1];
  if (errno !== undefined) return -errnoNumber(errno);
  const number = /^(0x[0-9a-f]+|-?\d+)/.exec(text)?.[1];
  return number === undefined ? undefined : Number(number);
}
