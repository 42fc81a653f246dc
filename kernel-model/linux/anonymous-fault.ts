/**
 * The first touch of private memory: who reads gets the zero page, who writes a page of his own.
 *
 * In a VMA that asked for huge pages (MADV_HUGEPAGE) a region that lies wholly inside and has no table yet is served at
 * once: by a block of frames, or by the huge zero page. Without a block the small pages serve.
 *
 * @see Linux mm/memory.c, do_anonymous_page; mm/huge_memory.c, do_huge_pmd_anonymous_page
 */
import { failed, type FaultOutcome } from '../fault-outcome.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { withoutWrite } from '../pte.ts';
import { vaddrOf } from '../units.ts';
import { expectPrivatePage, type Fault } from './access.ts';
import { freeBlock, hugeZeroPage, mapBlock, takeBlock } from './huge.ts';
import { claimFrames, setLeaf } from './leaf.ts';
import { hasFlag, VM } from './vma.ts';

/** Maps the zero page for a reader, a zeroed frame for a writer. */
export function* anonymousFault(k: Kernel, fault: Fault): Operation<FaultOutcome> {
  const { space, page, prot, access } = fault;
  const slot = k.tables.makePageSlot(space.root, page, k.tableSource);
  if (slot < 0) return failed(k, 'ENOMEM');
  if (access !== 'store') {
    setLeaf(k, space, page, slot, k.zeroFrame, withoutWrite(prot), 'zero page');
    return 'resolved';
  }
  expectPrivatePage(fault);
  const frame = k.allocateZeroed('data');
  if (frame === undefined) return failed(k, 'ENOMEM');
  k.frames.refs[frame] = 1;
  claimFrames(k, frame, 1);
  yield 'fault.page-prepared';
  setLeaf(k, space, page, slot, frame, prot, 'fault');
  return 'resolved';
}

/** Serves the whole region of the page at once, if its VMA may have huge pages there. @returns undefined to go on */
export function* hugeFault(k: Kernel, fault: Fault): Operation<FaultOutcome | undefined> {
  if (!mayBeHuge(k, fault)) return undefined;
  const { space, page, prot, access } = fault;
  const region = k.tables.regionOf(page);
  expectPrivatePage(fault);
  if (access !== 'store') {
    const zero = hugeZeroPage(k);
    return zero !== undefined && mapBlock(k, space, region, zero, withoutWrite(prot), 'huge zero page') ? 'resolved' : undefined;
  }
  const block = takeBlock(k);
  if (block === undefined) return undefined;
  yield 'fault.page-prepared';
  if (mapBlock(k, space, region, block, prot, 'huge fault')) return 'resolved';
  freeBlock(k, block);
  return undefined;
}

function mayBeHuge(k: Kernel, { space, page, vma }: Fault): boolean {
  if (!k.parameters.anonymousHugePages || !hasFlag(vma, VM.HUGEPAGE)) return false;
  const region = k.tables.regionOf(page);
  const isInside = vma.start <= vaddrOf(k.tables.firstPageOf(region)) && vaddrOf(k.tables.firstPageOf(region + 1)) <= vma.end;
  return isInside && k.tables.entryAt(k.tables.regionSlot(space.root, region)) === 0;
}
