/**
 * The machine: CPUs, the kernel, and who watches. `tick` shows the whole loop.
 *
 * It carries out the ops of one trace. Ops of a program go through the hart and its port, so every access passes the
 * TLB; ops from outside (files, memory pressure, injected faults) go to the kernel. A watcher sees every load, store,
 * op and event, and cannot change anything.
 */
import {
  assert,
  dropCaches,
  drain,
  exit,
  File,
  Kernel,
  noteWrite,
  pid,
  PAGE_BYTES,
  raise,
  reach,
  restoreSnapshot,
  rightFor,
  sync,
  takeSnapshot,
  translate,
  vpnOf,
  type Access,
  type Cpu,
  type Errno,
  type KernelConfig,
  type Process,
  type Refusal,
  type Snapshot,
} from '../kernel-model/index.ts';
import type { Op, OpOf } from '../traces/op.ts';
import { execPlaces, withoutPlaces, withPlaces } from './exec-places.ts';
import { Followed } from './follow.ts';
import type { HartPort } from './hart.ts';
import { MachineMemory } from './machine-memory.ts';
import type { HartMemory } from './riscv/hart.ts';
import { ecall, type Ecall } from './syscalls.ts';
import { fromOutside } from './outside-ops.ts';
import { executeOp, isProgramOp, type ProgramOp, type Result } from './trace-hart.ts';
import { Watchers, type Watcher } from './watcher.ts';

/** A machine between two ops of a trace: its kernel, and what only the machine knows. */
export interface MachineSnapshot {
  readonly kernel: Snapshot;
  readonly cpu: number;
  readonly followed: ReadonlyMap<number, Followed>;
  readonly started: boolean;
}

export class Machine implements HartPort {
  readonly kernel: Kernel;
  private readonly watching = new Watchers();
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
    this.watching.add(watcher);
    this.kernel.observer = (event) => {
      for (const one of this.watching.event) one.event(event);
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
      this.process === undefined ? 'ESRCH' : isProgramOp(op) ? executeOp(this, op, index) : this.performOutside(this.process, op, index);
    const done = recorded.op === 'touch' ? op : this.follow(recorded, op, result);
    if (recorded.op === 'exit') this.process = undefined;
    for (const watcher of this.watching.after) watcher.after(done, index, result);
    if (this.watching.touch.length > 0) this.cpu.tlb.closeAll();
    return result;
  }

  /** A copy of the state between two ops, to go back to. Watchers are no part of it. */
  snapshot(): MachineSnapshot {
    const { kernel, cpu, followed, started } = this;
    return { kernel: takeSnapshot(kernel), cpu: cpu.id, followed: copyFollowed(followed), started };
  }

  /** Goes back to a snapshot of this machine. */
  restore(from: MachineSnapshot): void {
    restoreSnapshot(this.kernel, from.kernel);
    this.cpu = this.kernel.cpus[from.cpu]!;
    this.process = undefined; // the next op finds it anew: address spaces are other objects now
    this.followed.clear();
    for (const [id, followed] of copyFollowed(from.followed)) this.followed.set(id, followed);
    this.started = from.started;
  }

  // ---- What a live system asks for; each call is an op that watchers see.

  /** Ops made here so far. */
  get opCount(): number {
    return this.next;
  }

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
    const refusal = typeof at === 'string' ? at : undefined;
    for (const watcher of this.watching.touch) watcher.touch(process, address, access, refusal);
    if (typeof at === 'string') return at;
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
    for (const watcher of this.watching.store) watcher.store(process, address, width, memory.bytes, at);
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
    for (const watcher of this.watching.store) watcher.store(process, address, bytes.length, bytes, 0);
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

  /** The op as it is for this kernel. */
  private here(op: Op): Op {
    if (op.op === 'exec') return withoutPlaces(op);
    return this.followed.get(op.pid)?.opHere(op) ?? op;
  }

  /** @returns the op, an exec with the places that it has got here */
  private follow(recorded: Op, op: Op, result: Result): Op {
    const followed = this.followed.get(op.pid);
    if (followed === undefined || typeof result === 'string') return op;
    if (recorded.op === 'exec') {
      const places = execPlaces(this.kernel, this.process!, recorded.path);
      this.followed.set(op.pid, Followed.afterExec(recorded, places));
      return withPlaces(withoutPlaces(recorded), places);
    }
    if (op.op === 'fork' || op.op === 'vfork') this.followed.set(op.child, followed.copy());
    else if (op.op === 'exit') this.followed.delete(op.pid);
    else if (op.op === 'brk' && typeof recorded.result === 'number') followed.noteHeap(recorded.result, result);
    else if (op.op === 'mmap' && typeof recorded.result === 'number') followed.note(recorded.result, op.length, result);
    else if (op.op === 'mremap' && typeof recorded.result === 'number') followed.note(recorded.result, op.newLength, result);
    return op;
  }

  // ---- Ops from outside the program.

  private performOutside(process: Process, op: Exclude<Op, ProgramOp>, index: number): Result {
    if (op.op === 'switchCpu') return this.switchCpu(op.cpu, process);
    const { kernel, cpu, watching, buffer } = this;
    return fromOutside({ kernel, cpu, process, watching, buffer }, op, index);
  }

  private switchCpu(to: number, process: Process): Result {
    const cpu = this.kernel.cpus[to];
    if (cpu === undefined) return 'EINVAL';
    this.cpu = cpu;
    this.kernel.switchTo(cpu, process);
    return 0;
  }
}

const copyFollowed = (followed: ReadonlyMap<number, Followed>): Map<number, Followed> =>
  new Map([...followed].map(([id, one]) => [id, one.copy()]));
