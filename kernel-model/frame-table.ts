/**
 * What the kernel knows of each frame: what it is used for, how many hold it, and how many pins it bears.
 *
 * A frame is in exactly one use. `refs` counts everybody who holds it: page-table entries, caches, pins, the kernel.
 * Whoever takes the count to zero gets `true` from `drop` and has to free the frame.
 */
import type { Pfn } from './units.ts';

export const FRAME_USES = ['free', 'single', 'zeroed', 'table', 'data', 'kernel'] as const;
export type FrameUse = (typeof FRAME_USES)[number];
/** Index of the last use in which nobody owns the frame. */
const UNUSED_LAST = FRAME_USES.indexOf('zeroed');

/** The frame holds a page of private memory, not of a file. */
export const ANON = 1;
/** The frame belongs to one page of one process, which may write it whoever else holds a reference (PageAnonExclusive). */
export const EXCLUSIVE = 2;
/** The frame was allocated with the others of its block, as one huge page (a large folio), which nobody has split yet. */
export const LARGE = 4;

/** Frames of a chunk: what a check can skip at once when nothing in it was ever used. */
export const CHUNK_FRAMES = 1024;

/** What happens when a reference count is at its maximum. */
export type RefOverflow = 'refuse' | 'wrap';

export class FrameTable {
  readonly count: number;
  /** Index into FRAME_USES; up to UNUSED_LAST nobody owns the frame. */
  readonly uses: Uint8Array;
  readonly refs: Uint32Array;
  /** Pins that may write; a pinned frame is never shared by fork. */
  readonly writePins: Uint16Array;
  /** What else is known of a frame in use: ANON, EXCLUSIVE, LARGE; Linux's, 0 in a Kevlar kernel. */
  readonly flags: Uint8Array;
  /** 1 for each frame that was ever in use; the others still hold the zeros of boot. */
  readonly touched: Uint8Array;
  /** The same for each aligned chunk of CHUNK_FRAMES frames. */
  readonly touchedChunks: Uint8Array;
  private readonly refcountMax: number;

  constructor(count: number, refcountMax: number) {
    this.count = count;
    this.refcountMax = refcountMax;
    this.uses = new Uint8Array(count);
    this.refs = new Uint32Array(count);
    this.writePins = new Uint16Array(count);
    this.flags = new Uint8Array(count);
    this.touched = new Uint8Array(count);
    this.touchedChunks = new Uint8Array(Math.ceil(count / CHUNK_FRAMES));
  }

  restoreTouched(touched: Uint8Array): void {
    this.touched.set(touched);
    for (let chunk = 0; chunk < this.touchedChunks.length; chunk++) {
      this.touchedChunks[chunk] = touched.subarray(chunk * CHUNK_FRAMES, (chunk + 1) * CHUNK_FRAMES).includes(1) ? 1 : 0;
    }
  }

  useOf(frame: Pfn): FrameUse {
    return FRAME_USES[this.uses[frame]!]!;
  }

  setUse(frame: Pfn, use: FrameUse): void {
    this.uses[frame] = FRAME_USES.indexOf(use);
    this.flags[frame] = 0;
    this.touched[frame] = 1;
    this.touchedChunks[Math.floor(frame / CHUNK_FRAMES)] = 1;
  }

  /** Does nobody own the frame? */
  isUnused(frame: Pfn): boolean {
    return this.uses[frame]! <= UNUSED_LAST;
  }

  /** Does the frame number exist at all? Garbage read as a page table may name any. */
  exists(frame: Pfn): boolean {
    return frame > 0 && frame < this.count;
  }

  /** Takes one reference. @returns false when the count is full and the overflow is refused */
  take(frame: Pfn, overflow: RefOverflow): boolean {
    const refs = this.refs[frame]!;
    if (refs >= this.refcountMax) {
      if (overflow === 'refuse') return false;
      this.refs[frame] = 0;
      return true;
    }
    this.refs[frame] = refs + 1;
    return true;
  }

  /** Gives one reference back. @returns what is left, or -1 when there was none to give */
  drop(frame: Pfn): number {
    const refs = this.refs[frame]!;
    if (refs === 0) return -1;
    this.refs[frame] = refs - 1;
    return refs - 1;
  }
}
