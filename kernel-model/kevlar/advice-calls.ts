/** madvise, msync and mincore. Advice that only concerns speed is accepted and does nothing. */
import { COMMON_ADVICE, type Advice } from '../requests.ts';
import { writeBackAll } from '../cache-fill.ts';
import { coversVdso } from '../design.ts';
import type { Errno } from '../errors.ts';
import type { File } from '../file.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { splitAtEnds, unmapPages } from '../mapping.ts';
import { ceilToPage, isPageAligned, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';

/** Does Kevlar take this advice? The rest is EINVAL, as from a kernel that is older than it. */
export const isKnownToKevlar = (advice: string): boolean => (COMMON_ADVICE as readonly string[]).includes(advice);

/** With DONTNEED the pages go; private ones read as fresh afterwards. FREE may wait for memory pressure, so it does nothing. */
export function* madvise(k: Kernel, { space }: Process, address: number, lengthBytes: number, advice: Advice): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes < 0 || address + lengthBytes > k.design.userEnd) return 'EINVAL';
  if (!isKnownToKevlar(advice)) return 'EINVAL';
  if (advice !== 'dontneed' || lengthBytes === 0 || !k.rules.dontneedDrops()) return 0;
  if (coversVdso(k.design, address, address + lengthBytes)) return 'EINVAL';
  const start = vpnOf(address);
  const end = vpnOf(ceilToPage(address + lengthBytes));
  const seesHuge = k.rules.unmapSeesHugeLeaf('dontneed');
  if (seesHuge && !(yield* splitAtEnds(k, space, start, end))) return 'ENOMEM';
  yield* unmapPages(k, space, start, end, seesHuge);
  return 0;
}

/** Writes back what shared mappings of the range changed. @returns ENOMEM for a hole, EIO when the store failed */
export function* msync(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes < 0) return 'EINVAL';
  if (address + lengthBytes > k.design.userEnd) return 'ENOMEM';
  const start = vaddr(address);
  const end = ceilToPage(address + lengthBytes);
  let error: Errno | undefined = isCovered(space.vmas, start, end) ? undefined : 'ENOMEM';
  for (const vma of space.vmas.overlapping(start, end)) {
    if (!vma.shared || vma.backing === undefined || k.sharedObjects.has(vma.backing.file)) continue;
    const first = Math.floor((vma.backing.offset + Math.max(start, vma.start) - vma.start) / PAGE_BYTES);
    const last = Math.ceil((vma.backing.offset + Math.min(end, vma.end) - vma.start) / PAGE_BYTES);
    error = (yield* writeBackAll(k, vma.backing.file, first, last)) ?? error;
  }
  return error ?? 0;
}

/** How many pages of the range are in memory. @returns ENOMEM for a hole */
export function* mincore(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<number | Errno> {
  if (!isPageAligned(address) || lengthBytes < 0) return 'EINVAL';
  if (address + lengthBytes > k.design.userEnd) return 'ENOMEM';
  const end = ceilToPage(address + lengthBytes);
  if (!isCovered(space.vmas, vaddr(address), end)) return 'ENOMEM';
  let count = 0;
  k.tables.eachPageIn(space.root, vpnOf(address), vpnOf(end), () => {
    count++;
  });
  return count;
}

/** Does some VMA have a byte in every page of the range? */
function isCovered(vmas: Process['space']['vmas'], start: Vaddr, end: Vaddr): boolean {
  let at: number = start;
  for (const vma of vmas.overlapping(start, end)) {
    if (vma.start >= at + PAGE_BYTES) return false;
    at = Math.max(at, ceilToPage(vma.end));
  }
  return at >= end;
}

/** Writes back every dirty page of a file, or of all files. */
export function* sync(k: Kernel, file: File | undefined): Operation<0 | Errno> {
  let error: Errno | undefined;
  for (const one of file === undefined ? new Set(k.files.values()) : [file]) error = (yield* writeBackAll(k, one)) ?? error;
  return error ?? 0;
}
