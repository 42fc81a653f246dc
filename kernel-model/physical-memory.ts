/**
 * Physical memory: one linear memory that holds the TLBs and, behind them, every frame.
 *
 *     byte 0 ........... hartBase ... frameBase ................................... end
 *     | TLB cpu 0 | … | for harts | frame 0 (kernel) | frame 1 | … | frame n-1 |
 *
 * It is a `WebAssembly.Memory` of fixed size, so that compiled code can work on the same bytes. The views never
 * detach. Who owns a frame is the frame table's business; this file only moves bytes.
 *
 * Kevlar's safety profiles differ in how the kernel touches a frame: Fortress copies through a bounce buffer with
 * bounds checks, the others write in place. Both styles are here behind one interface, and must not be told apart.
 */
import { assert } from './errors.ts';
import { PAGE_BYTES, pfn, type Pfn } from './units.ts';
import type { Profile } from './parameters.ts';
import { wasm, type WasmMemory } from './wasm.ts';

const WASM_PAGE_BYTES = 65536;
/** 32-bit words of a frame. */
const FRAME_WORDS = PAGE_BYTES / 4;

/** How the kernel fills and copies frames. Ranges are bytes within the frame, half-open. */
export interface FrameAccess {
  /** Fills the whole frame with zero bytes. */
  zero(frame: Pfn): void;
  /** Copies a whole frame. */
  copy(from: Pfn, to: Pfn): void;
  /** Copies bytes [start, end) of one frame to the same place of another. */
  copyRange(from: Pfn, to: Pfn, start: number, end: number): void;
  /** Writes `source` into the frame from byte `start` on. */
  fill(frame: Pfn, start: number, source: Uint8Array): void;
}

export class PhysicalMemory {
  readonly wasm: WasmMemory;
  readonly bytes: Uint8Array;
  /** 32-bit little-endian words; a frame's first is `wordOf(frame)`. */
  readonly words: Int32Array;
  /** Byte address of the area where harts keep what compiled code works on; it ends at `frameBase`. */
  readonly hartBase: number;
  /** Byte address of frame 0. */
  readonly frameBase: number;
  /** By frame: does a hart keep decoded instructions of it? */
  readonly codeFrames: Uint8Array;
  /** Told before anyone but a hart writes to such a frame. */
  onCodeWritten: ((frame: number) => void) | undefined;
  readonly frames: number;
  readonly access: FrameAccess;

  /** @param tlbBytes - length of all TLBs; @param hartBytes - length of the area for harts */
  constructor(frames: number, tlbBytes: number, hartBytes: number, profile: Profile) {
    this.frames = frames;
    this.hartBase = Math.ceil(tlbBytes / PAGE_BYTES) * PAGE_BYTES;
    this.frameBase = this.hartBase + Math.ceil(hartBytes / PAGE_BYTES) * PAGE_BYTES;
    this.codeFrames = new Uint8Array(frames);
    const pages = Math.ceil((this.frameBase + frames * PAGE_BYTES) / WASM_PAGE_BYTES);
    this.wasm = new wasm.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(this.wasm.buffer);
    this.words = new Int32Array(this.wasm.buffer);
    this.access = profile === 'fortress' ? new BouncedAccess(this) : new DirectAccess(this);
  }

  /** Byte address of a frame in linear memory. */
  byteOf(frame: Pfn): number {
    return this.frameBase + frame * PAGE_BYTES;
  }

  /** The frame that holds the byte at a byte address of linear memory. */
  frameAt(byte: number): Pfn {
    return pfn(Math.floor((byte - this.frameBase) / PAGE_BYTES));
  }

  /** Index of a frame's first word in `words`. */
  wordOf(frame: Pfn): number {
    return (this.frameBase + frame * PAGE_BYTES) >>> 2;
  }

  /** To be called before bytes of a frame change, unless `access` changes them. */
  willWrite(frame: Pfn): void {
    if (this.codeFrames[frame] !== 0) this.onCodeWritten?.(frame);
  }

  /** The 4096 bytes of a frame, live. */
  page(frame: Pfn): Uint8Array {
    const start = this.byteOf(frame);
    return this.bytes.subarray(start, start + PAGE_BYTES);
  }

  /** Is every byte of the frame zero? */
  isZero(frame: Pfn): boolean {
    const start = this.wordOf(frame);
    for (let i = start; i < start + FRAME_WORDS; i++) if (this.words[i] !== 0) return false;
    return true;
  }
}

class DirectAccess implements FrameAccess {
  private readonly memory: PhysicalMemory;

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
  }

  zero(frame: Pfn): void {
    this.memory.willWrite(frame);
    const start = this.memory.byteOf(frame);
    this.memory.bytes.fill(0, start, start + PAGE_BYTES);
  }

  copy(from: Pfn, to: Pfn): void {
    this.memory.willWrite(to);
    const start = this.memory.byteOf(from);
    this.memory.bytes.copyWithin(this.memory.byteOf(to), start, start + PAGE_BYTES);
  }

  copyRange(from: Pfn, to: Pfn, start: number, end: number): void {
    this.memory.willWrite(to);
    const base = this.memory.byteOf(from);
    this.memory.bytes.copyWithin(this.memory.byteOf(to) + start, base + start, base + end);
  }

  fill(frame: Pfn, start: number, source: Uint8Array): void {
    this.memory.willWrite(frame);
    this.memory.bytes.set(source, this.memory.byteOf(frame) + start);
  }
}

/** Fortress: no slices of frames, every access bounds-checked and copied through one page of kernel memory. */
class BouncedAccess implements FrameAccess {
  private readonly memory: PhysicalMemory;
  private readonly bounce = new Uint8Array(PAGE_BYTES);

  constructor(memory: PhysicalMemory) {
    this.memory = memory;
  }

  zero(frame: Pfn): void {
    this.bounce.fill(0);
    this.write(frame, 0, PAGE_BYTES);
  }

  copy(from: Pfn, to: Pfn): void {
    this.copyRange(from, to, 0, PAGE_BYTES);
  }

  copyRange(from: Pfn, to: Pfn, start: number, end: number): void {
    this.read(from, start, end);
    this.write(to, start, end);
  }

  fill(frame: Pfn, start: number, source: Uint8Array): void {
    assert(start + source.length <= PAGE_BYTES, 'the bytes fit into the bounce buffer', { start, length: source.length });
    this.bounce.set(source, start);
    this.write(frame, start, start + source.length);
  }

  private read(frame: Pfn, start: number, end: number): void {
    this.check(frame, start, end);
    const base = this.memory.byteOf(frame);
    for (let i = start; i < end; i++) this.bounce[i] = this.memory.bytes[base + i]!;
  }

  private write(frame: Pfn, start: number, end: number): void {
    this.check(frame, start, end);
    this.memory.willWrite(frame);
    const base = this.memory.byteOf(frame);
    for (let i = start; i < end; i++) this.memory.bytes[base + i] = this.bounce[i]!;
  }

  private check(frame: Pfn, start: number, end: number): void {
    assert(frame > 0 && frame < this.memory.frames, 'the frame exists and is not the kernel’s', { frame });
    assert(0 <= start && start <= end && end <= PAGE_BYTES, 'the range lies within the frame', { start, end });
  }
}
