/**
 * Taking pages away: the entries go, then the translations, then the references.
 *
 * Two ways, which differ in what they leave. munmap and all that replaces a mapping take guard markers along and give the
 * leaf tables back in whose region nothing is mapped any more. MADV_DONTNEED and truncation keep the VMA, so they keep its
 * guard markers. Both split what they cover in part.
 *
 * @see Linux mm/memory.c, zap_pte_range and free_pgtables; mm/pt_reclaim.c
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, isTable } from '../pte.ts';
import { pfn, vaddrOf, vpn, type Pfn, type Vpn } from '../units.ts';
import { splitHugeAt, withdrawTable } from './huge.ts';

type UnmappedBy = 'munmap' | 'fixed' | 'brk' | 'mremap';

/** Removes everything in [start, end), guard markers too, and the leaf tables that only served this range. */
export function* unmapPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, by: UnmappedBy = 'munmap'): Operation<void> {
  yield* zap(k, space, start, end, { seesHuge: k.rules.unmapSeesHugeLeaf(by), guards: 'drop' });
  freeTables(k, space, start, end, (region) => !isMappedOutside(k, space, region, start, end));
}

/** Drops the pages of [start, end); guard markers stay. */
export function* zapPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  yield* zap(k, space, start, end, { seesHuge: true, guards: 'keep' });
}

/** As `zapPages`, for MADV_DONTNEED: a table goes whose whole region was dropped and is empty then. */
export function* discardPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  if (!k.rules.dontneedDrops()) return;
  yield* zap(k, space, start, end, { seesHuge: k.rules.unmapSeesHugeLeaf('dontneed'), guards: 'keep' });
  freeTables(k, space, start, end, (region) => start <= k.tables.firstPageOf(region) && k.tables.firstPageOf(region + 1) <= end);
}

interface Zap {
  readonly seesHuge: boolean;
  readonly guards: 'keep' | 'drop';
}

function* zap(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, { seesHuge, guards }: Zap): Operation<void> {
  if (start >= end) return;
  if (seesHuge) for (const edge of [start, end]) yield* splitHugeAt(k, space, edge);
  const released: Pfn[] = [];
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
    const first = vpn(Math.max(start, k.tables.firstPageOf(region)));
    const last = vpn(Math.min(end, k.tables.firstPageOf(region + 1)));
    if (isTable(entry)) clearPages(k, space, first, last, guards, released);
    else if (seesHuge) clearHugeLeaf(k, space, region, slot, entry, released);
  });
  if (released.length === 0) return;
  forgetPins(k, space, start, end);
  k.emit({ type: 'page_unmapped', pid: space.pid, vaddr: vaddrOf(start), pages: end - start });
  yield 'unmap.entries-cleared';
  yield* k.flush(space, start, end - start);
  for (const frame of released) if (k.frames.exists(frame)) k.release(frame);
}

function clearPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, guards: Zap['guards'], released: Pfn[]): void {
  for (let page = start; page < end; page = vpn(page + 1)) {
    const slot = k.tables.pageSlot(space.root, page);
    const entry = k.tables.entryAt(slot);
    if (entry === 0 || (isGuard(entry) && guards === 'keep')) continue;
    k.tables.setEntry(slot, 0);
    if (!isGuard(entry)) released.push(frameOfPte(entry));
  }
}

function clearHugeLeaf(k: Kernel, space: AddressSpace, region: number, slot: number, entry: number, released: Pfn[]): void {
  k.tables.setEntry(slot, 0);
  released.push(withdrawTable(space, region));
  const count = k.rules.hugeRefs(k.parameters.hugePages);
  for (let i = 0; i < count; i++) released.push(pfn(frameOfPte(entry) + i));
}

/** What a pin in the range holds is no page of the program's any more. */
function forgetPins(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): void {
  for (const pin of k.pins.values()) {
    if (pin.space === space && pin.page !== undefined && start <= pin.page && pin.page < end)
      k.pins.set(pin.id, { ...pin, page: undefined });
  }
}

/** Gives back the leaf tables of the range that are empty and that `isNeedless` names by region. */
function freeTables(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn, isNeedless: (region: number) => boolean): void {
  if (start >= end) return;
  const tables: Pfn[] = [];
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
    if (!isTable(entry) || !isNeedless(region) || !isEmpty(k, frameOfPte(entry))) return;
    k.tables.setEntry(slot, 0);
    tables.push(frameOfPte(entry));
  });
  for (const table of tables) k.release(table);
}

function isEmpty(k: Kernel, table: Pfn): boolean {
  const first = k.memory.wordOf(table);
  for (let i = 0; i < k.parameters.hugePages; i++) if (k.memory.words[first + 2 * i] !== 0) return false;
  return true;
}

/** Does a VMA have a page in the region that does not lie in [start, end)? */
function isMappedOutside(k: Kernel, space: AddressSpace, region: number, start: Vpn, end: Vpn): boolean {
  const [from, to] = [vaddrOf(k.tables.firstPageOf(region)), vaddrOf(k.tables.firstPageOf(region + 1))];
  return space.vmas.overlapping(from, to).some((vma) => Math.max(from, vma.start) < vaddrOf(start) || vaddrOf(end) < Math.min(to, vma.end));
}
