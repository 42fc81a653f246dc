/** VMAs and the regions of an address space. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { checkLinuxVma } from '../linux/vma.ts';
import { hex, PAGE_BYTES } from '../units.ts';
import { checkVmaSet, describeVma } from '../vma.ts';
import { firstOver, type Violation } from './violation.ts';

export function vmaWellformed(k: Kernel): Violation | undefined {
  return firstOver(k, (space) => {
    const message = checkVmaSet(space.vmas);
    if (message !== undefined) return { message };
    if (k.design.name === 'linux') return linuxVmaWrong(space);
    if (k.design.segmentBounds !== 'page') return undefined;
    const ragged = space.vmas.ascending.find(
      (vma) => vma.role === 'segment' && (vma.start % PAGE_BYTES !== 0 || vma.end % PAGE_BYTES !== 0),
    );
    return ragged === undefined ? undefined : { message: `${describeVma(ragged)} is not page-aligned`, address: ragged.start };
  });
}

function linuxVmaWrong({ vmas }: AddressSpace): Violation | undefined {
  for (const vma of vmas.ascending) {
    const message = checkLinuxVma(vma);
    if (message !== undefined) return { message, address: vma.start };
  }
  return undefined;
}

/** Linux keeps no room for anything: a program may move its stack into the heap. */
export function regionDisjoint(k: Kernel): Violation | undefined {
  if (k.design.name === 'linux') return undefined;
  return firstOver(k, (space) => {
    const { heapStart, heapEnd, vmas } = space;
    const inHeap = vmas.overlapping(heapStart, heapEnd).find((vma) => vma.role === 'segment' || vma.role === 'pad' || vma.role === 'stack');
    // Nothing reaches into an empty heap: a program may grow a mapping of its own over the place where it would begin.
    if (heapStart < heapEnd && inHeap !== undefined)
      return { message: `${describeVma(inHeap)} reaches into the heap ${hex(heapStart)}-${hex(heapEnd)}`, address: inHeap.start };
    const { placementNext, heapLimit } = space;
    if (heapStart <= placementNext && placementNext < heapLimit)
      return {
        message: `places for mappings are sought from ${hex(placementNext)} on, in the heap’s room ${hex(heapStart)}-${hex(heapLimit)}`,
        address: placementNext,
      };
    const overVdso = vmas.containing(k.design.vdso);
    return overVdso === undefined ? undefined : { message: `${describeVma(overVdso)} covers the vDSO`, address: overVdso.start };
  });
}
