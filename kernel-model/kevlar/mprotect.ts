/**
 * mprotect: changes VMAs, then every entry of the range at once.
 *
 * Whoever takes access away has to flush; whoever grants WRITE has to ask who else holds the frame.
 */
import type { AddressSpace } from '../address-space.ts';
import { coversVdso } from '../design.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { splitAll, splitAtEnds } from '../mapping.ts';
import { intersectProtection } from '../page-content.ts';
import {
  frameOfPte,
  isLeaf,
  isValid,
  leafPte,
  protName,
  rightsOfProt,
  PROT_NONE,
  PROT_RWX,
  PROT_WRITE,
  PTE_READ,
  PTE_WRITE,
  withoutWrite,
} from '../pte.ts';
import { ceilToPage, isPageAligned, pfn, vaddr, vaddrOf, vpn, vpnOf, PAGE_BYTES, type Vpn } from '../units.ts';

/**
 * Sets the protection of the VMAs in the range; holes are passed over, as in Kevlar.
 *
 * An entry whose frame others hold does not become writable: the next store faults and copies.
 */
export function* mprotect(k: Kernel, { space }: Process, address: number, lengthBytes: number, prot: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes < 0) return 'EINVAL';
  if (address + lengthBytes > k.design.userEnd) return 'ENOMEM';
  if (lengthBytes === 0) return 0;
  if (coversVdso(k.design, address, address + lengthBytes)) return 'EINVAL';
  const start = vaddr(address);
  const end = ceilToPage(address + lengthBytes);
  if (space.vmas.overlapping(start, end).some((vma) => vma.shared && (prot & PROT_WRITE) !== 0 && vma.backing?.file.immutable === true))
    return 'EACCES';
  if (!(yield* splitAtEnds(k, space, vpnOf(start), vpnOf(end)))) return 'ENOMEM';
  if (prot === PROT_NONE && k.rules.protNoneRevokesHugeLeaf() && !(yield* splitAll(k, space, vpnOf(start), vpnOf(end)))) return 'ENOMEM';
  space.vmas.changeRange(start, end, (vma) => ({ ...vma, prot }));
  protectEntries(k, space, vpnOf(start), vpnOf(end));
  k.emit({ type: 'protection_changed', pid: space.pid, vaddr: start, pages: (end - start) / PAGE_BYTES, prot: protName(prot) });
  yield* k.flush(space, vpnOf(start), (end - start) / PAGE_BYTES);
  return 0;
}

/** Gives every entry of the range the rights of its page. */
function protectEntries(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): void {
  k.tables.eachRegionIn(space.root, k.tables.regionOf(start), k.tables.regionOf(vpn(end - 1)) + 1, (region, slot, entry) => {
    const first = vpn(Math.max(start, k.tables.firstPageOf(region)));
    const last = Math.min(end, k.tables.firstPageOf(region + 1));
    if (isLeaf(entry)) protectHugeLeaf(k, space, first, slot, entry);
    else for (let page = first; page < last; page = vpn(page + 1)) protectEntry(k, space, page);
  });
}

function protectEntry(k: Kernel, space: AddressSpace, page: Vpn): void {
  const slot = k.tables.pageSlot(space.root, page);
  const entry = k.tables.entryAt(slot);
  if (entry === 0) return;
  k.tables.setEntry(slot, leafPte(frameOfPte(entry), grantable(k, space, page, entry, false)));
}

function protectHugeLeaf(k: Kernel, space: AddressSpace, page: Vpn, slot: number, entry: number): void {
  const frame = frameOfPte(entry);
  const prot = grantable(k, space, page, entry, true);
  // A kernel that does not take the access away leaves the leaf readable.
  k.tables.setEntry(slot, prot === PROT_NONE ? (entry & ~rightsOfProt(PROT_RWX)) | PTE_READ : leafPte(frame, prot));
}

/** What an entry may grant after mprotect: the page's protection, without WRITE where the frame is not the space's alone. */
function grantable(k: Kernel, space: AddressSpace, page: Vpn, entry: number, isHuge: boolean): number {
  const onPage = space.vmas.onPage(vaddrOf(page));
  if (onPage.length === 0) return PROT_NONE;
  const prot = k.rules.pageProtection() === 'intersection' ? intersectProtection(onPage) : onPage[0]!.prot;
  if ((prot & PROT_WRITE) === 0) return prot;
  const wasWritable = isValid(entry) && (entry & PTE_WRITE) !== 0;
  const mayWrite = onPage.some((vma) => vma.shared)
    ? wasWritable
    : k.rules.mayGrantWrite({ others: othersOfEntry(k, entry, isHuge), why: 'mprotect' });
  return mayWrite ? prot : withoutWrite(prot);
}

/** Holders besides this entry; for a huge leaf the most that any of its sub-frames has. */
function othersOfEntry(k: Kernel, entry: number, isHuge: boolean): number {
  const first = frameOfPte(entry);
  let others = 0;
  for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) {
    const frame = pfn(first + i);
    if (k.frames.exists(frame)) others = Math.max(others, k.othersOf(frame));
  }
  return others;
}
