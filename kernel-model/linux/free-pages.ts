/**
 * Advice that gives memory up without dropping it: MADV_FREE and MADV_COLD.
 *
 * Without memory pressure the pages stay and keep their bytes. What can be seen is what becomes of a block of frames that
 * was allocated as one, if the advice is about a part of it: it is split. And MADV_FREE marks what it is about: as long
 * as nobody writes it, MADV_PAGEOUT may drop it.
 *
 * @see Linux mm/madvise.c, madvise_free_pte_range and madvise_cold_or_pageout_pte_range
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, PTE_LAZY } from '../pte.ts';
import { vpn, type Vpn } from '../units.ts';
import { blocksIn, isWhole, splitBlock } from './large-folio.ts';
import { isAnon } from './leaf.ts';

/** Gives the private pages of [start, end) up: until they are written again, they may be dropped. */
export function* freePages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  yield* coolPages(k, space, start, end);
  const marked: number[] = [];
  k.tables.eachEntryIn(space.root, start, end, (page, entry, slot, isHuge) => {
    const isInside = start <= page && page + (isHuge ? k.parameters.hugePages : 1) <= end;
    if (isInside && !isGuard(entry) && isAnon(k, frameOfPte(entry))) marked.push(slot);
  });
  for (const slot of marked) k.tables.setEntry(slot, k.tables.entryAt(slot) | PTE_LAZY);
  if (marked.length > 0) yield* k.flush(space, start, vpn(end - start));
}

/** Advises that the pages of [start, end) will not be needed soon; blocks that are only meant in part are split. */
export function* coolPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  for (const [block, pages] of blocksIn(k, space, start, end)) if (!isWhole(k, pages)) yield* splitBlock(k, space, block);
}
