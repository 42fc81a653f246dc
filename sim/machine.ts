/**
 * The machine: CPUs, the kernel, and who watches. `tick` shows the whole loop.
 *
 * It carries out the ops of one trace. Ops of a program go through the hart and its port, so every access passes the
 * TLB; ops from outside (files, memory pressure, injected faults) go to the kernel. A watcher sees every load, store,
 * op and event, and cannot change anything.
 */
import {
  assert,
  copyIn,
  copyOut,
  dropCaches,
  drain,
  exit,
  File,
  Kernel,
  noteWrite,
  pid,
  pin,
  PAGE_BYTES,
  raise,
  reach,
  readFile,
  reclaim,
  resizeFromOutside,
  rightFor,
  sync,
  translate,
  truncate,
  unpin,
  vpnOf,
  writeFile,
  type Access,
  type Cpu,
  type Errno,
  type KernelConfig,
  type KernelEvent,
  type Process,
  type Refusal,
} from '../kernel-model/index.ts';
import type { Op, OpOf } from '../traces/op.ts';
import { Followed } from './follow.ts';
import type { HartPort } from './hart.ts';
import type { HartMemory } from './riscv/hart.ts';
import { MachineMemory } from './machine-memory.ts';
import { ecall, type Ecall } from './syscalls.ts';
import { executeOp, isProgramOp, patternByte, type ProgramOp, type Result } from './trace-hart.ts';

/** Sees what happens on the machine; each part is optional. `at` is a byte address in linear memory. */
export interface Watcher {
  /** The op is about to run; its addresses are this kernel's. */
  before?(op: Op, index: number): void;
  load?(process: Process, address: number, width: number, at: number): void;
  store?(process: Process, address: number, bytes: Uint8Array): void;
  /** The kernel read these bytes of user memory for a call. */
  copyIn?(process: Process, address: number, bytes: Uint8Array): void;
  /** The kernel wrote these bytes to user memory for a call. */
  copyOut?(process: Process, address: number, bytes: Uint8Array): void;
  /** Machine code has reached memory in a way and on a page that it had not since the last op. Asking costs speed. */
  touch?(process: Process, address: number, access: Access): void;
  /** From now on the kernel knows a program with these bytes. */
  program?(path: string, bytes: Uint8Array): void;
  /** A call read these bytes of a file. */
  read?(path: string, offset: number, bytes: Uint8Array): void;
  /** The op has run. */
  after?(op: Op, index: number, result: Result): void;
  event?(event: KernelEvent): void;
}

type Watching<Part extends keyof Watcher> = Required<Pick<Watcher, Part>>[];

type OutsideOp = Exclude<Op, ProgramOp>;

export class Machine implements HartPort {
  readonly kernel: Kernel;
  private readonly watching = {
    before: [] as Watching<'before'>,
    load: [] as Watching<'load'>,
    store: [] as Watching<'store'>,
    copyIn: [] as Watching<'copyIn'>,
    copyOut: [] as Watching<'copyOut'>,
    touch: [] as Watching<'touch'>,
    program: [] as Watching<'program'>,
    read: [] as Watching<'read'>,
    after: [] as Watching<'after'>,
    event: [] as Watching<'event'>,
  };
  private cpu: Cpu;
  private process: Process | undefined;
  /** By process: where recorded addresses are here. */
  private readonly followed = new Map<number, Followed>();
  private started = false;
  /** Number of the next op that has none of its own. */
  private next = 0;
  /** What a copy by the kernel moves, when its op is not from a trace. */
  private buffer: Uint8Array | undefined;

  constructor(config: KernelConfig, watchers: readonly Watcher[] = []) {
    this.kernel = new Kernel(config);
    this.cpu = this.kernel.cpus[0]!;
    for (const watcher of watchers) this.watch(watcher);
  }

  /** Shows a watcher what it wants to see from now on, after those that watch already. */
  watch(watcher: Watcher): void {
    const { watching } = this;
    if (hasPart(watcher, 'before')) watching.before.push(watcher);
    if (hasPart(watcher, 'load')) watching.load.push(watcher);
    if (hasPart(watcher, 'store')) watching.store.push(watcher);
    if (hasPart(watcher, 'copyIn')) watching.copyIn.push(watcher);
    if (hasPart(watcher, 'copyOut')) watching.copyOut.push(watcher);
    if (hasPart(watcher, 'touch')) watching.touch.push(watcher);
    if (hasPart(watcher, 'program')) watching.program.push(watcher);
    if (hasPart(watcher, 'read')) watching.read.push(watcher);
    if (hasPart(watcher, 'after')) watching.after.push(watcher);
    if (hasPart(watcher, 'event')) watching.event.push(watcher);
    this.kernel.observer = (event) => {
      for (const one of watching.event) one.event(event);
    };
  }

