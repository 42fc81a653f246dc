/**
 * MADV_PAGEOUT: what memory pressure would do, to one range, on a machine without swap.
 *
 * Private memory has nowhere to go, so it stays; only what MADV_FREE gave up and nobody wrote since is dropped, and blocks
 * of frames are split on the way. A page of a file that nobody else maps loses its entry; from the cache it goes only if it
 * never held anything: a hole that was read. (A page of a hole that was written but holds only zeros counts as such.)
 *
 * @see Linux mm/madvise.c, madvise_cold_or_pageout_pte_range; mm/vmscan.c, shrink_folio_list
 */
import type { AddressSpace } from '../address-space.ts';
import { evictPage } from '../cache-fill.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, PTE_LAZY } from '../pte.ts';
import { vaddrOf, vpn, type Pfn, type Vpn } from '../units.ts';
import { blocksIn, isWhole, splitBlock } from './large-folio.ts';
import { fileIndexOf, isAnon, leafOver } from './leaf.ts';
import { zapPages } from './zap.ts';

/** Drops of [start, end), a range of one VMA, what can be had again. */
export function* pageOut(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  for (const [block, pages] of blocksIn(k, space, start, end)) {
    const isGivenUp = pages.every(({ page }) => ((leafOver(k, space, page)?.entry ?? 0) & PTE_LAZY) !== 0);
    if (!isWhole(k, pages) || !isGivenUp) yield* splitBlock(k, space, block);
  }
  const dropped: Vpn[] = [];
  k.tables.eachPageIn(space.root, start, end, (page, entry) => {
    if (!isGuard(entry) && mayDrop(k, entry)) dropped.push(page);
  });
  for (const page of dropped) yield* dropPage(k, space, page);
}

/** Is the page given up, or one of a file, and mapped only here? */
function mayDrop(k: Kernel, entry: number): boolean {
  const frame = frameOfPte(entry);
  if (k.isZeroPage(frame)) return false;
  if (isAnon(k, frame)) return (entry & PTE_LAZY) !== 0 && k.frames.refs[frame] === 1;
  return k.frames.refs[frame] === 2;
}

function* dropPage(k: Kernel, space: AddressSpace, page: Vpn): Operation<void> {
  const vma = space.vmas.containing(vaddrOf(page));
  const frame: Pfn = frameOfPte(k.tables.entryOf(space.root, page));
  const isOfFile = !isAnon(k, frame);
  yield* zapPages(k, space, page, vpn(page + 1));
  if (!isOfFile || vma?.backing === undefined) return;
  const { file } = vma.backing;
  const index = fileIndexOf(vma, page);
  const isCached = k.cache.lookup(file, index)?.frame === frame; // A page of an assembled block is not.
  if (isCached && !file.holds(index) && k.memory.isZero(frame)) evictPage(k, file, index);
}
