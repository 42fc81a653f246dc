/**
 * mincore: what of a range is in memory. A page that is mapped is; of a file also one that is only in the page cache.
 *
 * @see Linux mm/mincore.c
 */
import type { AddressSpace } from '../address-space.ts';
import { isResident } from '../cache-fill.ts';
import type { Kernel } from '../kernel.ts';
import { isGuard } from '../pte.ts';
import { vaddrOf, vpn, vpnOf, type Vpn } from '../units.ts';
import { fileIndexOf } from './leaf.ts';

/** `y` for each page of [start, end) that is in memory, `n` for one that is not, `-` where nothing is mapped. */
export function mincoreVector(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): string {
  const vector = new Array<string>(end - start).fill('-');
  for (const vma of space.vmas.overlapping(vaddrOf(start), vaddrOf(end))) {
    const last = Math.min(end, vpnOf(vma.end));
    for (let page = vpn(Math.max(start, vpnOf(vma.start))); page < last; page = vpn(page + 1))
      vector[page - start] = vma.backing !== undefined && isResident(k, vma.backing.file, fileIndexOf(vma, page)) ? 'y' : 'n';
  }
  k.tables.eachEntryIn(space.root, start, end, (page, entry, _slot, isHuge) => {
    if (isGuard(entry)) return;
    const first = Math.max(page, start);
    vector.fill('y', first - start, Math.min(page + (isHuge ? k.parameters.hugePages : 1), end) - start);
  });
  return vector.join('');
}
