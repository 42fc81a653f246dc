/**
 * What linux must answer to mmap, and what it does to the reference.
 *
 * The order of the tests is the kernel's (ksys_mmap_pgoff, do_mmap, __get_unmapped_area of Linux 6.18): it decides which of two
 * mistakes is reported. A failed mmap has changed nothing.
 */
import { ceilToPage, isPageAligned, PROT_WRITE, vaddr } from '../../kernel-model/index.ts';
import type { OpOf } from '../../traces/op.ts';
import type { Expected } from './prediction.ts';
import { lockingAccess, populate, STACK_GAP_BYTES } from './linux.ts';
import type { Reference } from './reference.ts';
import { NO_WISHES, wishesOf } from './vmas.ts';
import { protBits, type Result } from '../trace-hart.ts';

type MmapOp = OpOf<'mmap'>;

export function predictMmap(reference: Reference, op: MmapOp, actual: Result): Expected {
  const mistake = mistakeIn(reference, op);
  if (mistake !== undefined) return mistake;
  const length = ceilToPage(op.length);
  if (actual === 'ENOMEM' && !isPlaced(op) && !mustFit(reference, op.pid, length)) return undefined;
  const problem = problemOf(reference, op, length);
  if (problem !== undefined) return problem;
  if (typeof actual === 'string') return isPlaced(op) ? op.addr : 'an address';
  const wrong = misplaced(reference, op, actual, length);
  if (wrong === undefined) map(reference, op, actual, length);
  return wrong;
}

/** Does the caller say where it must go? */
const isPlaced = ({ flags }: MmapOp): boolean => flags.includes('fixed') || flags.includes('noreplace');

type MapType = 'shared' | 'sharedValidate' | 'private' | 'none';

/** MAP_SHARED and MAP_PRIVATE together are MAP_SHARED_VALIDATE. */
function typeOf({ flags }: MmapOp): MapType {
  const isShared = flags.includes('shared');
  const isPrivate = flags.includes('private');
  if (flags.includes('sharedValidate') || (isShared && isPrivate)) return 'sharedValidate';
  return isShared ? 'shared' : isPrivate ? 'private' : 'none';
}

/** The caller's first mistake, before anything is looked for. */
function mistakeIn(reference: Reference, op: MmapOp): string | undefined {
  if (!isPageAligned(op.offset ?? 0)) return 'EINVAL';
  if (!op.flags.includes('anonymous') && !reference.files.has(op.path ?? '')) return 'EBADF';
  if (op.length <= 0) return 'EINVAL';
  // What is too long for user space; of almost 2^64 bytes it wraps to 0.
  return ceilToPage(op.length) > reference.design.userEnd ? 'ENOMEM' : undefined;
}

/** What speaks against the place, then against the kind of mapping. */
function problemOf(reference: Reference, op: MmapOp, length: number): string | undefined {
  const { design } = reference;
  if (isPlaced(op)) {
    if (op.addr > design.userEnd - length) return 'ENOMEM';
    if (!isPageAligned(op.addr)) return 'EINVAL';
    if (op.addr < design.lowestAddress) return 'EPERM';
    if (op.flags.includes('noreplace') && !reference.isFree(op.pid, op.addr, op.addr + length)) return 'EEXIST';
  } else if (!mayFit(reference, op.pid, length)) return 'ENOMEM';
  return op.flags.includes('anonymous') ? anonymousProblem(op) : fileProblem(reference, op, length);
}

function anonymousProblem(op: MmapOp): string | undefined {
  const type = typeOf(op);
  if (type === 'sharedValidate' || type === 'none') return 'EINVAL';
  return type === 'shared' && op.flags.includes('growsdown') ? 'EINVAL' : undefined;
}

/** The largest offset of a file, and so the largest end of a mapping of it. */
const FILE_BYTES_MAX = 2 ** 63 - 1;

/** Flags that MAP_SHARED ignores and MAP_SHARED_VALIDATE refuses: all but those of its day (LEGACY_MAP_MASK). */
const NEWER_FLAGS = ['unknown', 'noreplace'] as const;

function fileProblem(reference: Reference, op: MmapOp, length: number): string | undefined {
  const type = typeOf(op);
  if ((op.offset ?? 0) + length > FILE_BYTES_MAX) return 'EOVERFLOW';
  if (type === 'none') return 'EINVAL';
  if (type === 'sharedValidate' && NEWER_FLAGS.some((flag) => op.flags.includes(flag))) return 'EOPNOTSUPP';
  if (type !== 'private' && (protBits(op.prot) & PROT_WRITE) !== 0 && isReadOnly(reference, op)) return 'EACCES';
  return op.flags.includes('growsdown') ? 'EINVAL' : undefined;
}

/** A program's file cannot be opened for writing. */
const isReadOnly = (reference: Reference, { path, readonly }: MmapOp): boolean =>
  readonly === true || reference.files.get(path ?? '')?.immutable === true;

/** What a successful mmap had to answer if its answer is not legal. */
function misplaced(reference: Reference, op: MmapOp, actual: number, length: number): Expected {
  if (isPlaced(op)) return actual === op.addr ? undefined : op.addr;
  return isLegalPlace(reference, op.pid, actual, length) ? undefined : 'a free range of user space';
}

export const isLegalPlace = (reference: Reference, pid: number, at: number, length: number): boolean =>
  isPageAligned(at) &&
  at >= reference.design.lowestAddress &&
  at + length <= reference.design.userEnd &&
  reference.isFree(pid, at, at + length);

function map(reference: Reference, op: MmapOp, start: number, length: number): void {
  const { pid, flags, path, offset = 0 } = op;
  const shared = typeOf(op) !== 'private';
  const isAnonymous = flags.includes('anonymous');
  const locked = flags.includes('locked');
  const mayWrite = isAnonymous || !shared || !isReadOnly(reference, op);
  const wishes = { ...NO_WISHES, mayWrite, locked, growsDown: flags.includes('growsdown') };
  const range = { start: vaddr(start), end: vaddr(start + length) };
  reference.map(pid, { ...range, prot: protBits(op.prot), shared, path: isAnonymous ? undefined : path, offset, wishes });
  if (locked || flags.includes('populate')) populate(reference, pid, start, start + length, lockingAccess);
}

/** Is there a free range of so many bytes, a gap left below what grows down? */
export const mayFit = (reference: Reference, pid: number, length: number): boolean =>
  gapsOf(reference, pid).some(({ start, end }) => start + length <= end);

/**
 * Is there one that no kernel may overlook? A search from the top goes on below the gap that a VMA that grows down keeps, and so
 * passes over free ranges in it that lie below other VMAs.
 */
export function mustFit(reference: Reference, pid: number, length: number): boolean {
  const growing = reference.ascending(pid).filter((vma) => wishesOf(vma).growsDown);
  return gapsOf(reference, pid).some(({ start, end }) => {
    const limits = growing.filter((vma) => vma.start >= end).map((vma) => vma.start - STACK_GAP_BYTES);
    return start + length <= Math.min(end, ...limits);
  });
}

/** Free ranges, cut where a gap begins that must be kept. */
function gapsOf(reference: Reference, pid: number): readonly { readonly start: number; readonly end: number }[] {
  const { lowestAddress, userEnd } = reference.design;
  const vmas = reference.ascending(pid);
  const starts = [lowestAddress, ...vmas.map((vma) => vma.end)];
  const ends = [...vmas.map((vma) => vma.start - (wishesOf(vma).growsDown ? STACK_GAP_BYTES : 0)), userEnd];
  return starts.map((start, i) => ({ start, end: ends[i]! }));
}
