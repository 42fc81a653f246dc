/**
 * Files as the kernel sees them: bytes on a backing store, a size, and whether they can change.
 *
 * A file of the initramfs is immutable: it may be cached for ever and shared between all processes. The store is sparse:
 * the bytes that the file began with, which nobody changes, and pages that were written since. So a file may be larger than
 * any memory. Behind the end a page is zero, unless a shared mapping stored there (`poke`, in the reference only).
 */
import { ceilToPage, PAGE_BYTES } from './units.ts';

/** Failures of the backing store that a trace asked for: counters that run down at each such step. */
export interface StoreFaults {
  /** Reads until one is short, and how many bytes that one loses; 0 = none. */
  shortReadAt: number;
  shortReadBytes: number;
  /** Reads and writes until one fails; 0 = none. */
  errorAt: number;
}

export interface FileSnapshot {
  readonly size: number;
  readonly baseEnd: number;
  readonly changed: ReadonlyMap<number, Uint8Array>;
}

const ZERO_PAGE = new Uint8Array(PAGE_BYTES);
const PAGE_WORDS = PAGE_BYTES / 4;
const wordsOf = (page: Uint8Array): Int32Array => new Int32Array(page.buffer, page.byteOffset, PAGE_WORDS);

export class File {
  readonly path: string;
  /** Further names of the same file. */
  readonly links: readonly string[];
  readonly immutable: boolean;
  size: number;
  /** The first bytes, in whole pages. */
  private readonly base: Uint8Array;
  /** Bytes of `base` that still count: behind the smallest size there ever was they do not. */
  private baseEnd: number;
  /** Pages that differ from `base`, by index; a hole in `base` is ZERO_PAGE itself. */
  private changed = new Map<number, Uint8Array>();

  constructor(path: string, links: readonly string[], bytes: Uint8Array, immutable: boolean) {
    this.path = path;
    this.links = links;
    this.immutable = immutable;
    this.size = bytes.length;
    this.base = new Uint8Array(ceilToPage(bytes.length));
    this.base.set(bytes);
    this.baseEnd = this.base.length;
  }

  /** Bytes that the file has in the page of `index`, 0 to 4096. */
  extentOf(index: number): number {
    return Math.max(0, Math.min(PAGE_BYTES, this.size - index * PAGE_BYTES));
  }

  /** The stored bytes [offset, offset + length), fewer at the end of the file; not to be written to. */
  read(offset: number, length: number): Uint8Array {
    return this.slice(offset, Math.min(offset + length, this.size));
  }

  /** As `read`, but up to the end of the last page: a shared mapping may have stored there. */
  readWithTail(offset: number, length: number): Uint8Array {
    return this.slice(offset, Math.min(offset + length, ceilToPage(this.size)));
  }

  byteAt(offset: number): number {
    return offset < this.size ? this.pageAt(Math.floor(offset / PAGE_BYTES))[offset % PAGE_BYTES]! : 0;
  }

  byteWithTail(offset: number): number {
    return offset < ceilToPage(this.size) ? this.pageAt(Math.floor(offset / PAGE_BYTES))[offset % PAGE_BYTES]! : 0;
  }

