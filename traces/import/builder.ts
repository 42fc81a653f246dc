/**
 * Makes a trace of a recording: records go in, in order; ops, files and a report come out.
 *
 * An op stands where its effect is known: a copy at the call's return. Copies by the kernel are derived from arguments and results. A
 * strict import refuses a recording whose records do not fit together; another makes the best of it and says so.
 */
import { floorToPage } from '../../kernel-model/index.ts';
import type { Trace } from '../codec.ts';
import { ADDRESS_END, COPY_BYTES_MAX } from '../field.ts';
import { TraceError } from '../format-error.ts';
import type { KernelSpec, TraceHeader } from '../header.ts';
import { NR, type Call } from '../riscv-linux-calls.ts';
import { CLONE_CHILD_SETTID, copiesOfCall, type Architecture } from './calls.ts';
import { memoryOp } from './memory-op.ts';
import { OpList } from './op-list.ts';
import { ProcessTable, type ImportedProcess, type Process, type ProcessOptions, type Task } from './process-table.ts';
import { Programs, type ProgramOptions } from './programs.ts';
import type { RecordOf, Recorded, RecordedCall } from './recorded.ts';
import { ReportBook, type ImportReport } from './report.ts';

export interface BuildOptions extends ProcessOptions, ProgramOptions {
  readonly architecture: Architecture;
  readonly kernel: KernelSpec;
  readonly source?: NonNullable<TraceHeader['source']> | undefined;
  /** Joins touches of one kind on consecutive pages into one op. */
  readonly compress: boolean;
}

export interface Imported {
  readonly trace: Trace;
  readonly report: ImportReport;
  readonly processes: readonly ImportedProcess[];
}

export class TraceBuilder {
  readonly book: ReportBook;
  private readonly options: BuildOptions;
  private readonly ops = new OpList();
  private readonly programs: Programs;
  private readonly processes: ProcessTable;

  constructor(options: BuildOptions, book = new ReportBook()) {
    this.options = options;
    this.book = book;
    this.programs = new Programs(options, this.ops, book);
    this.processes = new ProcessTable(options, this.programs, this.ops, book);
  }

  /** @throws TraceError if the import is strict and the record fits nowhere */
  add(record: Recorded): void {
    switch (record.kind) {
      case 'image':
        this.image(this.processes.executorOf(record), record);
        break;
      case 'child':
        this.processes.appear(record);
        break;
      case 'enter':
        this.enter(this.processes.callerOf(record), record);
        break;
      case 'return':
        this.return(this.processes.taskOf(record), record);
        break;
      case 'touch':
        this.touch(this.processes.taskOf(record), record);
        break;
      case 'copy':
        this.kernelCopy(this.processes.taskOf(record), record);
        break;
      case 'vma':
        this.vma(this.processes.taskOf(record), record);
        break;
      case 'death':
        this.processes.depart(record);
        break;
    }
  }

  finish(): Imported {
    const { kernel, source } = this.options;
    const { files, ops } = this.programs.finish();
    return {
      trace: { header: { faultline: 1, kernel, files, ...(source === undefined ? {} : { source }) }, ops: [...ops] },
      report: this.book.finish(),
      processes: this.processes.finish(),
    };
  }

  // Calls.

  private image(task: Task, record: RecordOf<'image'>): void {
    const path = record.path ?? task.call?.path ?? this.programs.unnamed;
    if (task.call !== undefined) this.copies(task, finishedCall(task.call, 0), record.line);
    const { argv, env } = { argv: record.argv ?? task.call?.argv, env: record.env ?? task.call?.env };
    task.call = undefined;
    this.processes.execute(task.process, path, {
      ...(argv === undefined ? {} : { argv: [...argv] }),
      ...(env === undefined ? {} : { env: [...env] }),
    });
  }