  /** Runs one op to its end. @returns what it answered; ESRCH if its process does not exist */
  tick(recorded: Op, index: number): Result {
    this.kernel.clock.op = index;
    if (!this.started) this.start(recorded);
    if (this.process?.pid !== recorded.pid) this.switchTo(recorded.pid);
    const op = this.here(recorded);
    for (const watcher of this.watching.before) watcher.before(op, index);
    const result =
      this.process === undefined ? 'ESRCH' : isProgramOp(op) ? executeOp(this, op, index) : this.fromOutside(this.process, op, index);
    if (recorded.op !== 'touch') this.follow(recorded, op, result);
    if (recorded.op === 'exit') this.process = undefined;
    for (const watcher of this.watching.after) watcher.after(op, index, result);
    if (this.watching.touch.length > 0) this.cpu.tlb.closeAll();
    return result;
  }

  // ---- What a live system asks for; each call is an op that watchers see.

  /** Runs one op behind all others. */
  perform(op: Op): Result {
    return this.tick(op, this.next++);
  }

  /** Reads user memory for a call. @returns EFAULT unless all of it could be read */
  copyFrom(pid: number, address: number, length: number): Uint8Array | Errno {
    const bytes = new Uint8Array(length);
    return this.copy({ pid, op: 'copyIn', addr: address, length }, bytes) === length ? bytes : 'EFAULT';
  }

  /** Writes user memory for a call. @returns how many bytes came through; EFAULT for none */
  copyTo(pid: number, address: number, bytes: Uint8Array): number | Errno {
    return this.copy({ pid, op: 'copyOut', addr: address, length: bytes.length }, bytes) as number | Errno;
  }

  /** Makes a file known that can be executed, and does not change. @throws if the path is taken */
  addProgram(path: string, bytes: Uint8Array): void {
    assert(!this.kernel.files.has(path), 'the path is free', { path });
    this.kernel.files.set(path, new File(path, [], bytes, true));
    for (const watcher of this.watching.program) watcher.program(path, bytes);
  }

  /** Makes the process the one that runs. */
  makeCurrent(id: number): void {
    if (this.process?.pid !== id) this.switchTo(id);
  }

  /** Linear memory and translation for a hart that runs on this machine, seen by the watchers as far as `watched` says. */
  hartMemory(watched: HartMemory['watched']): HartMemory {
    return new MachineMemory(this, this.kernel, this.cpu, watched);
  }

  private copy(op: OpOf<'copyIn' | 'copyOut'>, bytes: Uint8Array): Result {
    if (op.length === 0) return 0;
    this.buffer = bytes;
    const result = this.perform(op);
    this.buffer = undefined;
    return result;
  }

  /** As `reach` for the running process; what may go on without asking again goes into the TLB. */
  reachForHart(address: number, access: Access): number | Refusal {
    const process = this.process!;
    const at = this.reach(process, address, access);
    if (typeof at === 'string') return at;
    for (const watcher of this.watching.touch) watcher.touch(process, address, access);
    const { memory } = this.kernel;
    if (access !== 'store' || memory.codeFrames[memory.frameAt(at)] === 0)
      this.cpu.tlb.open(process.space.asid, vpnOf(address), rightFor(access));
    return at;
  }

  /** Machine code has loaded or stored; the bytes lie at byte address `at`. */
  noteAccess(address: number, width: number, at: number, isStore: boolean): void {
    const process = this.process!;
    if (!isStore) {
      for (const watcher of this.watching.load) watcher.load(process, address, width, at);
      return;
    }
    const { memory } = this.kernel;
    const page = this.cpu.tlb.lookup(process.space.asid, vpnOf(address), rightFor('store'));
    if (page >= 0) noteWrite(this.kernel, process.pid, page + (address % PAGE_BYTES), width);
    const bytes = memory.bytes.subarray(at, at + width);
    for (const watcher of this.watching.store) watcher.store(process, address, bytes);
  }

  /** Address-space id of the running process. */
  asid(): number {
    return this.process!.space.asid;
  }

  /** Ends every process and drops the caches, so that what is still held then has leaked. */
  shutDown(): void {
    for (const process of [...this.kernel.processes.values()].reverse()) drain(exit(this.kernel, process, 0, undefined));
    this.process = undefined;
    drain(sync(this.kernel, undefined));
    dropCaches(this.kernel);
  }

