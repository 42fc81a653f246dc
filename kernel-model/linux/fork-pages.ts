/**
 * fork's work on entries: which the child gets, and what becomes of those of the parent.
 *
 * Only a VMA that may have private pages (it has an anon_vma), or guard markers, is copied, with all that is in it; what
 * others have comes from a file or is the zero page, and the child faults on it again. Private pages become shared on both sides: the next to write
 * one copies it, or takes it over if nobody else is left. A page that a pin may write is copied at once.
 *
 * @see Linux mm/memory.c, vma_needs_copy, copy_present_ptes; mm/huge_memory.c, copy_huge_pmd
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { copyForChild } from '../mapping.ts';
import { frameOfPte, isGuard, PTE_WRITE, rightsOfPte } from '../pte.ts';
import { vpnOf, type Pfn, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { holdBlock, splitHuge } from './huge.ts';
import { claimFrames, isAnon, shareFrames } from './leaf.ts';
import { hasFlag, VM } from './vma.ts';

/** Gives the child, whose VMAs are there, the entries that fork copies. @returns false when a table, a copy or a count could not be had */
export function* forkPages(k: Kernel, parent: AddressSpace, child: AddressSpace): Operation<boolean> {
  for (const vma of parent.vmas.ascending) if (needsCopy(vma, child) && !(yield* forkVma(k, parent, child, vma))) return false;
  return true;
}

/** Does the child have the VMA, and can there be something in it that no fault would bring back? */
function needsCopy(vma: Vma, child: AddressSpace): boolean {
  if (hasFlag(vma, VM.WIPEONFORK | VM.DONTCOPY) || child.vmas.containing(vma.start) === undefined) return false;
  return vma.linux?.anonVma !== undefined || hasFlag(vma, VM.MAYBE_GUARD);
}

function* forkVma(k: Kernel, parent: AddressSpace, child: AddressSpace, vma: Vma): Operation<boolean> {
  yield* splitPinned(k, parent);
  const entries: [page: Vpn, entry: number, slot: number, isHuge: boolean][] = [];
  const [start, end] = [vpnOf(vma.start), vpnOf(vma.end)];
  k.tables.eachEntryIn(parent.root, start, end, (...found) => entries.push(found));
  for (const [page, entry, slot, isHuge] of entries) {
    const isDone = isHuge ? forkBlock(k, child, page, entry, slot) : forkPage(k, parent, child, vma.shared, page, entry, slot);
    if (!isDone) return false;
    yield 'fork.entry-shared';
  }
  return true;
}

/** A page of a block that is pinned must be copied alone. */
function* splitPinned(k: Kernel, space: AddressSpace): Operation<void> {
  for (const pin of k.pins.values()) if (pin.space === space && pin.page !== undefined) yield* splitHuge(k, space, pin.page);
}

function forkPage(
  k: Kernel,
  parent: AddressSpace,
  child: AddressSpace,
  isShared: boolean,
  page: Vpn,
  entry: number,
  slot: number,
): boolean {
  const frame = frameOfPte(entry);
  if (!isGuard(entry) && !k.frames.exists(frame)) return true;
  const childSlot = k.tables.makePageSlot(child.root, page, k.tableSource);
  if (childSlot < 0) return false;
  if (isGuard(entry)) {
    k.tables.setEntry(childSlot, entry);
    return true;
  }
  if (isPinnedAt(k, parent, page, frame) && k.rules.forkCopiesPinned()) return copyEagerly(k, frame, childSlot, entry);
  const isCounted = rightsOfPte(entry) !== 0 || k.rules.forkCountsInvalidEntry();
  if (isCounted && !k.hold(frame)) return false;
  if (isAnon(k, frame)) shareFrames(k, frame, 1);
  const kept = isShared ? entry : entry & ~PTE_WRITE;
  k.tables.setEntry(slot, kept);
  k.tables.setEntry(childSlot, kept);
  return true;
}

/** Was private memory pinned through this page? */
function isPinnedAt(k: Kernel, space: AddressSpace, page: Vpn, frame: Pfn): boolean {
  if (!isAnon(k, frame)) return false;
  for (const pin of k.pins.values()) if (pin.frame === frame && pin.space === space && pin.page === page) return true;
  return false;
}

function copyEagerly(k: Kernel, from: Pfn, childSlot: number, entry: number): boolean {
  const copy = copyForChild(k, from, childSlot, entry);
  if (copy !== undefined) claimFrames(k, copy, 1);
  return copy !== undefined;
}

function forkBlock(k: Kernel, child: AddressSpace, page: Vpn, entry: number, slot: number): boolean {
  const region = k.tables.regionOf(page);
  const childSlot = k.tables.makeRegionSlot(child.root, region, k.tableSource);
  const table = childSlot < 0 ? undefined : k.tableSource();
  if (table === undefined) return false;
  const block = frameOfPte(entry);
  if (!holdBlock(k, block)) {
    k.release(table);
    return false;
  }
  if (!k.isZeroPage(block)) shareFrames(k, block, k.parameters.hugePages);
  child.deposits.set(region, table);
  k.tables.setEntry(slot, entry & ~PTE_WRITE);
  k.tables.setEntry(childSlot, entry & ~PTE_WRITE);
  return true;
}
