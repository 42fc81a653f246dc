/**
 * What the reference expects of each op, and what the op does to it.
 *
 * `predict` is asked after the kernel has answered: it says what the answer had to be, or that any of several would do,
 * and carries the op out on the reference if the kernel did so. Where a kernel may choose (an address) or run out of
 * memory, its choice is checked for being a legal one and taken over.
 *
 * Here is what all designs answer alike; the calls that change mappings are in predict-kevlar.ts and predict-linux.ts.
 */
import { floorToPage, PAGE_BYTES, type Access, type DesignName, type File } from '../../kernel-model/index.ts';
import type { Op, OpName } from '../../traces/op.ts';
import { gainedBytes, writtenBytes } from '../outside-ops.ts';
import { KEVLAR_CALLS } from './predict-kevlar.ts';
import { LINUX_CALLS } from './predict-linux.ts';
import { isCall, type CallName, type CallPredictors, type Expected, type Predictor } from './prediction.ts';
import { growDown } from './linux.ts';
import type { Reference, Verdict } from './reference.ts';
import type { Result } from '../trace-hart.ts';

const CALLS: Readonly<Record<DesignName, CallPredictors>> = { kevlar: KEVLAR_CALLS, linux: LINUX_CALLS };

/** Says what `op` had to answer, and carries it out on the reference if the kernel answered so. */
export function predict(reference: Reference, op: Op, actual: Result, index: number): Expected {
  if (!reference.has(op.pid)) return 'ESRCH';
  const predictor = (isCall(op) ? CALLS[reference.design.name][op.op] : PREDICTORS[op.op]) as Predictor<OpName>;
  return predictor(reference, op, actual, index);
}

const ACCESS: Readonly<Record<'r' | 'w' | 'x', Access>> = { r: 'load', w: 'store', x: 'fetch' };