  // ---- The hart's port.

  load(address: number, width: number): Refusal | undefined {
    return this.read(address, width, 'load');
  }

  fetch(address: number, width: number): Refusal | undefined {
    return this.read(address, width, 'fetch');
  }

  store(address: number, bytes: Uint8Array): Refusal | undefined {
    const process = this.process!;
    const { kernel } = this;
    // A store that crosses into the next page asks for both pages, in order, and happens whole or not at all.
    if ((address % PAGE_BYTES) + bytes.length > PAGE_BYTES) {
      for (const end of [address, address + bytes.length - 1]) {
        const refusal = this.reach(process, end, 'store');
        if (typeof refusal === 'string') return refusal;
      }
    }
    for (let done = 0; done < bytes.length;) {
      const at = this.reach(process, address + done, 'store');
      if (typeof at === 'string') return at;
      const length = Math.min(bytes.length - done, PAGE_BYTES - ((address + done) % PAGE_BYTES));
      kernel.memory.willWrite(kernel.memory.frameAt(at));
      for (let i = 0; i < length; i++) kernel.memory.bytes[at + i] = bytes[done + i]!;
      noteWrite(kernel, process.pid, at, length);
      done += length;
    }
    for (const watcher of this.watching.store) watcher.store(process, address, bytes);
    return undefined;
  }

  ecall(call: Ecall): number {
    return drain(ecall(this.kernel, this.cpu, this.process!, call));
  }

  private read(address: number, width: number, access: Access): Refusal | undefined {
    const process = this.process!;
    for (let done = 0; done < width;) {
      const at = this.reach(process, address + done, access);
      if (typeof at === 'string') return at;
      const length = Math.min(width - done, PAGE_BYTES - ((address + done) % PAGE_BYTES));
      for (const watcher of this.watching.load) watcher.load(process, address + done, length, at);
      done += length;
    }
    return undefined;
  }

  private reach(process: Process, address: number, access: Access): number | Refusal {
    const at = translate(this.kernel, this.cpu, process.space, address, access);
    if (at >= 0) return at;
    const reached = drain(reach(this.kernel, this.cpu, process.space, address, access));
    if (typeof reached === 'string' && reached !== 'stuck') raise(this.kernel, process, reached, address);
    return reached;
  }

  // ---- Processes.

  /** The first op's process is there from the start. */
  private start(op: Op): void {
    this.started = true;
    if (this.kernel.spawn(pid(op.pid)) !== undefined) this.followed.set(op.pid, new Followed());
  }

  private switchTo(id: number): void {
    this.process = this.kernel.processes.get(pid(id));
    if (this.process !== undefined) this.kernel.switchTo(this.cpu, this.process);
  }

  // ---- Following addresses.

  private here(op: Op): Op {
    const followed = this.followed.get(op.pid);
    if (followed === undefined || !('addr' in op)) return op;
    const addr = followed.here(op.addr);
    if (op.op === 'mremap' && op.newAddr !== undefined) return { ...op, addr, newAddr: followed.here(op.newAddr) };
    return addr === op.addr ? op : { ...op, addr };
  }

  private follow(recorded: Op, op: Op, result: Result): void {
    const followed = this.followed.get(op.pid);
    if (followed === undefined || typeof result === 'string') return;
    if (op.op === 'exec') {
      const fresh = new Followed();
      if (op.stack !== undefined) fresh.noteStack(op.stack, this.kernel.design.stackTop);
      this.followed.set(op.pid, fresh);
    } else if (op.op === 'fork' || op.op === 'vfork') this.followed.set(op.child, followed.copy());
    else if (op.op === 'exit') this.followed.delete(op.pid);
    else if (op.op === 'brk' && typeof recorded.result === 'number') followed.noteHeap(recorded.result, result);
    else if (op.op === 'mmap' && typeof recorded.result === 'number') followed.note(recorded.result, op.length, result);
    else if (op.op === 'mremap' && typeof recorded.result === 'number') followed.note(recorded.result, op.newLength, result);
  }

  // ---- Ops from outside the program.