  private enter(task: Task, { call, line, task: recorded }: RecordOf<'enter'>): void {
    const { process } = task;
    this.comeAlive(task, line);
    if (task.call !== undefined && !this.options.isStrict) this.book.skip(`${task.call.name} has no result`, line);
    this.processes.enter(task, call);
    const isLast = call.nr === NR.exitGroup || (call.nr === NR.exit && process.recorded === recorded);
    if (isLast && process.isAlive) this.processes.end(process, { status: call.args[0]! % 256 });
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
      if (this.options.isStrict)
        throw new TraceError({ file: this.options.file, line }, 'nr', `returns from call ${nr}, but the process is ${inside}`);
      if (nr !== NR.execve) this.book.skip('a return from a call that was not seen to begin', line);
      return;
    }
    const { process } = task;
    const finished = finishedCall(call, result);
    if (nr === NR.clone) this.cloneReturned(task, finished, line);
    else if (nr === NR.wait4) this.processes.waited(process, finished, line);
    if (nr !== NR.clone && process.isAlive) this.accountFor(process, call, finished, line);
    if (process.isAlive) this.copies(task, finished, line);
    task.call = undefined;
    task.isNewborn = false;
  }

  /** Both sides return from clone: the child with 0, the parent with the child's number. */
  private cloneReturned(task: Task, call: Call, line: number): void {
    const { args, result } = call;
    if (result > 0) this.processes.cloned(task, call, line);
    if (result === 0 && (args[0]! & CLONE_CHILD_SETTID) !== 0 && args[4]! > 0) this.copy(task.process, 'copyOut', args[4]!, 4, line);
  }

  /** The op of a call about memory, and what it says of the address space. */
  private accountFor(process: Process, call: RecordedCall, finished: Call, line: number): void {
    process.descriptors.note(finished, call.path);
    const file = call.nr === NR.mmap ? (call.path ?? process.descriptors.pathOf(call.args[4]!)) : undefined;
    const path = finished.result < 0 ? undefined : this.programs.fileToMap(file, call.args[5]!, call.args[1]!);
    const isHeap = call.nr === NR.brk;
    if (isHeap) process.space?.addresses.noteHeapEnd(finished.result);
    const moved = (address: number): number => (isHeap ? heapEndHere(process, address) : here(process, address));
    const { op, isFileLost } = memoryOp(process.pid, finished, moved, path);
    if (isFileLost) this.programs.noteLostFile(line);
    if (op === undefined) return;
    this.ops.push(op);
    if (finished.result >= 0) process.space?.carryOut(op, line);
  }

  private copies({ process }: Task, call: Call, line: number): void {
    for (const { op, addr, length } of copiesOfCall(this.options.architecture, call)) this.copy(process, op, addr, length, line);
  }

  private copy(process: Process, op: 'copyIn' | 'copyOut', recorded: number, length: number, line: number): void {
    const addr = here(process, recorded);
    if (addr + length > ADDRESS_END || length > COPY_BYTES_MAX) return;
    process.space?.useRange(addr, length, op === 'copyOut', line);
    this.ops.push({ pid: process.pid, op, addr, length });
  }

  // Accesses.

  private touch(task: Task, { addr: recorded, access, isPage = false, outcome, line }: RecordOf<'touch'>): void {
    this.comeAlive(task, line);
    const { process, call } = task;
    const { pid, space, isAlive } = process;
    if (!isAlive || recorded >= ADDRESS_END) {
      this.book.skip(isAlive ? 'an access above user space' : 'an access of a process that has ended', line);
      return;
    }
    if (call?.nr === NR.execve && !this.options.isStrict) {
      this.book.skip('a fault of exec itself: the model makes its own', line);
      return;
    }
    const place = here(process, recorded);
    const addr = isPage ? (space?.firstByteOf(place, access) ?? place) : place;
    if (access === 'x') this.programs.noteFetch(addr);
    if (outcome === undefined || outcome === 0) space?.use(addr, access === 'w', line);
    const isAlone = outcome !== undefined || space?.isBorder(floorToPage(addr)) === true;
    if (this.options.compress && !isAlone) this.ops.pushJoined({ pid, addr, access });
    else this.ops.push({ pid, op: 'touch', addr, access, ...(outcome === undefined ? {} : { result: outcome }) });
  }

  private kernelCopy({ process, call }: Task, { addr, isWrite, line }: RecordOf<'copy'>): void {
    if (addr >= ADDRESS_END) this.book.skip('an access above user space', line);
    else if (call?.nr === NR.execve) this.book.skip('a fault of exec itself: the model makes its own', line);
    else if (process.isAlive) this.copy(process, isWrite ? 'copyOut' : 'copyIn', addr, 1, line);
  }

  private vma({ process }: Task, { start, end, line }: RecordOf<'vma'>): void {
    process.space?.useRange(here(process, start), end - start, false, line);
  }
}

/** Where a recorded address of the process is in the trace. */
const here = ({ space }: Process, recorded: number): number => space?.addresses.here(recorded) ?? recorded;
const heapEndHere = ({ space }: Process, recorded: number): number => space?.addresses.heapEndHere(recorded) ?? recorded;

const finishedCall = ({ nr, args, path }: RecordedCall, result: number): Call => ({
  nr,
  args,
  result,
  ...(path === undefined ? {} : { path }),
});
