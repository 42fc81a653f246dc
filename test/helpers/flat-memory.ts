/**
 * A HartMemory without a kernel: pages are mapped by hand, nothing faults in, and every question is written down.
 *
 * Frames are handed out in order. The TLB is filled and opened as a machine does it, so that a hart's fast path is tested too.
 */
import { PAGE_BYTES, wasm, type Access, type Refusal, type WasmMemory } from '../../kernel-model/index.ts';
import type { HartMemory } from '../../sim/riscv/hart.ts';

const TLB_ENTRY_BYTES = 16;
const WASM_PAGE_BYTES = 65536;
/** Bits of a TLB entry's third word; see kernel-model/tlb.ts. */
const RIGHTS = { load: 1 << 1, store: 1 << 2, fetch: 1 << 3 } as const;
const SLOW_SHIFT = 4;
const SLOW = (RIGHTS.load | RIGHTS.store | RIGHTS.fetch) << SLOW_SHIFT;

interface Page {
  readonly frame: number;
  readonly rights: number;
}

export interface FlatMemoryOptions {
  readonly frames?: number;
  readonly tlbEntries?: number;
  readonly reservedBytes?: number;
  readonly userEnd?: number;
  readonly watched?: HartMemory['watched'];
}

/** What a watcher was told; `value` are the bytes as they stood then. */
export interface SeenAccess {
  readonly address: number;
  readonly bytes: number;
  readonly isStore: boolean;
  readonly value: readonly number[];
}

export class FlatMemory implements HartMemory {
  readonly wasm: WasmMemory;
  readonly bytes: Uint8Array;
  readonly reserved: number;
  readonly reservedBytes: number;
  readonly frameBase: number;
  readonly frames: number;
  readonly tlb = 0;
  readonly tlbEntries: number;
  readonly userEnd: number;
  readonly codeFrames: Uint8Array;
  readonly watched: HartMemory['watched'];
  onCodeWritten: ((frame: number) => void) | undefined;
  /** Each question to `reach`, as 'fetch 0x1000'. */
  readonly asked: string[] = [];
  readonly seen: SeenAccess[] = [];
  /** Called with each question before it is answered, so that a test can change the mapping under the hart. */
  onReach: ((address: number, access: Access) => void) | undefined;
  private readonly words: Int32Array;
  private readonly pages = new Map<number, Page>();
  private nextFrame = 0;
  private space = 1;

  constructor(options: FlatMemoryOptions = {}) {
    const { frames = 64, tlbEntries = 16, reservedBytes = 0, userEnd = 2 ** 38, watched = 'nothing' } = options;
    this.frames = frames;
    this.tlbEntries = tlbEntries;
    this.reservedBytes = reservedBytes;
    this.userEnd = userEnd;
    this.watched = watched;
    this.reserved = Math.ceil((tlbEntries * TLB_ENTRY_BYTES) / PAGE_BYTES) * PAGE_BYTES;
    this.frameBase = Math.ceil((this.reserved + reservedBytes) / PAGE_BYTES) * PAGE_BYTES;
    this.codeFrames = new Uint8Array(frames);
    const pages = Math.ceil((this.frameBase + frames * PAGE_BYTES) / WASM_PAGE_BYTES);
    this.wasm = new wasm.Memory({ initial: pages, maximum: pages });
    this.bytes = new Uint8Array(this.wasm.buffer);
    this.words = new Int32Array(this.wasm.buffer);
    this.flush();
  }

  /** Maps pages, each to a frame of its own. @param rights - 'r', 'w', 'x', in any order */
  map(address: number, pages: number, rights: string): void {
    for (let page = address / PAGE_BYTES; page < address / PAGE_BYTES + pages; page++)
      this.mapFrame(page * PAGE_BYTES, this.nextFrame++, rights);
  }

  /** Maps one page to a frame, which other pages may have too. */
  mapFrame(address: number, frame: number, rights: string): void {
    if (frame >= this.frames) throw new RangeError(`frame ${frame} of ${this.frames}`);
    const bits =
      (rights.includes('r') ? RIGHTS.load : 0) | (rights.includes('w') ? RIGHTS.store : 0) | (rights.includes('x') ? RIGHTS.fetch : 0);
    this.pages.set(address / PAGE_BYTES, { frame, rights: bits });
    this.flush();
  }

  unmap(address: number): void {
    this.pages.delete(address / PAGE_BYTES);
    this.flush();
  }

  /** As a kernel: what a hart has decoded is forgotten first. */
  write(address: number, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) {
      const { frame } = this.pages.get(Math.floor((address + i) / PAGE_BYTES))!;
      if (this.codeFrames[frame] !== 0) this.onCodeWritten?.(frame);
      this.bytes[this.byteOf(frame, address + i)] = bytes[i]!;
    }
  }

  /** Writes instructions of two or four bytes. */
  writeWords(address: number, words: readonly number[]): void {
    let at = address;
    for (const word of words) {
      const bytes = [word, word >>> 8, word >>> 16, word >>> 24].slice(0, (word & 3) === 3 ? 4 : 2);
      this.write(
        at,
        bytes.map((byte) => byte & 0xff),
      );
      at += bytes.length;
    }
  }

  read(address: number, length: number): number[] {
    return Array.from({ length }, (_, i) => {
      const { frame } = this.pages.get(Math.floor((address + i) / PAGE_BYTES))!;
      return this.bytes[this.byteOf(frame, address + i)]!;
    });
  }

  /** Drops all translations. */
  flush(): void {
    for (let slot = 0; slot < this.tlbEntries * 4; slot++) this.words[this.tlb / 4 + slot] = slot % 4 === 2 ? SLOW : -1;
  }

  /** Makes another address space current, with the same pages. */
  switchSpace(asid: number): void {
    this.space = asid;
  }

  asid(): number {
    return this.space;
  }

  reach(address: number, access: Access): number | Refusal {
    this.asked.push(`${access} 0x${address.toString(16)}`);
    this.onReach?.(address, access);
    const number = Math.floor(address / PAGE_BYTES);
    const page = this.pages.get(number);
    const right = RIGHTS[access];
    if (address >= this.userEnd || page === undefined || (page.rights & right) === 0) return 'SIGSEGV';
    this.enter(number, page, access === 'store' && this.codeFrames[page.frame] !== 0 ? 0 : right);
    return this.byteOf(page.frame, address);
  }

  /** Fills the entry if it is another page's, and opens it for one kind of access. */
  private enter(number: number, { frame, rights }: Page, opened: number): void {
    const slot = this.tlb / 4 + (number % this.tlbEntries) * 4;
    const { words } = this;
    const low = (number * PAGE_BYTES) | 0;
    const high = Math.floor(number / 2 ** 20);
    if (words[slot] !== low || words[slot + 1] !== high || words[slot + 3] !== this.space) {
      words[slot] = low;
      words[slot + 1] = high;
      words[slot + 2] = this.byteOf(frame, 0) | rights | SLOW;
      words[slot + 3] = this.space;
    }
    words[slot + 2]! &= ~(opened << SLOW_SHIFT);
  }

  accessed(address: number, bytes: number, at: number, isStore: boolean): void {
    this.seen.push({ address, bytes, isStore, value: [...this.bytes.subarray(at, at + bytes)] });
  }

  private byteOf(frame: number, address: number): number {
    return this.frameBase + frame * PAGE_BYTES + (address % PAGE_BYTES);
  }
}
