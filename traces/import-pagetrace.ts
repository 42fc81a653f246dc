/**
 * Imports a page-touch recording: JSONL of a QEMU user-mode plugin that writes system calls and touched pages in program order.
 *
 * Records are `{"t":"image|enter|exit|child|touch|end","pid":N,…}`: `enter` has `nr`, six hex `args` and maybe `path`, `exit` has `nr`
 * and `ret` (decimal), `touch` has `page` (hex) and `a` (r, w or x). The recording knows pages, not bytes, and nothing of the files:
 * one statically linked program is assumed, whose layout the caller gives, with synthetic bytes. A mapping of a file becomes an
 * anonymous one, a signal frame is not seen, threads are refused. qemu maps a page above the stack through which signal handlers return;
 * it is told as an mmap after each exec, because later touches fall on it. An op stands where its effect is known: a copy at the call's
 * return, a fork at the parent's return or the child's first record, whichever comes first.
 */
import type { Trace } from './codec.ts';
import { ADDRESS_END, COPY_BYTES_MAX, LENGTH_MAX } from './field.ts';
import { show, TraceError } from './format-error.ts';
import type { FileSpec, KernelSpec, SegmentSpec, TraceHeader } from './header.ts';
import type { Op, OpOf } from './op.ts';
import { adviceOf, copiesOf, errnoOf, mapFlagsOf, NR, protOf, remapFlagsOf, syncFlagsOf, type Call } from './riscv-linux-calls.ts';

export interface PagetraceOptions {
  /** Name of the recording, for errors. */
  readonly file: string;
  /** Path of the program; every path that the recording execs is a link to it. */
  readonly path: string;
  /** Further paths of the program, besides those that the recording execs. */
  readonly links?: readonly string[];
  /** Bytes of the program file. */
  readonly size: number;
  readonly segments: readonly SegmentSpec[];
  /** Seed of the synthetic bytes that stand for the program's. */
  readonly seed: string;
  readonly kernel: KernelSpec;
  readonly source?: NonNullable<TraceHeader['source']>;
  /** Moves the program: the page of its lowest segment becomes this address, and the heap moves along. */
  readonly rebase?: number;
  /** Joins touches of one kind on consecutive pages into one op. */
  readonly compress: boolean;
  /** Names of the checks: the nth fork of the first process begins the nth. */
  readonly marks?: readonly string[];
}

/** The end of the stack under qemu-riscv64. */
export const QEMU_STACK_END = 0x4000801000;
/** The page of the signal trampoline, which qemu-riscv64 maps at exec right above the stack. */
const TRAMPOLINE = QEMU_STACK_END;
/** Below lie the program and its heap, above the stack and the mappings. */
const PROGRAM_END = 0x40000000;
const PAGE_BYTES = 4096;

/**
 * The recording as a trace; processes are numbered from 1 in the order of their first records.
 *
 * @throws TraceError naming the record (line) that is malformed or asks for what this importer does not know
 */
export function importPagetrace(records: Iterable<unknown>, options: PagetraceOptions): Trace {
  const importer = new Importer(options);
  for (const record of records) importer.add(record);
  return importer.finish();
}

interface Process {
  readonly pid: number;
  isAlive: boolean;
  /** The call it is in. */
  call: Omit<Call, 'result'> | undefined;
}

class Importer {
  private readonly options: PagetraceOptions;
  private readonly ops: Op[] = [];
  private readonly processes = new Map<number, Process>();
  private readonly paths = new Set<string>();
  private readonly segments: SegmentSpec[];
  private readonly imageStart: number;
  private readonly delta: number;
  private entry: number | undefined;
  private firstForks = 0;
  private line = 0;

  constructor(options: PagetraceOptions) {
    this.options = options;
    this.imageStart = floorToPage(Math.min(...options.segments.map(({ vaddr }) => vaddr)));
    this.delta = options.rebase === undefined ? 0 : options.rebase - this.imageStart;
    this.segments = options.segments.map((segment) => ({ ...segment, vaddr: segment.vaddr + this.delta }));
  }

  add(record: unknown): void {
    this.line++;
    const row = this.object(record);
    const pid = this.whole(row, 'pid');
    switch (row['t']) {
      case 'image':
        this.image(pid);
        break;
      case 'child':
        this.child(pid, this.whole(row, 'ppid'));
        break;
      case 'enter':
        this.enter(this.process(pid), row);
        break;
      case 'exit':
        this.exit(this.process(pid), row);
        break;
      case 'touch':
        this.touch(this.process(pid), row);
        break;
      case 'end':
        this.end(this.process(pid));
        break;
      default:
        throw this.error('t', `${show(row['t'])} is no kind of record (image, enter, exit, child, touch or end)`);
    }
  }

