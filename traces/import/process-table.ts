/**
 * Who is who: the processes of a recording and their threads, how they are born and how they end.
 *
 * Processes are numbered from 1 in the order of their first records. A fork stands where its effect is known: at the parent's return or
 * the child's first record, whichever comes first. A strict table refuses what fits nowhere; another makes the best of it and says so.
 */
import { TraceError } from '../format-error.ts';
import type { OpOf } from '../op.ts';
import { errnoOf, NR, type Call } from '../riscv-linux-calls.ts';
import { CLONE_VFORK, CLONE_VM } from './calls.ts';
import { Descriptors } from './descriptors.ts';
import type { OpList } from './op-list.ts';
import { UNKNOWN_PROGRAM, type Programs } from './programs.ts';
import type { Recorded, RecordedCall, RecordOf } from './recorded.ts';
import type { ReportBook } from './report.ts';
import type { KnownSpace } from './space.ts';

/** What a process did, for people and for comparing recordings. */
export interface ImportedProcess {
  readonly pid: number;
  /** Its number in the recording. */
  readonly recorded: number;
  readonly parent: number | undefined;
  readonly programs: readonly string[];
  /** Names of its calls, asm-generic's, in order of entry. */
  readonly calls: readonly string[];
}

export interface Process extends ImportedProcess {
  readonly programs: string[];
  readonly calls: string[];
  readonly descriptors: Descriptors;
  isAlive: boolean;
  /** Its parent knows of its end. */
  isReaped: boolean;
  space: KnownSpace | undefined;
}

/** A thread of a recording. */
export interface Task {
  readonly process: Process;
  /** The call it is in. */
  call: RecordedCall | undefined;
  /** Its call is the clone that made it, from which it has not been seen to return. */
  isNewborn: boolean;
  /** Which entry to a call was its last: the nth of all. */
  entered: number;
}

export interface ProcessOptions {
  /** Name of the recording, for errors. */
  readonly file: string;
  /** Throw where records do not fit together. */
  readonly isStrict: boolean;
  /** Names of the checks: the nth fork of the first process begins the nth. */
  readonly marks?: readonly string[] | undefined;
}

export class ProcessTable {
  private readonly options: ProcessOptions;
  private readonly programs: Programs;
  private readonly ops: OpList;
  private readonly book: ReportBook;
  private readonly tasks = new Map<number, Task>();
  private readonly processes: Process[] = [];
  private firstForks = 0;
  private entries = 0;

  constructor(options: ProcessOptions, programs: Programs, ops: OpList, book: ReportBook) {
    this.options = options;
    this.programs = programs;
    this.ops = ops;
    this.book = book;
  }

  // Who.

  /** Whose record it is. A number that is used again is known by its first call, if nothing before says so. */
  taskOf({ task, line, kind }: Recorded): Task {
    const found = this.tasks.get(task);
    const mayBeNew = kind === 'enter' && !this.options.isStrict;
    if (found !== undefined && (found.process.isAlive || !mayBeNew || this.forker(undefined) === undefined)) return found;
    if (this.options.isStrict) this.fail(line, 'pid', unknownProcess(task));
    const forker = this.forker(undefined);
    return forker === undefined ? this.adopt(task, line) : this.fork(forker, task, line);
  }

  /** Who executes a program: a first process, if nobody has that number. */
  executorOf({ task }: RecordOf<'image'>): Task {
    return this.tasks.get(task) ?? this.add(task, undefined);
  }

  /** Who enters a call: the first process, if the recording begins with the exec that makes it what it is. */
  callerOf(record: RecordOf<'enter'>): Task {
    const isBeginning = this.tasks.size === 0 && record.call.nr === NR.execve && !this.options.isStrict;
    return isBeginning ? this.add(record.task, undefined) : this.taskOf(record);
  }

  enter(task: Task, call: RecordedCall): void {
    task.process.calls.push(call.name);
    task.call = call;
    task.entered = ++this.entries;
  }

  finish(): ImportedProcess[] {
    return this.processes.map(({ pid, recorded, parent, programs, calls }) => ({ pid, recorded, parent, programs, calls }));
  }

  // Births.

  /** The child's first record. The parent's return may have come before, or comes later. */
  appear({ task, parent, line }: RecordOf<'child'>): void {
    if (this.tasks.get(task)?.process.isAlive === true) return;
    const forker = this.forker(parent);
    if (forker !== undefined) this.fork(forker, task, line);
    else if (this.options.isStrict) this.fail(line, 'ppid', 'no process is forking (is the start of the recording missing?)');
    else this.adopt(task, line);
  }

  /** The parent has returned from clone with the child's number. */
  cloned(task: Task, { nr, args, result }: Call, line: number): void {
    const child = this.tasks.get(result)?.process;
    // A child may be born and dead before its parent's clone returns.
    if (child?.isAlive === true || (child?.parent === task.process.pid && !child.isReaped)) return;
    task.call = { name: 'clone', nr, args };
    this.fork(task, result, line);
  }

