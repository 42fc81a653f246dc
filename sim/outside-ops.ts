/**
 * The ops that no program performs: copies by the kernel, files, memory pressure, pins, injected faults.
 *
 * Copies and writes go page by page, so that a range of any length costs no more than what it reaches.
 */
import {
  ceilToPage,
  drain,
  pin,
  PAGE_BYTES,
  readFile,
  reclaim,
  resizeFromOutside,
  sync,
  truncate,
  unpin,
  writeFile,
  type Errno,
  type File,
  type Kernel,
} from '../kernel-model/index.ts';
import type { Op, OpOf } from '../traces/op.ts';
import { copyFromUser, copyToUser, readToUser, writeFromUser, type Place } from './file-transfer.ts';
import { patternByte, type ProgramOp, type Result } from './trace-hart.ts';

/** `switchCpu` is the machine's own business. */
export type OutsideOp = Exclude<Op, ProgramOp | OpOf<'switchCpu'>>;

/** Carries out one op. `index` is its place in the trace, from which a write without bytes takes them. */
export function fromOutside(place: Place, op: OutsideOp, index: number): Result {
  const k = place.kernel;
  switch (op.op) {
    case 'copyIn':
      return inPieces(op.addr, op.length, (address, length) => copyFromUser(place, address, pieceOf(place, address - op.addr, length)));
    case 'copyOut':
      return inPieces(op.addr, op.length, (address, length) => {
        const from = address - op.addr;
        return copyToUser(place, address, place.buffer === undefined ? patternBytes(index, from, length) : pieceOf(place, from, length));
      });
    case 'read':
      return withFile(k, op.path, (file) =>
        readFile(k, file, op.offset, op.length, (offset, bytes) => {
          for (const watcher of place.watching.read) watcher.read(file.path, offset, bytes);
        }),
      );
    case 'write':
      return withFile(k, op.path, (file) =>
        inPieces(op.offset, op.length, (offset, length) =>
          writeFile(k, place.process.pid, file, offset, writtenBytes(op, index, offset - op.offset, length)),
        ),
      );
    case 'pread':
      return withFile(k, op.path, (file) => readToUser(place, file, op));
    case 'pwrite':
      return withFile(k, op.path, (file) => writeFromUser(place, file, op));
    case 'truncate':
      return withFile(k, op.path, (file) => drain(truncate(k, file, op.size)));
    case 'resize':
      return withFile(k, op.path, (file) => drain(resizeFromOutside(k, file, op.size, gainedBytes(op, file.size))));
    case 'sync':
      return op.path === undefined ? drain(sync(k, undefined)) : withFile(k, op.path, (file) => drain(sync(k, file)));
    case 'reclaim':
      return reclaim(k, op.pages);
    case 'pin':
      return drain(pin(k, place.cpu, place.process, op.id, op.addr, op.access === 'w'));
    case 'unpin':
      unpin(k, op.id);
      return 0;
    case 'inject':
      inject(k, op);
      return 0;
    case 'mark':
      return 0;
  }
}

function withFile<T>(k: Kernel, path: string, act: (file: File) => T): T | Errno {
  const file = k.files.get(path);
  return file === undefined ? 'ENOENT' : act(file);
}

function inject(k: Kernel, op: OpOf<'inject'>): void {
  if (op.fault === 'noFrame') k.frameFaultAt = op.at;
  else if (op.fault === 'eio') k.storeFaults.errorAt = op.at;
  else Object.assign(k.storeFaults, { shortReadAt: op.at, shortReadBytes: op.bytes ?? 0 });
}

/**
 * Does something to [start, start + length) page by page.
 *
 * @returns how far it came; the error if that was nowhere
 */
function inPieces(start: number, length: number, act: (start: number, length: number) => number | Errno): number | Errno {
  let done = 0;
  do {
    const piece = Math.min(length - done, PAGE_BYTES - ((start + done) % PAGE_BYTES));
    const result = act(start + done, piece);
    if (typeof result === 'string') return done > 0 ? done : result;
    done += result;
    if (result < piece) break;
  } while (done < length);
  return done;
}

/** The part of the place's buffer that a piece of a copy moves; fresh bytes if there is none. */
const pieceOf = ({ buffer }: Place, from: number, length: number): Uint8Array =>
  buffer === undefined ? new Uint8Array(length) : buffer.subarray(from, from + length);

/** `length` bytes of what copyOut writes, from byte `from` on: bytes that tell this op from others. */
function patternBytes(index: number, from: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = patternByte(index, from + i);
  return bytes;
}

/** `length` bytes of what a file write writes, from byte `from` on: its value repeated, or a pattern. */
export function writtenBytes({ value }: OpOf<'write'>, index: number, from: number, length: number): Uint8Array {
  return value === undefined ? patternBytes(index, from, length) : repeated(value, from, length);
}

/** What the last page of a file of `size` bytes gains when it is resized from outside; empty if nothing is said of it. */
export function gainedBytes({ size, value }: OpOf<'resize'>, sizeBefore: number): Uint8Array {
  const end = Math.min(size, ceilToPage(sizeBefore));
  return value === undefined || end <= sizeBefore ? new Uint8Array(0) : repeated(value, 0, end - sizeBefore);
}

/** `length` bytes of a value in hex digits that is repeated, from byte `from` on. */
function repeated(value: string, from: number, length: number): Uint8Array {
  const unit = Uint8Array.from(value.match(/../g) ?? ['00'], (digits) => parseInt(digits, 16));
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = unit[(from + i) % unit.length]!;
  return bytes;
}
