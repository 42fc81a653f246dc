/** msync: writes shared file pages back. @see Linux mm/msync.c */
import { writeBackAll } from '../cache-fill.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, isPageAligned, PAGE_BYTES } from '../units.ts';
import { hasFlag, vmaFrom, VM, type LinuxVmaOf } from './vma.ts';

const MS = { ASYNC: 1, INVALIDATE: 2, SYNC: 4 } as const;

/**
 * Writes back what shared mappings of the range changed, with MS_SYNC; otherwise only looks at the range.
 *
 * @returns ENOMEM for a hole, when the rest is done; EBUSY for a locked VMA with MS_INVALIDATE; EIO when the store failed
 */
export function* msync(k: Kernel, { space }: Process, address: number, lengthBytes: number, flags: number): Operation<0 | Errno> {
  const known = MS.ASYNC | MS.INVALIDATE | MS.SYNC;
  const isSync = (flags & MS.SYNC) !== 0;
  if ((flags & ~known) !== 0 || !isPageAligned(address) || (isSync && (flags & MS.ASYNC) !== 0)) return 'EINVAL';
  if (lengthBytes === 0 || lengthBytes >= 2 ** 64) return 0;
  const end = ceilToPage(address + lengthBytes);
  if (end >= 2 ** 64) return 'ENOMEM';
  let hole: 0 | Errno = 0;
  for (let at = address; at < end;) {
    const vma = vmaFrom(space, at);
    if (vma !== undefined && vma.start <= at) {
      if ((flags & MS.INVALIDATE) !== 0 && hasFlag(vma, VM.LOCKED)) return 'EBUSY';
      const error = isSync ? yield* writeBack(k, vma, at, Math.min(end, vma.end)) : undefined;
      if (error !== undefined) return error;
      at = vma.end;
      continue;
    }
    hole = 'ENOMEM';
    if (vma === undefined || flags === MS.ASYNC) break;
    at = vma.start;
  }
  return hole;
}

function* writeBack(k: Kernel, { shared, backing, start }: LinuxVmaOf, from: number, to: number): Operation<Errno | undefined> {
  if (!shared || backing === undefined || k.sharedObjects.has(backing.file)) return undefined;
  const first = (backing.offset + from - start) / PAGE_BYTES;
  return yield* writeBackAll(k, backing.file, first, first + (to - from) / PAGE_BYTES);
}
