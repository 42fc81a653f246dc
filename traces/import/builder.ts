/**
 * Makes a trace of a recording: records go in, in order; ops, files and a report come out.
 *
 * Processes are numbered from 1 in the order of their first records. An op stands where its effect is known: a copy at the call's
 * return, a fork at the parent's return or the child's first record, whichever comes first. Copies by the kernel are derived from
 * arguments and results. A strict import refuses a recording whose records do not fit together; another makes the best of it and says so.
 */
import type { Trace } from '../codec.ts';
import { ADDRESS_END, COPY_BYTES_MAX } from '../field.ts';
import { TraceError } from '../format-error.ts';
import type { KernelSpec, TraceHeader } from '../header.ts';
import type { Op, OpOf } from '../op.ts';
import { errnoOf, NR, type Call } from '../riscv-linux-calls.ts';
import { copiesOfCall, type Architecture } from './calls.ts';
import { Descriptors } from './descriptors.ts';
import { TraceFiles, type Layouts } from './files.ts';
import { memoryOp } from './memory-op.ts';
import type { RecordOf, Recorded, RecordedCall } from './recorded.ts';
import { ReportBook, type ImportReport } from './report.ts';
import { floorToPage, ImageUse, KnownSpace } from './space.ts';

export interface BuildOptions {
  /** Name of the recording, for errors. */
  readonly file: string;
  readonly architecture: Architecture;
  readonly layouts: Layouts;
  readonly kernel: KernelSpec;
  readonly source?: NonNullable<TraceHeader['source']> | undefined;
  /** End of the recorded stack; else it is taken from the addresses used. */
  readonly stackEnd?: number | undefined;
  /** A page that is there from every exec on, whatever is recorded: qemu-riscv64's signal trampoline. */
  readonly trampoline?: number | undefined;
  /** Recorded addresses in [start, end) are `delta` further in the trace. */
  readonly moved?: { readonly start: number; readonly end: number; readonly delta: number } | undefined;
  /** Joins touches of one kind on consecutive pages into one op. */
  readonly compress: boolean;
  /** Names of the checks: the nth fork of the first process begins the nth. */
  readonly marks?: readonly string[] | undefined;
  /** Throw where records do not fit together. */
  readonly isStrict: boolean;
  /** Maps what was used and nothing recorded accounts for, and files whose path is known. */
  readonly fillsGaps: boolean;
}

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

export interface Imported {
  readonly trace: Trace;
  readonly report: ImportReport;
  readonly processes: readonly ImportedProcess[];
}

interface Process extends ImportedProcess {
  readonly programs: string[];
  readonly calls: string[];
  isAlive: boolean;
  space: KnownSpace | undefined;
  descriptors: Descriptors;
}

interface Task {
  process: Process;
  /** The call it is in. */
  call: RecordedCall | undefined;
  /** When it entered that call. */
  entered: number;
  /** Its call is the clone that made it, from which it has not been seen to return. */
  isNewborn: boolean;
}

const PAGE_BYTES = 4096;
const CLONE_VM = 0x100;
const CLONE_VFORK = 0x4000;
const CLONE_CHILD_SETTID = 0x1000000;
const UNKNOWN_PROGRAM = '/unknown';

export class TraceBuilder {
  readonly book: ReportBook;
  private readonly options: BuildOptions;
  private readonly files: TraceFiles;
  private readonly ops: Op[] = [];
  private readonly tasks = new Map<number, Task>();
  private readonly processes: Process[] = [];
  private readonly images: ImageUse[] = [];
  private entry: number | undefined;
  private firstForks = 0;
  private count = 0;

  constructor(options: BuildOptions, book = new ReportBook()) {
    this.options = options;
    this.book = book;
    this.files = new TraceFiles(options.layouts, book);
  }

