/**
 * The TLB of one CPU: translations of 4 KiB pages, tagged by address-space id, direct mapped.
 *
 * It lies in linear memory in front of the frames, 16 bytes an entry:
 *
 *     | key (f64): (asid + 1) * 2^35 + vpn, 0 = empty | byte address of the frame (i32) | rights, PTE bits (i32) |
 *
 * Every access of a program goes through it, so a stale translation is a real one: nothing here looks at a page table.
 * A huge leaf is entered page by page, as x86 and RISC-V allow; a flush of the region drops all of its pages.
 */
import type { PhysicalMemory } from './physical-memory.ts';
import { asid, pfn, vpn, PAGE_BYTES, type Asid, type Pfn, type Vpn } from './units.ts';

export const TLB_ENTRY_BYTES = 16;
const VPNS = 2 ** 35;

export interface Translation {
  readonly asid: Asid;
  readonly vpn: Vpn;
  readonly frame: Pfn;
  /** PTE bits R, W, X. */
  readonly rights: number;
}

export class Tlb {
  private readonly memory: PhysicalMemory;
  private readonly keys: Float64Array;
  private readonly words: Int32Array;
  private readonly first: number;
  private readonly mask: number;

  /** @param base - byte address of the first entry, a multiple of 16; @param entries - a power of two */
  constructor(memory: PhysicalMemory, base: number, entries: number) {
    this.memory = memory;
    this.keys = memory.doubles;
    this.words = memory.words;
    this.first = base / TLB_ENTRY_BYTES;
    this.mask = entries - 1;
  }

  /** Byte address in linear memory of the page, or -1 unless one of `rights` is granted by an entry for it. */
  lookup(tag: Asid, page: Vpn, rights: number): number {
    const entry = this.first + (page & this.mask);
    if (this.keys[entry * 2] !== (tag + 1) * VPNS + page) return -1;
    return (this.words[entry * 4 + 3]! & rights) === 0 ? -1 : this.words[entry * 4 + 2]!;
  }

  /** Enters a translation, in place of whatever had its slot. */
  fill(tag: Asid, page: Vpn, frame: Pfn, rights: number): void {
    const entry = this.first + (page & this.mask);
    this.keys[entry * 2] = (tag + 1) * VPNS + page;
    this.words[entry * 4 + 2] = this.memory.byteOf(frame);
    this.words[entry * 4 + 3] = rights;
  }

  flushPage(tag: Asid, page: Vpn): void {
    const entry = this.first + (page & this.mask);
    if (this.keys[entry * 2] === (tag + 1) * VPNS + page) this.keys[entry * 2] = 0;
  }

  /** Drops the translations of `count` pages from `page` on. */
  flushRange(tag: Asid, page: Vpn, count: number): void {
    if (count > this.mask) this.flushAsid(tag);
    else for (let i = 0; i < count; i++) this.flushPage(tag, vpn(page + i));
  }

  flushAsid(tag: Asid): void {
    for (let entry = this.first; entry <= this.first + this.mask; entry++) {
      if (Math.floor(this.keys[entry * 2]! / VPNS) - 1 === tag) this.keys[entry * 2] = 0;
    }
  }

  flushAll(): void {
    for (let entry = this.first; entry <= this.first + this.mask; entry++) this.keys[entry * 2] = 0;
  }

  /** Calls `visit` with every translation, in slot order. */
  each(visit: (translation: Translation) => void): void {
    for (let entry = this.first; entry <= this.first + this.mask; entry++) {
      const key = this.keys[entry * 2]!;
      if (key === 0) continue;
      visit({
        asid: asid(Math.floor(key / VPNS) - 1),
        vpn: vpn(key % VPNS),
        frame: pfn((this.words[entry * 4 + 2]! - this.memory.frameBase) / PAGE_BYTES),
        rights: this.words[entry * 4 + 3]!,
      });
    }
  }
}