  finish(): Trace {
    const { path, links = [], size, seed, kernel, source } = this.options;
    const file: FileSpec = {
      path,
      links: [...new Set([...links, ...this.paths])].filter((link) => link !== path),
      size,
      immutable: true,
      type: 'exec',
      ...(this.entry === undefined ? {} : { entry: this.entry }),
      segments: this.segments,
      content: { seed },
    };
    return { header: { faultline: 1, kernel, files: [file], ...(source === undefined ? {} : { source }) }, ops: this.ops };
  }

  // Records.

  private image(recorded: number): void {
    const process = this.processes.get(recorded) ?? this.newProcess(recorded);
    const path = process.call?.path ?? this.options.path;
    if (process.call !== undefined) this.copies(process, { ...process.call, result: 0 });
    process.call = undefined;
    this.paths.add(path);
    this.ops.push({ pid: process.pid, op: 'exec', path, stack: QEMU_STACK_END });
    this.ops.push({
      pid: process.pid,
      op: 'mmap',
      addr: 0,
      length: PAGE_BYTES,
      prot: 'rx',
      flags: ['private', 'anonymous'],
      result: TRAMPOLINE,
    });
  }

  /** The child's first record. The parent's return may have come before, or comes later. */
  private child(recorded: number, parentRecorded: number): void {
    if (this.processes.has(recorded)) return;
    const pending = [...this.processes.values()].filter(({ call }) => call?.nr === NR.clone);
    const parent =
      pending.find(({ pid }) => pid === this.processes.get(parentRecorded)?.pid) ?? (pending.length === 1 ? pending[0] : undefined);
    if (parent === undefined) throw this.error('ppid', 'no process is forking (is the start of the recording missing?)');
    this.fork(parent, recorded);
  }

  private enter(process: Process, row: Record<string, unknown>): void {
    const path = row['path'];
    process.call = { nr: this.whole(row, 'nr'), args: this.args(row), ...(typeof path === 'string' ? { path } : {}) };
    if (process.call.nr === NR.exit || process.call.nr === NR.exitGroup) this.die(process, { status: process.call.args[0]! % 256 });
  }

  private exit(process: Process, row: Record<string, unknown>): void {
    const { call } = process;
    const nr = this.whole(row, 'nr');
    if (call === undefined || call.nr !== nr)
      throw this.error('nr', `returns from call ${nr}, but the process is ${call === undefined ? 'in none' : `in call ${call.nr}`}`);
    const finished: Call = { ...call, result: this.result(row) };
    if (nr === NR.clone) this.cloneReturned(process, finished);
    else if (nr === NR.wait4) this.wait(process, finished);
    const op = this.memoryOp(process, finished);
    if (op !== undefined) this.ops.push(op);
    this.copies(process, finished);
    process.call = undefined;
  }

  private touch(process: Process, row: Record<string, unknown>): void {
    const access = row['a'];
    if (access !== 'r' && access !== 'w' && access !== 'x') throw this.error('a', `${show(access)} is no kind of access (r, w or x)`);
    const addr = this.addressIn(this.moved(this.hex(row['page'], 'page')), access);
    if (access === 'x') this.entry ??= addr;
    if (this.options.compress && this.joined(process.pid, addr, access)) return;
    this.ops.push({ pid: process.pid, op: 'touch', addr, access });
  }

  private end(process: Process): void {
    if (process.isAlive) this.die(process, {});
  }

  // Processes.

  private newProcess(recorded: number): Process {
    const process: Process = { pid: this.processes.size + 1, isAlive: true, call: undefined };
    this.processes.set(recorded, process);
    return process;
  }

  private fork(parent: Process, recorded: number): void {
    const CLONE_VM = 0x100;
    const CLONE_VFORK = 0x4000;
    const flags = parent.call!.args[0]!;
    const isVfork = (flags & CLONE_VM) !== 0 && (flags & CLONE_VFORK) !== 0;
    if ((flags & CLONE_VM) !== 0 && !isVfork) throw this.error('', 'a thread: this importer knows processes only');
    const child = this.newProcess(recorded);
    child.call = parent.call;
    const mark = parent.pid === 1 ? this.options.marks?.[this.firstForks++] : undefined;
    if (mark !== undefined) this.ops.push({ pid: 1, op: 'mark', name: mark });
    this.ops.push({ pid: parent.pid, op: isVfork ? 'vfork' : 'fork', child: child.pid });
  }

  /** Both sides return from clone: the child with 0, the parent with the child's number. */
  private cloneReturned(process: Process, call: Call): void {
    const CLONE_CHILD_SETTID = 0x1000000;
    const { args, result } = call;
    if (result > 0 && !this.processes.has(result)) this.fork(process, result);
    if (result === 0 && (args[0]! & CLONE_CHILD_SETTID) !== 0) this.copy(process, 'copyOut', args[4]!, 4);
  }

