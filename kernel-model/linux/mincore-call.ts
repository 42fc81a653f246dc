/** mincore: how many pages of a range are in memory. @see Linux mm/mincore.c */
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, isPageAligned, vpnOf } from '../units.ts';
import { pagesInCore } from './pages.ts';

/** Counts the pages of the range that are in memory. @returns ENOMEM for a hole */

export function* mincore(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<number | Errno> {
  if (!isPageAligned(address)) return 'EINVAL';
  if (address + lengthBytes > k.design.userEnd) return 'ENOMEM';
  const [start, end] = [vpnOf(address), vpnOf(ceilToPage(address + lengthBytes))];
  if (!isCovered(space.vmas.overlapping(address, address + lengthBytes), address, address + lengthBytes)) return 'ENOMEM';
  return pagesInCore(k, space, start, end).size;
}

/** Do the VMAs, ascending, leave no hole in the range? */
function isCovered(vmas: readonly { readonly start: number; readonly end: number }[], start: number, end: number): boolean {
  let at = start;
  for (const vma of vmas) {
    if (vma.start > at) return false;
    at = vma.end;
  }
  return at >= end;
}
