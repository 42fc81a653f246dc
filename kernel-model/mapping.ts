/**
 * Steps on page tables that several operations share: enter a page, split a huge leaf, take entries away.
 *
 * These keep the books: an entry that appears or goes is a reference taken or given back. A frame is given back only
 * after the flush, because until then other CPUs can still reach it.
 */
import type { AddressSpace } from './address-space.ts';
import { assert } from './errors.ts';
import type { Kernel, Operation } from './kernel.ts';
import { frameOfPte, isLeaf, leafPte, protName, withFrame } from './pte.ts';
import { PAGE_BYTES, pfn, vaddrOf, vpn, type Pfn, type Vpn } from './units.ts';

/** Maps a frame, whose reference the caller has taken, at a page without entry. @returns false when no table could be made */
export function mapPage(k: Kernel, space: AddressSpace, page: Vpn, frame: Pfn, prot: number, why: string): boolean {
  const slot = k.tables.makePageSlot(space.root, page, k.tableSource);
  if (slot < 0) return false;
  assert(k.tables.entryAt(slot) === 0, 'the page has no entry yet', { page });
  k.tables.setEntry(slot, leafPte(frame, prot));
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(page), frame, prot: protName(prot), pages: 1, why });
  return true;
}

/** Maps a copy of a pinned frame at a child's slot, with the rights of `entry`. @returns the copy; undefined without a frame */
export function copyForChild(k: Kernel, from: Pfn, childSlot: number, entry: number): Pfn | undefined {
  const copy = k.allocateFrame('data');
  if (copy === undefined) return undefined;
  k.memory.access.copy(from, copy);
  k.provenance.noteCopy(from, copy, 0, PAGE_BYTES, 'fork of a pinned page');
  k.frames.refs[copy] = 1;
  k.tables.setEntry(childSlot, withFrame(entry, copy));
  return copy;
}

/** Maps a block of frames by one huge leaf at a region without entry. @returns false when no table could be made */
export function mapHuge(k: Kernel, space: AddressSpace, page: Vpn, block: Pfn, prot: number, why: string): boolean {
  const slot = k.tables.makeRegionSlot(space.root, k.tables.regionOf(page), k.tableSource);
  if (slot < 0) return false;
  assert(k.tables.entryAt(slot) === 0, 'the region has no entry yet', { page });
  k.tables.setEntry(slot, leafPte(block, prot));
  const pages = k.parameters.hugePages;
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(page), frame: block, prot: protName(prot), pages, why });
  return true;
}

/** Replaces the huge leaf over `page`, if there is one, by 4 KiB entries. @returns false when no table could be made */
export function* splitHuge(k: Kernel, space: AddressSpace, page: Vpn): Operation<boolean> {
  const region = k.tables.regionOf(page);
  if (k.tables.hugeLeafOf(space.root, page) === 0) return true;
  const table = k.tableSource();
  if (table === undefined) return false;
  k.tables.splitInto(table, k.tables.regionSlot(space.root, region));
  const first = k.tables.firstPageOf(region);
  k.emit({ type: 'huge_split', pid: space.pid, huge_base: vaddrOf(first) });
  yield* k.flush(space, first, k.parameters.hugePages);
  return true;
}

/** Splits the huge leaves that straddle an end of [start, end). @returns false when no table could be made */
export function* splitAtEnds(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<boolean> {
  for (const edge of [start, end]) {
    if (edge % k.parameters.hugePages !== 0 && !(yield* splitHuge(k, space, edge))) return false;
  }
  return true;
}

/** Splits every huge leaf that maps a page of [start, end). @returns false when no table could be made */
export function* splitAll(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<boolean> {
  const regions: number[] = [];
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, _slot, entry) => {
    if (isLeaf(entry)) regions.push(region);
  });
  for (const region of regions) if (!(yield* splitHuge(k, space, k.tables.firstPageOf(region)))) return false;
  return true;
}

/**
 * Removes every entry in [start, end), then flushes, then gives the frames back.
 *
 * A huge leaf must lie wholly inside; with `seesHuge` false it is passed over, as some kernels do.
 */
export function* unmapPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, seesHuge: boolean): Operation<void> {
  const frames: Pfn[] = [];
  if (start >= end) return;
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
    const first = vpn(Math.max(start, k.tables.firstPageOf(region)));
    const last = vpn(Math.min(end, k.tables.firstPageOf(region + 1)));
    if (!isLeaf(entry)) clearPages(k, space, first, last, frames);
    else if (seesHuge) clearHugeLeaf(k, slot, entry, last - first, frames);
  });
  if (frames.length === 0) return;
  for (const pin of k.pins.values()) {
    if (pin.space === space && pin.page !== undefined && start <= pin.page && pin.page < end)
      k.pins.set(pin.id, { ...pin, page: undefined });
  }
  k.emit({ type: 'page_unmapped', pid: space.pid, vaddr: vaddrOf(start), pages: end - start });
  yield 'unmap.entries-cleared';
  yield* k.flush(space, start, end - start);
  for (const frame of frames) if (k.frames.exists(frame)) k.release(frame);
}

function clearPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, frames: Pfn[]): void {
  for (let page = start; page < end; page = vpn(page + 1)) {
    const slot = k.tables.pageSlot(space.root, page);
    const entry = k.tables.entryAt(slot);
    if (entry === 0) continue;
    k.tables.setEntry(slot, 0);
    frames.push(frameOfPte(entry));
  }
}

function clearHugeLeaf(k: Kernel, slot: number, entry: number, pages: number, frames: Pfn[]): void {
  assert(pages === k.parameters.hugePages, 'the huge leaf lies inside the range', { pages });
  k.tables.setEntry(slot, 0);
  for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) frames.push(pfn(frameOfPte(entry) + i));
}

/** Gives every sub-frame of a huge mapping a reference, or those that the rule counts. @returns false if one is full */
export function holdHuge(k: Kernel, block: Pfn): boolean {
  const count = k.rules.hugeRefs(k.parameters.hugePages);
  for (let i = 0; i < count; i++) {
    if (k.hold(pfn(block + i))) continue;
    while (--i >= 0) k.release(pfn(block + i));
    return false;
  }
  return true;
}

/** Gives back what `holdHuge` took. */
export function releaseHuge(k: Kernel, block: Pfn): void {
  for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) k.release(pfn(block + i));
}
