/**
 * The kernel: all of its state in one object, and the few steps that every operation needs.
 *
 * The operations are functions of it, each in a file of its own: fault, fork, exec, exit, mmap, unmap, mprotect, mremap,
 * brk, madvise, user-copy, file-calls. One that another CPU could see half done is a generator; each `yield` names the
 * point where another CPU may run, and `drain` runs it through on one CPU.
 */
import type { AddressSpace } from './address-space.ts';
import type { Design } from './design.ts';
import { assert, defined } from './errors.ts';
import type { KernelEvent } from './events.ts';
import type { File } from './file.ts';
import { vdsoFile } from './linux/vdso.ts';
import { type StoreFaults } from './file.ts';
import { FrameAllocator } from './frame-allocator.ts';
import { FrameTable, type FrameUse } from './frame-table.ts';
import { PageCache } from './page-cache.ts';
import { PageTables } from './page-table.ts';
import type { Parameters } from './parameters.ts';
import { PhysicalMemory } from './physical-memory.ts';
import { Provenance, type Clock } from './provenance.ts';
import type { Rules } from './rules.ts';
import { Tlb, TLB_ENTRY_BYTES } from './tlb.ts';
import { asid, cpuId, pfn, pid, vaddr, vaddrOf, PAGE_BYTES, type CpuId, type Pfn, type Pid, type Vpn } from './units.ts';
import { VmaSet } from './vma.ts';
import type { Template } from './template.ts';

/** Where an operation can be interrupted by another CPU. */
export type YieldPoint =
  | 'fault.page-prepared'
  | 'fault.copied'
  | 'fork.entry-shared'
  | 'unmap.entries-cleared'
  | 'shootdown.sent'
  | 'assembly.page-filled'
  | 'writeBack.protected'
  | 'writeBack.stored';

export type Operation<Result> = Generator<YieldPoint, Result, void>;

/** Runs an operation to its end without interruption, as one CPU does. */
export function drain<Result>(operation: Operation<Result>): Result {
  for (;;) {
    const step = operation.next();
    if (step.done === true) return step.value;
  }
}

export interface Process {
  readonly pid: Pid;
  parent: Pid;
  space: AddressSpace;
  argv0: string;
  /** Where the last refused access was, for the crash report. */
  faultAddress: number;
  /** Waits for a vfork child that still uses the same space. */
  vforkParent: Pid | undefined;
}

export interface Pin {
  readonly id: number;
  readonly frame: Pfn;
  readonly space: AddressSpace;
  /** Where it was taken, or where mremap moved that page; undefined once the program gave the page up. */
  readonly page: Vpn | undefined;
  readonly writable: boolean;
}

export interface Cpu {
  readonly id: CpuId;
  readonly tlb: Tlb;
  /** The process that runs here. */
  pid: Pid | undefined;
}

export interface KernelConfig {
  readonly design: Design;
  readonly rules: Rules;
  readonly parameters: Parameters;
  readonly files: readonly File[];
  /** Bytes of linear memory for harts. */
  readonly hartBytes?: number | undefined;
  /** What the vDSO page holds from its first byte on; code, which is the architecture's. */
  readonly vdso?: Uint8Array | undefined;
}

/** Order of a huge page's block of frames. */
const orderOf = (pages: number): number => Math.log2(pages);
const FIRST_PID = 1;
const NO_FRAME = pfn(-1);

export class Kernel {
  readonly design: Design;
  readonly rules: Rules;
  readonly parameters: Parameters;
  readonly clock: Clock = { op: -1, event: 0 };
  readonly memory: PhysicalMemory;
  readonly frames: FrameTable;
  readonly allocator: FrameAllocator;
  readonly tables: PageTables;
  readonly provenance: Provenance;
  readonly cpus: readonly Cpu[];
  /** Every file by its path and by each of its links. */
  readonly files: Map<string, File>;
  /** Objects behind shared anonymous memory; one lives as long as a VMA maps it. */
  readonly sharedObjects = new Set<File>();
  cache = new PageCache();
  templates = new Map<File, Template>();
  processes = new Map<Pid, Process>();
  spaces = new Set<AddressSpace>();
  pins = new Map<number, Pin>();
  storeFaults: StoreFaults = { shortReadAt: 0, shortReadBytes: 0, errorAt: 0 };
  /** Allocations until one is refused, 0 = none: an injected fault. */
  frameFaultAt = 0;
  /** Totals since boot. */
  counts = { faults: 0, assemblies: 0, execs: 0, forks: 0, refusedFrames: 0, storeErrors: 0 };
  readonly vdsoFrame: Pfn;
  /** Linux: what it maps for every program; the same code. */
  readonly vdsoFile: File;
  /** Linux: the page of zeros that untouched private memory shows to whoever reads it; NO_FRAME where the design has none. */
  readonly zeroFrame: Pfn;
  /** Linux: the same for a whole region, made when it is first needed. */
  hugeZeroFrame: Pfn | undefined;
  /** Sees every event at the moment it happens. */
  observer: ((event: KernelEvent) => void) | undefined;
  private nextAsid = 1;
  private asidGeneration = 0;
  private nextSpaceId = 1;
  nextSharedObject = 1;

