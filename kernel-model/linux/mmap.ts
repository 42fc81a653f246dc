/**
 * mmap: checks the request in Linux's order, finds a place, replaces what is there, adds one VMA or lengthens a neighbour.
 *
 * Nothing changes before the last check has passed.
 *
 * @see Linux mm/mmap.c ksys_mmap_pgoff, do_mmap; mm/vma.c mmap_region
 */
import { releaseUnmappedObjects } from '../cache-fill.ts';
import type { Errno } from '../errors.ts';
import { File } from '../file.ts';
import type { Cpu, Kernel, Operation, Process } from '../kernel.ts';
import type { MmapRequest } from '../requests.ts';
import { PROT_WRITE } from '../pte.ts';
import { ceilToPage, isPageAligned, vaddr, PAGE_BYTES, type Vaddr } from '../units.ts';
import { addVma } from './merge.ts';
import { unmapRange } from './munmap.ts';
import { populate } from './pages.ts';
import { findPlace, roundHint } from './placement.ts';
import { MAY_ALL, newVma, VM, type LinuxVmaOf } from './vma.ts';

/** Offsets of a file end here, in bytes (MAX_LFS_FILESIZE). */
const OFFSET_END = 2 ** 63;
/** No space has more VMAs (vm.max_map_count). */
export const VMAS_MAX = 65530;

/** Maps memory. @returns where */
export function* mmap(k: Kernel, _cpu: Cpu, { space }: Process, request: MmapRequest): Operation<Vaddr | Errno> {
  const file = fileOf(k, request);
  if (!isPageAligned(request.offset)) return 'EINVAL';
  if (file === 'EBADF') return file;
  const length = lengthOf(request.lengthBytes);
  if (typeof length === 'string') return length;
  if (space.vmas.ascending.length > VMAS_MAX) return 'ENOMEM';
  const place = findPlace(k, space, {
    address: request.fixed ? request.address : roundHint(k, request.address),
    length,
    fixed: request.fixed,
    isAnonymous: file === undefined && !request.shared,
  });
  if (typeof place === 'string') return place;
  const end = vaddr(place + length);
  if (request.fixed && request.noreplace && !space.vmas.isFree(place, end)) return 'EEXIST';
  const problem = typeProblem(request, file, length);
  if (problem !== undefined) return problem;
  yield* unmapRange(k, space, place, end, 'fixed');
  addVma(space, vmaFor(k, request, file, place, end));
  releaseUnmappedObjects(k);
  if (request.populate || request.locked === true) yield* populate(k, space, place, end, 'mmap');
  return place;
}

const fileOf = (k: Kernel, { path }: MmapRequest): File | undefined | 'EBADF' =>
  path === undefined ? undefined : (k.files.get(path) ?? 'EBADF');

/** The length in whole pages; one that rounds up to 2^64 is none at all. */
function lengthOf(lengthBytes: number): number | Errno {
  if (lengthBytes <= 0) return 'EINVAL';
  return lengthBytes >= 2 ** 64 ? 'ENOMEM' : ceilToPage(lengthBytes);
}

/** What the kind of mapping does not allow; asked only when a place has been found. */
function typeProblem(request: MmapRequest, file: File | undefined, length: number): Errno | undefined {
  const { shared, growsdown = false, prot } = request;
  const isPrivate = request.private === true;
  if (file === undefined) {
    if (shared === isPrivate) return 'EINVAL';
    return shared && growsdown ? 'EINVAL' : undefined;
  }
  if (request.offset + length > OFFSET_END) return 'EOVERFLOW';
  if (!shared && !isPrivate) return 'EINVAL';
  // MAP_SHARED_VALIDATE is both bits; only it asks what the other flags mean, and MAP_FIXED_NOREPLACE is too new for it.
  if (shared && isPrivate && (request.unknownFlag === true || request.noreplace)) return 'EOPNOTSUPP';
  if (shared && (prot & PROT_WRITE) !== 0 && isReadonly(request, file)) return 'EACCES';
  return growsdown ? 'EINVAL' : undefined;
}

/** Can the file only be read through this mapping's descriptor? A file that never changes cannot be opened for writing. */
const isReadonly = ({ readonly }: MmapRequest, file: File): boolean => readonly === true || file.immutable;

/** The new VMA. The offset only counts for a file: anonymous memory has none, shared or not. */
function vmaFor(k: Kernel, request: MmapRequest, file: File | undefined, start: Vaddr, end: Vaddr): LinuxVmaOf {
  const { prot, shared, description = 0 } = request;
  const object = file ?? (shared ? sharedObject(k, end - start) : undefined);
  const pgoff = file === undefined ? 0 : request.offset / PAGE_BYTES;
  return newVma({ start, end, prot, shared, file: object, pgoff, flags: flagsOf(request, file), description, role: 'mapping' });
}

function flagsOf(request: MmapRequest, file: File | undefined): number {
  const { shared, prot } = request;
  const mayWrite = file === undefined || !shared || !isReadonly(request, file);
  let flags: number = mayWrite ? MAY_ALL : MAY_ALL & ~VM.MAYWRITE;
  if (request.growsdown === true) flags |= VM.GROWSDOWN;
  if (request.locked === true) flags |= VM.LOCKED;
  if (request.stack === true) flags |= VM.NOHUGEPAGE;
  if (request.noreserve === true) flags |= VM.NORESERVE;
  else if (!shared && (prot & PROT_WRITE) !== 0) flags |= VM.ACCOUNT;
  return flags;
}

/** Shared anonymous memory is a file without a name, all zeros; each mapping has its own. */
function sharedObject(k: Kernel, length: number): File {
  const object = new File(`[shared ${k.nextSharedObject++}]`, [], new Uint8Array(0), false);
  object.resize(length);
  k.sharedObjects.add(object);
  return object;
}
