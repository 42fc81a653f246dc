/** munmap, mprotect, mremap and brk: what changes VMAs that are already there. */
import type { AddressSpace } from './address-space.ts';
import { releaseUnmappedObjects } from './cache-fill.ts';
import type { Errno } from './errors.ts';
import type { Kernel, Operation, Process } from './kernel.ts';
import { splitAtEnds, splitHuge, unmapPages } from './mapping.ts';
import { clearRange, placeUpwards } from './mmap.ts';
import { intersectProtection } from './page-content.ts';
import {
  frameOfPte,
  isLeaf,
  isValid,
  leafPte,
  protName,
  rightsOfProt,
  PROT_NONE,
  PROT_WRITE,
  PTE_READ,
  PTE_WRITE,
  withoutWrite,
} from './pte.ts';
import { ceilToPage, isPageAligned, pfn, vaddr, vaddrOf, vpn, vpnOf, PAGE_BYTES, type Vaddr, type Vpn } from './units.ts';
import { cutVma, type Vma } from './vma.ts';

// ---- munmap.

/** Removes every mapping in the range; holes are fine. */
export function* munmap(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes <= 0 || address + lengthBytes > k.design.userEnd) return 'EINVAL';
  const end = ceilToPage(address + lengthBytes);
  if (!(yield* clearRange(k, space, vaddr(address), end, 'munmap'))) return 'ENOMEM';
  releaseUnmappedObjects(k);
  return 0;
}

// ---- mprotect.

/**
 * Sets the protection of the VMAs in the range; holes are passed over, as in Kevlar.
 *
 * An entry whose frame others hold does not become writable: the next store faults and copies.
 */
export function* mprotect(k: Kernel, { space }: Process, address: number, lengthBytes: number, prot: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes < 0) return 'EINVAL';
  if (address + lengthBytes > k.design.userEnd) return 'ENOMEM';
  if (lengthBytes === 0) return 0;
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

function* splitAll(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): Operation<boolean> {
  for (let page = start; page < end; page = k.tables.firstPageOf(k.tables.regionOf(page) + 1)) {
    if (!(yield* splitHuge(k, space, page))) return false;
  }
  return true;
}

