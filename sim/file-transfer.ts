/**
 * pread(2) and pwrite(2): between a file's pages and user memory.
 *
 * As in Linux the bytes go over in order, in pieces that lie within one page of the file and one of memory; a refusal after the first piece
 * makes the count short. Source and target can be the same frame, when memory maps the very page: then a byte that was copied is a
 * source in its turn, as with any forward copy. (The routines of real machines go forward, too, but take 64 bytes at once.)
 */
import {
  beginWrite,
  copyIn,
  copyOut,
  drain,
  PAGE_BYTES,
  pageOffset,
  reach,
  readFile,
  translate,
  writeFile,
  type Cpu,
  type Errno,
  type File,
  type Kernel,
  type Process,
} from '../kernel-model/index.ts';
import type { Watchers } from './watcher.ts';

/** Where an op happens. */
export interface Place {
  readonly kernel: Kernel;
  readonly cpu: Cpu;
  readonly process: Process;
  readonly watching: Watchers;
  /** What a copy by the kernel moves, if its op comes from no trace. */
  readonly buffer: Uint8Array | undefined;
}

/** Which bytes of a file, and where they go or come from. */
interface Transfer {
  readonly offset: number;
  readonly addr: number;
  readonly length: number;
}

/** The kernel reads user memory, seen by the watchers. */
export function copyFromUser({ kernel, cpu, process, watching }: Place, address: number, into: Uint8Array): number | Errno {
  const copied = drain(copyIn(kernel, cpu, process, address, into));
  if (typeof copied === 'number') for (const watcher of watching.copyIn) watcher.copyIn(process, address, into.subarray(0, copied));
  return copied;
}

/** The kernel writes user memory, seen by the watchers. */
export function copyToUser({ kernel, cpu, process, watching }: Place, address: number, bytes: Uint8Array): number | Errno {
  const copied = drain(copyOut(kernel, cpu, process, address, bytes));
  if (typeof copied === 'number') for (const watcher of watching.copyOut) watcher.copyOut(process, address, bytes.subarray(0, copied));
  return copied;
}

/** Copies file bytes to user memory. @returns how many, fewer at the end of the file or at a page that refuses; EFAULT for none of those wanted */
export function readToUser(place: Place, file: File, { offset, addr, length }: Transfer): number | Errno {
  const { kernel, cpu, process, watching } = place;
  const wanted = Math.max(0, Math.min(length, file.size - offset));
  let done = 0;
  while (done < wanted) {
    const target = drain(reach(kernel, cpu, process.space, addr + done, 'store'));
    if (typeof target === 'string') return done > 0 ? done : 'EFAULT';
    const at = offset + done;
    const distance = isFrameOf(place, file, at, target) ? pageOffset(target) - pageOffset(at) : 0;
    const bytes = new Uint8Array(pieceBytes(wanted - done, [at, target], distance));
    const found = readFile(kernel, file, at, bytes.length, (from, piece) => {
      for (const watcher of watching.read) watcher.read(file.path, from, piece);
      bytes.set(piece, from - at);
    });
    if (typeof found === 'string') return done > 0 ? done : found;
    copyToUser(place, addr + done, bytes);
    done += bytes.length;
  }
  return done;
}

/**
 * Copies user memory to a file. Memory that is not mapped in yet is faulted in between two pieces, never within one.
 *
 * @returns how many bytes; EFAULT if the first page refuses, ETXTBSY if the file cannot change
 */
export function writeFromUser(place: Place, file: File, { offset, addr, length }: Transfer): number | Errno {
  const { kernel, cpu, process } = place;
  let done = 0;
  do {
    const at = offset + done;
    if (kernel.design.name === 'linux' && length > 0) beginWrite(kernel, file, at);
    const source = length === 0 ? 0 : translate(kernel, cpu, process.space, addr + done, 'load');
    if (source < 0) {
      if (!faultIn(place, addr + done, pieceBytes(length - done, [at], 0))) return done > 0 ? done : 'EFAULT';
      continue;
    }
    const distance = isFrameOf(place, file, at, source) ? pageOffset(at) - pageOffset(source) : 0;
    const bytes = new Uint8Array(pieceBytes(length - done, [at, source], distance));
    if (bytes.length > 0) copyFromUser(place, addr + done, bytes);
    const written = writeFile(kernel, process.pid, file, at, bytes);
    if (typeof written === 'string') return done > 0 ? done : written;
    done += written;
  } while (done < length);
  return done;
}

/** Does the byte at `at` of linear memory lie in the cached page of the file's byte `offset`? */
const isFrameOf = ({ kernel }: Place, file: File, offset: number, at: number): boolean =>
  kernel.cache.lookup(file, Math.floor(offset / PAGE_BYTES))?.frame === kernel.memory.frameAt(at);

/**
 * How many bytes go at once: to the first page end, and no further than the target is ahead of its source.
 *
 * @param distance - from source to target, if they are in one frame; from 0 down nothing is overwritten before it is read
 */
function pieceBytes(left: number, ends: readonly number[], distance: number): number {
  return Math.min(left, ...ends.map((at) => PAGE_BYTES - pageOffset(at)), distance > 0 ? distance : PAGE_BYTES);
}

/** Faults in the pages of a range, up to one that refuses. @returns whether the first could be had */
function faultIn({ kernel, cpu, process }: Place, address: number, length: number): boolean {
  for (let at = address; at < address + length; at += PAGE_BYTES - pageOffset(at))
    if (typeof drain(reach(kernel, cpu, process.space, at, 'load')) === 'string') return at > address;
  return true;
}
