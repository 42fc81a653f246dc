/**
 * Stack expansion: an access below a VMA that grows downwards moves the start of the VMA to it.
 *
 * @see Linux mm/mmap_lock.c lock_mm_and_find_vma; mm/vma.c expand_downwards, acct_stack_growth
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { floorToPage, vaddr, PAGE_BYTES } from '../units.ts';
import type { Vma } from '../vma.ts';
import { prepareAnonVma } from './anon-vma.ts';
import { hasFlag, placeVma, vmaFrom, VM, type LinuxVmaOf } from './vma.ts';

/** Makes the VMA above `address`, which no VMA contains, grow down to it. @returns the VMA; undefined if there is none that may */
export function growDown(k: Kernel, space: AddressSpace, address: number): Vma | undefined {
  const vma = vmaFrom(space, address);
  if (vma === undefined || !hasFlag(vma, VM.GROWSDOWN)) return undefined;
  const start = floorToPage(address);
  if (start < k.design.lowestAddress || isTooNear(k, space, start, vma)) return undefined;
  // From here on it has an anon_vma, even if it may not grow after all.
  const prepared = prepareAnonVma(space, vma) as LinuxVmaOf;
  const pages = (vma.start - start) / PAGE_BYTES;
  // RLIMIT_STACK holds for each VMA by itself.
  if (vma.end - start > k.design.stackBytes || pages > vma.linux.pgoff) return undefined;
  const grown = placeVma(prepared, vaddr(start), vma.end, vma.linux.pgoff - pages);
  space.vmas.replace(prepared, [grown]);
  return grown;
}

/** Would the guard gap below the new start reach into memory of another kind that can be used? */
function isTooNear(k: Kernel, space: AddressSpace, start: number, vma: LinuxVmaOf): boolean {
  const { ascending } = space.vmas;
  const below = ascending[ascending.indexOf(vma) - 1];
  if (below === undefined || below.prot === 0 || hasFlag(below, VM.GROWSDOWN)) return false;
  return start - below.end < k.parameters.stackGuardPages * PAGE_BYTES;
}
