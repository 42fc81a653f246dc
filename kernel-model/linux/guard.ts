/**
 * Guard markers (MADV_GUARD_INSTALL): pages that nobody may touch, without a VMA of their own.
 *
 * A marker stands in the page table in the place of a page. Reading or writing it is SIGSEGV; munmap takes it along, DONTNEED
 * leaves it, mremap moves it and fork copies it.
 *
 * @see Linux mm/madvise.c, madvise_guard_install
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { isGuard, PTE_GUARD } from '../pte.ts';
import { vpn, type Vpn } from '../units.ts';
import { zapPages } from './zap.ts';

/** Drops the pages of [start, end) and marks each of them. @returns ENOMEM when a table could not be had */
export function* guardInstall(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<0 | Errno> {
  yield* zapPages(k, space, start, end);
  for (let page = start; page < end; page = vpn(page + 1)) {
    const slot = k.tables.makePageSlot(space.root, page, k.tableSource);
    if (slot < 0) return 'ENOMEM';
    k.tables.setEntry(slot, PTE_GUARD);
  }
  return 0;
}

/** Takes the markers of [start, end) away; pages stay. */
export function guardRemove(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): void {
  const marked: number[] = [];
  k.tables.eachEntryIn(space.root, start, end, (_page, entry, slot) => {
    if (isGuard(entry)) marked.push(slot);
  });
  for (const slot of marked) k.tables.setEntry(slot, 0);
}
