/**
 * Blocks of frames that were allocated as one huge page: large folios.
 *
 * A block stays one, however its pages are mapped by now, until something splits it for good. Splitting it gives pages that
 * hold nothing but zeros back: the zero page takes their place.
 *
 * @see Linux mm/huge_memory.c, split_folio; mm/migrate.c, try_to_map_unused_to_zeropage
 */
import type { AddressSpace } from '../address-space.ts';
import { LARGE } from '../frame-table.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard, sealablePte, withoutWrite } from '../pte.ts';
import { floorTo, pfn, vaddrOf, vpn, type Pfn, type Vpn } from '../units.ts';
import { splitHuge } from './huge.ts';
import { hasFlag, VM } from './vma.ts';

export interface MappedPage {
  readonly page: Vpn;
  readonly frame: Pfn;
}

/** The blocks that pages of [start, end) belong to, each with its pages in there. */
export function blocksIn(k: Kernel, space: AddressSpace, start: Vpn, end: Vpn): ReadonlyMap<Pfn, readonly MappedPage[]> {
  const blocks = new Map<Pfn, MappedPage[]>();
  k.tables.eachPageIn(space.root, start, end, (page, entry) => {
    const frame = frameOfPte(entry);
    if (isGuard(entry) || (k.frames.flags[frame]! & LARGE) === 0) return;
    const block = pfn(floorTo(frame, k.parameters.hugePages));
    const pages = blocks.get(block);
    if (pages === undefined) blocks.set(block, [{ page, frame }]);
    else pages.push({ page, frame });
  });
  return blocks;
}

/** Are these all pages of a block, one after the other as in the block? */
export const isWhole = (k: Kernel, pages: readonly MappedPage[]): boolean =>
  pages.length === k.parameters.hugePages && pages.every(({ page, frame }) => page - frame === pages[0]!.page - pages[0]!.frame);

/** Splits a block, unless others map it too or a pin holds it. */
export function* splitBlock(k: Kernel, space: AddressSpace, block: Pfn): Operation<void> {
  const pages = pagesOf(k, space, block);
  if (pages.length < referencesTo(k, block)) return;
  for (const { page } of pages) yield* splitHuge(k, space, page);
  for (let i = 0; i < k.parameters.hugePages; i++) k.frames.flags[block + i]! &= ~LARGE;
  for (const { page, frame } of pages) {
    const vma = space.vmas.containing(vaddrOf(page));
    if (vma === undefined || hasFlag(vma, VM.LOCKED) || !k.memory.isZero(frame)) continue;
    k.tables.setEntry(k.tables.pageSlot(space.root, page), sealablePte(k.zeroFrame, withoutWrite(vma.prot)));
    yield* k.flush(space, page, 1);
    k.release(frame);
  }
}

/** Every page of the space that a block's frames are mapped at. */
function pagesOf(k: Kernel, space: AddressSpace, block: Pfn): readonly MappedPage[] {
  const pages: MappedPage[] = [];
  k.tables.eachEntry(space.root, (first, entry, _slot, isHuge) => {
    for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) {
      const frame = pfn(frameOfPte(entry) + i);
      if (isPartOf(k, block, frame)) pages.push({ page: vpn(first + i), frame });
    }
  });
  return pages;
}

/** Does the frame still belong to the block? Frames of it that were freed may hold anything. */
const isPartOf = (k: Kernel, block: Pfn, frame: Pfn): boolean =>
  block <= frame && frame < block + k.parameters.hugePages && (k.frames.flags[frame]! & LARGE) !== 0;

/** Everybody who holds a frame of the block. */
function referencesTo(k: Kernel, block: Pfn): number {
  let count = 0;
  for (let i = 0; i < k.parameters.hugePages; i++) if (isPartOf(k, block, pfn(block + i))) count += k.frames.refs[block + i]!;
  return count;
}
