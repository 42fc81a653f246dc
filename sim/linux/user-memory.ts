/**
 * Buffers in user memory: every copy is an op of the machine for the process that makes the call.
 *
 * Addresses come from registers and may be anything; what lies outside user space is EFAULT without an op.
 */
import type { Linux } from './linux.ts';
import type { Process } from './process.ts';
import { nameOf, decodeText } from './names.ts';

const PAGE = 4096;
/** Strings are read in steps of this many bytes, never past a page that the string does not reach. */
const STRING_STEP_BYTES = 64;

const isInside = (linux: Linux, address: number, lengthBytes: number): boolean =>
  address >= 0 && lengthBytes >= 0 && address + lengthBytes <= linux.machine.kernel.design.userEnd;

/** Reads `lengthBytes` of user memory. @returns undefined if not all of it can be read: EFAULT */
export function readUser(linux: Linux, { pid }: Process, address: number, lengthBytes: number): Uint8Array | undefined {
  if (!isInside(linux, address, lengthBytes)) return undefined;
  if (lengthBytes === 0) return new Uint8Array(0);
  const bytes = linux.machine.copyFrom(pid, address, lengthBytes);
  return typeof bytes === 'string' ? undefined : bytes;
}

/** Writes user memory. @returns false if not all of it could be written: EFAULT */
export function writeUser(linux: Linux, { pid }: Process, address: number, bytes: Uint8Array): boolean {
  if (!isInside(linux, address, bytes.length)) return false;
  return bytes.length === 0 || linux.machine.copyTo(pid, address, bytes) === bytes.length;
}

/** As `writeUser`, for an argument that may be null and is left out then. */
export const writeIfAny = (linux: Linux, process: Process, address: number, bytes: () => Uint8Array): boolean =>
  address === 0 || writeUser(linux, process, address, bytes());

/** Reads the bytes before a NUL. @returns EFAULT, or `tooLong` if there is no NUL in `maxBytes` bytes */
export function readString<TooLong extends string>(
  linux: Linux,
  process: Process,
  address: number,
  maxBytes: number,
  tooLong: TooLong,
): Uint8Array | 'EFAULT' | TooLong {
  const pieces: number[] = [];
  for (let at = address; pieces.length < maxBytes;) {
    const length = Math.min(STRING_STEP_BYTES, PAGE - (((at % PAGE) + PAGE) % PAGE));
    const piece = readUser(linux, process, at, length);
    if (piece === undefined) return 'EFAULT';
    const end = piece.indexOf(0);
    pieces.push(...(end < 0 ? piece : piece.subarray(0, end)));
    if (end >= 0) return pieces.length < maxBytes ? Uint8Array.from(pieces) : tooLong;
    at += length;
  }
  return tooLong;
}

const PATH_MAX = 4096;

export type PathProblem = 'EFAULT' | 'ENAMETOOLONG';
/** A path as it was in memory. An object, so that no path can be taken for an error. */
export interface UserPath {
  readonly name: string;
}

/** Reads a path, and notes it in the record of the call. */
export function readPath(linux: Linux, process: Process, address: number): UserPath | PathProblem {
  const bytes = readString(linux, process, address, PATH_MAX, 'ENAMETOOLONG');
  if (typeof bytes === 'string') return bytes;
  process.history.at(-1)?.texts.push(decodeText(bytes));
  return { name: nameOf(bytes) };
}

/** Little-endian numbers of a structure. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
