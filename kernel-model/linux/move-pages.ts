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

/** Pages that move together: they lie in one region before and in one region after. */
interface Piece {
  readonly from: Vpn;
  readonly to: Vpn;
  readonly count: number;
}

/** Moves the leaves of `count` pages to a range without entries that they do not overlap. @returns false without a table; nothing moved then */
export function* movePages(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): Operation<boolean> {
  const pieces = piecesOf(k, space, from, to, count);
  if (!pieces.every((piece) => makeTable(k, space, piece))) return false;
  for (const piece of pieces) if (!isRegion(k, piece) || !moveRegion(k, space, piece)) yield* moveLeaves(k, space, piece);
  movePins(k, space, from, to, count);
  yield* k.flush(space, from, count);
  return true;
}

/** What there is to move, ascending: regions without anything are passed over, so the range may be as long as it likes. */
function piecesOf(k: Kernel, space: AddressSpace, from: Vpn, to: Vpn, count: number): readonly Piece[] {
  const { hugePages } = k.parameters;
  const pieces: Piece[] = [];
  k.tables.eachRegionIn(space.root, k.tables.regionOf(from), k.tables.regionOf(vpn(from + count - 1)) + 1, (region) => {
    const last = Math.min(from + count, k.tables.firstPageOf(region + 1));
    for (let page = Math.max(from, k.tables.firstPageOf(region)); page < last;) {
      const target = page - from + to;
      const step = Math.min(last - page, hugePages - (target % hugePages));
      pieces.push({ from: vpn(page), to: vpn(target), count: step });
      page += step;
    }
  });
  return pieces;
}

/** Does the piece fill its region, before and after? */
const isRegion = (k: Kernel, { count }: Piece): boolean => count === k.parameters.hugePages;

/** Makes the table that a piece goes to, so that the move cannot fail half-way. */
function makeTable(k: Kernel, space: AddressSpace, piece: Piece): boolean {
  if (isRegion(k, piece)) return k.tables.makeRegionSlot(space.root, k.tables.regionOf(piece.to), k.tableSource) >= 0;
  let leaves = 0;
  k.tables.eachPageIn(space.root, piece.from, vpn(piece.from + piece.count), () => {
    leaves++;
  });
  return leaves === 0 || k.tables.makePageSlot(space.root, piece.to, k.tableSource) >= 0;
}

/** Moves a level-1 entry. @returns false when the target has one already */
function moveRegion(k: Kernel, space: AddressSpace, { from, to, count }: Piece): boolean {
  const slot = k.tables.regionSlot(space.root, k.tables.regionOf(from));
  const entry = k.tables.entryAt(slot);
  if (entry === 0) return true;
  const target = k.tables.regionSlot(space.root, k.tables.regionOf(to));
  if (target < 0 || k.tables.entryAt(target) !== 0) return false;
  k.tables.setEntry(slot, 0);
  k.tables.setEntry(target, entry);
  if (!isTable(entry)) space.deposits.set(k.tables.regionOf(to), withdrawTable(space, k.tables.regionOf(from)));
  countMoved(k, space, to, count);
  return true;
}

function* moveLeaves(k: Kernel, space: AddressSpace, { from, to, count }: Piece): Operation<void> {
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
