/**
 * mprotect: VMA by VMA, up to the first that refuses or the first hole; what came before stays changed.
 *
 * @see Linux mm/mprotect.c do_mprotect_pkey, mprotect_fixup
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { protName, PROT_WRITE } from '../pte.ts';
import { ceilToPage, isPageAligned, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import { changePart } from './merge.ts';
import { populate, protectPages } from './pages.ts';
import { hasFlag, MAY_SHIFT, vmaAt, vmasIn, VM, type LinuxVmaOf } from './vma.ts';

/** Changes the rights of the range; `growsdown` begins at the start of the VMA, which must be one that grows so. */
export function* mprotect(
  k: Kernel,
  { space }: Process,
  address: number,
  lengthBytes: number,
  prot: number,
  growsdown = false,
): Operation<0 | Errno> {
  if (!isPageAligned(address)) return 'EINVAL';
  if (lengthBytes === 0) return 0;
  const end = ceilToPage(address + lengthBytes);
  // An end that wraps around lies before the start, or at it.
  if (end >= 2 ** 64) return 'ENOMEM';
  const [first] = vmasIn(space, address, end);
  if (first === undefined || (!growsdown && first.start > address)) return 'ENOMEM';
  if (growsdown && !hasFlag(first, VM.GROWSDOWN)) return 'EINVAL';
  return yield* protectRange(k, space, growsdown ? first.start : vaddr(address), end, prot);
}

function* protectRange(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr, prot: number): Operation<0 | Errno> {
  for (let at = start; at < end;) {
    const vma = vmaAt(space, at);
    if (vma === undefined) return 'ENOMEM';
    if ((prot & ~(vma.linux.flags >> MAY_SHIFT)) !== 0) return 'EACCES';
    const to = vaddr(Math.min(vma.end, end));
    yield* protectPart(k, space, vma, at, to, prot);
    at = to;
  }
  return 0;
}

function* protectPart(k: Kernel, space: AddressSpace, vma: LinuxVmaOf, start: Vaddr, end: Vaddr, prot: number): Operation<void> {
  if (vma.prot === prot) return;
  yield* changePart(k, space, vma, start, end, { prot, flags: flagsFor(vma, prot) });
  const pages = (end - start) / PAGE_BYTES;
  k.emit({ type: 'protection_changed', pid: space.pid, vaddr: start, pages, prot: protName(prot) });
  yield* protectPages(k, space, vpnOf(start), vpnOf(end));
  const becomesWritable = (vma.prot & PROT_WRITE) === 0 && (prot & PROT_WRITE) !== 0;
  if (becomesWritable && !vma.shared && hasFlag(vma, VM.LOCKED)) yield* populate(k, space, start, end, 'mmap');
}

/**
 * The flags of a VMA that gets other rights: private memory is accounted for when it first becomes writable, and no more
 * when it loses the right again before its first page.
 */
function flagsFor({ linux, shared, backing, prot: before }: LinuxVmaOf, prot: number): number {
  const isNew = (before & PROT_WRITE) === 0 && !shared && (linux.flags & VM.NORESERVE) === 0;
  if ((prot & PROT_WRITE) !== 0) return isNew ? linux.flags | VM.ACCOUNT : linux.flags;
  return backing === undefined && linux.anonVma === undefined ? linux.flags & ~VM.ACCOUNT : linux.flags;
}
