/**
 * What kevlar must answer to the calls that change mappings, and what they do to the reference.
 *
 * A call does all of its work or none. The vDSO page stays where it is, segments cannot be moved, and of advice only DONTNEED does
 * anything.
 */
import {
  ceilToPage,
  coversVdso,
  isKnownToKevlar,
  isPageAligned,
  PAGE_BYTES,
  PROT_WRITE,
  vaddr,
  type Design,
} from '../../kernel-model/index.ts';
import type { OpOf } from '../../traces/op.ts';
import type { CallPredictors, Expected } from './prediction.ts';
import type { Reference } from './reference.ts';
import { protBits, type Result } from '../trace-hart.ts';

export const KEVLAR_CALLS: CallPredictors = {
  mmap(reference, op, actual) {
    const { design } = reference;
    const problem = mmapProblem(reference, design, op);
    if (problem !== undefined) return problem;
    const length = ceilToPage(op.length);
    if (typeof actual === 'string') return refusedMmap(reference, design, op, actual, length);
    const wrong = misplaced(reference, design, op, actual, length);
    if (wrong !== undefined) return wrong;
    const [start, end] = [vaddr(actual), vaddr(actual + length)];
    const path = op.flags.includes('anonymous') ? undefined : op.path;
    reference.map(op.pid, { start, end, prot: protBits(op.prot), shared: isShared(op.flags), path, offset: op.offset ?? 0 });
    if (op.flags.includes('populate')) populate(reference, op.pid, start, end);
    return undefined;
  },
  munmap(reference, { pid, addr, length }, actual) {
    const { design } = reference;
    if (!isPageAligned(addr) || length <= 0 || addr + length > design.userEnd || coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (actual === 0) reference.unmap(pid, addr, ceilToPage(addr + length));
    return 0;
  },
  mprotect(reference, { pid, addr, length, prot }, actual) {
    const { design } = reference;
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    if (addr + length > design.userEnd) return 'ENOMEM';
    if (length > 0 && coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (actual === 0 && length > 0) reference.protect(pid, addr, ceilToPage(addr + length), protBits(prot));
    return 0;
  },
  mremap: predictMremap,
  brk(reference, { pid, addr }, actual) {
    const space = reference.space(pid);
    const end = brkEnd(reference, pid, addr);
    if (end === actual && end !== space.heapEnd) reference.setHeapEnd(pid, end);
    return end;
  },
  madvise(reference, { pid, addr, length, advice }, actual) {
    const { design } = reference;
    if (!isPageAligned(addr) || length < 0 || addr + length > design.userEnd || !isKnownToKevlar(advice)) return 'EINVAL';
    if (advice === 'dontneed' && length > 0 && coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (advice === 'dontneed' && actual === 0) reference.forget(pid, addr, ceilToPage(addr + length));
    return 0;
  },
  msync(reference, { pid, addr, length }) {
    const { design } = reference;
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    return addr + length <= design.userEnd && reference.isCovered(pid, addr, ceilToPage(addr + length)) ? 0 : 'ENOMEM';
  },
  mincore(reference, { pid, addr, length }, actual) {
    const { design } = reference;
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    if (addr + length > design.userEnd || !reference.isCovered(pid, addr, ceilToPage(addr + length))) return 'ENOMEM';
    const pages = Math.ceil(length / PAGE_BYTES);
    return typeof actual === 'number' && actual <= pages ? undefined : pages;
  },

  // Kevlar has neither call.
  mlock: () => 'ENOSYS',
  munlock: () => 'ENOSYS',
};

// ---- mmap.

function mmapProblem(
  reference: Reference,
  design: Design,
  { addr, length, flags, prot, path, offset = 0 }: OpOf<'mmap'>,
): string | undefined {
  const isFixed = flags.includes('fixed') || flags.includes('noreplace');
  if (length <= 0 || !isPageAligned(offset)) return 'EINVAL';
  if (ceilToPage(length) > design.userEnd) return 'ENOMEM';
  if (isFixed && (addr === 0 || !isPageAligned(addr))) return 'EINVAL';
  if (isFixed && addr + ceilToPage(length) > design.userEnd) return 'ENOMEM';
  if (isFixed && coversVdso(design, addr, addr + ceilToPage(length))) return 'EINVAL';
  if (flags.includes('anonymous')) return undefined;
  const file = path === undefined ? undefined : reference.files.get(path);
  if (file === undefined) return 'EBADF';
  return file.immutable && isShared(flags) && (protBits(prot) & PROT_WRITE) !== 0 ? 'EACCES' : undefined;
}

/** MAP_SHARED_VALIDATE has the bit of MAP_SHARED; Kevlar looks at no other. */
const isShared = (flags: OpOf<'mmap'>['flags']): boolean => flags.includes('shared') || flags.includes('sharedValidate');

/** What an mmap that failed without a mistake of its caller's had to answer. */
function refusedMmap(reference: Reference, design: Design, { pid, addr, flags }: OpOf<'mmap'>, actual: string, length: number): Expected {
  if (flags.includes('noreplace') && !reference.isFree(pid, addr, addr + length)) return 'EEXIST';
  const isTooLong = !flags.includes('fixed') && length > design.placementEnd - design.placementStart;
  return actual === 'ENOMEM' && isTooLong ? undefined : 'an address';
}

/** What a successful mmap had to answer if the answer is not legal. */
function misplaced(reference: Reference, design: Design, { pid, addr, flags }: OpOf<'mmap'>, actual: number, length: number): Expected {
  const isFree = reference.isFree(pid, actual, actual + length);
  if (flags.includes('noreplace')) return isFree ? (actual === addr ? undefined : addr) : 'EEXIST';
  if (flags.includes('fixed')) return actual === addr ? undefined : addr;
  const isLegal = isFree && isPageAligned(actual) && actual > 0 && actual + length <= design.userEnd;
  return isLegal ? undefined : 'a free range of user space';
}

/** Populating a private mapping of a file gains write access to its pages, up to the first that cannot be had. */
function populate(reference: Reference, pid: number, start: number, end: number): void {
  if (reference.containing(pid, start)?.backing?.file.immutable !== false) return;
  for (let page = start; page < end && reference.access(pid, page, 'store') === 'ok'; page += PAGE_BYTES) {
    if (reference.isPopulated(pid, page)) reference.copyPage(pid, page);
  }
}

// ---- mremap.

function predictMremap(reference: Reference, op: OpOf<'mremap'>, actual: Result): Expected {
  const { design } = reference;
  const { pid, addr, flags, newAddr = 0 } = op;
  const [isFixed, mayMove] = [flags.includes('fixed'), flags.includes('mayMove')];
  if (flags.includes('dontUnmap') || !isPageAligned(addr) || op.length <= 0 || op.newLength <= 0) return 'EINVAL';
  const [length, newLength] = [ceilToPage(op.length), ceilToPage(op.newLength)];
  if (addr + length > design.userEnd) return 'EFAULT';
  if (newLength > design.userEnd) return 'EINVAL';
  if (isFixed) {
    if (!mayMove || !isPageAligned(newAddr) || newAddr === 0 || newAddr + newLength > design.userEnd) return 'EINVAL';
    if (newAddr < addr + length && addr < newAddr + newLength) return 'EINVAL';
    if (coversVdso(design, newAddr, newAddr + newLength)) return 'EINVAL';
  }
  const vma = reference.containing(pid, addr);
  if (vma === undefined || addr + length > ceilToPage(vma.end)) return 'EFAULT';
  if (vma.role === 'segment' || vma.role === 'pad' || !isPageAligned(vma.end)) return 'EINVAL';
  if (isFixed) {
    if (actual === newAddr) reference.move(pid, addr, length, newAddr, newLength);
    return newAddr;
  }
  if (newLength <= length) {
    if (actual === addr && newLength < length) reference.unmap(pid, addr + newLength, addr + length);
    return addr;
  }
  const mayGrow =
    addr + length === vma.end &&
    addr + newLength <= design.userEnd &&
    !coversVdso(design, vma.end, addr + newLength) &&
    vma.role !== 'heap' &&
    reference.isFree(pid, vma.end, addr + newLength);
  if (mayGrow) {
    if (actual === addr) reference.grow(pid, addr, addr + newLength);
    return addr;
  }
  if (!mayMove) return 'ENOMEM';
  if (typeof actual === 'string') return actual === 'ENOMEM' && newLength > design.placementEnd - design.placementStart ? undefined : addr;
  if (!reference.isFree(pid, actual, actual + newLength) || !isPageAligned(actual)) return 'a free range of user space';
  reference.move(pid, addr, length, actual, newLength);
  return undefined;
}

// ---- brk.

function brkEnd(reference: Reference, pid: number, address: number): number {
  const { heapStart, heapEnd, heapLimit } = reference.space(pid);
  if (address === 0 || address < heapStart) return heapEnd;
  if (address <= heapEnd) return address;
  const wanted = heapEnd + ceilToPage(address - heapEnd);
  return wanted <= heapLimit && reference.isFree(pid, heapEnd, wanted) ? wanted : heapEnd;
}
