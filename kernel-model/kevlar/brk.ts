/** brk: the heap, from where exec put its start up to the next VMA. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { splitAtEnds, unmapPages } from '../mapping.ts';
import { PROT_READ, PROT_WRITE, protName } from '../pte.ts';
import { ceilToPage, floorToPage, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import { cutVma, type Vma } from '../vma.ts';

/**
 * Moves the end of the heap. It never fails: the answer is where the heap ends now.
 *
 * Kevlar keeps the end to the byte when it shrinks and rounds the growth up to pages. Growth stops at the next VMA.
 */
export function* brk(k: Kernel, { space }: Process, address: number): Operation<Vaddr> {
  const heap = k.rules.heapVma(space.vmas, { start: space.heapStart, end: space.heapEnd });
  const start = heap?.role === 'heap' ? space.heapStart : (heap?.start ?? space.heapStart);
  const end = heap?.end ?? space.heapEnd;
  if (address === 0 || address < start) return end;
  if (address < end) return yield* shrinkHeap(k, space, heap, vaddr(address));
  const wanted = vaddr(end + ceilToPage(address - end));
  if (wanted === end || wanted > space.heapLimit) return end;
  if (heap !== undefined && heap.role !== 'heap') return stretchStranger(k, space, heap, wanted);
  if (!k.rules.heapMayGrow({ isFree: space.vmas.isFree(end, wanted) })) return end;
  if (heap !== undefined) space.vmas.replace(heap, [{ ...heap, end: wanted }]);
  else space.vmas.add(heapVma(end, wanted));
  space.heapEnd = wanted;
  return wanted;
}

/** Grows a VMA that the kernel takes for the heap, over whatever lies behind it: only where the rule names a wrong one. */
function stretchStranger(k: Kernel, space: AddressSpace, vma: Vma, end: Vaddr): Vaddr {
  for (const other of [...space.vmas.overlapping(vma.end, end)])
    if (other !== vma) space.vmas.remove(vaddr(Math.max(other.start, vma.end)), vaddr(Math.min(other.end, end)));
  space.vmas.replace(vma, [{ ...vma, end }]);
  k.emit({
    type: 'protection_changed',
    pid: space.pid,
    vaddr: vma.start,
    pages: Math.ceil((end - vma.start) / PAGE_BYTES),
    prot: protName(vma.prot),
  });
  return end;
}

const heapVma = (start: Vaddr, end: Vaddr): Vma => ({
  start,
  end,
  prot: PROT_READ | PROT_WRITE,
  role: 'heap',
  shared: false,
  backing: undefined,
});

function* shrinkHeap(k: Kernel, space: AddressSpace, heap: Vma | undefined, end: Vaddr): Operation<Vaddr> {
  const oldEnd = heap?.end ?? space.heapEnd;
  const [from, to] = [vpnOf(ceilToPage(end)), vpnOf(ceilToPage(oldEnd))];
  const seesHuge = k.rules.unmapSeesHugeLeaf('brk');
  if (seesHuge && from < to && !(yield* splitAtEnds(k, space, from, to))) return oldEnd;
  cutBack(space, heap, end, oldEnd);
  if (heap === undefined || heap.role === 'heap') space.heapEnd = end;
  // Where a piece has lost its last byte, the page in which it began may be nobody's.
  const first = space.vmas.onPage(floorToPage(end)).length === 0 ? vpnOf(floorToPage(end)) : from;
  if (first < to) yield* unmapPages(k, space, first, to, seesHuge);
  return end;
}

/**
 * The heap ends at the byte now; what others mapped over it goes in whole pages.
 *
 * A heap of no bytes keeps its VMA, as exec made it; a piece of it that loses its last byte goes.
 */
function cutBack(space: AddressSpace, heap: Vma | undefined, end: Vaddr, oldEnd: Vaddr): void {
  for (const vma of [...space.vmas.overlapping(end, oldEnd)]) {
    if (vma !== heap && vma.role !== 'heap') continue;
    space.vmas.replace(vma, vma.start < end ? [cutVma(vma, vma.start, end)] : vma.start === space.heapStart ? [heapVma(end, end)] : []);
  }
  if (ceilToPage(end) < oldEnd) space.vmas.remove(ceilToPage(end), ceilToPage(oldEnd));
}
