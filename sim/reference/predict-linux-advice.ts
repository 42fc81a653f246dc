/**
 * What linux must answer to madvise, mlock and munlock, and what they do to the reference.
 *
 * madvise goes through the mapped parts of its range in order; a VMA that refuses ends it, a hole is reported at the end, when all
 * else is done. mlock stops at a hole. Both leave what they have done.
 */
import { ceilToPage, floorToPage, isPageAligned, PROT_READ, PROT_WRITE, type Access } from '../../kernel-model/index.ts';
import type { OpOf } from '../../traces/op.ts';
import type { Expected } from './prediction.ts';
import { guard, lockingAccess, populate, punchHole, type Populating } from './linux.ts';
import type { Reference } from './reference.ts';
import { fileOffsetOf, wishesOf, type ReferenceVma, type Wishes } from './vmas.ts';
import type { Result } from '../trace-hart.ts';

type AdviceName = OpOf<'madvise'>['advice'];

/** A part of the range in one VMA. */
interface Part {
  readonly reference: Reference;
  readonly pid: number;
  readonly vma: ReferenceVma;
  readonly start: number;
  readonly end: number;
  /** What the call answered. */
  readonly actual: Result;
}

/** What advice does to a part, and why a part refuses it. */
type Advised = (part: Part) => string | undefined;

const isPrivateAnonymous = (vma: ReferenceVma): boolean => vma.backing === undefined;
const unlessLocked =
  (then: Advised): Advised =>
  (part) => {
    const { locked } = wishesOf(part.vma);
    return locked === true || (locked === 'perhaps' && part.actual === 'EINVAL') ? 'EINVAL' : then(part);
  };

const nothing: Advised = () => undefined;

/** A flag that no access can tell; yet a kernel may from now on have VMAs that begin and end with the part. */
const mark: Advised = ({ reference, pid, start, end }) => {
  reference.change(pid, start, end, (vma) => vma);
  return undefined;
};

const wish =
  (change: Partial<Wishes>): Advised =>
  ({ reference, pid, start, end }) => {
    reference.change(pid, start, end, (vma) => ({ ...vma, wishes: { ...wishesOf(vma), ...change } }));
    return undefined;
  };

const drop: Advised = ({ reference, pid, start, end }) => {
  reference.forget(pid, start, end);
  return undefined;
};

/** Contents stay until there is memory pressure, which no op of a process makes. */
const free: Advised = ({ vma }) => (isPrivateAnonymous(vma) ? undefined : 'EINVAL');

const remove: Advised = ({ vma, start, end }) => {
  if (vma.backing === undefined) return 'EINVAL';
  if (!vma.shared || !wishesOf(vma).mayWrite) return 'EACCES';
  punchHole(vma.backing.file, fileOffsetOf(vma, start), end - start);
  return undefined;
};

const wipeOnFork: Advised = (part) => (isPrivateAnonymous(part.vma) ? wish({ wipeOnFork: true })(part) : 'EINVAL');

const installGuards: Advised = ({ reference, pid, start, end }) => {
  guard(reference, pid, start, end);
  return undefined;
};

const removeGuards: Advised = ({ reference, pid, start, end }) => {
  const { guards } = reference.space(pid);
  for (const page of guards) if (start <= page && page < end) guards.delete(page);
  return undefined;
};

type WalkedAdvice = Exclude<AdviceName, 'populateRead' | 'populateWrite' | 'unknown'>;

const ADVISED: Readonly<Record<WalkedAdvice, Advised>> = {
  normal: mark,
  random: mark,
  sequential: mark,
  willneed: nothing,
  dontneed: unlessLocked(drop),
  free: unlessLocked(free),
  hugepage: mark,
  nohugepage: mark,
  remove: unlessLocked(remove),
  dontfork: wish({ dontFork: true }),
  dofork: wish({ dontFork: false }),
  dontdump: mark,
  dodump: mark,
  wipeonfork: wipeOnFork,
  keeponfork: wish({ wipeOnFork: false }),
  cold: unlessLocked(nothing),
  pageout: unlessLocked(nothing),
  collapse: nothing,
  guardInstall: unlessLocked(installGuards),
  guardRemove: removeGuards,
};

/** What a kernel may say of MADV_COLLAPSE: whether huge pages can be had is its own affair. */
const COLLAPSE_ANSWERS: readonly Result[] = [0, 'EINVAL', 'ENOMEM', 'EAGAIN', 'EBUSY'];

export function predictMadvise(reference: Reference, { pid, addr, length, advice }: OpOf<'madvise'>, actual: Result): Expected {
  const bytes = ceilToPage(length);
  if (advice === 'unknown' || !isPageAligned(addr) || bytes >= 2 ** 64 || addr + bytes >= 2 ** 64) return 'EINVAL';
  if (bytes === 0) return 0;
  const end = addr + bytes;
  if (advice === 'populateRead' || advice === 'populateWrite') return POPULATED[populate(reference, pid, addr, end, ACCESS_OF[advice])];
  const answer = walk(reference, pid, addr, end, ADVISED[advice], actual);
  return advice === 'collapse' && COLLAPSE_ANSWERS.includes(actual) ? undefined : answer;
}

function walk(reference: Reference, pid: number, start: number, end: number, advised: Advised, actual: Result): Result {
  let at = start;
  let hasHole = false;
  for (const vma of reference.ascending(pid)) {
    if (vma.end <= start || vma.start >= end) continue;
    if (vma.start > at) hasHole = true;
    const part = { reference, pid, vma, start: Math.max(vma.start, start), end: Math.min(vma.end, end), actual };
    const problem = advised(part);
    if (problem !== undefined) return problem;
    at = part.end;
  }
  return hasHole || at < end ? 'ENOMEM' : 0;
}

const ACCESS_OF: Readonly<Record<'populateRead' | 'populateWrite', (vma: ReferenceVma) => Access | undefined>> = {
  populateRead: (vma) => ((vma.prot & PROT_READ) !== 0 ? 'load' : undefined),
  populateWrite: (vma) => ((vma.prot & PROT_WRITE) !== 0 ? 'store' : undefined),
};

const POPULATED: Readonly<Record<Populating, Result>> = { ok: 0, noVma: 'ENOMEM', refused: 'EINVAL', fault: 'EFAULT' };

// ---- mlock.

export function predictMlock(reference: Reference, { pid, addr, length }: OpOf<'mlock'>): Expected {
  const problem = setLocked(reference, pid, addr, length, true);
  if (problem !== 0) return problem;
  const [start, end] = lockedRange(addr, length);
  return populate(reference, pid, start, end, lockingAccess) === 'ok' ? 0 : 'ENOMEM';
}

export const predictMunlock = (reference: Reference, { pid, addr, length }: OpOf<'munlock'>): Expected =>
  setLocked(reference, pid, addr, length, false);

/** mlock rounds its start down. A length that wraps is 0. */
function lockedRange(address: number, length: number): readonly [start: number, end: number] {
  const start = floorToPage(address);
  const bytes = ceilToPage(length + address - start);
  return [start, start + (bytes >= 2 ** 64 ? 0 : bytes)];
}

/** Marks what is mapped without a hole from the start on. */
function setLocked(reference: Reference, pid: number, address: number, length: number, locked: boolean): Result {
  const [start, end] = lockedRange(address, length);
  if (end >= 2 ** 64) return 'EINVAL';
  const covered = reference.coveredEnd(pid, start, end);
  reference.change(pid, start, covered, (vma) => ({ ...vma, wishes: { ...wishesOf(vma), locked } }));
  return covered < end ? 'ENOMEM' : 0;
}
