/**
 * Where a mapping goes: the hint if it is free, else the top end of the highest gap that holds it, below mmap_base.
 *
 * A gap ends a guard gap below a VMA that grows downwards. Anonymous memory of whole huge pages is placed so that huge
 * pages fit. When nothing is free below mmap_base, the search goes upwards from a third of the address space, as it did
 * before 2.6.9.
 *
 * @see Linux mm/mmap.c __get_unmapped_area, arch/x86/kernel/sys_x86_64.c, mm/vma.c unmapped_area_topdown
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel } from '../kernel.ts';
import { ceilTo, ceilToPage, floorToPage, isPageAligned, vaddr, PAGE_BYTES, type Vaddr } from '../units.ts';
import { hasFlag, vmaFrom, VM, type LinuxVmaOf } from './vma.ts';

export interface PlaceRequest {
  /** Where it must lie if `fixed`, else where it should; 0 for anywhere. */
  readonly address: number;
  /** Bytes, whole pages. */
  readonly length: number;
  readonly fixed: boolean;
  /** Private memory of no file: the kind that huge pages are made for. */
  readonly isAnonymous: boolean;
}

/** A place for a mapping. @returns ENOMEM when none is free, or why the one asked for cannot be: EINVAL unaligned, EPERM too low */
export function findPlace(k: Kernel, space: AddressSpace, request: PlaceRequest): Vaddr | Errno {
  const { userEnd, lowestAddress } = k.design;
  const { address, length, fixed } = request;
  if (length > userEnd || (fixed && address > userEnd - length)) return 'ENOMEM';
  const place = fixed ? vaddr(address) : choosePlace(k, space, request);
  if (place === undefined) return 'ENOMEM';
  if (!isPageAligned(place)) return 'EINVAL';
  return place < lowestAddress ? 'EPERM' : place;
}

/** The address that is searched for when the program asks for `address` without insisting. */
export function roundHint(k: Kernel, address: number): number {
  const hint = floorToPage(address);
  return hint === 0 ? 0 : Math.max(hint, k.design.lowestAddress);
}

/** Where the guard gap below a VMA begins: its own start, unless it grows downwards. */
export function guardedStart(k: Kernel, vma: LinuxVmaOf): number {
  return hasFlag(vma, VM.GROWSDOWN) ? Math.max(0, vma.start - k.parameters.stackGuardPages * PAGE_BYTES) : vma.start;
}

function choosePlace(k: Kernel, space: AddressSpace, { address, length, isAnonymous }: PlaceRequest): Vaddr | undefined {
  const huge = k.design.placementHugeBytes;
  if (isAnonymous && address === 0 && length % huge === 0) {
    const padded = searchPlace(k, space, 0, length + huge);
    // Of the room for one huge page more the topmost aligned part is taken, as `ret + size` does where it fits exactly.
    if (padded !== undefined) return vaddr(padded % huge === 0 ? padded + huge : ceilTo(padded, huge));
  }
  return searchPlace(k, space, address, length);
}

function searchPlace(k: Kernel, space: AddressSpace, hint: number, length: number): Vaddr | undefined {
  const { design } = k;
  if (length > design.userEnd) return undefined;
  if (hint !== 0 && hint <= design.userEnd - length) {
    const next = vmaFrom(space, hint);
    if (next === undefined || hint + length <= guardedStart(k, next)) return vaddr(hint);
  }
  return searchDown(k, space, length) ?? searchUp(k, space, length);
}

function searchDown(k: Kernel, space: AddressSpace, length: number): Vaddr | undefined {
  const { ascending } = space.vmas;
  const low = k.design.placementEnd;
  let high: number = k.design.placementStart;
  let next = vmaFrom(space, high - 1);
  let at = next === undefined ? ascending.length : ascending.indexOf(next);
  for (;;) {
    // The gap below VMA `at`, as far as it lies below `high`.
    const top = Math.min(high, ascending[at]?.start ?? high);
    const bottom = Math.max(low, ascending[at - 1]?.end ?? 0);
    if (top - bottom >= length) {
      next = ascending[at] as LinuxVmaOf | undefined;
      const guarded = next === undefined ? top : Math.min(top, guardedStart(k, next));
      if (guarded === top) return vaddr(top - length);
      // Everything up to the guard gap is out, and whatever else lies in it.
      high = guarded;
      continue;
    }
    if (at === 0 || top <= low) return undefined;
    at--;
  }
}

function searchUp(k: Kernel, space: AddressSpace, length: number): Vaddr | undefined {
  const { ascending } = space.vmas;
  const high = k.design.userEnd;
  let low: number = ceilToPage(high / 3);
  const first = vmaFrom(space, low);
  if (first === undefined) return low + length <= high ? vaddr(low) : undefined;
  for (let at = ascending.indexOf(first); at <= ascending.length; at++) {
    const next = ascending[at] as LinuxVmaOf | undefined;
    const top = Math.min(high, next?.start ?? high);
    const isFree = top - low >= length;
    if (isFree && (next === undefined || guardedStart(k, next) >= low + length - 1)) return vaddr(low);
    if (next !== undefined) low = Math.max(low, next.end);
  }
  return undefined;
}