  /** @throws TraceError if the import is strict and the record fits nowhere */
  add(record: Recorded): void {
    this.count++;
    switch (record.kind) {
      case 'image':
        this.image(record);
        break;
      case 'child':
        this.child(record);
        break;
      case 'enter':
        this.enter(this.beginner(record) ?? this.task(record), record);
        break;
      case 'return':
        this.return(this.task(record), record);
        break;
      case 'touch':
        this.touch(this.task(record), record);
        break;
      case 'copy':
        this.kernelCopy(this.task(record), record);
        break;
      case 'vma':
        this.task(record).process.space?.useRange(record.start, record.end - record.start, false, record.line);
        break;
      case 'death':
        this.death(record);
        break;
    }
  }

  finish(): Imported {
    const { kernel, source } = this.options;
    const ops = this.options.fillsGaps ? this.withGapsFilled() : this.ops;
    const files = this.files.finish(this.entry);
    return {
      trace: { header: { faultline: 1, kernel, files, ...(source === undefined ? {} : { source }) }, ops },
      report: this.book.finish(),
      processes: this.processes.map(({ pid, recorded, parent, programs, calls }) => ({ pid, recorded, parent, programs, calls })),
    };
  }

  // Programs.

  private image(record: RecordOf<'image'>): void {
    const task = this.tasks.get(record.task) ?? this.newTask(record.task, undefined);
    const path = record.path ?? task.call?.path ?? this.options.layouts.other?.path ?? UNKNOWN_PROGRAM;
    if (task.call !== undefined) this.copies(task, finishedCall(task.call, 0), record.line);
    const { argv, env } = { argv: record.argv ?? task.call?.argv, env: record.env ?? task.call?.env };
    task.call = undefined;
    this.execute(task.process, path, {
      ...(argv === undefined ? {} : { argv: [...argv] }),
      ...(env === undefined ? {} : { env: [...env] }),
    });
  }

  private execute(process: Process, path: string, args: Pick<OpOf<'exec'>, 'argv' | 'env'> = {}): void {
    const { stackEnd, trampoline } = this.options;
    const { segments } = this.files.execute(path);
    const image = new ImageUse(this.ops.length, segments, stackEnd);
    this.images.push(image);
    process.programs.push(path);
    process.space = new KnownSpace(image, stackEnd);
    this.ops.push({ pid: process.pid, op: 'exec', path, ...args, ...(stackEnd === undefined ? {} : { stack: stackEnd }) });
    if (trampoline === undefined) return;
    process.space.map(trampoline, PAGE_BYTES);
    this.ops.push(this.mapping(process.pid, 'rx', { start: trampoline, end: trampoline + PAGE_BYTES }));
  }

  private mapping(pid: number, prot: 'rx' | 'rwx', { start, end }: { start: number; end: number }): Op {
    return { pid, op: 'mmap', addr: 0, length: end - start, prot, flags: ['private', 'anonymous'], result: start };
  }

  /** The ops, with mappings after each exec for what it must have had, and the ends of stacks that are known only now. */
  private withGapsFilled(): Op[] {
    const filled: Op[] = [];
    const images = new Map(this.images.map((image) => [image.execIndex, image]));
    for (const [index, op] of this.ops.entries()) {
      const image = images.get(index);
      if (image === undefined || op.op !== 'exec') {
        filled.push(op);
        continue;
      }
      const stack = image.stackEnd();
      filled.push(stack === undefined ? op : { ...op, stack });
      const ranges = image.ranges();
      for (const range of ranges) filled.push(this.mapping(op.pid, 'rwx', range));
      if (ranges.length > 0)
        this.book.assume(`mappings right after an exec, of zeros, for pages that were used and that nothing recorded maps`, image.line);
    }
    return filled;
  }

  // Processes.

