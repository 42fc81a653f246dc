/**
 * What linux must answer to mremap, and what it does to the reference. The order of the tests is that of mm/mremap.c of Linux 6.18.
 *
 * Where VMAs that continue each other may be one to the kernel or two (merging hangs on facts that no program sees), both answers
 * are legal: EFAULT for a range over two, or success.
 */
import { ceilToPage, isPageAligned } from '../../kernel-model/index.ts';
import type { OpOf } from '../../traces/op.ts';
import type { Expected } from './prediction.ts';
import { isLegalPlace, mayFit, mustFit } from './predict-linux-mmap.ts';
import { lengthen, lockingAccess, moveRange, populate } from './linux.ts';
import type { Reference } from './reference.ts';
import { continues, wishesOf, type ReferenceVma } from './vmas.ts';
import type { Result } from '../trace-hart.ts';

interface Request {
  readonly pid: number;
  readonly from: number;
  readonly length: number;
  readonly to: number;
  readonly newLength: number;
  readonly mayMove: boolean;
  readonly isFixed: boolean;
  readonly isKept: boolean;
}

export function predictMremap(
  reference: Reference,
  { pid, addr, length, newLength, flags, newAddr = 0 }: OpOf<'mremap'>,
  actual: Result,
): Expected {
  const request: Request = {
    pid,
    from: addr,
    length: wrapped(length),
    to: newAddr,
    newLength: wrapped(newLength),
    mayMove: flags.includes('mayMove'),
    isFixed: flags.includes('fixed'),
    isKept: flags.includes('dontUnmap'),
  };
  const mistake = mistakeIn(reference, request);
  if (mistake !== undefined) return mistake;
  if (request.isFixed && request.length === request.newLength) return moveAll(reference, request, actual);
  const problem = sourceProblem(reference, request);
  if (problem === 'perhaps' ? actual === 'EFAULT' : problem !== undefined) return problem === 'perhaps' ? undefined : problem;
  return request.isFixed || request.isKept ? moveTo(reference, request, actual) : resize(reference, request, actual);
}

/** A length in whole pages; one of almost 2^64 wraps to 0. */
const wrapped = (length: number): number => (ceilToPage(length) >= 2 ** 64 ? 0 : ceilToPage(length));

/** check_mremap_params: what is wrong whatever is mapped. */
function mistakeIn(reference: Reference, { from, length, to, newLength, mayMove, isFixed, isKept }: Request): string | undefined {
  const { userEnd } = reference.design;
  if (!isPageAligned(from) || newLength === 0 || newLength > userEnd) return 'EINVAL';
  if (!isFixed && !isKept) return undefined;
  if (to > userEnd - newLength || !isPageAligned(to) || !mayMove || (isKept && length !== newLength)) return 'EINVAL';
  return to < from + length && from < to + newLength ? 'EINVAL' : undefined;
}

/** check_prep_vma: what is wrong with the VMA at the source; `perhaps` if the kernel may see two VMAs in the range. */
function sourceProblem(reference: Reference, { pid, from, length, newLength, isFixed, isKept }: Request): string | undefined {
  const vma = reference.containing(pid, from);
  if (vma === undefined) return 'EFAULT';
  if (length === 0 && !vma.shared) return 'EINVAL';
  // A range that stays and does not grow may be of any VMAs.
  if (newLength <= length && !isFixed && !isKept) return undefined;
  const end = from + Math.min(length, newLength);
  if (end <= vma.end) return undefined;
  return end <= runEnd(reference, pid, vma) ? 'perhaps' : 'EFAULT';
}

/** How far VMAs go on that continue each other. */
function runEnd(reference: Reference, pid: number, first: ReferenceVma): number {
  let last = first;
  for (const vma of reference.ascending(pid)) if (continues(last, vma)) last = vma;
  return last.end;
}

// ---- The three ways.

