/**
 * mmap and munmap. mmap checks the request, finds a place, inserts one VMA; nothing is populated unless asked.
 *
 * Placement is Kevlar's: a free hint is taken, otherwise a pointer moves upwards and steps over what is mapped.
 */
import type { MmapRequest } from '../requests.ts';
import type { AddressSpace } from '../address-space.ts';
import { splitAtEnds, unmapPages } from '../mapping.ts';
import type { Cpu, Kernel, Operation, Process } from '../kernel.ts';
import type { Errno } from '../errors.ts';
import { coversVdso } from '../design.ts';
import { File } from '../file.ts';
import { reach } from '../mmu.ts';
import { PROT_WRITE } from '../pte.ts';
import { ceilTo, ceilToPage, floorToPage, isPageAligned, vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import type { FileBacking } from '../vma.ts';
import { evictPage, releaseUnmappedObjects } from '../cache-fill.ts';

/** Maps memory. @returns where */
export function* mmap(k: Kernel, cpu: Cpu, process: Process, request: MmapRequest): Operation<Vaddr | Errno> {
  const { space } = process;
  const problem = problemOf(k, request);
  if (problem !== undefined) return problem;
  const length = ceilToPage(request.lengthBytes);
  const place = request.fixed ? vaddr(request.address) : findPlace(k, space, request, length);
  if (place === undefined) return 'ENOMEM';
  const end = vaddr(place + length);
  if (request.fixed && !space.vmas.isFree(place, end)) {
    if (request.noreplace) return 'EEXIST';
    if (!(yield* clearRange(k, space, place, end, 'fixed'))) return 'ENOMEM';
  }
  space.vmas.add({
    start: place,
    end,
    prot: request.prot,
    role: 'mapping',
    shared: isShared(k, request),
    backing: backingOf(k, request, length),
  });
  releaseUnmappedObjects(k);
  if (request.populate) yield* populate(k, cpu, space, place, end, request.prot);
  return place;
}

function problemOf(k: Kernel, request: MmapRequest): Errno | undefined {
  const { lengthBytes, address, offset, path } = request;
  if (lengthBytes <= 0 || !isPageAligned(offset)) return 'EINVAL';
  if (ceilToPage(lengthBytes) > k.design.userEnd) return 'ENOMEM';
  if (request.fixed && (address === 0 || !isPageAligned(address))) return 'EINVAL';
  if (request.fixed && address + ceilToPage(lengthBytes) > k.design.userEnd) return 'ENOMEM';
  if (request.fixed && coversVdso(k.design, address, address + ceilToPage(lengthBytes))) return 'EINVAL';
  if (path === undefined) return undefined;
  const file = k.files.get(path);
  if (file === undefined) return 'EBADF';
  return file.immutable && request.shared && (request.prot & PROT_WRITE) !== 0 ? 'EACCES' : undefined;
}

/** A shared mapping of a file that never changes is a private one that cannot be written. */
const isShared = (k: Kernel, { shared, path }: MmapRequest): boolean =>
  shared && (path === undefined || k.files.get(path)?.immutable !== true);

function backingOf(k: Kernel, request: MmapRequest, length: number): FileBacking | undefined {
  if (request.path === undefined) return request.shared ? sharedObject(k, length) : undefined;
  const file = k.files.get(request.path)!;
  const fileBytes = file.immutable ? Math.max(0, Math.min(length, file.size - request.offset)) : length;
  return { file, offset: request.offset, fileBytes };
}

/** Shared anonymous memory is a file without a name, all zeros. */
function sharedObject(k: Kernel, length: number): FileBacking {
  const object = new File(`[shared ${k.nextSharedObject++}]`, [], new Uint8Array(0), false);
  object.resize(length);
  k.sharedObjects.add(object);
  return { file: object, offset: 0, fileBytes: length };
}

function findPlace(k: Kernel, space: AddressSpace, request: MmapRequest, length: number): Vaddr | undefined {
  const hint = floorToPage(request.address);
  if (hint > 0 && hint + length <= k.design.userEnd && space.vmas.isFree(hint, hint + length) && !coversVdso(k.design, hint, hint + length))
    return hint;
  const { placementHugeBytes } = k.design;
  const isHuge = request.path === undefined && length >= placementHugeBytes;
  return placeUpwards(k, space, length, isHuge ? placementHugeBytes : PAGE_BYTES);
}

/** The first free place at or behind the placement pointer, which moves behind it. */
export function placeUpwards(k: Kernel, space: AddressSpace, length: number, alignment: number): Vaddr | undefined {
  let at = ceilTo(space.placementNext, alignment);
  while (at + length <= k.design.placementEnd) {
    const blocking = space.vmas.overlapping(at, at + length).at(-1);
    if (blocking === undefined) {
      space.placementNext = vaddr(at + length);
      return vaddr(at);
    }
    at = ceilTo(blocking.end, alignment);
  }
  return undefined;
}

/** Removes every mapping in the range; holes are fine. */
export function* munmap(k: Kernel, { space }: Process, address: number, lengthBytes: number): Operation<0 | Errno> {
  if (!isPageAligned(address) || lengthBytes <= 0 || address + lengthBytes > k.design.userEnd) return 'EINVAL';
  if (coversVdso(k.design, address, address + lengthBytes)) return 'EINVAL';
  const end = ceilToPage(address + lengthBytes);
  if (!(yield* clearRange(k, space, vaddr(address), end, 'munmap'))) return 'ENOMEM';
  releaseUnmappedObjects(k);
  return 0;
}

/** Removes VMAs and entries of a page-aligned range. @returns false when a huge leaf could not be split; nothing changed then */
export function* clearRange(
  k: Kernel,
  space: AddressSpace,
  start: Vaddr,
  end: Vaddr,
  by: 'munmap' | 'fixed' | 'mremap',
): Operation<boolean> {
  const seesHuge = k.rules.unmapSeesHugeLeaf(by);
  const dirty = k.rules.unmappedDirtyPage() === 'drop' ? dirtyPagesIn(k, space, start, end) : [];
  if (seesHuge && !(yield* splitAtEnds(k, space, vpnOf(start), vpnOf(end)))) return false;
  space.vmas.remove(start, end);
  yield* unmapPages(k, space, vpnOf(start), vpnOf(end), seesHuge);
  // What others still map stays with them.
  for (const [file, index] of dirty) {
    const page = k.cache.lookup(file, index);
    if (page !== undefined && k.frames.refs[page.frame] === 1) evictPage(k, file, index);
  }
  return true;
}

/** The file pages that shared mappings of the range changed and that are not written back. */
function dirtyPagesIn(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr): readonly (readonly [File, number])[] {
  return space.vmas.overlapping(start, end).flatMap(({ shared, backing, start: from, end: to }) => {
    if (!shared || backing === undefined || k.sharedObjects.has(backing.file)) return [];
    const first = Math.floor((backing.offset + Math.max(start, from) - from) / PAGE_BYTES);
    const last = Math.ceil((backing.offset + Math.min(end, to) - from) / PAGE_BYTES);
    const pages = k.cache.pagesOf(backing.file).filter(([index, page]) => page.dirty && first <= index && index < last);
    return pages.map(([index]) => [backing.file, index] as const);
  });
}

/** Faults the range in; stops silently at the first page that cannot be had. */
function* populate(k: Kernel, cpu: Cpu, space: AddressSpace, start: Vaddr, end: Vaddr, prot: number): Operation<void> {
  const access = (prot & PROT_WRITE) !== 0 ? 'store' : 'load';
  for (let address = start; address < end; address = vaddr(address + PAGE_BYTES)) {
    if (typeof (yield* reach(k, cpu, space, address, access)) === 'string') return;
  }
}
