/**
 * fork: the child shares every frame, and private writable pages become copy-on-write on both sides.
 *
 * A failing fork gives everything back; the parent's entries may stay write-protected, which costs it a fault and
 * nothing else. A frame that a pin may write is copied at once, so that the pin and the parent keep seeing one frame.
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { copyForChild, holdHuge, splitHuge } from '../mapping.ts';
import { forkWith } from '../processes.ts';
import { frameOfPte, isLeaf, isValid, PTE_WRITE } from '../pte.ts';
import { vaddrOf, type Pfn, type Pid, type Vpn } from '../units.ts';

/** Makes process `childPid` a copy of `parent`. @returns ENOMEM when frames or counts run out, EAGAIN if the pid is taken */
export const fork = (k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno> =>
  forkWith(k, parent, childPid, { copyVmas, copyPages: shareEntries });

function copyVmas(k: Kernel, from: AddressSpace, to: AddressSpace): void {
  to.vmas = from.vmas.copy();
  if (k.rules.forkKeepsShared()) return;
  for (const vma of [...to.vmas.list]) if (vma.shared) to.vmas.replace(vma, [{ ...vma, shared: false }]);
}

/** Shares every entry of one table tree with another. @returns false when a table, a copy or a count could not be had */
function* shareEntries(k: Kernel, from: AddressSpace, to: AddressSpace): Operation<boolean> {
  for (const pin of k.pins.values()) {
    const mayBeHuge = pin.space === from && pin.writable && pin.page !== undefined;
    if (mayBeHuge && !(yield* splitHuge(k, from, pin.page))) return false;
  }
  const entries: [page: Vpn, entry: number, slot: number, isHuge: boolean][] = [];
  k.tables.eachEntry(from.root, (...found) => entries.push(found));
  for (const [page, entry, slot, isHuge] of entries) {
    const shared = isHuge ? shareHuge(k, to, page, entry, slot) : sharePage(k, from, to, page, entry, slot);
    if (!shared) return false;
    yield 'fork.entry-shared';
  }
  return true;
}

function sharePage(k: Kernel, from: AddressSpace, to: AddressSpace, page: Vpn, entry: number, slot: number): boolean {
  const frame = frameOfPte(entry);
  if (!k.frames.exists(frame)) return true;
  const childSlot = k.tables.makePageSlot(to.root, page, k.tableSource);
  if (childSlot < 0) return false;
  const isSharedMapping = k.rules.forkKeepsShared() && from.vmas.onPage(vaddrOf(page)).some((vma) => vma.shared);
  if (!isSharedMapping && isPinnedAt(k, from, page, frame) && k.rules.forkCopiesPinned())
    return copyForChild(k, frame, childSlot, entry) !== undefined;
  const isCounted = isValid(entry) || k.rules.forkCountsInvalidEntry();
  if (isCounted && !k.hold(frame)) return false;
  const kept = isSharedMapping ? entry : entry & ~PTE_WRITE;
  k.tables.setEntry(slot, kept);
  k.tables.setEntry(childSlot, kept);
  return true;
}

/** Was the frame pinned for writing through this page? A page of a file may be pinned through one mapping and read through another. */
function isPinnedAt(k: Kernel, space: AddressSpace, page: Vpn, frame: Pfn): boolean {
  if (k.frames.writePins[frame] === 0) return false;
  for (const pin of k.pins.values()) if (pin.frame === frame && pin.writable && pin.space === space && pin.page === page) return true;
  return false;
}

function shareHuge(k: Kernel, to: AddressSpace, page: Vpn, entry: number, slot: number): boolean {
  const childSlot = k.tables.makeRegionSlot(to.root, k.tables.regionOf(page), k.tableSource);
  if (childSlot < 0) return false;
  if (isLeaf(entry) && !holdHuge(k, frameOfPte(entry))) return false;
  k.tables.setEntry(slot, entry & ~PTE_WRITE);
  k.tables.setEntry(childSlot, entry & ~PTE_WRITE);
  return true;
}
