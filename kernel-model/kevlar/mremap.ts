/**
 * mremap: resizes a mapping, or moves its entries elsewhere.
 *
 * A moved page keeps its frame and the frame its references: only the address changes.
 */
import type { MremapRequest } from '../requests.ts';
import type { AddressSpace } from '../address-space.ts';
import { coversVdso } from '../design.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { splitAll, splitAtEnds } from '../mapping.ts';
import { clearRange, placeUpwards } from './mmap.ts';
import { frameOfPte } from '../pte.ts';
import { ceilToPage, isPageAligned, vaddr, vpn, vpnOf, PAGE_BYTES, type Vaddr, type Vpn } from '../units.ts';
import { cutVma, type Vma } from '../vma.ts';

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
  if (
    isAtEnd &&
    grownEnd <= k.design.userEnd &&
    !coversVdso(k.design, vma.end, grownEnd) &&
    space.vmas.isFree(vma.end, grownEnd) &&
    vma.role !== 'heap'
  ) {
    space.vmas.replace(vma, [lengthen(vma, grownEnd)]);
    return start;
  }
  if (!request.mayMove) return 'ENOMEM';
  const huge = k.design.placementHugeBytes;
  const place = placeUpwards(k, space, newBytes, vma.backing === undefined && newBytes >= huge ? huge : PAGE_BYTES);
  if (place === undefined) return 'ENOMEM';
  return yield* moveTo(k, space, vma, start, oldBytes, newBytes, place, false);
}

function mremapProblem(
  k: Kernel,
  { address, oldBytes, newBytes, mayMove, fixed, newAddress, dontUnmap }: MremapRequest,
): Errno | undefined {
  if (dontUnmap === true) return 'EINVAL';
  if (!isPageAligned(address) || oldBytes <= 0 || newBytes <= 0) return 'EINVAL';
  if (address + ceilToPage(oldBytes) > k.design.userEnd) return 'EFAULT';
  if (ceilToPage(newBytes) > k.design.userEnd) return 'EINVAL';
  if (!fixed) return undefined;
  if (!mayMove || !isPageAligned(newAddress) || newAddress === 0) return 'EINVAL';
  const newEnd = newAddress + ceilToPage(newBytes);
  if (coversVdso(k.design, newAddress, newEnd)) return 'EINVAL';
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
  // Everything that can fail comes before anything that shows: tables for the target, then its old mappings go.
  const [first, last] = [vpnOf(to), vpnOf(to + newBytes)];
  if (isReplacing && !((yield* splitAtEnds(k, space, first, last)) && (yield* splitAll(k, space, first, last)))) return 'ENOMEM';
  const slots: number[] = [];
  for (let i = 0; i < kept / PAGE_BYTES; i++) {
    const slot = k.tables.makePageSlot(space.root, vpn(first + i), k.tableSource);
    if (slot < 0) return 'ENOMEM';
    slots.push(slot);
  }
  if (isReplacing) yield* clearRange(k, space, to, vaddr(to + newBytes), 'fixed');
  slots.forEach((slot, i) => {
    moveEntry(k, space, vpnOf(from + i * PAGE_BYTES), slot);
  });
  movePins(k, space, vpnOf(from), kept / PAGE_BYTES, vpnOf(to));
  const moved = cutVma(vma, from, vaddr(from + Math.min(kept, vma.end - from)));
  yield* k.flush(space, vpnOf(from), oldBytes / PAGE_BYTES);
  yield* clearRange(k, space, from, vaddr(from + oldBytes), 'mremap');
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

function movePins(k: Kernel, space: AddressSpace, from: Vpn, count: number, to: Vpn): void {
  for (const pin of k.pins.values()) {
    if (pin.space !== space || pin.page === undefined || pin.page < from || pin.page >= from + count) continue;
    k.pins.set(pin.id, { ...pin, page: vpn(pin.page - from + to) });
  }
}
