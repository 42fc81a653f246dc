/**
 * Huge leaves of private memory: mapped, split and taken away whole.
 *
 * A huge leaf is always accompanied by a table in reserve (`deposits` of its space), so a split never fails: what changes
 * a part of a region can split first and has no way back to think of. The huge zero page is one block for all; where it
 * is split, the zero page takes its place, page by page.
 */
import type { AddressSpace } from '../address-space.ts';
import { defined } from '../errors.ts';
import { LARGE } from '../frame-table.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { holdHuge } from '../mapping.ts';
import { frameOfPte, isTable, protName, sealablePte, tablePte } from '../pte.ts';
import { pfn, vaddrOf, type Pfn, type Vpn } from '../units.ts';
import { claimFrames } from './leaf.ts';

/** The huge zero page, made when it is first wanted; undefined when there is no block of frames for it. */
export function hugeZeroPage(k: Kernel): Pfn | undefined {
  if (k.hugeZeroFrame !== undefined) return k.hugeZeroFrame;
  const block = k.allocateHuge('kernel');
  if (block === undefined) return undefined;
  k.frames.refs.fill(1, block, block + k.parameters.hugePages);
  k.hugeZeroFrame = block;
  return block;
}

/** Gives the huge zero page back if nobody maps it, as Linux does when memory is short. */
export function dropHugeZeroPage(k: Kernel): void {
  const block = k.hugeZeroFrame;
  if (block === undefined || [...k.spaces].some((space) => isMappedIn(k, space, block))) return;
  k.hugeZeroFrame = undefined;
  freeBlock(k, block);
}

function isMappedIn(k: Kernel, space: AddressSpace, block: Pfn): boolean {
  const found: Vpn[] = [];
  k.tables.eachEntry(space.root, (page, entry) => {
    if (frameOfPte(entry) === block) found.push(page);
  });
  return found.length > 0;
}

/** A zeroed block for one region, each frame with one reference, or undefined. */
export function takeBlock(k: Kernel): Pfn | undefined {
  const block = k.allocateHuge('data');
  if (block === undefined) return undefined;
  k.frames.refs.fill(1, block, block + k.rules.hugeRefs(k.parameters.hugePages));
  claimFrames(k, block, k.parameters.hugePages);
  for (let i = 0; i < k.parameters.hugePages; i++) k.frames.flags[block + i]! |= LARGE;
  return block;
}

/** Frees the frames of a block that was never mapped. */
export function freeBlock(k: Kernel, block: Pfn): void {
  for (let i = 0; i < k.parameters.hugePages; i++) k.freeFrame(pfn(block + i));
}

/** Maps a block, whose references the caller has taken, by one leaf over a region without entry. @returns false without a table */
export function mapBlock(k: Kernel, space: AddressSpace, region: number, block: Pfn, prot: number, why: string): boolean {
  const slot = k.tables.makeRegionSlot(space.root, region, k.tableSource);
  const table = slot < 0 ? undefined : k.tableSource();
  if (table === undefined) return false;
  space.deposits.set(region, table);
  k.tables.setEntry(slot, sealablePte(block, prot));
  const address = vaddrOf(k.tables.firstPageOf(region));
  const pages = k.parameters.hugePages;
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: address, frame: block, prot: protName(prot), pages, why });
  return true;
}

/** The huge leaf over a region, or 0. */
function hugeLeafOf(k: Kernel, space: AddressSpace, region: number): number {
  const entry = k.tables.entryAt(k.tables.regionSlot(space.root, region));
  return isTable(entry) ? 0 : entry;
}

/** Takes the table in reserve for a region's huge leaf, which the caller removes or splits. */
export function withdrawTable(space: AddressSpace, region: number): Pfn {
  const table = defined(space.deposits.get(region), 'a huge leaf has a table in reserve');
  space.deposits.delete(region);
  return table;
}

/** Splits the huge leaf over `page`, if there is one, into 4 KiB leaves with the same rights. */
export function* splitHuge(k: Kernel, space: AddressSpace, page: Vpn): Operation<void> {
  const region = k.tables.regionOf(page);
  const leaf = hugeLeafOf(k, space, region);
  if (leaf === 0) return;
  const slot = k.tables.regionSlot(space.root, region);
  const table = withdrawTable(space, region);
  if (frameOfPte(leaf) === k.hugeZeroFrame) fillWithZeroPage(k, table, leaf, slot);
  else k.tables.splitInto(table, slot);
  const first = k.tables.firstPageOf(region);
  k.emit({ type: 'huge_split', pid: space.pid, huge_base: vaddrOf(first) });
  yield* k.flush(space, first, k.parameters.hugePages);
}

function fillWithZeroPage(k: Kernel, table: Pfn, leaf: number, regionSlot: number): void {
  const rights = leaf & 0x3ff;
  for (let i = 0, slot = k.memory.wordOf(table); i < k.parameters.hugePages; i++, slot += 2)
    k.tables.setEntry(slot, ((k.zeroFrame << 10) | rights) >>> 0);
  k.tables.setEntry(regionSlot, tablePte(table));
}

/** Splits the huge leaf that `page` lies inside of; at a region's first page there is nothing to split. */
export function* splitHugeAt(k: Kernel, space: AddressSpace, page: Vpn): Operation<void> {
  if (page % k.parameters.hugePages !== 0) yield* splitHuge(k, space, page);
}

/** Gives a second mapping of a block its references. @returns false when one is full */
export const holdBlock = (k: Kernel, block: Pfn): boolean => k.isZeroPage(block) || holdHuge(k, block);