  constructor({ design, rules, parameters, files, hartBytes = 0, vdso }: KernelConfig) {
    this.design = design;
    this.rules = rules;
    this.parameters = parameters;
    const tlbBytes = parameters.tlbEntries * TLB_ENTRY_BYTES;
    this.memory = new PhysicalMemory(parameters.frames, tlbBytes * parameters.cpus, hartBytes, parameters.profile);
    this.frames = new FrameTable(parameters.frames, parameters.refcountMax);
    this.allocator = new FrameAllocator(this.frames, parameters.singlesMax, parameters.zeroedMax, (buddy) => rules.mayMerge(buddy));
    this.tables = new PageTables(this.memory, this.frames, parameters.hugePages);
    this.provenance = new Provenance(parameters.provenance, this.clock);
    this.cpus = Array.from({ length: parameters.cpus }, (_, i) => ({
      id: cpuId(i),
      tlb: new Tlb(this.memory, i * tlbBytes, parameters.tlbEntries),
      pid: undefined,
    }));
    this.files = new Map(files.flatMap((file) => [file.path, ...file.links].map((path) => [path, file] as const)));
    this.vdsoFrame = defined(this.allocator.takeSingle('kernel'), 'there is a frame for the vDSO');
    this.frames.refs[this.vdsoFrame] = 1;
    this.zeroFrame = design.name === 'linux' ? this.bootZeroFrame() : NO_FRAME;
    if (vdso !== undefined) this.memory.access.fill(this.vdsoFrame, 0, vdso);
    this.vdsoFile = vdsoFile(vdso);
  }

  emit(event: KernelEvent): void {
    this.clock.event++;
    this.observer?.(event);
  }

  // ---- Frames.

  /** One frame with unspecified bytes and no references, or undefined when there is none. */
  allocateFrame(use: FrameUse): Pfn | undefined {
    const frame = this.isFrameRefused(0, use) ? undefined : this.allocator.takeSingle(use);
    return this.noteAllocation(frame, 0, use);
  }

  /** One frame of zeros, without references, or undefined. */
  allocateZeroed(use: FrameUse): Pfn | undefined {
    if (this.isFrameRefused(0, use)) return this.noteAllocation(undefined, 0, use);
    const clean = this.allocator.takeZeroed(use);
    const frame = clean ?? this.allocator.takeSingle(use);
    if (frame !== undefined && clean === undefined) this.memory.access.zero(frame);
    this.noteAllocation(frame, 0, use);
    if (frame !== undefined) this.provenance.note(frame, 0, PAGE_BYTES, { kind: 'zero' });
    return frame;
  }

  /** The aligned frames of one huge page, zeroed, without references, or undefined. */
  allocateHuge(use: FrameUse): Pfn | undefined {
    const order = orderOf(this.parameters.hugePages);
    const block = this.isFrameRefused(order, use) ? undefined : this.allocator.take(order, use);
    if (block !== undefined) for (let i = 0; i < this.parameters.hugePages; i++) this.memory.access.zero(pfn(block + i));
    this.noteAllocation(block, order, use);
    if (block !== undefined)
      for (let i = 0; i < this.parameters.hugePages; i++) this.provenance.note(pfn(block + i), 0, PAGE_BYTES, { kind: 'zero' });
    return block;
  }

  /** Returns a frame to the allocator, whatever its count says. */
  freeFrame(frame: Pfn): void {
    this.frames.refs[frame] = 0;
    if (this.rules.mayPoolAsZeroed() && !this.frames.isUnused(frame) && this.allocator.giveZeroed(frame))
      this.emit({ type: 'frame_freed', frame, order: 0 });
    else if (this.allocator.give(frame, 0)) this.emit({ type: 'frame_freed', frame, order: 0 });
    else this.emit({ type: 'double_free', frame });
  }

  /** Is the frame a zero page, or part of the huge one? Nobody counts who maps those, and nobody frees them. */
  isZeroPage(frame: Pfn): boolean {
    const huge = this.hugeZeroFrame;
    return frame === this.zeroFrame || (huge !== undefined && huge <= frame && frame < huge + this.parameters.hugePages);
  }

  /** Takes one reference of a frame. @returns false when its count is full */
  hold(frame: Pfn): boolean {
    if (this.isZeroPage(frame)) return true;
    if (this.frames.take(frame, this.rules.refOverflow())) return true;
    this.emit({ type: 'refcount_refused', frame, refs: this.frames.refs[frame]! });
    this.counts.refusedFrames++;
    return false;
  }

  /** Gives one reference back; the last one frees the frame. */
  release(frame: Pfn): void {
    if (this.isZeroPage(frame)) return;
    const left = this.frames.drop(frame);
    if (left === 0) this.freeFrame(frame);
    else if (left < 0) this.emit({ type: 'refcount_underflow', frame });
  }

