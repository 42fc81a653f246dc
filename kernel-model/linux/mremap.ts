/**
 * mremap: resizes a mapping, moves it, or maps its pages a second time.
 *
 * A moved VMA keeps its page offset, unless it is private memory that nobody has touched. A move to a fixed address with
 * the length unchanged takes every VMA of the range along, holes and all; every other form is about one VMA.
 *
 * @see Linux mm/mremap.c do_mremap (6.17 and later)
 */
import type { AddressSpace } from '../address-space.ts';
import { releaseUnmappedObjects } from '../cache-fill.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import type { MremapRequest } from '../requests.ts';
import { ceilToPage, isPageAligned, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import { addVma } from './merge.ts';
import { VMAS_MAX } from './mmap.ts';
import { isInside, unmapRange } from './munmap.ts';
import { movePages, populate } from './pages.ts';
import { findPlace } from './placement.ts';
import { hasFlag, placeVma, vmaAt, vmaFrom, withFlags, VM, type LinuxVmaOf } from './vma.ts';

/** A request about one VMA, lengths in whole pages. */
interface Remap {
  readonly from: Vaddr;
  readonly oldBytes: number;
  readonly newBytes: number;
  readonly to: number;
  readonly mayMove: boolean;
  readonly fixed: boolean;
  readonly dontUnmap: boolean;
}

/** Resizes or moves a mapping. @returns where it is now */
export function* mremap(k: Kernel, { space }: Process, request: MremapRequest): Operation<Vaddr | Errno> {
  const remap: Remap = {
    from: vaddr(request.address),
    oldBytes: wholePages(request.oldBytes),
    newBytes: wholePages(request.newBytes),
    to: request.newAddress,
    mayMove: request.mayMove,
    fixed: request.fixed,
    dontUnmap: request.dontUnmap === true,
  };
  if (!isValid(k, remap)) return 'EINVAL';
  // Unmapping the target, shrinking, copying and unmapping the source may each leave one VMA more.
  if (space.vmas.ascending.length + 4 > VMAS_MAX) return 'ENOMEM';
  const result = yield* remap.fixed && remap.oldBytes === remap.newBytes ? moveRange(k, space, remap) : remapOne(k, space, remap);
  releaseUnmappedObjects(k);
  return result;
}

/** A length in whole pages; one that rounds up to 2^64 is none. */
const wholePages = (lengthBytes: number): number => (lengthBytes >= 2 ** 64 ? 0 : ceilToPage(lengthBytes));

function isValid(k: Kernel, { from, oldBytes, newBytes, to, mayMove, fixed, dontUnmap }: Remap): boolean {
  const { userEnd } = k.design;
  if (!isPageAligned(from) || newBytes === 0 || newBytes > userEnd) return false;
  if (!fixed && !dontUnmap) return true;
  if (!isPageAligned(to) || to > userEnd - newBytes || !mayMove) return false;
  if (dontUnmap && oldBytes !== newBytes) return false;
  // The end of the source wraps around at 2^64, as it does in Linux: a length that is absurd is refused later, if at all.
  const oldEnd = from + oldBytes >= 2 ** 64 ? from + oldBytes - 2 ** 64 : from + oldBytes;
  return oldEnd <= to || to + newBytes <= from;
}

/** Moves every VMA of the range, each by the same distance; what had been moved when one fails stays moved. */
function* moveRange(k: Kernel, space: AddressSpace, remap: Remap): Operation<Vaddr | Errno> {
  const { from, to } = remap;
  const end = from + remap.oldBytes;
  if (vmaAt(space, from) === undefined) return 'EFAULT';
  for (let at: number = from; at < end;) {
    const vma = vmaFrom(space, at);
    if (vma === undefined || vma.start >= end) break;
    const start = vaddr(Math.max(vma.start, at));
    const bytes = Math.min(vma.end, end) - start;
    at = vma.end;
    const result = yield* remapOne(k, space, { ...remap, from: start, oldBytes: bytes, newBytes: bytes, to: to + start - from });
    if (typeof result === 'string') return result;
  }
  return vaddr(to);
}

function* remapOne(k: Kernel, space: AddressSpace, remap: Remap): Operation<Vaddr | Errno> {
  const { from, oldBytes, newBytes } = remap;
  const vma = vmaAt(space, from);
  if (vma === undefined) return 'EFAULT';
  const isMove = remap.fixed || remap.dontUnmap;
  if (newBytes > oldBytes || isMove) {
    if (oldBytes === 0 && !vma.shared) return 'EINVAL';
    if (Math.min(oldBytes, newBytes) > vma.end - from) return 'EFAULT';
  }
  const result = isMove ? yield* moveTo(k, space, remap) : yield* resize(k, space, vma, remap);
  if (typeof result !== 'string' && newBytes > oldBytes && hasFlag(vma, VM.LOCKED))
    yield* populate(k, space, vaddr(result + oldBytes), vaddr(result + newBytes), 'mmap');
  return result;
}

/** Resizes where the mapping is, if it can be, else moves it to wherever there is room. */
function* resize(k: Kernel, space: AddressSpace, vma: LinuxVmaOf, remap: Remap): Operation<Vaddr | Errno> {
  const { from, oldBytes, newBytes } = remap;
  if (newBytes <= oldBytes) return (yield* shrink(k, space, remap)) ?? from;
  const end = vaddr(from + newBytes);
  const mayGrow = vma.end === from + oldBytes && end <= k.design.userEnd && space.vmas.isFree(vma.end, end);
  if (mayGrow) {
    addVma(space, extensionOf(vma, end));
    return from;
  }
  return remap.mayMove ? yield* move(k, space, { ...remap, to: 0 }) : 'ENOMEM';
}

/** Unmaps the tail of the old range, even if it is another VMA. @returns EINVAL if it ends outside user space */
function* shrink(k: Kernel, space: AddressSpace, { from, oldBytes, newBytes }: Remap): Operation<Errno | undefined> {
  if (newBytes >= oldBytes) return undefined;
  if (!isInside(k, from + newBytes, oldBytes - newBytes)) return 'EINVAL';
  yield* unmapRange(k, space, vaddr(from + newBytes), vaddr(from + oldBytes), 'mremap');
  return undefined;
}

/** What a VMA gains when it grows. It is no child of anybody: its anon_vma may become that of the VMA behind. */
function extensionOf(vma: LinuxVmaOf, end: Vaddr): LinuxVmaOf {
  const { anonVma, pgoff } = vma.linux;
  const extension = placeVma(vma, vma.end, end, pgoff + (vma.end - vma.start) / PAGE_BYTES);
  return { ...extension, linux: { ...extension.linux, anonChain: anonVma === undefined ? [] : [anonVma] } };
}

/** Moves to an address that the program names; what is mapped there goes first, and what it gives up of the source. */
function* moveTo(k: Kernel, space: AddressSpace, remap: Remap): Operation<Vaddr | Errno> {
  const { from, oldBytes, newBytes, to } = remap;
  if (remap.fixed) yield* unmapRange(k, space, vaddr(to), vaddr(to + newBytes), 'fixed');
  if (vmaAt(space, from) === undefined) return 'EFAULT';
  const problem = yield* shrink(k, space, remap);
  return problem ?? (yield* move(k, space, { ...remap, oldBytes: Math.min(oldBytes, newBytes) }));
}

/** Copies the VMA to a place that is free, moves the pages, and unmaps the source unless it is to stay. */
function* move(k: Kernel, space: AddressSpace, { from, oldBytes, newBytes, to, fixed, dontUnmap }: Remap): Operation<Vaddr | Errno> {
  const vma = vmaAt(space, from);
  if (vma === undefined) return 'EFAULT'; // It lay where it was to go: of no length, so nothing overlapped.
  const isAnonymous = vma.backing === undefined;
  const place = findPlace(k, space, { address: to, length: newBytes, fixed, isAnonymous });
  if (typeof place === 'string') return place;
  const isUntouched = isAnonymous && vma.linux.anonVma === undefined;
  const pgoff = isUntouched ? place / PAGE_BYTES : vma.linux.pgoff + (from - vma.start) / PAGE_BYTES;
  addVma(space, { ...placeVma(vma, place, vaddr(place + newBytes), pgoff), role: 'mapping' });
  if (!(yield* movePages(k, space, vpnOf(from), vpnOf(place), oldBytes / PAGE_BYTES))) {
    yield* unmapRange(k, space, place, vaddr(place + newBytes), 'mremap');
    return 'ENOMEM';
  }
  if (dontUnmap) leaveBehind(space, from, oldBytes);
  else if (oldBytes > 0) yield* unmapRange(k, space, from, vaddr(from + oldBytes), 'mremap');
  return place;
}

/** What MREMAP_DONTUNMAP makes of the source: not locked, and without an anon_vma if no page can be left in it. */
function leaveBehind(space: AddressSpace, from: Vaddr, bytes: number): void {
  const vma = vmaAt(space, from)!;
  const isEmptied = vma.start === from && vma.end === from + bytes;
  const unlocked = withFlags(vma, vma.linux.flags & ~VM.LOCKED);
  const left = isEmptied ? { ...unlocked, linux: { ...unlocked.linux, anonVma: undefined, anonChain: [] } } : unlocked;
  space.vmas.replace(vma, [left]);
}
