/**
 * mprotect's work on entries: each leaf of the range gets what its VMA allows now.
 *
 * Private memory may be written at once only if it is exclusive: everything else waits for the write fault that copies it.
 * A page of a shared mapping needs no such fault. A leaf without rights is sealed, a huge one as a whole.
 *
 * @see Linux mm/mprotect.c, change_pte_range and can_change_pte_writable
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, isTable, PROT_NONE, PROT_WRITE, PTE_LAZY, PTE_READ, PTE_RIGHTS, sealablePte, withoutWrite } from '../pte.ts';
import { pfn, vaddrOf, vpn, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { splitHugeAt } from './huge.ts';
import { fileIndexOf, isExclusive, othersOf } from './leaf.ts';

/** Gives every leaf of [start, end) the rights of its VMA, which is there already. */
export function* protectPages(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<void> {
  if (start >= end) return;
  for (const edge of [start, end]) yield* splitHugeAt(k, space, edge);
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
    const first = vpn(Math.max(start, k.tables.firstPageOf(region)));
    const last = Math.min(end, k.tables.firstPageOf(region + 1));
    if (!isTable(entry)) protectHugeLeaf(k, space, first, slot, entry);
    else for (let page = first; page < last; page = vpn(page + 1)) protectLeaf(k, space, page);
  });
  yield* k.flush(space, start, end - start);
}

function protectLeaf(k: Kernel, space: AddressSpace, page: Vpn): void {
  const slot = k.tables.pageSlot(space.root, page);
  const entry = k.tables.entryAt(slot);
  const vma = entry === 0 || isGuard(entry) ? undefined : space.vmas.containing(vaddrOf(page));
  if (vma === undefined) return;
  const frame = frameOfPte(entry);
  const mayWrite = (vma.prot & PROT_WRITE) !== 0 && (vma.shared || mayGrantWrite(k, frame, 1));
  if (mayWrite && vma.shared) k.cache.setDirty(vma.backing!.file, fileIndexOf(vma, page), true);
  k.tables.setEntry(slot, sealablePte(frame, mayWrite ? vma.prot : withoutWrite(vma.prot)) | (entry & PTE_LAZY));
}

function protectHugeLeaf(k: Kernel, space: AddressSpace, page: Vpn, slot: number, entry: number): void {
  const vma: Vma | undefined = space.vmas.containing(vaddrOf(page));
  if (vma === undefined) return;
  const block = frameOfPte(entry);
  const mayWrite = (vma.prot & PROT_WRITE) !== 0 && mayGrantWrite(k, block, k.parameters.hugePages);
  // A kernel that does not take the access away leaves the leaf readable.
  if (vma.prot === PROT_NONE && !k.rules.protNoneRevokesHugeLeaf()) k.tables.setEntry(slot, (entry & ~PTE_RIGHTS) | PTE_READ);
  else k.tables.setEntry(slot, sealablePte(block, mayWrite ? vma.prot : withoutWrite(vma.prot)) | (entry & PTE_LAZY));
}

/** May a leaf over `count` frames become writable without a fault? */
function mayGrantWrite(k: Kernel, first: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const frame = pfn(first + i);
    if (!k.frames.exists(frame)) return false;
    const others = isExclusive(k, frame) ? 0 : Math.max(1, othersOf(k, frame));
    if (!k.rules.mayGrantWrite({ others, why: 'mprotect' })) return false;
  }
  return true;
}
