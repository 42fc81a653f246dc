/**
 * Files as the kernel sees them: bytes on a backing store, a size, and whether they can change.
 *
 * A file of the initramfs is immutable: it may be cached for ever and shared between all processes. The store's array
 * has whole pages, zero past the end, so that pages can be compared word by word. Reads and writes of the store can be
 * made to fail (`Faults`); a read past the end is short, as in any file system.
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

export class File {
  readonly path: string;
  /** Further names of the same file. */
  readonly links: readonly string[];
  readonly immutable: boolean;
  size: number;
  private store: Uint8Array;
  private words: Int32Array;

  constructor(path: string, links: readonly string[], bytes: Uint8Array, immutable: boolean) {
    this.path = path;
    this.links = links;
    this.immutable = immutable;
    this.size = bytes.length;
    this.store = new Uint8Array(ceilToPage(bytes.length));
    this.store.set(bytes);
    this.words = new Int32Array(this.store.buffer);
  }

  /** Bytes that the file has in the page of `index`, 0 to 4096. */
  extentOf(index: number): number {
    return Math.max(0, Math.min(PAGE_BYTES, this.size - index * PAGE_BYTES));
  }

  /** The stored bytes [offset, offset + length), fewer at the end of the file; live, not a copy. */
  read(offset: number, length: number): Uint8Array {
    return this.store.subarray(Math.min(offset, this.size), Math.max(0, Math.min(offset + length, this.size)));
  }

  /** As `read`, but up to the end of the last page: a shared mapping may have stored there. */
  readWithTail(offset: number, length: number): Uint8Array {
    return this.store.subarray(offset, Math.min(offset + length, ceilToPage(this.size)));
  }

  byteWithTail(offset: number): number {
    return offset < ceilToPage(this.size) ? this.store[offset]! : 0;
  }

  /** Stores one byte in the file's pages without changing the size. */
  poke(offset: number, value: number): void {
    if (offset < ceilToPage(this.size)) this.store[offset] = value;
  }

  /** Sets the size; nothing that was stored behind the smaller of both ends stays. */
  resizeZeroingTail(size: number): void {
    this.store.fill(0, Math.min(size, this.size), ceilToPage(this.size));
    this.resize(size);
  }

  byteAt(offset: number): number {
    return offset < this.size ? this.store[offset]! : 0;
  }

  /** Stores bytes; grows the file if they reach past its end. */
  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size) this.resize(offset + bytes.length);
    this.store.set(bytes, offset);
  }

  /** Sets the size; what a larger file gains is zero. */
  resize(size: number): void {
    if (size < this.size) this.store.fill(0, size, ceilToPage(this.size));
    this.size = size;
    if (ceilToPage(size) <= this.store.length) return;
    const grown = new Uint8Array(Math.max(ceilToPage(size), ceilToPage(this.store.length * 1.5)));
    grown.set(this.store);
    this.store = grown;
    this.words = new Int32Array(grown.buffer);
  }

  /** Does a frame's content equal the stored page of `index`, zero tail included? `words[at]` is the frame's first word. */
  samePage(index: number, words: Int32Array, at: number): boolean {
    const first = index * (PAGE_BYTES / 4);
    if (first >= this.words.length) {
      for (let i = 0; i < PAGE_BYTES / 4; i++) if (words[at + i] !== 0) return false;
      return true;
    }
    for (let i = 0; i < PAGE_BYTES / 4; i++) if (words[at + i] !== this.words[first + i]) return false;
    return true;
  }

  /** Are there bytes in the store's last page behind the end of the file? */
  hasTail(): boolean {
    return this.store.subarray(this.size, ceilToPage(this.size)).some((byte) => byte !== 0);
  }

  snapshot(): { readonly size: number; readonly store: Uint8Array } {
    return { size: this.size, store: this.immutable ? this.store : this.store.slice() };
  }

  restore(from: { readonly size: number; readonly store: Uint8Array }): void {
    this.size = from.size;
    this.store = this.immutable ? from.store : from.store.slice();
    this.words = new Int32Array(this.store.buffer);
  }
}
