/**
 * brk: the heap ends at the byte, its VMA at the page.
 *
 * The heap is whatever lies between its start and its end; there is no VMA that is it. It grows if the page behind its new
 * end would be free, too.
 *
 * @see Linux mm/mmap.c sys_brk; mm/vma.c do_brk_flags
 */
import type { AddressSpace } from '../address-space.ts';
import { releaseUnmappedObjects } from '../cache-fill.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { PROT_READ, PROT_WRITE } from '../pte.ts';
import { ceilToPage, vaddr, PAGE_BYTES, type Vaddr } from '../units.ts';
import { addVma } from './merge.ts';
import { VMAS_MAX } from './mmap.ts';
import { unmapRange } from './munmap.ts';
import { guardedStart } from './placement.ts';
import { MAY_ALL, newVma, vmaFrom, VM } from './vma.ts';

/** Moves the end of the heap. It never fails: the answer is where the heap ends now. */
export function* brk(k: Kernel, { space }: Process, address: number): Operation<Vaddr> {
  if (address < space.heapStart || address > k.design.userEnd) return space.heapEnd;
  const [from, to] = [ceilToPage(space.heapEnd), ceilToPage(address)];
  const isDone = from === to || (to < from ? yield* shrink(k, space, to, from) : grow(k, space, from, to));
  if (isDone) space.heapEnd = vaddr(address);
  return space.heapEnd;
}

/** Unmaps what is left of the heap's tail, and whatever else lies there. @returns false when nothing does */
function* shrink(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr): Operation<boolean> {
  if (space.vmas.isFree(start, end)) return false;
  yield* unmapRange(k, space, start, end, 'brk');
  releaseUnmappedObjects(k);
  return true;
}

/** @returns false when something is in the way */
function grow(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr): boolean {
  const next = vmaFrom(space, start);
  const isFree = next === undefined || end + PAGE_BYTES <= guardedStart(k, next);
  if (!k.rules.heapMayGrow({ isFree }) || !space.vmas.isFree(start, end)) return false;
  if (space.vmas.ascending.length > VMAS_MAX) return false;
  const heap = { start, end, prot: PROT_READ | PROT_WRITE, shared: false, file: undefined, pgoff: 0, flags: MAY_ALL | VM.ACCOUNT };
  // What ends where the heap starts is no part of it.
  addVma(space, newVma({ ...heap, description: 0, role: 'heap' }), start > space.heapStart ? 'left' : 'none');
  return true;
}
