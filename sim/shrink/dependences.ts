/**
 * What each op of a run needed of the ops before it: a watcher that turns a run into a graph.
 *
 * A node is an op, or one effect of an op (a page mapped, a page cached, a range of addresses given a VMA), with the nodes
 * that it read. So an exec that maps a hundred cached pages is a hundred effects, and who needs one of them needs the
 * touch that cached that page and not the other ninety-nine. A look-up that missed is a read of who removed it last.
 *
 * Strong edges are data: entries, VMAs, cache slots, written bytes, processes. Weak edges are what else may have had an
 * influence: who had the same frame before, what placed a mapping, what was allocated. A slice follows strong edges first.
 *
 *     process ──► image ──► VMA range ──► entry ──► effect of a touch ──► cache slot ──► entry of an exec …
 */
import { PAGE_BYTES, vpnOf, type EventOf, type Kernel, type KernelEvent, type Process } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Result } from '../trace-hart.ts';
import type { Watcher } from '../watcher.ts';
import { LayeredMap } from './layered-map.ts';

/** A node of the graph; 0 is none. */
export type Node = number;

/** An address range and what gave it its VMA, newest first in a list. */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly node: Node;
}

interface Space {
  ranges: readonly Range[];
  entries: LayeredMap<Node>;
  /** Who wrote which word of 8 bytes last. */
  written: LayeredMap<Node>;
  heap: Node;
  placement: Node;
}

const emptySpace = (): Space => ({
  ranges: [],
  entries: new LayeredMap(),
  written: new LayeredMap(),
  heap: 0,
  placement: 0,
});

const WORD_BYTES = 8;
/** Ranges that a space remembers one by one. */
const RANGES_MAX = 256;

export class Dependences implements Watcher {
  private readonly kernel: Kernel;
  // The graph: node n belongs to op opOf[n] and has the edges [firstEdge[n], firstEdge[n + 1]); a weak edge is negative.
  private readonly opOf: number[] = [-1];
  private readonly firstEdge: number[] = [0, 0];
  private readonly edges: Node[] = [];
  /** By op: its own node. */
  private readonly nodeOfOp: Node[] = [];
  private readonly processes = new Map<number, Node>();
  private readonly spaces = new Map<number, Space>();
  /** By file and index of the page. */
  private readonly slots = new Map<string, Map<number, Node>>();
  private readonly slotOfFrame = new Map<number, { readonly path: string; readonly index: number }>();
  private readonly blocks = new Map<string, Node>();
  private readonly files = new Map<string, Node>();
  private readonly templates = new Map<string, Node>();
  private readonly frames = new Map<number, Node>();
  private readonly pins = new Map<number, Node>();
  private injected: Node = 0;
  private cpu: Node = 0;
  // Of the op under way.
  private op: Op | undefined;
  private index = -1;
  private node: Node = 0;
  /** The address space that an exec is making. */
  private incoming: Space | undefined;
  private hit: Node = 0;
  private assembly: Node = 0;
  private lastMapped: Node = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  // ---- What a slice asks.

  nodesOfOps(ops: Iterable<number>): Node[] {
    return [...ops].map((op) => this.nodeOfOp[op] ?? 0);
  }

  /** Every node of an op: itself and its effects. */
  effectsOf(op: number): Node[] {
    const first = this.nodeOfOp[op];
    if (first === undefined) return [];
    const nodes: Node[] = [];
    for (let node = first; node < this.opOf.length && this.opOf[node] === op; node++) nodes.push(node);
    return nodes;
  }

  /** What decides about a byte of a process: the entry of its page, the VMAs in it, who wrote it last. */
  nodesOfByte(pid: number, address: number): Node[] {
    const space = this.spaces.get(pid);
    if (space === undefined) return [];
    return [
      this.processes.get(pid) ?? 0,
      space.entries.get(vpnOf(address)) ?? 0,
      ...rangesIn(space, address, address + 1),
      space.written.get(Math.floor(address / WORD_BYTES)) ?? 0,
    ];
  }

  /** Who had to do with a frame. */
  nodesOfFrame(frame: number): Node[] {
    return [this.frames.get(frame) ?? 0];
  }

  nodesOfFile(path: string): Node[] {
    return [this.files.get(path) ?? 0];
  }