/** Gives every entry of the range the rights of its page. */
function protectEntries(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): void {
  for (let page = start; page < end;) {
    const region = k.tables.regionOf(page);
    const regionEnd = Math.min(end, k.tables.firstPageOf(region + 1));
    const slot = k.tables.regionSlot(space.root, region);
    const entry = k.tables.entryAt(slot);
    if (isLeaf(entry)) protectHugeLeaf(k, space, page, slot, entry);
    else if (entry !== 0) for (let at = page; at < regionEnd; at = vpn(at + 1)) protectEntry(k, space, at);
    page = vpn(regionEnd);
  }
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
  k.tables.setEntry(slot, prot === PROT_NONE ? (entry & ~rightsOfProt(7)) | PTE_READ : leafPte(frame, prot));
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

// ---- mremap.

export interface MremapRequest {
  readonly address: number;
  readonly oldBytes: number;
  readonly newBytes: number;
  readonly mayMove: boolean;
  readonly fixed: boolean;
  readonly newAddress: number;
}

/** Resizes or moves a mapping; the old range must lie in one VMA. @returns where it is now */
export function* mremap(k: Kernel, { space }: Process, request: MremapRequest): Operation<Vaddr | Errno> {
  const problem = mremapProblem(k, request);
  if (problem !== undefined) return problem;
  const start = vaddr(request.address);
  const oldBytes = ceilToPage(request.oldBytes);
  const newBytes = ceilToPage(request.newBytes);
  const vma = space.vmas.containing(start);
  if (vma === undefined || start + oldBytes > ceilToPage(vma.end)) return 'EFAULT';
  // What an exec laid out to the byte does not move.
  if (vma.role === 'segment' || vma.role === 'pad' || !isPageAligned(vma.end)) return 'EINVAL';
  if (request.fixed) return yield* moveTo(k, space, vma, start, oldBytes, newBytes, vaddr(request.newAddress), true);
  if (newBytes <= oldBytes) {
    if (newBytes < oldBytes && !(yield* clearRange(k, space, vaddr(start + newBytes), vaddr(start + oldBytes), 'mremap'))) return 'ENOMEM';
    return start;
  }
  const isAtEnd = start + oldBytes === vma.end;
  const grownEnd = vaddr(start + newBytes);
  if (isAtEnd && grownEnd <= k.design.userEnd && space.vmas.isFree(vma.end, grownEnd) && vma.role !== 'heap') {
    space.vmas.replace(vma, [lengthen(vma, grownEnd)]);
    return start;
  }
  if (!request.mayMove) return 'ENOMEM';
  const huge = k.design.placementHugeBytes;
  const place = placeUpwards(k, space, newBytes, vma.backing === undefined && newBytes >= huge ? huge : PAGE_BYTES);
  if (place === undefined) return 'ENOMEM';
  return yield* moveTo(k, space, vma, start, oldBytes, newBytes, place, false);
}

function mremapProblem(k: Kernel, { address, oldBytes, newBytes, mayMove, fixed, newAddress }: MremapRequest): Errno | undefined {
  if (!isPageAligned(address) || oldBytes <= 0 || newBytes <= 0) return 'EINVAL';
  if (address + ceilToPage(oldBytes) > k.design.userEnd) return 'EFAULT';
  if (ceilToPage(newBytes) > k.design.userEnd) return 'EINVAL';
  if (!fixed) return undefined;
  if (!mayMove || !isPageAligned(newAddress) || newAddress === 0) return 'EINVAL';
  const newEnd = newAddress + ceilToPage(newBytes);
  if (newEnd > k.design.userEnd || (newAddress < address + ceilToPage(oldBytes) && address < newEnd)) return 'EINVAL';
  return undefined;
}

const lengthen = (vma: Vma, end: Vaddr): Vma => ({
  ...vma,
  end,
  backing: vma.backing?.file.immutable === false ? { ...vma.backing, fileBytes: end - vma.start } : vma.backing,
});

/** Moves the pages of [from, from + kept) and drops the rest of the old range. */
function* moveTo(
  k: Kernel,
  space: AddressSpace,
  vma: Vma,
  from: Vaddr,
  oldBytes: number,
  newBytes: number,
  to: Vaddr,
  isReplacing: boolean,
): Operation<Vaddr | Errno> {
  const kept = Math.min(oldBytes, newBytes);
  if (!(yield* splitAtEnds(k, space, vpnOf(from), vpnOf(from + oldBytes)))) return 'ENOMEM';
  if (!(yield* splitAll(k, space, vpnOf(from), vpnOf(from + oldBytes)))) return 'ENOMEM';
  if (isReplacing && !(yield* clearRange(k, space, to, vaddr(to + newBytes), 'fixed'))) return 'ENOMEM';
  const slots: number[] = [];
  for (let i = 0; i < kept / PAGE_BYTES; i++) {
    const slot = k.tables.makePageSlot(space.root, vpnOf(to + i * PAGE_BYTES), k.tableSource);
    if (slot < 0) return 'ENOMEM';
    slots.push(slot);
  }
  slots.forEach((slot, i) => {
    moveEntry(k, space, vpnOf(from + i * PAGE_BYTES), slot);
  });
  const moved = cutVma(vma, from, vaddr(from + Math.min(kept, vma.end - from)));
  yield* k.flush(space, vpnOf(from), oldBytes / PAGE_BYTES);
  if (!(yield* clearRange(k, space, from, vaddr(from + oldBytes), 'mremap'))) return 'ENOMEM';
  const placed: Vma = { ...moved, start: to, end: vaddr(to + moved.end - moved.start), role: 'mapping' };
  space.vmas.add(lengthen(placed, vaddr(to + newBytes)));
  return to;
}

function moveEntry(k: Kernel, space: AddressSpace, from: Vpn, toSlot: number): void {
  const slot = k.tables.pageSlot(space.root, from);
  const entry = k.tables.entryAt(slot);
  if (entry === 0) return;
  const frame = frameOfPte(entry);
  k.tables.setEntry(slot, 0);
  k.tables.setEntry(toSlot, entry);
  if (k.frames.exists(frame)) k.frames.refs[frame] = k.rules.refsAfterMove(k.frames.refs[frame]!);
}

// ---- brk.

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
  if (!space.vmas.isFree(end, wanted)) return end;
  if (heap !== undefined) space.vmas.replace(heap, [{ ...heap, end: wanted }]);
  else addHeap(space, end, wanted);
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

function addHeap(space: AddressSpace, start: Vaddr, end: Vaddr): void {
  space.vmas.add({ start, end, prot: 3, role: 'heap', shared: false, backing: undefined });
}

function* shrinkHeap(k: Kernel, space: AddressSpace, heap: Vma | undefined, end: Vaddr): Operation<Vaddr> {
  const oldEnd = heap?.end ?? space.heapEnd;
  const [from, to] = [vpnOf(ceilToPage(end)), vpnOf(ceilToPage(oldEnd))];
  const seesHuge = k.rules.unmapSeesHugeLeaf('brk');
  if (seesHuge && from < to && !(yield* splitAtEnds(k, space, from, to))) return oldEnd;
  if (heap === undefined || end < heap.start) space.vmas.remove(end, oldEnd);
  else space.vmas.replace(heap, [cutVma(heap, heap.start, end)]);
  if (heap === undefined || heap.role === 'heap') space.heapEnd = end;
  if (from < to) yield* unmapPages(k, space, from, to, seesHuge);
  return end;
}
