/**
 * The TLB of one CPU: translations of 4 KiB pages, tagged by address-space id, direct mapped.
 *
 * It lies in linear memory in front of the frames, 16 bytes an entry, so that compiled code can look up by itself:
 *
 *     | address of the page (i64), -1 = empty | byte address of the frame, rights, slow (i32) | asid (i32) |
 *
 * The frame's address leaves twelve bits: rights are those of a PTE (R, W, X in bits 1 to 3), and four bits above each right
 * stands its *slow* bit: a hart must ask its machine before it uses the entry for that kind of access. A new entry is slow
 * in everything; who asked opens it.
 *
 * Every access of a program goes through it, so a stale translation is a real one: nothing here looks at a page table.
 * A huge leaf is entered page by page, as x86 and RISC-V allow; a flush of the region drops all of its pages.
 */
import type { PhysicalMemory } from './physical-memory.ts';
import { asid, pfn, vpn, PAGE_BYTES, type Asid, type Pfn, type Vpn } from './units.ts';

export const TLB_ENTRY_BYTES = 16;
/** From a right to its slow bit. */
const TLB_SLOW_SHIFT = 4;

const RIGHTS = 0b1110;
const SLOW = RIGHTS << TLB_SLOW_SHIFT;
const FLAGS = PAGE_BYTES - 1;
const EMPTY = -1;

export interface Translation {
  readonly asid: Asid;
  readonly vpn: Vpn;
  readonly frame: Pfn;
  /** PTE bits R, W, X. */
  readonly rights: number;
}

/** Low and high word of a page's address. */
const lowOf = (page: Vpn): number => page << 12;
const highOf = (page: Vpn): number => (page / 2 ** 20) | 0;

export class Tlb {
  /** Byte address of the first entry. */
  readonly base: number;
  readonly entries: number;
  private readonly memory: PhysicalMemory;
  private readonly words: Int32Array;
  private readonly first: number;
  private readonly last: number;
  private readonly mask: number;

  /** @param base - byte address of the first entry, a multiple of 16; @param entries - a power of two */
  constructor(memory: PhysicalMemory, base: number, entries: number) {
    this.base = base;
    this.entries = entries;
    this.memory = memory;
    this.words = memory.words;
    this.first = base / 4;
    this.last = this.first + (entries - 1) * 4;
    this.mask = entries - 1;
    this.flushAll();
  }

  /** Byte address in linear memory of the page, or -1 unless one of `rights` is granted by an entry for it. */
  lookup(tag: Asid, page: Vpn, rights: number): number {
    const slot = this.slotOf(page);
    if (!this.holds(slot, tag, page)) return -1;
    const word = this.words[slot + 2]!;
    return (word & rights) === 0 ? -1 : word & ~FLAGS;
  }

  /** Enters a translation, in place of whatever had its slot; slow in everything. */
  fill(tag: Asid, page: Vpn, frame: Pfn, rights: number): void {
    const slot = this.slotOf(page);
    this.words[slot] = lowOf(page);
    this.words[slot + 1] = highOf(page);
    this.words[slot + 2] = this.memory.byteOf(frame) | rights | SLOW;
    this.words[slot + 3] = tag;
  }

  /** Lets a hart use the page's entry for accesses under `right` without asking. */
  open(tag: Asid, page: Vpn, right: number): void {
    const slot = this.slotOf(page);
    if (this.holds(slot, tag, page)) this.words[slot + 2]! &= ~((this.words[slot + 2]! & right) << TLB_SLOW_SHIFT);
  }

  /** A hart must ask again before each kind of access to each page. */
  closeAll(): void {
    for (let slot = this.first; slot <= this.last; slot += 4) this.words[slot + 2]! |= SLOW;
  }

  flushPage(tag: Asid, page: Vpn): void {
    const slot = this.slotOf(page);
    if (this.holds(slot, tag, page)) this.empty(slot);
  }

  /** Drops the translations of `count` pages from `page` on. */
  flushRange(tag: Asid, page: Vpn, count: number): void {
    if (count > this.mask) this.flushAsid(tag);
    else for (let i = 0; i < count; i++) this.flushPage(tag, vpn(page + i));
  }

  flushAsid(tag: Asid): void {
    for (let slot = this.first; slot <= this.last; slot += 4) if (this.words[slot + 3] === tag) this.empty(slot);
  }

  flushAll(): void {
    for (let slot = this.first; slot <= this.last; slot += 4) this.empty(slot);
  }

  /** Calls `visit` with every translation, in slot order. */
  each(visit: (translation: Translation) => void): void {
    for (let slot = this.first; slot <= this.last; slot += 4) {
      const low = this.words[slot]!;
      if (low === EMPTY) continue;
      const word = this.words[slot + 2]!;
      visit({
        asid: asid(this.words[slot + 3]!),
        vpn: vpn((low >>> 12) + this.words[slot + 1]! * 2 ** 20),
        frame: pfn(((word & ~FLAGS) - this.memory.frameBase) / PAGE_BYTES),
        rights: word & RIGHTS,
      });
    }
  }

  /** Index of the first word of the page's entry. */
  private slotOf(page: Vpn): number {
    return this.first + (page & this.mask) * 4;
  }

  private holds(slot: number, tag: Asid, page: Vpn): boolean {
    return this.words[slot] === lowOf(page) && this.words[slot + 1] === highOf(page) && this.words[slot + 3] === tag;
  }

  /** An empty entry's address is that of no page, its tag that of no space. */
  private empty(slot: number): void {
    this.words[slot] = EMPTY;
    this.words[slot + 1] = EMPTY;
    this.words[slot + 2] = SLOW;
    this.words[slot + 3] = EMPTY;
  }
}
