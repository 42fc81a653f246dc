/**
 * MADV_COLLAPSE: gathers the small pages of each region of a VMA in one huge page, now.
 *
 * Unlike a fault it needs no MADV_HUGEPAGE and takes a region that is nearly empty. What makes it fail is a region without
 * a leaf table, a guard marker, or a page that somebody pins; then it goes on with the next region and answers in the end.
 * Files are left alone, as where they may not have huge pages.
 *
 * @see Linux mm/khugepaged.c, madvise_collapse and hpage_collapse_scan_pmd
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, isTable, protName, sealablePte } from '../pte.ts';
import { pfn, vaddrOf, PAGE_BYTES, type Pfn, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { takeBlock } from './huge.ts';
import { isAnonymous } from './leaf.ts';
import { hasFlag, VM } from './vma.ts';

/**
 * Collapses the regions that lie in [start, end), a range of one VMA.
 *
 * @returns EINVAL where the VMA may have no huge page or a region has nothing to collapse, EAGAIN for a pinned page, ENOMEM
 *   without frames; the other regions are collapsed all the same
 */
export function* collapse(k: Kernel, space: AddressSpace, vma: Vma, start: Vpn, end: Vpn): Operation<0 | Errno> {
  if (!mayCollapse(k, vma)) return 'EINVAL';
  const first = k.tables.regionOf((start + k.parameters.hugePages - 1) as Vpn);
  const last = k.tables.regionOf(end);
  if (first > last) return 'EINVAL';
  let answer: 0 | Errno = 0;
  for (let region = first; region < last; region++) {
    const result = yield* collapseRegion(k, space, vma, region);
    if (result !== 0) answer = result;
    if (result === 'ENOMEM') break;
  }
  return answer;
}

/** May the VMA have a huge page somewhere? */
function mayCollapse(k: Kernel, vma: Vma): boolean {
  if (!isAnonymous(vma) || vma.linux?.anonVma === undefined || hasFlag(vma, VM.NOHUGEPAGE)) return false;
  const bytes = k.parameters.hugePages * PAGE_BYTES;
  return Math.ceil(vma.start / bytes) < Math.floor(vma.end / bytes);
}

function* collapseRegion(k: Kernel, space: AddressSpace, vma: Vma, region: number): Operation<0 | Errno> {
  const slot = k.tables.regionSlot(space.root, region);
  const entry = k.tables.entryAt(slot);
  if (entry === 0) return 'EINVAL';
  if (!isTable(entry)) return 0;
  const table = frameOfPte(entry);
  const problem = problemIn(k, table);
  if (problem !== undefined) return problem;
  const block = takeBlock(k);
  if (block === undefined) return 'ENOMEM';
  const released = gather(k, table, block);
  k.memory.access.zero(table);
  space.deposits.set(region, table);
  k.tables.setEntry(slot, sealablePte(block, vma.prot));
  const [page, pages] = [k.tables.firstPageOf(region), k.parameters.hugePages];
  const prot = protName(vma.prot);
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(page), frame: block, prot, pages, why: 'collapse' });
  yield* k.flush(space, page, pages);
  for (const frame of released) k.release(frame);
  return 0;
}

/** The entries of a leaf table. */
function entriesOf(k: Kernel, table: Pfn): readonly number[] {
  const slot = k.memory.wordOf(table);
  return Array.from({ length: k.parameters.hugePages }, (_, i) => k.tables.entryAt(slot + 2 * i));
}

function problemIn(k: Kernel, table: Pfn): Errno | undefined {
  const entries = entriesOf(k, table);
  if (entries.some(isGuard)) return 'EINVAL';
  const pinned = new Set([...k.pins.values()].map((pin) => pin.frame));
  return entries.some((entry) => entry !== 0 && pinned.has(frameOfPte(entry))) ? 'EAGAIN' : undefined;
}

/** Copies what the table's entries map into a block. @returns the frames that lose an entry */
function gather(k: Kernel, table: Pfn, block: Pfn): readonly Pfn[] {
  const released: Pfn[] = [];
  for (const [i, entry] of entriesOf(k, table).entries()) {
    const from = frameOfPte(entry);
    if (entry === 0 || k.isZeroPage(from)) continue;
    const to = pfn(block + i);
    k.memory.access.copy(from, to);
    k.provenance.noteCopy(from, to, 0, PAGE_BYTES, 'collapse');
    released.push(from);
  }
  return released;
}
