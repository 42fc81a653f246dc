/**
 * mlock and munlock: a flag of the VMAs, up to the first hole, and for mlock their pages.
 *
 * No page is ever reclaimed from a mapping here, so the flag counts for what it forbids (MADV_DONTNEED) and where it
 * splits VMAs. There is no limit on locked memory, as for a process with CAP_IPC_LOCK.
 *
 * @see Linux mm/mlock.c do_mlock, apply_vma_lock_flags
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { ceilToPage, floorToPage, pageOffset, vaddr, PAGE_BYTES, type Vaddr } from '../units.ts';
import { changePart } from './merge.ts';
import { populate } from './pages.ts';
import { vmaAt, VM } from './vma.ts';

/** Locks every page that the range touches, and makes it present. */
export function* mlock(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  const range = rangeOf(address, lengthBytes);
  if (typeof range === 'string') return range;
  const [start, end] = range;
  const result = yield* setLocked(k, space, start, end, VM.LOCKED);
  return result === 0 ? yield* populate(k, space, start, end, 'mlock') : result;
}

/** Unlocks every page that the range touches. */
export function* munlock(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  const range = rangeOf(address, lengthBytes);
  return typeof range === 'string' ? range : yield* setLocked(k, space, ...range, 0);
}

/** The pages of a range; EINVAL where its end wraps around. */
function rangeOf(address: number, lengthBytes: number): readonly [start: Vaddr, end: Vaddr] | Errno {
  const start = floorToPage(address);
  const end = vaddr(start + wholePages(lengthBytes, pageOffset(address)));
  return end >= 2 ** 64 ? 'EINVAL' : [start, end];
}

/** What comes before the address in its page is added to the length; of the longest, that makes next to nothing. */
function wholePages(lengthBytes: number, offset: number): number {
  if (lengthBytes >= 2 ** 64) return ceilToPage(Math.max(0, offset - 1));
  return offset > 0 && lengthBytes === 2 ** 64 - PAGE_BYTES ? 0 : ceilToPage(lengthBytes + offset);
}

function* setLocked(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr, locked: number): Operation<0 | Errno> {
  for (let at = start; at < end;) {
    const vma = vmaAt(space, at);
    if (vma === undefined) return 'ENOMEM';
    const to = vaddr(Math.min(vma.end, end));
    const flags = (vma.linux.flags & ~VM.LOCKED) | locked;
    yield* changePart(k, space, vma, at, to, { prot: vma.prot, flags });
    at = to;
  }
  return 0;
}