/** MREMAP_FIXED with the same length: every VMA of the range moves, holes stay holes; up to the first that cannot. */
function moveAll(reference: Reference, request: Request, actual: Result): Expected {
  const { pid, from, length, to, isKept } = request;
  const sources = reference.ascending(pid).filter((vma) => vma.start < from + length && from < vma.end);
  if (sources.length === 0 || sources[0]!.start > from) return 'EFAULT';
  if (to < reference.design.lowestAddress) return 'EPERM';
  if (actual !== to) return to;
  for (const vma of sources) {
    const start = Math.max(vma.start, from);
    const bytes = Math.min(vma.end, from + length) - start;
    moveRange(reference, pid, { from: start, length: bytes, to: start - from + to, newLength: bytes, isKept });
  }
  return to;
}

/** mremap_to: the target is given up first, then what is too long of the source, then the rest moves. */
function moveTo(reference: Reference, request: Request, actual: Result): Expected {
  const { pid, from, length, to, newLength, isFixed } = request;
  if (isFixed && to < reference.design.lowestAddress) {
    if (newLength < length) reference.unmap(pid, from + newLength, from + length);
    return 'EPERM';
  }
  if (isFixed && length === 0 && to <= from && from < to + newLength) {
    reference.unmap(pid, to, to + newLength);
    return 'EFAULT'; // What was to appear a second time is gone.
  }
  if (newLength < length && from + length > reference.design.userEnd) {
    if (isFixed) reference.unmap(pid, to, to + newLength);
    return 'EINVAL';
  }
  if (typeof actual === 'string') {
    if (isFixed) return to;
    return actual === 'ENOMEM' && !mustFit(reference, pid, newLength) ? undefined : 'an address';
  }
  if (isFixed && actual !== to) return to;
  if (isFixed) reference.unmap(pid, to, to + newLength);
  else if (!isLegalPlace(reference, pid, actual, newLength)) return 'a free range of user space';
  if (newLength < length) reference.unmap(pid, from + newLength, from + length);
  move(reference, { ...request, length: Math.min(length, newLength) }, actual);
  return isFixed ? to : undefined;
}

/** mremap_at: a range stays where it is if it can, and moves only if it may. */
function resize(reference: Reference, request: Request, actual: Result): Expected {
  const { pid, from, length, newLength, mayMove } = request;
  if (newLength < length && from + length > reference.design.userEnd) return 'EINVAL'; // It cannot be unmapped.
  if (newLength <= length) {
    if (actual === from) reference.unmap(pid, from + newLength, from + length);
    return from;
  }
  if (growsInPlace(reference, request)) {
    if (actual === from) grow(reference, request);
    return from;
  }
  if (!mayMove) return 'ENOMEM';
  if (typeof actual === 'string') {
    if (actual === 'ENOMEM' && !mustFit(reference, pid, newLength)) return undefined;
    return mayFit(reference, pid, newLength) ? 'an address' : 'ENOMEM';
  }
  if (!isLegalPlace(reference, pid, actual, newLength)) return 'a free range of user space';
  move(reference, request, actual);
  return undefined;
}

/** Does the range end with its VMA, and is what follows free? */
function growsInPlace(reference: Reference, { pid, from, length, newLength }: Request): boolean {
  const [end, newEnd] = [from + length, from + newLength];
  if (length === 0 || newEnd > reference.design.userEnd || !reference.isFree(pid, end, newEnd)) return false;
  return reference.containing(pid, end - 1) !== undefined;
}

function grow(reference: Reference, { pid, from, length, newLength }: Request): void {
  lengthen(reference, pid, from + length, from + newLength);
  populateGained(reference, pid, from + length, from + newLength);
}

function move(reference: Reference, { pid, from, length, newLength, isKept }: Request, to: number): void {
  moveRange(reference, pid, { from, length, to, newLength, isKept });
  if (newLength > length) populateGained(reference, pid, to + length, to + newLength);
}

/** What a locked VMA gains is populated. */
function populateGained(reference: Reference, pid: number, start: number, end: number): void {
  const vma = reference.containing(pid, start);
  if (vma !== undefined && wishesOf(vma).locked === true) populate(reference, pid, start, end, lockingAccess);
}
