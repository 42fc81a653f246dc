/**
 * What linux must answer to the calls that change mappings, and what they do to the reference.
 *
 * The order of the tests is that of the kernel's functions (Linux 6.18, mm/): it decides which of two mistakes is reported. Calls that
 * go through several VMAs stop at the first that refuses and leave what they have done.
 */
import { ceilToPage, isPageAligned, PAGE_BYTES, PROT_READ, PROT_WRITE, vaddr } from '../../kernel-model/index.ts';
import type { OpOf } from '../../traces/op.ts';
import { predictMadvise, predictMlock, predictMunlock } from './predict-linux-advice.ts';
import { predictMmap } from './predict-linux-mmap.ts';
import { predictMremap } from './predict-linux-mremap.ts';
import type { CallPredictors } from './prediction.ts';
import { lockingAccess, populate, STACK_GAP_BYTES } from './linux.ts';
import type { Reference } from './reference.ts';
import { continues, wishesOf, type ReferenceVma } from './vmas.ts';
import { protBits, type Result } from '../trace-hart.ts';

export const LINUX_CALLS: CallPredictors = {
  mmap: predictMmap,
  munmap(reference, { pid, addr, length }, actual) {
    if (!isPageAligned(addr) || length <= 0 || addr + length > reference.design.userEnd) return 'EINVAL';
    if (actual === 0) reference.unmap(pid, addr, addr + ceilToPage(length));
    return 0;
  },
  mprotect: (reference, op) => predictMprotect(reference, op),
  mremap: predictMremap,
  brk(reference, { pid, addr }, actual) {
    const end = brkEnd(reference, pid, addr);
    if (end === actual) setBrk(reference, pid, end);
    return end;
  },
  madvise: predictMadvise,
  msync(reference, { pid, addr, length, flags = [] }, actual) {
    if (!isPageAligned(addr) || (flags.includes('sync') && flags.includes('async'))) return 'EINVAL';
    const bytes = ceilToPage(length);
    if (bytes >= 2 ** 64) return 0; // It wraps to 0.
    if (addr + bytes >= 2 ** 64) return 'ENOMEM';
    if (flags.includes('invalidate') && meetsLocked(reference, pid, addr, addr + bytes, actual)) return 'EBUSY';
    return reference.isCovered(pid, addr, addr + bytes) ? 0 : 'ENOMEM';
  },
  mincore(reference, { pid, addr, length }, actual) {
    if (!isPageAligned(addr)) return 'EINVAL';
    if (addr + length > reference.design.userEnd || !reference.isCovered(pid, addr, addr + ceilToPage(length))) return 'ENOMEM';
    const pages = Math.ceil(length / PAGE_BYTES);
    return typeof actual === 'number' && actual <= pages ? undefined : pages;
  },
  mlock: predictMlock,
  munlock: predictMunlock,
};

/** Is there a locked VMA in the range? Where that is open, the answer tells: EBUSY. */
const meetsLocked = (reference: Reference, pid: number, start: number, end: number, actual: Result): boolean =>
  reference
    .overlapping(pid, start, end)
    .some(({ wishes }) => wishes?.locked === true || (wishes?.locked === 'perhaps' && actual === 'EBUSY'));

// ---- mprotect.

function predictMprotect(reference: Reference, { pid, addr, length, prot, growsdown }: OpOf<'mprotect'>): Result {
  if (!isPageAligned(addr)) return 'EINVAL';
  if (length === 0) return 0;
  const end = addr + ceilToPage(length);
  if (ceilToPage(length) >= 2 ** 64 || end >= 2 ** 64) return 'ENOMEM';
  const all = reference.ascending(pid);
  const first = all.find((vma) => addr < vma.end && vma.start < end);
  if (first === undefined) return 'ENOMEM';
  if (growsdown === true && !wishesOf(first).growsDown) return 'EINVAL';
  let at: number = growsdown === true ? wholeStart(all, first) : addr;
  for (const vma of all) {
    if (vma.end <= at || vma.start >= end) continue;
    if (vma.start > at) return 'ENOMEM';
    if ((protBits(prot) & PROT_WRITE) !== 0 && !wishesOf(vma).mayWrite) return 'EACCES';
    const to = Math.min(vma.end, end);
    protect(reference, pid, vma, at, to, protBits(prot));
    at = to;
  }
  return at < end ? 'ENOMEM' : 0;
}

/** Where the VMA begins whose last piece is `last`: the list may have it in pieces, and a kernel as several VMAs; taken for one. */
function wholeStart(vmas: readonly ReferenceVma[], last: ReferenceVma): number {
  let first = last;
  for (const vma of [...vmas].reverse()) if (continues(vma, first) && wishesOf(vma).growsDown) first = vma;
  return first.start;
}

/** A locked private VMA that may be written now takes its private copies at once. */
function protect(reference: Reference, pid: number, vma: ReferenceVma, start: number, end: number, prot: number): void {
  const gainsWrite = (vma.prot & PROT_WRITE) === 0 && (prot & PROT_WRITE) !== 0;
  reference.protect(pid, start, end, prot);
  if (gainsWrite && wishesOf(vma).locked === true && !vma.shared) populate(reference, pid, start, end, lockingAccess);
}

// ---- brk.

/** Where the heap ends after the call: there is no errno, only the old end. */
function brkEnd(reference: Reference, pid: number, address: number): number {
  const { heapStart, heapEnd } = reference.space(pid);
  if (address < heapStart) return heapEnd;
  const [oldEnd, newEnd] = [ceilToPage(heapEnd), ceilToPage(address)];
  if (oldEnd === newEnd) return address;
  if (newEnd < oldEnd) return reference.isFree(pid, newEnd, oldEnd) ? heapEnd : address;
  if (newEnd > reference.design.userEnd) return heapEnd;
  // A page more must be free behind it, and the gap below what grows down.
  const next = reference.ascending(pid).find((vma) => vma.end > oldEnd);
  const limit = next === undefined ? Infinity : next.start - (wishesOf(next).growsDown ? STACK_GAP_BYTES : 0);
  return newEnd + PAGE_BYTES <= limit ? address : heapEnd;
}

function setBrk(reference: Reference, pid: number, end: number): void {
  const space = reference.space(pid);
  const [oldEnd, newEnd] = [ceilToPage(space.heapEnd), ceilToPage(end)];
  space.heapEnd = end;
  if (newEnd < oldEnd) reference.unmap(pid, newEnd, oldEnd);
  const range = { start: vaddr(oldEnd), end: vaddr(newEnd) };
  if (newEnd > oldEnd) reference.map(pid, { ...range, prot: PROT_READ | PROT_WRITE, shared: false, path: undefined, offset: 0 });
}
