/**
 * A fault on a page that is there: nearly always the first store after a fork, or the first to a page that was read.
 *
 * Private memory that is exclusive, or that nobody else holds any more, is taken over; everything else is copied. A huge
 * leaf is taken over whole or split: then one small page is copied and the rest stays shared. The huge zero page becomes
 * a block of its own.
 *
 * @see Linux mm/memory.c, do_wp_page; mm/huge_memory.c, do_huge_pmd_wp_page
 */
import { failed, rightFor, type FaultOutcome } from '../fault-outcome.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, protName, rightsOfPte, sealablePte, withoutWrite } from '../pte.ts';
import { pfn, vaddrOf, PAGE_BYTES, type Pfn } from '../units.ts';
import { expectPrivatePage, type Fault } from './access.ts';
import { splitHuge, takeBlock } from './huge.ts';
import { claimFrames, fileIndexOf, isAnon, isExclusive, leafOver, othersOf, setLeaf, type Leaf } from './leaf.ts';

/** Settles what a leaf that does not allow the access means. */
export function* presentFault(k: Kernel, fault: Fault, leaf: Leaf): Operation<FaultOutcome> {
  const { space, page, access } = fault;
  const isGranted = (rightsOfPte(leaf.entry) & rightFor(access)) !== 0;
  if (!isGranted && access === 'store') return yield* leaf.isHuge ? hugeWriteFault(k, fault, leaf) : writeFault(k, fault, leaf);
  if (!isGranted) refreshLeaf(k, fault, leaf);
  // The translation lagged behind the entry.
  yield* k.flush(space, page, 1);
  return 'resolved';
}

/** The entry lags behind its VMA, which only a kernel that gets something wrong lets happen: it grants what the VMA does, but no store. */
function refreshLeaf(k: Kernel, { prot }: Fault, { slot, entry }: Leaf): void {
  k.tables.setEntry(slot, sealablePte(frameOfPte(entry), withoutWrite(prot)));
}

function* writeFault(k: Kernel, fault: Fault, { slot, entry }: Leaf): Operation<FaultOutcome> {
  const { space, page, vma, prot } = fault;
  const frame = frameOfPte(entry);
  if (!k.frames.exists(frame)) return 'SIGBUS';
  if (vma.shared) k.cache.setDirty(vma.backing!.file, fileIndexOf(vma, page), true);
  else if (!mayTakeOver(k, frame)) return yield* copyOnWrite(k, fault, slot, frame);
  else if (isAnon(k, frame)) claimFrames(k, frame, 1);
  if (k.rules.reuseGrantsWrite()) k.tables.setEntry(slot, sealablePte(frame, prot));
  if (!vma.shared) k.emit({ type: 'cow_reuse', pid: space.pid, vaddr: vaddrOf(page), frame });
  yield* k.flush(space, page, 1);
  return 'resolved';
}

/** May the store have the frame as it is? */
function mayTakeOver(k: Kernel, frame: Pfn): boolean {
  if (isExclusive(k, frame)) return true;
  const type = isAnon(k, frame) || k.isZeroPage(frame) ? 'anonymous' : 'file';
  return k.rules.mayReuseOnWrite({ others: othersOf(k, frame), readPins: k.readPinsOf(frame), type });
}

function* copyOnWrite(k: Kernel, fault: Fault, slot: number, from: Pfn): Operation<FaultOutcome> {
  const { space, page, prot } = fault;
  expectPrivatePage(fault);
  const to = k.allocateFrame('data');
  if (to === undefined) return failed(k, 'ENOMEM');
  k.memory.access.copy(from, to);
  if (k.isZeroPage(from)) k.provenance.note(to, 0, PAGE_BYTES, { kind: 'zero' });
  else k.provenance.noteCopy(from, to, 0, PAGE_BYTES, 'copy on write');
  k.frames.refs[to] = 1;
  claimFrames(k, to, 1);
  yield 'fault.copied';
  k.emit({ type: 'cow_copy', pid: space.pid, vaddr: vaddrOf(page), from, to, refs: k.frames.refs[from]! });
  setLeaf(k, space, page, slot, to, prot, 'fault');
  yield* k.flush(space, page, 1);
  k.release(from);
  return 'resolved';
}

function* hugeWriteFault(k: Kernel, fault: Fault, leaf: Leaf): Operation<FaultOutcome> {
  const { space, page, prot } = fault;
  const { hugePages } = k.parameters;
  const first = frameOfPte(leaf.entry);
  const region = k.tables.regionOf(page);
  if (first === k.hugeZeroFrame) {
    const outcome = yield* fillHugeZero(k, fault, leaf.slot);
    if (outcome !== undefined) return outcome;
  } else if (mayTakeOverAll(k, first)) {
    claimFrames(k, first, hugePages);
    if (k.rules.reuseGrantsWrite()) k.tables.setEntry(leaf.slot, sealablePte(first, prot));
    k.emit({ type: 'cow_reuse', pid: space.pid, vaddr: vaddrOf(k.tables.firstPageOf(region)), frame: first });
    yield* k.flush(space, k.tables.firstPageOf(region), hugePages);
    return 'resolved';
  }
  yield* splitHuge(k, space, page);
  const small = leafOver(k, space, page);
  return small === undefined ? 'SIGBUS' : yield* writeFault(k, fault, small);
}

/** May a store have a whole block as it is? Only if no frame of it has another holder. */
function mayTakeOverAll(k: Kernel, first: Pfn): boolean {
  for (let i = 0; i < k.parameters.hugePages; i++) if (!mayTakeOver(k, pfn(first + i))) return false;
  return true;
}

/** Puts a block of its own in the place of the huge zero page. @returns undefined without one: small pages serve */
function* fillHugeZero(k: Kernel, fault: Fault, slot: number): Operation<FaultOutcome | undefined> {
  const { space, page, prot } = fault;
  expectPrivatePage(fault);
  const block = takeBlock(k);
  if (block === undefined) return undefined;
  yield 'fault.copied';
  const first = k.tables.firstPageOf(k.tables.regionOf(page));
  const pages = k.parameters.hugePages;
  k.tables.setEntry(slot, sealablePte(block, prot));
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(first), frame: block, prot: protName(prot), pages, why: 'huge fault' });
  yield* k.flush(space, first, pages);
  return 'resolved';
}
