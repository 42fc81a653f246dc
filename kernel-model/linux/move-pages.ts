/**
 * mremap's work on entries: leaves move, guard markers included; frames and their counts stay as they are.
 *
 * Where a whole region moves to a whole region, its level-1 entry moves: a huge leaf stays huge, a table is kept. A huge
 * leaf that cannot move whole is split first.
 *
 * @see Linux mm/mremap.c, move_page_tables
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, isTable } from '../pte.ts';
import { vpn, type Vpn } from '../units.ts';
import { splitHuge, withdrawTable } from './huge.ts';

/** Moves the leaves of `count` pages to a range without entries that they do not overlap. @returns false without a table; nothing moved then */
export function* movePages(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): Operation<boolean> {
  if (!prepareTables(k, space, from, to, count)) return false;
  const { hugePages } = k.parameters;
  for (let done = 0; done < count;) {
    const [source, target] = [vpn(from + done), vpn(to + done)];
    const step = Math.min(count - done, hugePages - (source % hugePages), hugePages - (target % hugePages));
    if (step < hugePages || !moveRegion(k, space, source, target)) yield* moveLeaves(k, space, source, target, step);
    done += step;
  }
  movePins(k, space, from, to, count);
  yield* k.flush(space, from, count);
  return true;
}

/** Makes what the move may need, so that it cannot fail half-way: a leaf table for each region of the target that takes single leaves. */
function prepareTables(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): boolean {
  const { hugePages } = k.parameters;
  const isWhole = (from - to) % hugePages === 0;
  for (let region = k.tables.regionOf(to); k.tables.firstPageOf(region) < to + count; region++) {
    const first = k.tables.firstPageOf(region);
    const isInside = to <= first && first + hugePages <= to + count;
    const slot =
      isWhole && isInside ? k.tables.makeRegionSlot(space.root, region, k.tableSource) : makeIfUsed(k, space, from, to, count, region);
    if (slot < 0) return false;
  }
  return true;
}

/** The leaf table of a target region, if any page that comes to lie in it has a leaf. @returns -1 when no frame is left for it */
function makeIfUsed(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number, region: number): number {
  const first = Math.max(to, k.tables.firstPageOf(region));
  const last = Math.min(to + count, k.tables.firstPageOf(region + 1));
  let isUsed = false;
  k.tables.eachPageIn(space.root, vpn(first - to + from), vpn(last - to + from), () => (isUsed = true));
  return isUsed ? k.tables.makePageSlot(space.root, vpn(first), k.tableSource) : 0;
}

/** Moves a level-1 entry. @returns false when the target has one already */
function moveRegion(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn): boolean {
  const slot = k.tables.regionSlot(space.root, k.tables.regionOf(from));
  const entry = k.tables.entryAt(slot);
  if (entry === 0) return true;
  const target = k.tables.regionSlot(space.root, k.tables.regionOf(to));
  if (target < 0 || k.tables.entryAt(target) !== 0) return false;
  k.tables.setEntry(slot, 0);
  k.tables.setEntry(target, entry);
  if (!isTable(entry)) space.deposits.set(k.tables.regionOf(to), withdrawTable(space, k.tables.regionOf(from)));
  countMoved(k, space, to, k.parameters.hugePages);
  return true;
}

function* moveLeaves(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): Operation<void> {
  yield* splitHuge(k, space, from);
  for (let i = 0; i < count; i++) {
    const slot = k.tables.pageSlot(space.root, vpn(from + i));
    const entry = k.tables.entryAt(slot);
    if (entry === 0) continue;
    k.tables.setEntry(slot, 0);
    k.tables.setEntry(k.tables.pageSlot(space.root, vpn(to + i)), entry);
  }
  countMoved(k, space, to, count);
}

/** What the kernel makes of the counts of frames that moved. */
function countMoved(k: Kernel, space: AddressSpace, page: Vpn, count: number): void {
  k.tables.eachPageIn(space.root, page, vpn(page + count), (_page, entry) => {
    const frame = frameOfPte(entry);
    if (isGuard(entry) || !k.frames.exists(frame) || k.isZeroPage(frame)) return;
    k.frames.refs[frame] = k.rules.refsAfterMove(k.frames.refs[frame]!);
  });
}

function movePins(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): void {
  for (const pin of k.pins.values()) {
    if (pin.space !== space || pin.page === undefined || pin.page < from || pin.page >= from + count) continue;
    k.pins.set(pin.id, { ...pin, page: vpn(pin.page - from + to) });
  }
}