  /** Stores bytes; grows the file if they reach past its end. */
  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length);
    for (let done = 0; done < bytes.length;) {
      const at = offset + done;
      const length = Math.min(bytes.length - done, PAGE_BYTES - (at % PAGE_BYTES));
      this.pageToChange(Math.floor(at / PAGE_BYTES)).set(bytes.subarray(done, done + length), at % PAGE_BYTES);
      done += length;
    }
  }

  /** Stores one byte in the file's pages without changing the size. */
  poke(offset: number, value: number): void {
    if (offset < ceilToPage(this.size)) this.pageToChange(Math.floor(offset / PAGE_BYTES))[offset % PAGE_BYTES] = value;
  }

  /** Sets the size; what a larger file gains is zero. */
  resize(size: number): void {
    if (size < this.size) this.zeroFrom(size);
    this.size = size;
  }

  /** Sets the size; nothing that was stored behind the smaller of both ends stays. */
  resizeZeroingTail(size: number): void {
    this.zeroFrom(Math.min(size, this.size));
    this.size = size;
  }

  /** Was the page of `index` ever written, and is it still there? If not, it is a hole. */
  holds(index: number): boolean {
    return this.extentOf(index) > 0 && !this.isHole(index);
  }

  /** Indexes of all pages that `holds` is true of. */
  heldPages(): readonly number[] {
    const base = Array.from({ length: this.baseEnd / PAGE_BYTES }, (_, index) => index);
    return [...new Set([...base, ...this.changed.keys()])].filter((index) => this.holds(index));
  }

  /** Makes holes of the pages [first, end); the size stays. */
  punch(first: number, end: number): void {
    for (const index of [...this.changed.keys()]) if (first <= index && index < end) this.changed.delete(index);
    for (let index = first; index < Math.min(end, this.baseEnd / PAGE_BYTES); index++) this.changed.set(index, ZERO_PAGE);
  }

  /** Does a frame's content equal the stored page of `index`, zero tail included? `words[at]` is the frame's first word. */
  samePage(index: number, words: Int32Array, at: number): boolean {
    const stored = wordsOf(this.pageAt(index));
    for (let i = 0; i < PAGE_WORDS; i++) if (words[at + i] !== stored[i]) return false;
    return true;
  }

  /** Offset of the first byte in which two files that began alike differ, their size included; undefined if none does. */
  firstDifference(other: File): number | undefined {
    const [low, high] = [Math.min(this.baseEnd, other.baseEnd), Math.max(this.baseEnd, other.baseEnd)];
    const cutOff = Array.from({ length: (high - low) / PAGE_BYTES }, (_, i) => low / PAGE_BYTES + i);
    const indexes = [...new Set([...cutOff, ...this.changed.keys(), ...other.changed.keys()])].sort((a, b) => a - b);
    for (const index of indexes) {
      const [mine, theirs] = [this.pageAt(index), other.pageAt(index)];
      const extent = Math.max(this.extentOf(index), other.extentOf(index));
      for (let i = 0; i < extent; i++) if (mine[i] !== theirs[i]) return index * PAGE_BYTES + i;
    }
    return this.size === other.size ? undefined : Math.min(this.size, other.size);
  }

  /** What shared mappings stored in the page of `index` behind the end of the file is gone. */
  dropTail(index: number): void {
    if (index === Math.floor(this.size / PAGE_BYTES) && this.hasTail()) this.zeroFrom(this.size);
  }

  /** Are there bytes in the store's last page behind the end of the file? */
  hasTail(): boolean {
    const extent = this.size % PAGE_BYTES;
    return (
      extent !== 0 &&
      this.pageAt(Math.floor(this.size / PAGE_BYTES))
        .subarray(extent)
        .some((byte) => byte !== 0)
    );
  }

  /** How many of the first bytes still count, in whole pages. */
  get keptBytes(): number {
    return this.baseEnd;
  }

  /** The pages written since the beginning, ascending. */
  changedPages(): readonly (readonly [index: number, bytes: Uint8Array])[] {
    return [...this.changed].sort(([a], [b]) => a - b);
  }

  snapshot(): FileSnapshot {
    return { size: this.size, baseEnd: this.baseEnd, changed: copyPages(this.changed) };
  }

  restore(from: FileSnapshot): void {
    this.size = from.size;
    this.baseEnd = from.baseEnd;
    this.changed = copyPages(from.changed);
  }

  private isHole(index: number): boolean {
    const changed = this.changed.get(index);
    return changed === undefined ? index * PAGE_BYTES >= this.baseEnd : changed === ZERO_PAGE;
  }

  /** The stored page of an index, 4096 bytes, not to be written to. */
  private pageAt(index: number): Uint8Array {
    const start = index * PAGE_BYTES;
    return this.changed.get(index) ?? (start < this.baseEnd ? this.base.subarray(start, start + PAGE_BYTES) : ZERO_PAGE);
  }

  private pageToChange(index: number): Uint8Array {
    let page = this.changed.get(index);
    if (page === undefined || page === ZERO_PAGE) this.changed.set(index, (page = this.pageAt(index).slice()));
    return page;
  }

  private slice(start: number, end: number): Uint8Array {
    if (start >= end) return new Uint8Array(0);
    const [first, last] = [Math.floor(start / PAGE_BYTES), Math.floor((end - 1) / PAGE_BYTES)];
    if (first === last) return this.pageAt(first).subarray(start % PAGE_BYTES, (start % PAGE_BYTES) + end - start);
    const bytes = new Uint8Array(end - start);
    for (let index = first; index <= last; index++) {
      const [from, to] = [Math.max(start, index * PAGE_BYTES), Math.min(end, (index + 1) * PAGE_BYTES)];
      bytes.set(this.pageAt(index).subarray(from - index * PAGE_BYTES, to - index * PAGE_BYTES), from - start);
    }
    return bytes;
  }

  /** Everything from byte `end` on reads as zero from now on. */
  private zeroFrom(end: number): void {
    const last = Math.floor(end / PAGE_BYTES);
    if (end % PAGE_BYTES !== 0 && this.isHole(last)) this.changed.set(last, ZERO_PAGE);
    else if (end % PAGE_BYTES !== 0) this.pageToChange(last).fill(0, end % PAGE_BYTES);
    const pages = ceilToPage(end);
    for (const index of [...this.changed.keys()]) if (index * PAGE_BYTES >= pages) this.changed.delete(index);
    this.baseEnd = Math.min(this.baseEnd, pages);
  }
}

const copyPages = (pages: ReadonlyMap<number, Uint8Array>): Map<number, Uint8Array> =>
  new Map([...pages].map(([index, bytes]) => [index, bytes === ZERO_PAGE ? bytes : bytes.slice()]));
