/**
 * What the reference expects of each op, and what the op does to it.
 *
 * `predict` is asked after the kernel has answered: it says what the answer had to be, or that any of several would do,
 * and carries the op out on the reference if the kernel did so. Where a kernel may choose (an address) or run out of
 * memory, its choice is checked for being a legal one and taken over.
 */
import {
  ceilToPage,
  coversVdso,
  floorToPage,
  isPageAligned,
  PAGE_BYTES,
  PROT_WRITE,
  vaddr,
  type Access,
  type Design,
} from '../kernel-model/index.ts';
import type { Op, OpName, OpOf } from '../traces/op.ts';
import { gainedBytes, writtenBytes } from './outside-ops.ts';
import type { Reference } from './reference.ts';
import { protBits, type Result } from './trace-hart.ts';

/** What had to be answered: exactly this, or `undefined` for an answer that is legal as it is. */
type Expected = Result | undefined;

type Predictor<Name extends OpName> = (reference: Reference, design: Design, op: OpOf<Name>, actual: Result, index: number) => Expected;

/** Says what `op` had to answer, and carries it out on the reference if the kernel answered so. */
export function predict(reference: Reference, design: Design, op: Op, actual: Result, index: number): Expected {
  if (!reference.has(op.pid)) return 'ESRCH';
  const predictor = PREDICTORS[op.op] as Predictor<OpName>;
  return predictor(reference, design, op, actual, index);
}

const ACCESS: Readonly<Record<'r' | 'w' | 'x', Access>> = { r: 'load', w: 'store', x: 'fetch' };

