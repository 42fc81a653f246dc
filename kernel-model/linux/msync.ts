/**
 * msync: looks at a range. Files are as memfd's, which have no store behind the page cache: nothing is written back, and no page becomes
 * write-protected for it.
 *
 * @see Linux mm/msync.c, noop_fsync
 */
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, isPageAligned } from '../units.ts';
import { hasFlag, vmaFrom, VM } from './vma.ts';

const MS = { ASYNC: 1, INVALIDATE: 2, SYNC: 4 } as const;

/** @returns ENOMEM for a hole; EBUSY for a locked VMA with MS_INVALIDATE, if it comes before */

export function* msync(_k: Kernel, { space }: Process, address: number, lengthBytes: number, flags: number): Operation<0 | Errno> {
  const known = MS.ASYNC | MS.INVALIDATE | MS.SYNC;
  if ((flags & ~known) !== 0 || !isPageAligned(address) || ((flags & MS.SYNC) !== 0 && (flags & MS.ASYNC) !== 0)) return 'EINVAL';
  if (lengthBytes === 0 || lengthBytes >= 2 ** 64) return 0;
  const end = ceilToPage(address + lengthBytes);
  if (end >= 2 ** 64) return 'ENOMEM';
  let hole: 0 | Errno = 0;
  for (let at = address; at < end;) {
    const vma = vmaFrom(space, at);
    if (vma !== undefined && vma.start <= at) {
      if ((flags & MS.INVALIDATE) !== 0 && hasFlag(vma, VM.LOCKED)) return 'EBUSY';
      at = vma.end;
      continue;
    }
    hole = 'ENOMEM';
    if (vma === undefined || flags === MS.ASYNC) break;
    at = vma.start;
  }
  return hole;
}