  /** The child's first record. The parent's return may have come before, or comes later. */
  private child(record: RecordOf<'child'>): void {
    const known = this.tasks.get(record.task);
    if (known?.process.isAlive === true) return;
    const forker = this.forker(record.parent);
    if (forker !== undefined) this.fork(forker, record.task, record.line);
    else if (this.options.isStrict) this.fail(record.line, 'ppid', 'no process is forking (is the start of the recording missing?)');
    else this.adopt(record.task, record.line);
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

  private fork(forker: Task, recorded: number, line: number): void {
    const flags = forker.call?.args[0] ?? 0;
    const isVfork = (flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) !== 0;
    const parent = forker.process;
    if ((flags & CLONE_VM) !== 0 && !isVfork) {
      if (this.options.isStrict) this.fail(line, '', 'a thread: this importer knows processes only');
      this.book.assume('a thread is taken for its process', line);
      this.tasks.set(recorded, { process: parent, call: undefined, entered: this.count, isNewborn: false });
      return;
    }
    const child = this.newTask(recorded, parent);
    child.call = forker.call;
    child.isNewborn = forker.call?.nr === NR.clone;
    const mark = parent.pid === 1 ? this.options.marks?.[this.firstForks++] : undefined;
    if (mark !== undefined) this.ops.push({ pid: 1, op: 'mark', name: mark });
    this.ops.push({ pid: parent.pid, op: isVfork ? 'vfork' : 'fork', child: child.process.pid });
  }

  private newTask(recorded: number, parent: Process | undefined): Task {
    const process: Process = {
      pid: this.processes.length + 1,
      recorded,
      parent: parent?.pid,
      programs: [],
      calls: [],
      isAlive: true,
      space: parent?.space?.copy(),
      descriptors: parent?.descriptors.copy() ?? new Descriptors(),
    };
    if (parent === undefined && this.processes.length > 0) this.birth(process);
    this.processes.push(process);
    const task: Task = { process, call: undefined, entered: this.count, isNewborn: false };
    this.tasks.set(recorded, task);
    return task;
  }

  /** A trace has one first process; another that no recorded process made is its child. */
  private birth(process: Process): void {
    const parent = this.processes.find(({ isAlive }) => isAlive) ?? this.processes[0]!;
    this.ops.push({ pid: parent.pid, op: 'fork', child: process.pid });
  }

  /** A process whose beginning is not in the recording. */
  private adopt(recorded: number, line: number): Task {
    this.book.assume(`process ${recorded} runs ${UNKNOWN_PROGRAM}: the recording does not say when it began`, line);
    const task = this.newTask(recorded, undefined);
    this.execute(task.process, UNKNOWN_PROGRAM);
    return task;
  }

  private death(record: RecordOf<'death'>): void {
    const task = this.tasks.get(record.task);
    if (task === undefined) {
      if (this.options.isStrict) this.task(record);
      return;
    }
    if (task.process.recorded !== record.task || !task.process.isAlive) return;
    const { status, signal } = record;
    this.die(task.process, { ...(status === undefined ? {} : { status }), ...(signal === undefined ? {} : { signal }) });
  }

  private die(process: Process, how: Pick<OpOf<'exit'>, 'status' | 'signal'>): void {
    process.isAlive = false;
    this.ops.push({ pid: process.pid, op: 'exit', ...how });
  }

  // Calls.

  private enter(task: Task, { call, line, task: recorded }: RecordOf<'enter'>): void {
    const { process } = task;
    this.comeAlive(task, line);
    if (task.call !== undefined && !this.options.isStrict) this.book.skip(`${task.call.name} has no result`, line);
    process.calls.push(call.name);
    task.call = call;
    task.entered = this.count;
    const isLast = call.nr === NR.exitGroup || (call.nr === NR.exit && process.recorded === recorded);
    if (isLast && process.isAlive) this.die(process, { status: call.args[0]! % 256 });
  }

  /** A child that a recording shows only from its first own call on has returned from clone before. */
  private comeAlive(task: Task, line: number): void {
    if (!task.isNewborn) return;
    task.isNewborn = false;
    if (task.call === undefined) return;
    this.cloneReturned(task, finishedCall(task.call, 0), line);
    task.call = undefined;
  }

  private return(task: Task, record: RecordOf<'return'>): void {
    const { nr, result, line } = record;
    const call = record.call ?? task.call;
    if (task.call === undefined || call === undefined || task.call.nr !== nr) {
      const inside = task.call === undefined ? 'in none' : `in call ${task.call.nr}`;
      if (this.options.isStrict) this.fail(line, 'nr', `returns from call ${nr}, but the process is ${inside}`);
      if (nr !== NR.execve) this.book.skip('a return from a call that was not seen to begin', line);
      return;
    }
    const { process } = task;
    const finished = finishedCall(call, result);
    if (nr === NR.clone) this.cloneReturned(task, finished, line);
    else if (nr === NR.wait4) this.wait(process, finished, line);
    if (nr !== NR.clone && process.isAlive) this.accountFor(process, call, finished, line);
    if (process.isAlive) this.copies(task, finished, line);
    task.call = undefined;
    task.isNewborn = false;
  }

  /** The op of a call about memory, and what it says of the address space. */
  private accountFor(process: Process, call: RecordedCall, finished: Call, line: number): void {
    process.descriptors.note(finished, call.path);
    const file = call.nr === NR.mmap ? (call.path ?? process.descriptors.pathOf(call.args[4]!)) : undefined;
    const canMapFile = this.options.fillsGaps && finished.result >= 0 && file !== undefined;
    const path = canMapFile && this.files.mapFile(file, call.args[5]!, call.args[1]!) ? file : undefined;
    const { op, isFileLost } = memoryOp(process.pid, finished, (address) => this.moved(address), path);
    if (isFileLost && this.options.fillsGaps)
      this.book.assume('a mapping of a file is anonymous memory: the recording does not hold the file', line);
    if (op === undefined) return;
    this.ops.push(op);
    const { space } = process;
    if (space === undefined || finished.result < 0) return;
    if (op.op === 'mmap' && typeof op.result === 'number') space.map(op.result, op.length);
    else if (op.op === 'mremap' && typeof op.result === 'number') {
      space.useRange(op.addr, op.length, true, line);
      space.unmap(op.addr, op.length);
      space.map(op.result, op.newLength);
    } else if (op.op === 'munmap') {
      space.useRange(op.addr, op.length, false, line);
      space.unmap(op.addr, op.length);
    } else if (op.op === 'brk' && typeof op.result === 'number') space.moveHeapEnd(op.result);
    else if ('length' in op && 'addr' in op) space.useRange(op.addr, op.length, false, line);
  }

  /** Both sides return from clone: the child with 0, the parent with the child's number. */
  private cloneReturned(task: Task, call: Call, line: number): void {
    const { args, result } = call;
    if (result > 0 && this.tasks.get(result)?.process.isAlive !== true && !this.hasLived(task.process, result)) {
      task.call = { name: 'clone', nr: call.nr, args };
      this.fork(task, result, line);
    }
    if (result === 0 && (args[0]! & CLONE_CHILD_SETTID) !== 0 && args[4]! > 0) this.copy(task.process, 'copyOut', args[4]!, 4, line);
  }

  /** A child may be born and dead before its parent's clone returns. */
  private hasLived({ pid }: Process, recorded: number): boolean {
    const child = this.tasks.get(recorded)?.process;
    return child?.parent === pid && !this.ops.some((op) => op.op === 'wait' && op.result === child.pid);
  }

  private wait(process: Process, { result }: Call, line: number): void {
    if (result === 0) return;
    const child = this.tasks.get(result)?.process;
    if (result < 0) this.ops.push({ pid: process.pid, op: 'wait', result: errnoOf(result)! });
    else if (child === undefined) {
      if (this.options.isStrict) this.fail(line, 'pid', unknownProcess(result));
      this.book.skip(`a wait for a process that the recording does not hold`, line);
    } else {
      if (child.isAlive) this.die(child, { signal: 'SIGKILL' }); // It left no record of its own.
      this.ops.push({ pid: process.pid, op: 'wait', child: child.pid, result: child.pid });
    }
  }

  private copies({ process }: Task, call: Call, line: number): void {
    for (const { op, addr, length } of copiesOfCall(this.options.architecture, call)) this.copy(process, op, addr, length, line);
  }

  private copy({ pid, space }: Process, op: 'copyIn' | 'copyOut', recorded: number, length: number, line: number): void {
    const addr = this.moved(recorded);
    if (addr + length > ADDRESS_END || length > COPY_BYTES_MAX) return;
    space?.useRange(addr, length, op === 'copyOut', line);
    this.ops.push({ pid, op, addr, length });
  }

  // Accesses.

  private touch(task: Task, { addr: recorded, access, isPage = false, outcome, line }: RecordOf<'touch'>): void {
    this.comeAlive(task, line);
    const { process, call } = task;
    if (!process.isAlive || recorded >= ADDRESS_END) {
      this.book.skip(process.isAlive ? 'an access above user space' : 'an access of a process that has ended', line);
      return;
    }
    if (call?.nr === NR.execve && !this.options.isStrict) {
      this.book.skip('a fault of exec itself: the model makes its own', line);
      return;
    }
    const moved = this.moved(recorded);
    const addr = isPage ? this.addressIn(process, moved, access) : moved;
    if (access === 'x') this.entry ??= addr;
    if (outcome === undefined || outcome === 0) process.space?.use(addr, access === 'w', line);
    if (outcome === undefined && this.options.compress && this.joined(process.pid, addr, access)) return;
    this.ops.push({ pid: process.pid, op: 'touch', addr, access, ...(outcome === undefined ? {} : { result: outcome }) });
  }

  private kernelCopy({ process, call }: Task, { addr, isWrite, line }: RecordOf<'copy'>): void {
    if (addr >= ADDRESS_END) this.book.skip('an access above user space', line);
    else if (call?.nr === NR.execve) this.book.skip('a fault of exec itself: the model makes its own', line);
    else if (process.isAlive) this.copy(process, isWrite ? 'copyOut' : 'copyIn', addr, 1, line);
  }

  private moved(address: number): number {
    const { moved } = this.options;
    return moved !== undefined && address >= moved.start && address < moved.end ? address + moved.delta : address;
  }

  /** The first byte of a page that a segment has, one that allows the access if there is a choice; the page's start if none has any. */
  private addressIn({ space }: Process, page: number, access: 'r' | 'w' | 'x'): number {
    const segments = space?.image.segments ?? [];
    const here = segments.filter(({ vaddr, memsz }) => vaddr < page + PAGE_BYTES && vaddr + memsz > page);
    const allowed = here.filter(({ flags }) => flags.includes(access));
    const starts = (allowed.length > 0 ? allowed : here).map(({ vaddr }) => Math.max(vaddr, page));
    return starts.length === 0 ? page : Math.min(...starts);
  }

  /** Lengthens the last op by this page, if it is a touch that this one continues. */
  private joined(pid: number, addr: number, access: 'r' | 'w' | 'x'): boolean {
    const last = this.ops.at(-1);
    if (last?.op !== 'touch' || last.pid !== pid || last.access !== access || last.result !== undefined) return false;
    const pages = last.pages ?? 1;
    if (last.addr !== floorToPage(last.addr) || addr !== last.addr + pages * PAGE_BYTES) return false;
    this.ops[this.ops.length - 1] = { ...last, pages: pages + 1 };
    return true;
  }

  /** The first process, if the recording begins with the exec that makes it what it is. */
  private beginner({ call, task }: RecordOf<'enter'>): Task | undefined {
    const isBeginning = this.tasks.size === 0 && call.nr === NR.execve && !this.options.isStrict;
    return isBeginning ? this.newTask(task, undefined) : undefined;
  }

  /** Whose record it is. A number that is used again is known by its first call, if nothing before says so. */
  private task({ task, line, kind }: Recorded): Task {
    const found = this.tasks.get(task);
    const mayBeNew = kind === 'enter' && !this.options.isStrict;
    if (found !== undefined && (found.process.isAlive || !mayBeNew || this.forker(undefined) === undefined)) return found;
    if (this.options.isStrict) this.fail(line, 'pid', unknownProcess(task));
    const forker = this.forker(undefined);
    if (forker === undefined) return this.adopt(task, line);
    this.fork(forker, task, line);
    return this.tasks.get(task)!;
  }

  // Errors.

  private fail(line: number, field: string, problem: string): never {
    throw new TraceError({ file: this.options.file, line }, field, problem);
  }
}

const finishedCall = ({ nr, args, path }: RecordedCall, result: number): Call => ({
  nr,
  args,
  result,
  ...(path === undefined ? {} : { path }),
});

const unknownProcess = (recorded: number): string =>
  `process ${recorded} has no image and no parent yet (is the start of the recording missing?)`;
