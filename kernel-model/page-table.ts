/**
 * Page tables: a four-level radix tree in frames, with 4 KiB leaves and huge leaves one level up.
 *
 *     address:  | level 3: 9 bits | level 2: 9 bits | level 1: 9 bits | level 0: log2(hugePages) bits | offset 12 |
 *
 * A *region* is what one level-1 entry covers: `hugePages` pages. Its entry is empty, a huge leaf, or points to the leaf
 * table. Everything here works on numbers: a slot is the index of an entry's lower word in linear memory, -1 if there
 * is no such table. Frames named by a corrupted table may not exist; a walk that meets one ends as if it were empty.
 *
 * Reference counts are not this file's business, nor is any TLB.
 */
import type { FrameTable } from './frame-table.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { frameOfPte, isGuard, isLeaf, isTable, tablePte } from './pte.ts';
import { pfn, vpn, PAGE_BYTES, USER_END, type Pfn, type Vpn } from './units.ts';

const ENTRIES = 512;
const REGIONS_MAX = ENTRIES ** 3;

/** First user address that a tree with regions of `hugePages` pages cannot reach. */
export const userEnd = (hugePages: number): number => Math.min(USER_END, hugePages * PAGE_BYTES * REGIONS_MAX);

/** Provides a zeroed frame for a table, or undefined when there is none. */
export type TableSource = () => Pfn | undefined;

export class PageTables {
  readonly hugePages: number;
  private readonly memory: PhysicalMemory;
  private readonly frames: FrameTable;
  private readonly words: Int32Array;

  constructor(memory: PhysicalMemory, frames: FrameTable, hugePages: number) {
    this.memory = memory;
    this.frames = frames;
    this.words = memory.words;
    this.hugePages = hugePages;
  }

  regionOf(page: Vpn): number {
    return Math.floor(page / this.hugePages);
  }

  firstPageOf(region: number): Vpn {
    return vpn(region * this.hugePages);
  }

  /** The entry at a slot, 0 when the slot is -1 or the entry's upper word shows that this is no page table. */
  entryAt(slot: number): number {
    if (slot < 0 || this.words[slot + 1] !== 0) return 0;
    return this.words[slot]! >>> 0;
  }

  setEntry(slot: number, entry: number): void {
    this.memory.willWrite(this.memory.frameAt(slot * 4));
    this.words[slot] = entry | 0;
    this.words[slot + 1] = 0;
  }

  /** Slot of the level-1 entry of a region, or -1 when a table above it is missing. */
  regionSlot(root: Pfn, region: number): number {
    const upper = this.tableBelow(this.slotIn(root, region >>> 18));
    if (upper < 0) return -1;
    const middle = this.tableBelow(this.slotIn(pfn(upper), (region >>> 9) % ENTRIES));
    return middle < 0 ? -1 : this.slotIn(pfn(middle), region % ENTRIES);
  }

  /** Slot of the 4 KiB entry of a page, or -1 when there is no leaf table, as under a huge leaf. */
  pageSlot(root: Pfn, page: Vpn): number {
    const region = this.regionOf(page);
    const table = this.tableBelow(this.regionSlot(root, region));
    return table < 0 ? -1 : this.slotIn(pfn(table), page - region * this.hugePages);
  }

  /** The huge leaf that maps the region of `page`, or 0. */
  hugeLeafOf(root: Pfn, page: Vpn): number {
    const entry = this.entryAt(this.regionSlot(root, this.regionOf(page)));
    return isLeaf(entry) ? entry : 0;
  }

  /** What maps `page`, as a 4 KiB entry: for a page under a huge leaf that of its sub-frame. 0 when nothing does. */
  entryOf(root: Pfn, page: Vpn): number {
    const region = this.regionOf(page);
    const slot = this.regionSlot(root, region);
    const entry = this.entryAt(slot);
    if (isLeaf(entry)) return entry + (page - region * this.hugePages) * 1024;
    const table = this.tableBelow(slot);
    return table < 0 ? 0 : this.entryAt(this.slotIn(pfn(table), page - region * this.hugePages));
  }