const PREDICTORS: { readonly [Name in Exclude<OpName, CallName>]: Predictor<Name> } = {
  touch(reference, { pid, addr, access, pages = 1, width = 1 }) {
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

  exec(reference, { pid, path, argv = [], env = [] }, actual) {
    return reference.exec(pid, path, argv, env, actual === 0);
  },
  fork(reference, { pid, child }, actual) {
    if (reference.has(child)) return 'EAGAIN';
    if (typeof actual === 'number') reference.fork(pid, child);
    return child;
  },
  vfork(reference, { pid, child }, actual) {
    if (reference.has(child)) return 'EAGAIN';
    if (typeof actual === 'number') reference.vfork(pid, child);
    return child;
  },
  exit(reference, { pid }) {
    reference.exit(pid);
    return 0;
  },
  wait: () => 0,

  copyIn: (reference, { pid, addr, length }) => copied(reference, pid, addr, length, 'load'),
  copyOut: (reference, { pid, addr, length }) => copied(reference, pid, addr, length, 'store'),

  read(reference, { path, offset, length }) {
    const file = reference.files.get(path);
    return file === undefined ? 'ENOENT' : Math.max(0, Math.min(length, file.size - offset));
  },
  write(reference, op, actual, index) {
    const file = reference.files.get(op.path);
    if (file === undefined) return 'ENOENT';
    if (!isWritable(reference, file)) return 'ETXTBSY';
    if (typeof actual !== 'number') return op.length;
    if (actual > 0 && op.offset + actual > file.size) reference.truncate(file, Math.max(op.offset + actual, file.size));
    for (let done = 0; done < actual; done += PAGE_BYTES)
      file.write(op.offset + done, writtenBytes(op, index, done, Math.min(PAGE_BYTES, actual - done)));
    return op.length;
  },
  pread(reference, { pid, path, offset, addr, length }) {
    const file = reference.files.get(path);
    return file === undefined ? 'ENOENT' : copied(reference, pid, addr, Math.max(0, Math.min(length, file.size - offset)), 'store');
  },
  pwrite(reference, { pid, path, offset, addr, length }, actual) {
    const file = reference.files.get(path);
    if (file === undefined) return 'ENOENT';
    const isChanged = isWritable(reference, file);
    if (reference.design.name === 'linux' && isChanged) return writeFromMemory(reference, file, { pid, addr, offset, length });
    const readable = copied(reference, pid, addr, length, 'load');
    if (typeof readable === 'string') return readable;
    if (!isChanged) return 'ETXTBSY';
    if (typeof actual === 'number') writeFromMemory(reference, file, { pid, addr, offset, length: actual });
    return readable;
  },
  truncate: (reference, { path, size }, actual) => resized(reference, path, size, actual),
  resize(reference, op, actual) {
    const file = reference.files.get(op.path);
    const sizeBefore = file?.size ?? 0;
    const expected = resized(reference, op.path, op.size, actual);
    const gained = gainedBytes(op, sizeBefore);
    if (expected === 0 && actual === 0 && gained.length > 0) file?.write(sizeBefore, gained);
    return expected;
  },
  sync: (reference, { path }) => (path !== undefined && !reference.files.has(path) ? 'ENOENT' : 0),
  reclaim: (_reference, _op, actual) => (typeof actual === 'number' ? undefined : 0),
  pin(reference, { pid, addr, access }, actual) {
    if (actual === 'EEXIST') return undefined;
    if (access === 'w' && actual === 0) reference.copyPage(pid, floorToPage(addr));
    return reach(reference, pid, addr, access === 'w' ? 'store' : 'load') === 'ok' ? 0 : 'EFAULT';
  },
  unpin: () => 0,
  switchCpu: () => undefined,
  inject: () => 0,
  mark: () => 0,
};

/** A program does not change, nor does a file that one runs. */
const isWritable = (reference: Reference, file: File): boolean => !file.immutable && !reference.isExecuted(file);

/** What an access meets, after what a fault does first. */
function reach(reference: Reference, pid: number, address: number, access: Access): Verdict {
  if (reference.design.name === 'linux') growDown(reference, pid, address);
  return reference.access(pid, address, access);
}

/** The first thing that goes wrong for an access of `width` bytes, which may cross into the next page. */
function accessRange(reference: Reference, pid: number, address: number, width: number, access: Access): string {
  const first = reach(reference, pid, address, access);
  const last = address + width - 1;
  if (first !== 'ok' || floorToPage(last) === floorToPage(address)) return first;
  return reach(reference, pid, last, access);
}

/** How many bytes a kernel copy manages: up to the first page that refuses. */
function copied(reference: Reference, pid: number, address: number, length: number, access: Access): Result {
  let done = 0;
  while (done < length && reach(reference, pid, address + done, access) === 'ok')
    done = Math.min(length, floorToPage(address + done) + PAGE_BYTES - address);
  return done === 0 && length > 0 ? 'EFAULT' : done;
}

/**
 * Writes user memory into a file page by page of the file, as the call does: a page may show what the one before it changed, and a
 * file that grows may make its own mapping readable. A file of linux has its new end before anything is copied, even if nothing is.
 */
function writeFromMemory(
  reference: Reference,
  file: File,
  { pid, addr, offset, length }: { readonly pid: number; readonly addr: number; readonly offset: number; readonly length: number },
): Result {
  for (let done = 0; done < length;) {
    const at = offset + done;
    if (reference.design.name === 'linux') file.resize(Math.max(file.size, at));
    const piece = copied(reference, pid, addr + done, Math.min(length - done, bytesAtOnce(reference, file, pid, addr + done, at)), 'load');
    if (typeof piece === 'string') return done > 0 ? done : piece;
    const byteAt = (i: number): number => reference.byte(pid, addr + done + i);
    if (reference.design.name === 'linux') {
      // One byte after the other: what is read may be what was just written.
      for (let i = 0; i < piece; i++) file.write(at + i, Uint8Array.of(byteAt(i)));
    } else {
      const bytes = Uint8Array.from({ length: piece }, (_, i) => byteAt(i));
      if (at + piece > file.size) reference.truncate(file, at + piece);
      file.write(at, bytes);
    }
    done += piece;
  }
  return length;
}

/** Up to the end of either page; if the source is the very page that is written, no further than the target is ahead of it. */
function bytesAtOnce(reference: Reference, file: File, pid: number, from: number, to: number): number {
  const source = reference.access(pid, from, 'load') === 'ok' ? reference.backingOf(pid, from) : 'zero';
  const isSamePage = typeof source === 'object' && source.path === file.path && floorToPage(source.offset) === floorToPage(to);
  const ahead = isSamePage && to > source.offset ? to - source.offset : PAGE_BYTES;
  return Math.min(PAGE_BYTES - (from % PAGE_BYTES), PAGE_BYTES - (to % PAGE_BYTES), ahead);
}

function resized(reference: Reference, path: string, size: number, actual: Result): Expected {
  const file = reference.files.get(path);
  if (file === undefined) return 'ENOENT';
  if (!isWritable(reference, file)) return 'ETXTBSY';
  if (actual === 0) reference.truncate(file, size);
  return 0;
}
