/**
 * What linux must answer to mmap, and what it does to the reference.
 *
 * The order of the tests is the kernel's (ksys_mmap_pgoff, do_mmap, __get_unmapped_area of Linux 6.18): it decides which of two
 * mistakes is reported. A failed mmap has changed nothing.
 */
import { ceilToPage, isPageAligned, PROT_WRITE, vaddr } from '../kernel-model/index.ts';
import type { OpOf } from '../traces/op.ts';
import type { Expected } from './prediction.ts';
import { lockingAccess, populate, STACK_GAP_BYTES } from './reference-linux.ts';
import type { Reference } from './reference.ts';
import { NO_WISHES, wishesOf } from './reference-vmas.ts';
import { protBits, type Result } from './trace-hart.ts';

type MmapOp = OpOf<'mmap'>;

export function predictMmap(reference: Reference, op: MmapOp, actual: Result): Expected {
  const problem = problemOf(reference, op);
  if (problem !== undefined) return problem;
  const length = ceilToPage(op.length);
  if (typeof actual === 'string') {
    if (isPlaced(op)) return op.addr;
    return actual === 'ENOMEM' && !hasRoom(reference, op.pid, length) ? undefined : 'an address';
  }
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

/** The caller's first mistake. */
function problemOf(reference: Reference, op: MmapOp): string | undefined {
  const { design } = reference;
  const isAnonymous = op.flags.includes('anonymous');
  if (!isPageAligned(op.offset ?? 0)) return 'EINVAL';
  if (!isAnonymous && !reference.files.has(op.path ?? '')) return 'EBADF';
  if (op.length <= 0) return 'EINVAL';
  const length = ceilToPage(op.length);
  if (length >= 2 ** 64) return 'ENOMEM'; // It wraps to 0.
  if ((op.offset ?? 0) + length >= 2 ** 64) return 'EOVERFLOW';
  if (length > design.userEnd) return 'ENOMEM';
  if (isPlaced(op)) {
    if (op.addr > design.userEnd - length) return 'ENOMEM';
    if (!isPageAligned(op.addr)) return 'EINVAL';
    if (op.addr < design.lowestAddress) return 'EPERM';
    if (op.flags.includes('noreplace') && !reference.isFree(op.pid, op.addr, op.addr + length)) return 'EEXIST';
  } else if (!hasRoom(reference, op.pid, length)) return 'ENOMEM';
  return isAnonymous ? anonymousProblem(op) : fileProblem(reference, op, length);
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

/** Is there a free range of so many bytes? */
export function hasRoom(reference: Reference, pid: number, length: number): boolean {
  let at: number = reference.design.lowestAddress;
  for (const vma of reference.ascending(pid)) {
    const gapEnd = vma.start - (wishesOf(vma).growsDown ? STACK_GAP_BYTES : 0);
    if (at + length <= gapEnd) return true;
    at = Math.max(at, vma.end);
  }
  return at + length <= reference.design.userEnd;
}