  /** Slot of the level-1 entry of a region; makes the tables above it. @returns -1 when no frame is left for one */
  makeRegionSlot(root: Pfn, region: number, source: TableSource): number {
    const upper = this.makeTable(this.slotIn(root, region >>> 18), source);
    if (upper < 0) return -1;
    const middle = this.makeTable(this.slotIn(pfn(upper), (region >>> 9) % ENTRIES), source);
    return middle < 0 ? -1 : this.slotIn(pfn(middle), region % ENTRIES);
  }

  /**
   * Slot of the 4 KiB entry of a page; makes the tables above it.
   *
   * It trusts the caller that no huge leaf maps the region: a leaf here is taken for a table, made to look like one,
   * and the entry lands in page data. That is what Kevlar's batch mapper does (see the rule `faultAroundEnd`).
   *
   * @returns -1 when no frame is left for a table
   */
  makePageSlot(root: Pfn, page: Vpn, source: TableSource): number {
    const region = this.regionOf(page);
    const regionSlot = this.makeRegionSlot(root, region, source);
    if (regionSlot < 0) return -1;
    const table = this.makeTable(regionSlot, source);
    return table < 0 ? -1 : this.slotIn(pfn(table), page - region * this.hugePages);
  }

  /** Replaces the huge leaf of a region by a table of as many 4 KiB entries with the same rights. */
  splitInto(table: Pfn, regionSlot: number): void {
    const leaf = this.entryAt(regionSlot);
    for (let i = 0; i < this.hugePages; i++) this.setEntry(this.slotIn(table, i), leaf + i * 1024);
    this.setEntry(regionSlot, tablePte(table));
  }

  /** Calls `visit` for every non-empty entry that maps or names a frame: 4 KiB entries and huge leaves, ascending. */
  eachEntry(root: Pfn, visit: (page: Vpn, entry: number, slot: number, isHuge: boolean) => void): void {
    this.eachRegion(root, (region, slot, entry) => {
      if (!isTable(entry)) {
        visit(this.firstPageOf(region), entry, slot, true);
        return;
      }
      const table = this.tableBelow(slot);
      if (table < 0) return;
      for (let i = 0, at = this.slotIn(pfn(table), 0); i < this.hugePages; i++, at += 2) {
        if (this.words[at] === 0) continue;
        const leaf = this.entryAt(at);
        if (leaf !== 0) visit(vpn(region * this.hugePages + i), leaf, at, false);
      }
    });
  }

  /**
   * Calls `visit` for every region of [first, end) that has a level-1 entry, ascending.
   *
   * Where a table is missing the walk skips all that it would cover, so a range may be as long as the address space.
   */
  eachRegionIn(root: Pfn, first: number, end: number, visit: (region: number, slot: number, entry: number) => void): void {
    for (let region = first; region < end;) {
      const upper = this.tableBelow(this.slotIn(root, region >>> 18));
      const middle = upper < 0 ? -1 : this.tableBelow(this.slotIn(pfn(upper), (region >>> 9) % ENTRIES));
      if (middle < 0) {
        const step = upper < 0 ? ENTRIES * ENTRIES : ENTRIES;
        region = (Math.floor(region / step) + 1) * step;
        continue;
      }
      const slot = this.slotIn(pfn(middle), region % ENTRIES);
      const entry = this.entryAt(slot);
      if (entry !== 0) visit(region, slot, entry);
      region++;
    }
  }