  /** The task that is in clone and said to be the parent, else the only one, else the one that waits longest. */
  private forker(parent: number | undefined): Task | undefined {
    const pending = [...this.tasks.values()]
      .filter(({ call, isNewborn }) => call?.nr === NR.clone && !isNewborn)
      .sort((a, b) => a.entered - b.entered);
    const told = parent === undefined ? undefined : this.tasks.get(parent);
    if (told !== undefined && (!this.options.isStrict || pending.includes(told))) return told;
    return this.options.isStrict && pending.length !== 1 ? undefined : pending[0];
  }

  private fork(forker: Task, recorded: number, line: number): Task {
    const flags = forker.call?.args[0] ?? 0;
    const isVfork = (flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) !== 0;
    const parent = forker.process;
    if ((flags & CLONE_VM) !== 0 && !isVfork) return this.addThread(parent, recorded, line);
    const child = this.add(recorded, parent);
    child.call = forker.call;
    child.isNewborn = forker.call?.nr === NR.clone;
    const mark = parent.pid === 1 ? this.options.marks?.[this.firstForks++] : undefined;
    if (mark !== undefined) this.ops.push({ pid: 1, op: 'mark', name: mark });
    this.ops.push({ pid: parent.pid, op: isVfork ? 'vfork' : 'fork', child: child.process.pid });
    return child;
  }

  private addThread(process: Process, recorded: number, line: number): Task {
    if (this.options.isStrict) this.fail(line, '', 'a thread: this importer knows processes only');
    this.book.assume('a thread is taken for its process', line);
    return this.addTask(recorded, process);
  }

  private add(recorded: number, parent: Process | undefined): Task {
    const process: Process = {
      pid: this.processes.length + 1,
      recorded,
      parent: parent?.pid,
      programs: [],
      calls: [],
      isAlive: true,
      isReaped: false,
      space: parent?.space?.copy(),
      descriptors: parent?.descriptors.copy() ?? new Descriptors(),
    };
    if (parent === undefined && this.processes.length > 0) this.bear(process);
    this.processes.push(process);
    return this.addTask(recorded, process);
  }

  private addTask(recorded: number, process: Process): Task {
    const task: Task = { process, call: undefined, isNewborn: false, entered: this.entries };
    this.tasks.set(recorded, task);
    return task;
  }

  /** A trace has one first process; another that no recorded process made is its child. */
  private bear({ pid }: Process): void {
    const parent = this.processes.find(({ isAlive }) => isAlive) ?? this.processes[0]!;
    this.ops.push({ pid: parent.pid, op: 'fork', child: pid });
  }

  /** A process whose beginning is not in the recording. */
  private adopt(recorded: number, line: number): Task {
    this.book.assume(`process ${recorded} runs ${UNKNOWN_PROGRAM}: the recording does not say when it began`, line);
    const task = this.add(recorded, undefined);
    this.execute(task.process, UNKNOWN_PROGRAM);
    return task;
  }

  /** The process executes a program. */
  execute(process: Process, path: string, args: Pick<OpOf<'exec'>, 'argv' | 'env'> = {}): void {
    process.programs.push(path);
    process.space = this.programs.execute(process.pid, path, args);
  }

  // Ends.

  /** A process is gone, by a record of its own. */
  depart(record: RecordOf<'death'>): void {
    const task = this.tasks.get(record.task);
    if (task === undefined) {
      if (this.options.isStrict) this.fail(record.line, 'pid', unknownProcess(record.task));
      return;
    }
    if (task.process.recorded !== record.task || !task.process.isAlive) return;
    const { status, signal } = record;
    this.end(task.process, { ...(status === undefined ? {} : { status }), ...(signal === undefined ? {} : { signal }) });
  }

  end(process: Process, how: Pick<OpOf<'exit'>, 'status' | 'signal'>): void {
    process.isAlive = false;
    this.ops.push({ pid: process.pid, op: 'exit', ...how });
  }

  /** The process has returned from wait4. */
  waited({ pid }: Process, { result }: Call, line: number): void {
    if (result === 0) return;
    const child = this.tasks.get(result)?.process;
    if (result < 0) this.ops.push({ pid, op: 'wait', result: errnoOf(result)! });
    else if (child === undefined) {
      if (this.options.isStrict) this.fail(line, 'pid', unknownProcess(result));
      this.book.skip(`a wait for a process that the recording does not hold`, line);
    } else {
      if (child.isAlive) this.end(child, { signal: 'SIGKILL' }); // It left no record of its own.
      child.isReaped = true;
      this.ops.push({ pid, op: 'wait', child: child.pid, result: child.pid });
    }
  }

  private fail(line: number, field: string, problem: string): never {
    throw new TraceError({ file: this.options.file, line }, field, problem);
  }
}

const unknownProcess = (recorded: number): string =>
  `process ${recorded} has no image and no parent yet (is the start of the recording missing?)`;
