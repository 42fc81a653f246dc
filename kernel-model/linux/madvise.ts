/**
 * madvise: what to expect of a range, and what to do to its pages.
 *
 * Advice goes VMA by VMA. A hole is passed over and answered with ENOMEM in the end; the first VMA that refuses ends the
 * call, and what came before stays changed. Only the populating kinds stop at a hole.
 *
 * @see Linux mm/madvise.c madvise_walk_vmas, madvise_vma_behavior
 */
import type { Advice } from '../requests.ts';
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, isPageAligned, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import { prepareAnonVma } from './anon-vma.ts';
import { changePart } from './merge.ts';
import { collapse, coolPages, discardPages, freePages, guardInstall, guardRemove, pageOut, populate, punchHole } from './pages.ts';
import { hasFlag, vmaFrom, withFlags, VM, type LinuxVmaOf } from './vma.ts';

/** Gives advice on a range, or has its pages dropped, populated or guarded. */
export function* madvise(k: Kernel, { space }: Process, address: number, lengthBytes: number, advice: Advice): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes >= 2 ** 64) return 'EINVAL';
  const end = ceilToPage(address + lengthBytes);
  if (end >= 2 ** 64) return 'EINVAL';
  const start = vaddr(address);
  if (start === end) return 0;
  if (advice === 'populateRead') return yield* populate(k, space, start, end, 'read');
  if (advice === 'populateWrite') return yield* populate(k, space, start, end, 'write');
  return yield* adviseRange(k, space, start, end, advice);
}

/** Advice that is given VMA by VMA. */
type VmaAdvice = Exclude<Advice, 'populateRead' | 'populateWrite'>;

function* adviseRange(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr, advice: VmaAdvice): Operation<0 | Errno> {
  let hole: 0 | Errno = 0;
  for (let at = start; at < end;) {
    const vma = vmaFrom(space, at);
    if (vma === undefined) return 'ENOMEM';
    if (vma.start > at) hole = 'ENOMEM';
    const from = vaddr(Math.max(vma.start, at));
    const to = vaddr(Math.min(vma.end, end));
    if (from >= end) break;
    const error = yield* ADVISE[advice]({ k, space, vma, start: from, end: to });
    if (error !== 0) return error;
    at = to;
  }
  return hole;
}

/** The part of one VMA that advice is about. */
interface Part {
  readonly k: Kernel;
  readonly space: AddressSpace;
  readonly vma: LinuxVmaOf;
  readonly start: Vaddr;
  readonly end: Vaddr;
}

type Advise = (part: Part) => Operation<0 | Errno>;

/** Advice that is a flag: some bits go, others come. */
function changing(cleared: number, set: number): Advise {
  return function* ({ k, space, vma, start, end }) {
    const flags = (vma.linux.flags & ~cleared) | set;
    yield* changePart(k, space, vma, start, end, { prot: vma.prot, flags });
    return 0;
  };
}

/** Refuses VMAs that are locked. */
const unlessLocked = (advise: Advise): Advise =>
  function* (part) {
    return hasFlag(part.vma, VM.LOCKED) ? 'EINVAL' : yield* advise(part);
  };

/** Refuses VMAs that are not private memory of no file. */
const ifAnonymous = (advise: Advise): Advise =>
  function* (part) {
    return part.vma.backing === undefined ? yield* advise(part) : 'EINVAL';
  };

const ADVISE: Readonly<Record<VmaAdvice, Advise>> = {
  normal: changing(VM.RAND_READ | VM.SEQ_READ, 0),
  random: changing(VM.SEQ_READ, VM.RAND_READ),
  sequential: changing(VM.RAND_READ, VM.SEQ_READ),
  dontfork: changing(0, VM.DONTCOPY),
  dofork: changing(VM.DONTCOPY, 0),
  wipeonfork: ifAnonymous(changing(0, VM.WIPEONFORK)),
  keeponfork: changing(VM.WIPEONFORK, 0),
  dontdump: changing(0, VM.DONTDUMP),
  dodump: changing(VM.DONTDUMP, 0),
  hugepage: changing(VM.NOHUGEPAGE, VM.HUGEPAGE),
  nohugepage: changing(VM.HUGEPAGE, VM.NOHUGEPAGE),
  willneed: nothing,
  cold: unlessLocked(cool),
  pageout: unlessLocked(reclaim),
  free: unlessLocked(ifAnonymous(free)),
  dontneed: unlessLocked(discard),
  remove: unlessLocked(remove),
  collapse: ({ k, space, vma, start, end }) => collapse(k, space, vma, vpnOf(start), vpnOf(end)),
  guardInstall: unlessLocked(installGuards),
  guardRemove: removeGuards,
};

/** There is no swap to read from, and no disk whose slowness shows. */

function* nothing(): Operation<0> {
  return 0;
}

function* free({ k, space, start, end }: Part): Operation<0> {
  yield* freePages(k, space, vpnOf(start), vpnOf(end));
  return 0;
}

function* cool({ k, space, start, end }: Part): Operation<0> {
  yield* coolPages(k, space, vpnOf(start), vpnOf(end));
  return 0;
}

function* reclaim({ k, space, start, end }: Part): Operation<0> {
  yield* pageOut(k, space, vpnOf(start), vpnOf(end));
  return 0;
}

function* discard({ k, space, start, end }: Part): Operation<0> {
  yield* discardPages(k, space, vpnOf(start), vpnOf(end));
  return 0;
}

/** A hole in the file, so it must be one that the mapping could write. */
function* remove({ k, vma, start, end }: Part): Operation<0 | Errno> {
  if (vma.backing === undefined) return 'EINVAL';
  if (!vma.shared || !hasFlag(vma, VM.MAYWRITE)) return 'EACCES';
  const first = vma.linux.pgoff + (start - vma.start) / PAGE_BYTES;
  yield* punchHole(k, vma.backing.file, first, first + (end - start) / PAGE_BYTES);
  return 0;
}

/** The whole VMA is marked, and no boundary made. */
function* installGuards({ k, space, vma, start, end }: Part): Operation<0 | Errno> {
  const marked = withFlags(vma, vma.linux.flags | VM.MAYBE_GUARD);
  space.vmas.replace(vma, [marked]);
  if (vma.backing === undefined) prepareAnonVma(space, marked);
  return yield* guardInstall(k, space, vpnOf(start), vpnOf(end));
}

function* removeGuards({ k, space, start, end }: Part): Operation<0> {
  guardRemove(k, space, vpnOf(start), vpnOf(end));
  return 0;
}
