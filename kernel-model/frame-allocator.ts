/**
 * The frame allocator: a buddy system with two pools of single frames in front of it.
 *
 * Order o is a naturally aligned block of 2^o frames. Free lists are LIFO, as in Kevlar: the initial walk pushes the
 * largest aligned blocks from low to high, a split keeps the low half, a free merges with its buddy as long as that
 * is free at the same order. `singles` caches up to `singlesMax` frames and is refilled from order 0 in one go;
 * `zeroed` holds frames known to be zero, filled at boot. A frame's use says where it is.
 */
import { CHUNK_FRAMES, FRAME_USES, type FrameTable, type FrameUse } from './frame-table.ts';
import { pfn, type Pfn } from './units.ts';

export const ORDER_MAX = 10;
const NONE = -1;

/** A block's buddy, as a free that could merge with it finds it. */
export interface Buddy {
  readonly order: number;
  /** It lies on the free list of that order. */
  readonly isListed: boolean;
  readonly use: FrameUse;
}

export interface AllocatorSnapshot {
  readonly next: Int32Array;
  readonly previous: Int32Array;
  readonly orders: Int8Array;
  readonly heads: readonly number[];
  readonly singles: readonly Pfn[];
  readonly zeroed: readonly Pfn[];
}

export class FrameAllocator {
  private readonly frames: FrameTable;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Order of the free block that starts here, or -1. */
  private readonly orders: Int8Array;
  private heads: number[] = new Array<number>(ORDER_MAX + 1).fill(NONE);
  private singles: Pfn[] = [];
  private zeroed: Pfn[] = [];
  private readonly singlesMax: number;
  private readonly zeroedMax: number;
  private readonly mayMerge: (buddy: Buddy) => boolean;

  constructor(frames: FrameTable, singlesMax: number, zeroedMax: number, mayMerge = (buddy: Buddy): boolean => buddy.isListed) {
    this.frames = frames;
    this.mayMerge = mayMerge;
    this.next = new Int32Array(frames.count).fill(NONE);
    this.previous = new Int32Array(frames.count).fill(NONE);
    this.orders = new Int8Array(frames.count).fill(NONE);
    this.singlesMax = singlesMax;
    this.zeroedMax = zeroedMax;
    frames.setUse(pfn(0), 'kernel');
    for (let at = 1; at < frames.count;) {
      const order = largestOrder(at, frames.count - at);
      this.push(at, order);
      at += 2 ** order;
    }
    while (this.zeroed.length < zeroedMax) {
      const frame = this.takeBlock(0);
      if (frame === undefined) break;
      this.frames.setUse(frame, 'zeroed');
      this.zeroed.push(frame);
    }
  }

  /** One frame with unspecified bytes, or undefined when there is none. */
  takeSingle(use: FrameUse): Pfn | undefined {
    if (this.singles.length === 0) this.refill();
    const frame = this.singles.pop() ?? this.zeroed.pop();
    if (frame !== undefined) this.frames.setUse(frame, use);
    return frame;
  }

  /** A frame of the zeroed pool, or undefined when the pool is empty: then the caller must zero one. */
  takeZeroed(use: FrameUse): Pfn | undefined {
    const frame = this.zeroed.pop();
    if (frame !== undefined) this.frames.setUse(frame, use);
    return frame;
  }

  /** The first of 2^order aligned frames with unspecified bytes, or undefined. */
  take(order: number, use: FrameUse): Pfn | undefined {
    const block = this.takeBlock(order);
    if (block === undefined) return undefined;
    for (let i = 0; i < 2 ** order; i++) this.frames.setUse(pfn(block + i), use);
    return block;
  }

  /** @returns false when a frame of the block was free already; that frame is left alone */
  give(block: Pfn, order: number): boolean {
    for (let i = 0; i < 2 ** order; i++) {
      const use = this.frames.useOf(pfn(block + i));
      if (use === 'free' || use === 'single' || use === 'zeroed') return false;
    }
    if (order === 0 && this.singles.length < this.singlesMax) {
      this.frames.setUse(block, 'single');
      this.singles.push(block);
      return true;
    }
    this.merge(block, order);
    return true;
  }

  /** Puts a frame whose bytes are trusted to be zero into the zeroed pool. @returns false when the pool is full */
  giveZeroed(frame: Pfn): boolean {
    if (this.zeroed.length >= this.zeroedMax) return false;
    this.frames.setUse(frame, 'zeroed');
    this.zeroed.push(frame);
    return true;
  }

  /** Frames nobody owns, pools included. */
  freeCount(): number {
    let count = this.singles.length + this.zeroed.length;
    for (const order of this.orders) if (order !== NONE) count += 2 ** order;
    return count;
  }

  /** The frames of both pools: [single, zeroed]. */
  pools(): readonly [readonly Pfn[], readonly Pfn[]] {
    return [this.singles, this.zeroed];
  }

  /** Calls `visit` with every block on the free lists, by order, newest first. */
  eachFreeBlock(visit: (block: Pfn, order: number) => void): void {
    this.heads.forEach((head, order) => {
      for (let at = head, steps = 0; at !== NONE && steps <= this.frames.count; at = this.next[at]!, steps++) visit(pfn(at), order);
    });
  }