  private wait(process: Process, { result }: Call): void {
    if (result === 0) return;
    if (result < 0) {
      this.ops.push({ pid: process.pid, op: 'wait', result: errnoOf(result)! });
      return;
    }
    const child = this.process(result);
    if (child.isAlive) this.die(child, { signal: 'SIGKILL' }); // It left no record of its own.
    this.ops.push({ pid: process.pid, op: 'wait', child: child.pid, result: child.pid });
  }

  private die(process: Process, how: Pick<OpOf<'exit'>, 'status' | 'signal'>): void {
    process.isAlive = false;
    this.ops.push({ pid: process.pid, op: 'exit', ...how });
  }

  // Calls.

  /** The op of a call that changes or asks for mappings; undefined for other calls, and for what no kernel accepts and no op can say. */
  private memoryOp({ pid }: Process, { nr, args, result: returned }: Call): Op | undefined {
    const addr = this.moved(args[0]!);
    const [, length, third, fourth, fifth] = args as [number, number, number, number, number];
    if (addr >= ADDRESS_END || (nr !== NR.brk && length > LENGTH_MAX) || (nr === NR.mremap && third > LENGTH_MAX)) return undefined;
    const result = errnoOf(returned) ?? this.moved(returned);
    switch (nr) {
      case NR.brk:
        return { pid, op: 'brk', addr, result };
      case NR.mmap:
        return { pid, op: 'mmap', addr, length, prot: protOf(third), flags: anonymous(mapFlagsOf(fourth)), result };
      case NR.munmap:
        return { pid, op: 'munmap', addr, length, result };
      case NR.mprotect:
        return { pid, op: 'mprotect', addr, length, prot: protOf(third), result };
      case NR.mremap: {
        const flags = remapFlagsOf(fourth);
        const target = flags.includes('fixed') ? { newAddr: this.moved(fifth) } : {};
        return { pid, op: 'mremap', addr, length, newLength: third, flags, ...target, result };
      }
      case NR.madvise: {
        const advice = adviceOf(third);
        return advice === undefined ? undefined : { pid, op: 'madvise', addr, length, advice, result };
      }
      case NR.msync:
        return { pid, op: 'msync', addr, length, flags: syncFlagsOf(third), result };
      case NR.mincore:
        return { pid, op: 'mincore', addr, length, result };
      default:
        return undefined;
    }
  }

  private copies(process: Process, call: Call): void {
    for (const { op, addr, length } of copiesOf(call)) this.copy(process, op, addr, length);
  }

  private copy({ pid }: Process, op: 'copyIn' | 'copyOut', recorded: number, length: number): void {
    const addr = this.moved(recorded);
    if (addr + length <= ADDRESS_END && length <= COPY_BYTES_MAX) this.ops.push({ pid, op, addr, length });
  }

  // Addresses.

  private moved(address: number): number {
    return address >= this.imageStart && address < PROGRAM_END ? address + this.delta : address;
  }

  /** The first byte of a page that a segment has, one that allows the access if there is a choice; the page's start if none has any. */
  private addressIn(page: number, access: 'r' | 'w' | 'x'): number {
    const here = this.segments.filter(({ vaddr, memsz }) => vaddr < page + PAGE_BYTES && vaddr + memsz > page);
    const allowed = here.filter(({ flags }) => flags.includes(access));
    const starts = (allowed.length > 0 ? allowed : here).map(({ vaddr }) => Math.max(vaddr, page));
    return starts.length === 0 ? page : Math.min(...starts);
  }

  /** Lengthens the last op by this page, if it is a touch that this one continues. */
  private joined(pid: number, addr: number, access: 'r' | 'w' | 'x'): boolean {
    const last = this.ops.at(-1);
    if (last?.op !== 'touch' || last.pid !== pid || last.access !== access) return false;
    const pages = last.pages ?? 1;
    if (last.addr % PAGE_BYTES !== 0 || addr !== last.addr + pages * PAGE_BYTES) return false;
    this.ops[this.ops.length - 1] = { ...last, pages: pages + 1 };
    return true;
  }

  // Fields of a record.

  private process(recorded: number): Process {
    const found = this.processes.get(recorded);
    if (found === undefined)
      throw this.error('pid', `process ${recorded} has no image and no parent yet (is the start of the recording missing?)`);
    return found;
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
    return new TraceError({ file: this.options.file, line: this.line }, field, problem);
  }
}

const floorToPage = (address: number): number => address - (address % PAGE_BYTES);

/** The recording does not hold the mapped file, so its mapping starts as zeros. */
const anonymous = (flags: OpOf<'mmap'>['flags']): OpOf<'mmap'>['flags'] =>
  flags.includes('anonymous') ? flags : [flags[0]!, 'anonymous', ...flags.slice(1)];
