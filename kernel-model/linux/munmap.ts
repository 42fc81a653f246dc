/** munmap, and the removal of a range that mmap, mremap and brk share. @see Linux mm/vma.c do_vmi_munmap */
import type { AddressSpace } from '../address-space.ts';
import { releaseUnmappedObjects } from '../cache-fill.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, isPageAligned, vaddr, vpnOf, type Vaddr } from '../units.ts';
import { unmapPages } from './pages.ts';

/** Which call it is for; kernels forget a huge leaf in one and not in another. */
export type UnmappedBy = 'munmap' | 'fixed' | 'brk' | 'mremap';

/** Removes every mapping in the range; holes are fine. The length is rounded up to pages. */
export function* munmap(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes <= 0 || !isInside(k, address, lengthBytes)) return 'EINVAL';
  yield* unmapRange(k, space, vaddr(address), ceilToPage(address + lengthBytes), 'munmap');
  releaseUnmappedObjects(k);
  return 0;
}

/** Does a range lie in what a program may have? An end that is 2^64 or more wraps around, so it is the length that is asked. */
export const isInside = (k: Kernel, start: number, lengthBytes: number): boolean =>
  start <= k.design.userEnd && lengthBytes <= k.design.userEnd - start;

/** Removes pages and VMAs of a page-aligned range; a VMA that straddles an end is cut there. */
export function* unmapRange(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr, by: UnmappedBy): Operation<void> {
  if (space.vmas.isFree(start, end)) return;
  yield* unmapPages(k, space, vpnOf(start), vpnOf(end), by);
  space.vmas.remove(start, end);
}