  private fromOutside(process: Process, op: OutsideOp, index: number): Result {
    const k = this.kernel;
    switch (op.op) {
      case 'copyIn':
        return inPieces(op.addr, op.length, (address, length) =>
          this.copyIn(process, address, pieceOf(this.buffer, address - op.addr, length)),
        );
      case 'copyOut':
        return inPieces(op.addr, op.length, (address, length) =>
          this.copyOut(
            process,
            address,
            this.buffer === undefined ? patternBytes(index, address - op.addr, length) : pieceOf(this.buffer, address - op.addr, length),
          ),
        );
      case 'read':
        return this.withFile(op.path, (file) =>
          readFile(k, file, op.offset, op.length, (offset, bytes) => {
            for (const watcher of this.watching.read) watcher.read(file.path, offset, bytes);
          }),
        );
      case 'write':
        return this.withFile(op.path, (file) =>
          inPieces(op.offset, op.length, (offset, length) =>
            writeFile(k, process.pid, file, offset, writtenBytes(op, index, offset - op.offset, length)),
          ),
        );
      case 'truncate':
        return this.withFile(op.path, (file) => drain(truncate(k, file, op.size)));
      case 'resize':
        return this.withFile(op.path, (file) => drain(resizeFromOutside(k, file, op.size)));
      case 'sync':
        return op.path === undefined ? drain(sync(k, undefined)) : this.withFile(op.path, (file) => drain(sync(k, file)));
      case 'reclaim':
        return reclaim(k, op.pages);
      case 'pin':
        return drain(pin(k, this.cpu, process, op.id, op.addr, op.access === 'w'));
      case 'unpin':
        unpin(k, op.id);
        return 0;
      case 'switchCpu':
        return this.switchCpu(op.cpu);
      case 'inject':
        this.inject(op);
        return 0;
      case 'mark':
        return 0;
    }
  }

  private copyIn(process: Process, address: number, bytes: Uint8Array): number | Errno {
    const copied = drain(copyIn(this.kernel, this.cpu, process, address, bytes));
    if (typeof copied === 'number') for (const watcher of this.watching.copyIn) watcher.copyIn(process, address, bytes.subarray(0, copied));
    return copied;
  }

  private copyOut(process: Process, address: number, bytes: Uint8Array): number | Errno {
    const copied = drain(copyOut(this.kernel, this.cpu, process, address, bytes));
    if (typeof copied === 'number')
      for (const watcher of this.watching.copyOut) watcher.copyOut(process, address, bytes.subarray(0, copied));
    return copied;
  }

  private withFile<T>(path: string, act: (file: NonNullable<ReturnType<Kernel['files']['get']>>) => T): T | Errno {
    const file = this.kernel.files.get(path);
    return file === undefined ? 'ENOENT' : act(file);
  }

  private switchCpu(to: number): Result {
    const cpu = this.kernel.cpus[to];
    if (cpu === undefined) return 'EINVAL';
    this.cpu = cpu;
    this.kernel.switchTo(cpu, this.process!);
    return 0;
  }

  private inject(op: OpOf<'inject'>): void {
    const { kernel } = this;
    if (op.fault === 'noFrame') kernel.frameFaultAt = op.at;
    else if (op.fault === 'eio') kernel.storeFaults.errorAt = op.at;
    else Object.assign(kernel.storeFaults, { shortReadAt: op.at, shortReadBytes: op.bytes ?? 0 });
  }
}

/**
 * Does something to [start, start + length) page by page, so that a range of any length costs no more than what it reaches.
 *
 * @returns how far it came; the error if that was nowhere
 */
function inPieces(start: number, length: number, act: (start: number, length: number) => number | Errno): number | Errno {
  let done = 0;
  do {
    const piece = Math.min(length - done, PAGE_BYTES - ((start + done) % PAGE_BYTES));
    const result = act(start + done, piece);
    if (typeof result === 'string') return done > 0 ? done : result;
    done += result;
    if (result < piece) break;
  } while (done < length);
  return done;
}

/** The part of a buffer that a piece of a copy moves; fresh bytes if there is no buffer. */
const pieceOf = (buffer: Uint8Array | undefined, from: number, length: number): Uint8Array =>
  buffer === undefined ? new Uint8Array(length) : buffer.subarray(from, from + length);

/** `length` bytes of what copyOut writes, from byte `from` on: bytes that tell this op from others. */
export function patternBytes(index: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(index, from + i);
  return bytes;
}

/** `length` bytes of what a file write writes, from byte `from` on: its value repeated, or a pattern. */
export function writtenBytes({ value }: OpOf<'write'>, index: number, from: number, length: number): Uint8Array {
  if (value === undefined) return patternBytes(index, from, length);
  const unit = Uint8Array.from(value.match(/../g) ?? ['00'], (digits) => parseInt(digits, 16));
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = unit[(from + i) % unit.length]!;
  return bytes;
}

function hasPart<Part extends keyof Watcher>(watcher: Watcher, part: Part): watcher is Watcher & Required<Pick<Watcher, Part>> {
  return watcher[part] !== undefined;
}