  /**
   * Holders of a mapped frame besides one page-table entry and the pins that write through it. A page that a pin writes
   * is its space's alone, because fork copies it at once; so then pins that only read it are that space's, too.
   */
  othersOf(frame: Pfn): number {
    const writePins = this.frames.writePins[frame]!;
    return this.frames.refs[frame]! - 1 - writePins - (writePins > 0 ? this.readPinsOf(frame) : 0);
  }

  /** Pins that only read a frame. */
  readPinsOf(frame: Pfn): number {
    let count = 0;
    for (const pin of this.pins.values()) if (pin.frame === frame && !pin.writable) count++;
    return count;
  }

  /** A zeroed frame for a page table. */
  readonly tableSource = (): Pfn | undefined => {
    const frame = this.allocateZeroed('table');
    if (frame !== undefined) this.frames.refs[frame] = 1;
    return frame;
  };

  // ---- Address spaces and CPUs.

  /** An empty space for process `owner`, with a root table and an owner, or undefined when no frame is left. */
  createSpace(owner: Pid): AddressSpace | undefined {
    const root = this.tableSource();
    if (root === undefined) return undefined;
    const heap = vaddr(this.parameters.heapStart);
    const space: AddressSpace = {
      id: this.nextSpaceId++,
      pid: owner,
      root,
      vmas: new VmaSet((skippedBytes) => this.rules.pieceOffsetMove(skippedBytes)),
      asid: asid(0),
      asidGeneration: -1,
      deposits: new Map(),
      heapStart: heap,
      heapEnd: heap,
      heapLimit: heap,
      placementNext: this.design.placementStart,
      owners: 1,
    };
    this.spaces.add(space);
    return space;
  }

  /** Gives the space an id of the current generation; a new generation starts with empty TLBs. */
  private renewAsid(space: AddressSpace): void {
    if (this.nextAsid >= this.parameters.asids) {
      this.nextAsid = 1;
      this.asidGeneration++;
      for (const cpu of this.cpus) cpu.tlb.flushAll();
      this.emit({ type: 'asid_recycled', generation: this.asidGeneration });
    }
    space.asid = asid(this.nextAsid++);
    space.asidGeneration = this.asidGeneration;
  }

  /** Makes `process` the one that runs on `cpu`. */
  switchTo(cpu: Cpu, process: Process): void {
    cpu.pid = process.pid;
    if (!this.isAsidCurrent(process.space)) this.renewAsid(process.space);
  }

  /** Has the space an id of its own? A new one has none before it runs, and every one loses it when the generation ends. */
  isAsidCurrent(space: AddressSpace): boolean {
    return space.asidGeneration === this.asidGeneration;
  }

  /** Drops the translations of `count` pages of a space on every CPU. */
  *flush(space: AddressSpace, page: Vpn, count: number): Operation<void> {
    this.emit({ type: 'flush', asid: space.asid, vaddr: vaddrOf(page), pages: count });
    for (const cpu of this.cpus) {
      if (this.cpus.length > 1) yield 'shootdown.sent';
      cpu.tlb.flushRange(space.asid, page, count);
    }
  }

  process(id: Pid): Process {
    return defined(this.processes.get(id), 'the process exists');
  }

  /** Creates the first process, without an image, or another without parent. */
  spawn(id: Pid): Process | undefined {
    assert(!this.processes.has(id), 'the pid is free', { pid: id });
    const space = this.createSpace(id);
    if (space === undefined) return undefined;
    const process: Process = { pid: id, parent: pid(FIRST_PID), space, argv0: '', faultAddress: 0, vforkParent: undefined };
    this.processes.set(id, process);
    return process;
  }

  // ---- Snapshots of the private counters.

  counters(): readonly [number, number, number, number] {
    return [this.nextAsid, this.asidGeneration, this.nextSpaceId, this.nextSharedObject];
  }

  setCounters(counters: readonly [number, number, number, number]): void {
    [this.nextAsid, this.asidGeneration, this.nextSpaceId, this.nextSharedObject] = counters;
  }

  private bootZeroFrame(): Pfn {
    const frame = defined(this.allocator.takeSingle('kernel'), 'there is a frame for the zero page');
    this.frames.refs[frame] = 1;
    this.memory.access.zero(frame);
    return frame;
  }

  private isFrameRefused(order: number, use: FrameUse): boolean {
    if (this.frameFaultAt === 0 || --this.frameFaultAt > 0) return false;
    this.emit({ type: 'frame_denied', order, use, injected: true });
    this.counts.refusedFrames++;
    return true;
  }

  private noteAllocation(frame: Pfn | undefined, order: number, use: FrameUse): Pfn | undefined {
    if (frame === undefined) {
      this.counts.refusedFrames++;
      this.emit({ type: 'frame_denied', order, use, injected: false });
      return undefined;
    }
    this.emit({ type: 'frame_allocated', frame, order, use });
    for (let i = 0; i < 2 ** order; i++) this.provenance.forget(pfn(frame + i));
    return frame;
  }
}
