/**
 * mincore: what of a range is in memory. A page that is mapped is; of a file also one that is only in the page cache.
 *
 * Ranges may be as long as the address space: only what is there is walked.
 *
 * @see Linux mm/mincore.c
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { isGuard } from '../pte.ts';
import { vaddrOf, vpn, vpnOf, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { fileIndexOf } from './leaf.ts';

/** `y` for each page of [start, end) that is in memory, `n` for one that is not, `-` where nothing is mapped. */
export function mincoreVector(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): string {
  const vector = new Array<string>(end - start).fill('-');
  for (const vma of space.vmas.overlapping(vaddrOf(start), vaddrOf(end)))
    vector.fill('n', Math.max(0, vpnOf(vma.start) - start), Math.min(end, vpnOf(vma.end)) - start);
  for (const page of pagesInCore(k, space, start, end)) vector[page - start] = 'y';
  return vector.join('');
}

/** The pages of [start, end) that are in memory, in no order. */
export function pagesInCore(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): ReadonlySet<Vpn> {
  const pages = new Set<Vpn>();
  for (const vma of space.vmas.overlapping(vaddrOf(start), vaddrOf(end))) {
    const [from, to] = [Math.max(start, vpnOf(vma.start)), Math.min(end, vpnOf(vma.end))];
    for (const page of cachedPagesOf(k, vma)) if (from <= page && page < to) pages.add(page);
  }
  k.tables.eachPageIn(space.root, start, end, (page, entry) => {
    if (!isGuard(entry)) pages.add(page);
  });
  return pages;
}

/** Where the pages of the VMA's file that are in memory would lie, if the VMA reached so far. */
function cachedPagesOf(k: Kernel, vma: Vma): readonly Vpn[] {
  if (vma.backing === undefined) return [];
  const { file } = vma.backing;
  const first = vpnOf(vma.start) - fileIndexOf(vma, vpnOf(vma.start));
  const cached = k.cache.pagesOf(file).map(([index]) => index);
  return [...cached, ...file.heldPages()].map((index) => vpn(first + index));
}