const PREDICTORS: { readonly [Name in OpName]: Predictor<Name> } = {
  touch(reference, _design, { pid, addr, access, pages = 1, width = 1 }) {
    for (let i = 0; i < pages; i++) {
      const address = i === 0 ? addr : floorToPage(addr) + i * PAGE_BYTES;
      const verdict = accessRange(reference, pid, address, width, ACCESS[access]);
      if (verdict === 'ok') continue;
      // A store that the second page refuses has gained write access to the first.
      if (access === 'w' && reference.access(pid, address, 'store') === 'ok') reference.copyPage(pid, floorToPage(address));
      return verdict;
    }
    return 0;
  },

  exec(reference, _design, { pid, path, argv = [], env = [] }, actual) {
    return reference.exec(pid, path, argv, env, actual === 0);
  },
  fork(reference, _design, { pid, child }, actual) {
    if (reference.has(child)) return 'EAGAIN';
    if (typeof actual === 'number') reference.fork(pid, child);
    return child;
  },
  vfork(reference, _design, { pid, child }, actual) {
    if (reference.has(child)) return 'EAGAIN';
    if (typeof actual === 'number') reference.vfork(pid, child);
    return child;
  },
  exit(reference, _design, { pid }) {
    reference.exit(pid);
    return 0;
  },
  wait: () => 0,

  mmap(reference, design, op, actual) {
    const problem = mmapProblem(reference, design, op);
    if (problem !== undefined) return problem;
    const length = ceilToPage(op.length);
    if (typeof actual === 'string') return refusedMmap(reference, design, op, actual, length);
    const wrong = misplaced(reference, design, op, actual, length);
    if (wrong !== undefined) return wrong;
    const [start, end] = [vaddr(actual), vaddr(actual + length)];
    const path = op.flags.includes('anonymous') ? undefined : op.path;
    reference.map(op.pid, { start, end, prot: protBits(op.prot), shared: op.flags.includes('shared'), path, offset: op.offset ?? 0 });
    if (op.flags.includes('populate')) populate(reference, op.pid, start, end);
    return undefined;
  },
  munmap(reference, design, { pid, addr, length }, actual) {
    if (!isPageAligned(addr) || length <= 0 || addr + length > design.userEnd || coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (actual === 0) reference.unmap(pid, addr, ceilToPage(addr + length));
    return 0;
  },
  mprotect(reference, design, { pid, addr, length, prot }, actual) {
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    if (addr + length > design.userEnd) return 'ENOMEM';
    if (length > 0 && coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (actual === 0 && length > 0) reference.protect(pid, addr, ceilToPage(addr + length), protBits(prot));
    return 0;
  },
  mremap: predictMremap,
  brk(reference, _design, { pid, addr }, actual) {
    const space = reference.space(pid);
    const end = brkEnd(reference, pid, addr);
    if (end === actual && end !== space.heapEnd) reference.setHeapEnd(pid, end);
    return end;
  },
  madvise(reference, design, { pid, addr, length, advice }, actual) {
    if (!isPageAligned(addr) || length < 0 || addr + length > design.userEnd) return 'EINVAL';
    if (advice === 'dontneed' && length > 0 && coversVdso(design, addr, addr + length)) return 'EINVAL';
    if (advice === 'dontneed' && actual === 0) reference.forget(pid, addr, ceilToPage(addr + length));
    return 0;
  },
  msync(reference, design, { pid, addr, length }) {
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    return addr + length <= design.userEnd && reference.isCovered(pid, addr, ceilToPage(addr + length)) ? 0 : 'ENOMEM';
  },
  mincore(reference, design, { pid, addr, length }, actual) {
    if (!isPageAligned(addr) || length < 0) return 'EINVAL';
    if (addr + length > design.userEnd || !reference.isCovered(pid, addr, ceilToPage(addr + length))) return 'ENOMEM';
    const pages = Math.ceil(length / PAGE_BYTES);
    return typeof actual === 'number' && actual <= pages ? undefined : pages;
  },

  copyIn: (reference, _design, { pid, addr, length }) => copied(reference, pid, addr, length, 'load'),
  copyOut: (reference, _design, { pid, addr, length }) => copied(reference, pid, addr, length, 'store'),

  read(reference, _design, { path, offset, length }) {
    const file = reference.files.get(path);
    return file === undefined ? 'ENOENT' : Math.max(0, Math.min(length, file.size - offset));
  },
  write(reference, _design, op, actual, index) {
    const file = reference.files.get(op.path);
    if (file === undefined) return 'ENOENT';
    if (file.immutable || reference.isExecuted(file)) return 'ETXTBSY';
    if (typeof actual !== 'number') return op.length;
    if (actual > 0 && op.offset + actual > file.size) reference.truncate(file, Math.max(op.offset + actual, file.size));
    for (let done = 0; done < actual; done += PAGE_BYTES)
      file.write(op.offset + done, writtenBytes(op, index, done, Math.min(PAGE_BYTES, actual - done)));
    return op.length;
  },
  truncate: (reference, _design, { path, size }, actual) => resized(reference, path, size, actual),
  resize(reference, _design, op, actual) {
    const file = reference.files.get(op.path);
    const sizeBefore = file?.size ?? 0;
    const expected = resized(reference, op.path, op.size, actual);
    const gained = gainedBytes(op, sizeBefore);
    if (expected === 0 && actual === 0 && gained.length > 0) file?.write(sizeBefore, gained);
    return expected;
  },
  sync: (reference, _design, { path }) => (path !== undefined && !reference.files.has(path) ? 'ENOENT' : 0),
  reclaim: (_reference, _design, _op, actual) => (typeof actual === 'number' ? undefined : 0),
  pin(reference, _design, { pid, addr, access }, actual) {
    if (actual === 'EEXIST') return undefined;
    if (access === 'w' && actual === 0) reference.copyPage(pid, floorToPage(addr));
    return reference.access(pid, addr, access === 'w' ? 'store' : 'load') === 'ok' ? 0 : 'EFAULT';
  },
  unpin: () => 0,
  switchCpu: () => undefined,
  inject: () => 0,
  mark: () => 0,
};

/** The first thing that goes wrong for an access of `width` bytes, which may cross into the next page. */
function accessRange(reference: Reference, pid: number, address: number, width: number, access: Access): string {
  const first = reference.access(pid, address, access);
  const last = address + width - 1;
  if (first !== 'ok' || floorToPage(last) === floorToPage(address)) return first;
  return reference.access(pid, last, access);
}

/** How many bytes a kernel copy manages: up to the first page that refuses. */
function copied(reference: Reference, pid: number, address: number, length: number, access: Access): Result {
  let done = 0;
  while (done < length && reference.access(pid, address + done, access) === 'ok')
    done = Math.min(length, floorToPage(address + done) + PAGE_BYTES - address);
  return done === 0 && length > 0 ? 'EFAULT' : done;
}

function resized(reference: Reference, path: string, size: number, actual: Result): Expected {
  const file = reference.files.get(path);
  if (file === undefined) return 'ENOENT';
  if (file.immutable || reference.isExecuted(file)) return 'ETXTBSY';
  if (actual === 0) reference.truncate(file, size);
  return 0;
}

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
  return file.immutable && flags.includes('shared') && (protBits(prot) & PROT_WRITE) !== 0 ? 'EACCES' : undefined;
}

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
  for (let page = start; page < end && reference.access(pid, page, 'store') === 'ok'; page += PAGE_BYTES) reference.copyPage(pid, page);
}

// ---- mremap.

function predictMremap(reference: Reference, design: Design, op: OpOf<'mremap'>, actual: Result): Expected {
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