  snapshot(): AllocatorSnapshot {
    return {
      next: this.next.slice(),
      previous: this.previous.slice(),
      orders: this.orders.slice(),
      heads: [...this.heads],
      singles: [...this.singles],
      zeroed: [...this.zeroed],
    };
  }

  restore(from: AllocatorSnapshot): void {
    this.next.set(from.next);
    this.previous.set(from.previous);
    this.orders.set(from.orders);
    this.heads = [...from.heads];
    this.singles = [...from.singles];
    this.zeroed = [...from.zeroed];
  }

  private refill(): void {
    while (this.singles.length < this.singlesMax) {
      const frame = this.takeBlock(0);
      if (frame === undefined) return;
      this.frames.setUse(frame, 'single');
      this.singles.push(frame);
    }
  }

  private takeBlock(order: number): Pfn | undefined {
    let found = order;
    while (found <= ORDER_MAX && this.heads[found] === NONE) found++;
    if (found > ORDER_MAX) return undefined;
    const block = this.heads[found]!;
    this.unlink(block, found);
    for (let half = found - 1; half >= order; half--) this.push(block + 2 ** half, half);
    return pfn(block);
  }

  private merge(frame: number, ofOrder: number): void {
    let block = frame;
    let order = ofOrder;
    for (; order < ORDER_MAX; order++) {
      const buddy = block ^ (1 << order);
      if (buddy >= this.frames.count) break;
      const isListed = this.orders[buddy] === order;
      if (!this.mayMerge({ order, isListed, use: this.frames.useOf(pfn(buddy)) })) break;
      if (isListed) this.unlink(buddy, order);
      block = Math.min(block, buddy);
    }
    for (let i = 0; i < 2 ** ofOrder; i++) this.frames.setUse(pfn(frame + i), 'free');
    this.push(block, order);
  }

  private push(block: number, order: number): void {
    const head = this.heads[order]!;
    this.next[block] = head;
    this.previous[block] = NONE;
    if (head !== NONE) this.previous[head] = block;
    this.heads[order] = block;
    this.orders[block] = order;
  }

  private unlink(block: number, order: number): void {
    const next = this.next[block]!;
    const previous = this.previous[block]!;
    if (previous === NONE) this.heads[order] = next;
    else this.next[previous] = next;
    if (next !== NONE) this.previous[next] = previous;
    this.orders[block] = NONE;
  }
}

function largestOrder(at: number, room: number): number {
  let order = 0;
  while (order < ORDER_MAX && at % 2 ** (order + 1) === 0 && 2 ** (order + 1) <= room) order++;
  return order;
}

/** The first frame whose place contradicts its use, or undefined: every frame is in exactly one state. */
export function checkAllocator(frames: FrameTable, allocator: FrameAllocator): string | undefined {
  const census = new Census(frames);
  allocator.eachFreeBlock((block, order) => {
    if (block % 2 ** order !== 0) census.wrong ??= `block ${block} of order ${order} is not aligned`;
    census.place(block, 2 ** order, 'free');
  });
  const [singles, zeroed] = allocator.pools();
  for (const frame of singles) census.place(frame, 1, 'single');
  for (const frame of zeroed) census.place(frame, 1, 'zeroed');
  return census.wrong ?? census.missing();
}

/** Counts which frames were met in the allocator. A chunk that was never in use is passed over at once: that is most of memory. */
class Census {
  wrong: string | undefined;
  private readonly frames: FrameTable;
  private readonly seen: Uint8Array;

  constructor(frames: FrameTable) {
    this.frames = frames;
    this.seen = new Uint8Array(frames.count);
  }

  /** [frame, frame + count) lies in the allocator as `use`. */
  place(frame: number, count: number, use: FrameUse): void {
    const code = FRAME_USES.indexOf(use);
    if (frame + count > this.frames.count) this.wrong ??= `the block at ${frame} ends behind memory`;
    else if (count === CHUNK_FRAMES && this.frames.touchedChunks[frame / CHUNK_FRAMES] === 0) {
      if (this.seen.subarray(frame, frame + count).includes(1)) this.wrong ??= `a frame of the block at ${frame} is twice in the allocator`;
      this.seen.fill(1, frame, frame + count);
    } else for (let at = frame; at < frame + count && this.wrong === undefined; at++) this.placeOne(at, code, use);
  }

  private placeOne(frame: number, code: number, use: FrameUse): void {
    if (this.seen[frame] !== 0) this.wrong = `frame ${frame} is twice in the allocator, again as ${use}`;
    else if (this.frames.uses[frame] !== code)
      this.wrong = `frame ${frame} lies in the allocator as ${use} but is used as ${this.frames.useOf(pfn(frame))}`;
    this.seen[frame] = 1;
  }

  /** The first frame that nobody owns and that was not met. */
  missing(): string | undefined {
    for (let at = this.seen.indexOf(0, 1); at >= 0; at = this.seen.indexOf(0, at + 1)) {
      if (this.frames.isUnused(pfn(at))) return `frame ${at} is ${this.frames.useOf(pfn(at))} but in no list`;
    }
    return undefined;
  }
}