  /** The ops that the nodes need, themselves included, ascending. */
  slice(from: readonly Node[], withWeak: boolean): number[] {
    const seen = new Uint8Array(this.opOf.length);
    const pending = [...from];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node <= 0 || seen[node] === 1) continue;
      seen[node] = 1;
      const own = this.nodeOfOp[this.opOf[node]!];
      if (own !== undefined) pending.push(own);
      for (let edge = this.firstEdge[node]!; edge < this.firstEdge[node + 1]!; edge++) {
        const to = this.edges[edge]!;
        if (to > 0) pending.push(to);
        else if (withWeak) pending.push(-to);
      }
    }
    const ops = new Set<number>();
    for (let node = 1; node < seen.length; node++) if (seen[node] === 1) ops.add(this.opOf[node]!);
    return [...ops].sort((a, b) => a - b);
  }

  // ---- Watching.

  before(op: Op, index: number): void {
    this.op = op;
    this.index = index;
    this.hit = this.assembly = this.lastMapped = 0;
    const space = this.spaceOf(op.pid);
    this.incoming = op.op === 'exec' ? emptySpace() : undefined;
    const reads: Node[] = [this.processes.get(op.pid) ?? 0, this.cpu, ...this.readsOf(op, space)];
    this.node = this.add(reads, []);
    this.nodeOfOp[index] = this.node;
  }

  store(process: Process, address: number, length: number): void {
    const { written } = this.spaceOf(process.pid);
    for (let at = Math.floor(address / WORD_BYTES); at * WORD_BYTES < address + length; at++) written.set(at, this.node);
  }

  copyOut(process: Process, address: number, bytes: Uint8Array): void {
    this.store(process, address, bytes.length);
  }

  event(event: KernelEvent): void {
    if (this.op === undefined) return;
    switch (event.type) {
      case 'page_mapped':
        this.mapped(event);
        return;
      case 'page_unmapped':
      case 'protection_changed':
        this.entriesChanged(event);
        return;
      case 'huge_split':
        this.entriesChanged({ pid: event.pid, vaddr: event.huge_base, pages: this.kernel.parameters.hugePages });
        return;
      case 'cow_copy':
      case 'cow_reuse':
        this.entriesChanged({ pid: event.pid, vaddr: event.vaddr, pages: 1 });
        return;
      case 'cache_hit':
        this.hit = this.slotNode(event.path, event.index);
        return;
      case 'cache_insert':
        this.cached(event);
        return;
      case 'cache_evict':
        this.setSlot(event.path, event.index, this.add([this.node, this.slotNode(event.path, event.index)], []));
        return;
      case 'assembly_begin':
        this.assembly = this.add([this.node, ...this.everySlot()], []);
        this.blocks.set(`${event.huge_base}:${event.frame}`, this.assembly);
        return;
      case 'huge_cache_hit':
        this.assembly = this.add([this.node, this.blocks.get(`${event.huge_base}:${event.frame}`) ?? 0], []);
        return;
      case 'template_replayed':
        this.assembly = this.add([this.node, this.templates.get(event.path) ?? 0], []);
        return;
      case 'frame_denied':
        this.add([this.node, this.injected], []);
        return;
      case 'frame_allocated':
      case 'frame_freed':
      case 'double_free':
      case 'refcount_refused':
      case 'refcount_underflow':
        this.noteFrame(event.frame, this.node);
        return;
      default:
        return;
    }
  }

  after(op: Op, _index: number, result: Result): void {
    this.op = undefined;
    const space = this.spaceOf(op.pid);
    const isDone = typeof result === 'number';
    switch (op.op) {
      case 'exec':
        if (isDone) this.execed(op);
        return;
      case 'fork':
      case 'vfork':
        if (isDone) this.forked(op, space);
        return;
      case 'exit':
        this.processes.set(op.pid, this.node);
        this.spaces.delete(op.pid);
        return;
      case 'mmap':
        if (isDone) this.changeRange(space, result, result + op.length, []);
        space.placement = this.node;
        return;
      case 'munmap':
      case 'mprotect':
      case 'madvise':
        this.changeRange(space, op.addr, op.addr + op.length, rangesIn(space, op.addr, op.addr + op.length));
        return;
      case 'mremap':
        this.remapped(op, space, result);
        return;
      case 'brk':
        space.heap = this.node;
        if (isDone) this.changeRange(space, Math.min(op.addr, result), Math.max(op.addr, result) + 1, []);
        return;
      case 'write':
      case 'truncate':
      case 'resize':
        this.files.set(op.path, this.add([this.node, this.files.get(op.path) ?? 0], []));
        return;
      case 'pin':
      case 'unpin':
        this.pins.set(op.id, this.node);
        return;
      case 'inject':
        this.injected = this.node;
        return;
      case 'switchCpu':
        this.cpu = this.node;
        return;
      default:
        return;
    }
  }

  // ---- What an op reads.

  private readsOf(op: Op, space: Space): Node[] {
    switch (op.op) {
      case 'touch':
      case 'copyIn':
      case 'copyOut':
      case 'pin':
        return this.readsOfAccess(op, space);
      case 'munmap':
      case 'mprotect':
      case 'madvise':
      case 'msync':
      case 'mincore':
      case 'mremap':
        return rangesIn(space, op.addr, op.addr + op.length);
      case 'mmap':
        return [-space.placement, ...(op.path === undefined ? [] : this.nodesOfFile(op.path))];
      case 'brk':
        return [space.heap];
      case 'unpin':
        return [this.pins.get(op.id) ?? 0];
      case 'exec':
        return [-(this.templates.get(this.canonical(op.path)) ?? 0)];
      case 'read':
      case 'write':
      case 'truncate':
      case 'resize':
        return this.nodesOfFile(op.path);
      default:
        return [];
    }
  }

  private readsOfAccess(op: Extract<Op, { op: 'touch' | 'copyIn' | 'copyOut' | 'pin' }>, space: Space): Node[] {
    const reads: Node[] = [];
    const first = vpnOf(op.addr);
    const end = op.op === 'touch' ? op.addr + (op.pages ?? 1) * PAGE_BYTES : op.op === 'pin' ? op.addr + 1 : op.addr + op.length;
    for (let page: number = first; page * PAGE_BYTES < end; page++) {
      const entry = space.entries.get(page);
      if (entry === undefined) reads.push(...rangesIn(space, page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
      else reads.push(entry);
    }
    return reads;
  }

  // ---- Effects.

  private mapped({ pid, vaddr, frame, pages, why }: EventOf<'page_mapped'>): void {
    const space = this.incoming ?? this.spaceOf(pid);
    const first = vpnOf(vaddr);
    const slot = why === 'prefault' ? this.slotOfFrame.get(frame) : undefined;
    const reads: Node[] = [
      this.node,
      space.entries.get(first) ?? 0,
      ...rangesIn(space, vaddr, vaddr + PAGE_BYTES),
      slot === undefined ? 0 : this.slotNode(slot.path, slot.index),
      why === 'fault' ? this.hit : 0,
      why === 'assembly' || why === 'template' ? this.assembly : 0,
    ];
    const node = this.add(reads, [this.frames.get(frame) ?? 0]);
    this.hit = 0;
    this.lastMapped = node;
    this.frames.set(frame, node);
    for (let i = 0; i < pages; i++) space.entries.set(first + i, node);
  }

  private entriesChanged({ pid, vaddr, pages }: { readonly pid: number; readonly vaddr: number; readonly pages: number }): void {
    if (this.incoming !== undefined) return; // the old space of an exec
    const { entries } = this.spaceOf(pid);
    const first = vpnOf(vaddr);
    if (pages > PAGES_ONE_BY_ONE) {
      const node = this.add([this.node], []);
      for (let i = 0; i < Math.min(pages, PAGES_MAX); i++) if (entries.get(first + i) !== undefined) entries.set(first + i, node);
      return;
    }
    for (let i = 0; i < pages; i++) entries.set(first + i, this.add([this.node, entries.get(first + i) ?? 0], []));
  }

  private cached({ path, index, frame }: EventOf<'cache_insert'>): void {
    const reads = [this.node, this.slotNode(path, index), this.lastMapped, this.files.get(path) ?? 0];
    const node = this.add(reads, [this.frames.get(frame) ?? 0]);
    this.setSlot(path, index, node);
    this.frames.set(frame, node);
    this.slotOfFrame.set(frame, { path, index });
  }

  private execed({ pid, path }: Extract<Op, { op: 'exec' }>): void {
    const space = this.incoming!;
    space.ranges = [{ start: 0, end: Infinity, node: this.node }];
    this.spaces.set(pid, space);
    this.processes.set(pid, this.node);
    const file = this.canonical(path);
    this.templates.set(file, this.add([this.node, this.templates.get(file) ?? 0], []));
  }

  private forked(op: Extract<Op, { op: 'fork' | 'vfork' }>, parent: Space): void {
    this.processes.set(op.child, this.node);
    this.spaces.set(op.child, op.op === 'vfork' ? parent : { ...parent, entries: parent.entries.fork(), written: parent.written.fork() });
  }

  private remapped(op: Extract<Op, { op: 'mremap' }>, space: Space, result: Result): void {
    const reads = rangesIn(space, op.addr, op.addr + op.length);
    if (typeof result !== 'number') return;
    this.changeRange(space, op.addr, op.addr + op.length, reads);
    this.changeRange(space, result, result + op.newLength, reads);
    const [from, to] = [vpnOf(op.addr), vpnOf(result)];
    for (let i = 0; i < Math.min(op.newLength / PAGE_BYTES, PAGES_MAX); i++) {
      const entry = space.entries.get(from + i);
      if (entry !== undefined) space.entries.set(to + i, this.add([this.node, entry], []));
    }
    for (let i = 0; i < Math.min(op.newLength / WORD_BYTES, PAGES_MAX); i++) {
      const word = space.written.get(op.addr / WORD_BYTES + i);
      if (word !== undefined) space.written.set(result / WORD_BYTES + i, word);
    }
  }

  private changeRange(space: Space, start: number, end: number, reads: readonly Node[]): void {
    const node = this.add([this.node, ...reads], []);
    const kept = space.ranges.filter((range) => range.start < start || range.end > end);
    // Too many to remember: the oldest but the image's become one.
    space.ranges = [{ start, end, node }, ...(kept.length < RANGES_MAX ? kept : this.merged(kept))];
  }

  private merged(ranges: readonly Range[]): Range[] {
    const half = ranges.slice(RANGES_MAX / 2);
    return [
      ...ranges.slice(0, RANGES_MAX / 2),
      {
        start: 0,
        end: Infinity,
        node: this.add(
          half.map(({ node }) => node),
          [],
        ),
      },
    ];
  }

  // ---- Places.

  private spaceOf(pid: number): Space {
    let space = this.spaces.get(pid);
    if (space === undefined) this.spaces.set(pid, (space = emptySpace()));
    return space;
  }

  private slotNode(path: string, index: number): Node {
    return this.slots.get(path)?.get(index) ?? 0;
  }

  private setSlot(path: string, index: number, node: Node): void {
    let slots = this.slots.get(path);
    if (slots === undefined) this.slots.set(path, (slots = new Map<number, Node>()));
    slots.set(index, node);
  }

  private everySlot(): Node[] {
    return [...this.slots.values()].flatMap((slots) => [...slots.values()]);
  }

  private noteFrame(frame: number, node: Node): void {
    this.frames.set(frame, this.add([node], [this.frames.get(frame) ?? 0]));
  }

  private canonical(path: string): string {
    return this.kernel.files.get(path)?.path ?? path;
  }

  private add(reads: readonly Node[], weak: readonly Node[]): Node {
    const node = this.opOf.length;
    this.opOf.push(this.index);
    for (const read of reads) if (read !== 0) this.edges.push(read);
    for (const read of weak) if (read !== 0) this.edges.push(-Math.abs(read));
    this.firstEdge.push(this.edges.length);
    return node;
  }
}

/** Changes of more pages than this are one effect. */
const PAGES_ONE_BY_ONE = 64;
/** Pages and words that one op can move or change in this book. */
const PAGES_MAX = 2 ** 16;

/** What gave [start, end) its VMAs: newest first, up to one that covers all of it. */
function rangesIn(space: Space, start: number, end: number): Node[] {
  const nodes: Node[] = [];
  for (const range of space.ranges) {
    if (range.end <= start || end <= range.start) continue;
    nodes.push(range.node);
    if (range.start <= start && end <= range.end) break;
  }
  return nodes;
}