  /** As `eachEntry`, for what lies in [first, end) at least in part; the page of a huge leaf is its first one. */
  eachEntryIn(root: Pfn, first: Vpn, end: Vpn, visit: (page: Vpn, entry: number, slot: number, isHuge: boolean) => void): void {
    if (first >= end) return;
    this.eachRegionIn(root, this.regionOf(first), this.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
      const start = this.firstPageOf(region);
      if (!isTable(entry)) {
        visit(start, entry, slot, true);
        return;
      }
      const last = Math.min(end, start + this.hugePages);
      for (let page = Math.max(first, start), at = this.pageSlot(root, vpn(page)); at >= 0 && page < last; page++, at += 2) {
        const leaf = this.entryAt(at);
        if (leaf !== 0) visit(vpn(page), leaf, at, false);
      }
    });
  }

  /** Calls `visit` for every page of [first, end) that has an entry, with its 4 KiB entry: under a huge leaf that of the sub-frame. */
  eachPageIn(root: Pfn, first: Vpn, end: Vpn, visit: (page: Vpn, entry: number) => void): void {
    if (first >= end) return;
    this.eachRegionIn(root, this.regionOf(first), this.regionOf(vpn(end - 1)) + 1, (region) => {
      const last = Math.min(end, (region + 1) * this.hugePages);
      for (let page = vpn(Math.max(first, region * this.hugePages)); page < last; page = vpn(page + 1)) {
        const entry = this.entryOf(root, page);
        if (entry !== 0) visit(page, entry);
      }
    });
  }

  /** Calls `visit` for every table frame of the tree, parents first, the root included. */
  eachTable(root: Pfn, visit: (table: Pfn, level: number) => void): void {
    visit(root, 3);
    this.eachTableBelow(root, ENTRIES, (upper) => {
      visit(upper, 2);
      this.eachTableBelow(upper, ENTRIES, (middle) => {
        visit(middle, 1);
        this.eachTableBelow(middle, ENTRIES, (leaf) => {
          visit(leaf, 0);
        });
      });
    });
  }

  private eachRegion(root: Pfn, visit: (region: number, slot: number, entry: number) => void): void {
    const { words } = this;
    for (let i = 0, top = this.slotIn(root, 0); i < ENTRIES; i++, top += 2) {
      if (words[top] === 0) continue;
      const upper = this.tableBelow(top);
      if (upper < 0) continue;
      for (let j = 0, above = this.slotIn(pfn(upper), 0); j < ENTRIES; j++, above += 2) {
        if (words[above] === 0) continue;
        const middle = this.tableBelow(above);
        if (middle < 0) continue;
        for (let m = 0, slot = this.slotIn(pfn(middle), 0); m < ENTRIES; m++, slot += 2) {
          const entry = words[slot] === 0 ? 0 : this.entryAt(slot);
          if (entry !== 0) visit((i * ENTRIES + j) * ENTRIES + m, slot, entry);
        }
      }
    }
  }

  private eachTableBelow(table: Pfn, entries: number, visit: (below: Pfn) => void): void {
    for (let i = 0, slot = this.slotIn(table, 0); i < entries; i++, slot += 2) {
      if (this.words[slot] === 0) continue;
      const below = this.tableBelow(slot);
      if (below >= 0) visit(pfn(below));
    }
  }

  private slotIn(table: Pfn, index: number): number {
    return this.memory.wordOf(table) + index * 2;
  }

  /** The table that the entry at `slot` points to, or -1. */
  private tableBelow(slot: number): number {
    const entry = this.entryAt(slot);
    if (!isTable(entry)) return -1;
    const table = frameOfPte(entry);
    return this.frames.exists(table) ? table : -1;
  }

  private makeTable(slot: number, source: TableSource): number {
    const entry = this.entryAt(slot);
    if (entry !== 0) {
      const table = frameOfPte(entry);
      this.setEntry(slot, tablePte(table));
      return this.frames.exists(table) ? table : -1;
    }
    const table = source();
    if (table === undefined) return -1;
    this.setEntry(slot, tablePte(table));
    return table;
  }
}

/** The first entry of a tree that names a frame it must not: a table that is none, a leaf that maps a table, a frame that does not exist. */
export function checkPageTable(tables: PageTables, frames: FrameTable, root: Pfn): string | undefined {
  let wrong: string | undefined;
  tables.eachTable(root, (table, level) => {
    if (frames.useOf(table) !== 'table') wrong ??= `the level-${level} table ${table} is used as ${frames.useOf(table)}`;
  });
  tables.eachEntry(root, (page, entry, _slot, isHuge) => {
    const frame = frameOfPte(entry);
    if (isGuard(entry)) return;
    if (!frames.exists(frame)) wrong ??= `page ${page} maps frame ${frame}, which does not exist`;
    else if (frames.useOf(frame) === 'table') wrong ??= `page ${page} maps frame ${frame}, which is a page table`;
    else if (isHuge && isLeaf(entry) && frame % tables.hugePages !== 0)
      wrong ??= `the huge leaf of page ${page} maps unaligned frame ${frame}`;
  });
  return wrong;
}
