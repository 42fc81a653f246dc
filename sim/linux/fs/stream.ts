/**
 * What an open file does: one interface for files, pipes, terminals and devices, and an open file description over it.
 *
 * Streams never block: `EAGAIN` says that nothing can be had now, and `poll` says when to ask again.
 */
import type { Errno } from '../errno.ts';
import type { Directory, Inode } from './inode.ts';

export const POLLIN = 0x1;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;

export interface Stream {
  /** Does it have a position? */
  readonly seekable: boolean;
  /** @returns no bytes at the end of the file; EAGAIN if there is nothing yet */
  read(offset: number, lengthBytes: number): Uint8Array | Errno;
  /** @returns how many bytes were taken; EAGAIN if there is no room now */
  write(offset: number, bytes: Uint8Array): number | Errno;
  /** What could be done now without waiting, as POLL bits. */
  poll(): number;
  /** The last descriptor of it is closed. */
  close?(): void;
}

export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

/** A name in a directory; what it stands for may have changed since. */
export interface FileName {
  readonly directory: Directory;
  readonly name: string;
}

/** An open file description: descriptors that dup and fork made share it. */
export interface OpenFile {
  readonly inode: Inode;
  readonly stream: Stream;
  /** Access mode and status flags as open got them; fcntl changes the status flags. */
  flags: number;
  /** Position in bytes; in a directory, the number of entries given so far. */
  offset: number;
  /** The name it was opened by; undefined for what has none. */
  readonly name: FileName | undefined;
  /** Descriptors that refer to it. */
  refs: number;
  /** In a directory: the names there were when reading began. */
  names: readonly string[] | undefined;
}

export const openFile = (inode: Inode, stream: Stream, flags: number, name?: FileName): OpenFile => ({
  inode,
  stream,
  flags,
  offset: 0,
  name,
  refs: 0,
  names: undefined,
});

export const mayRead = ({ flags }: OpenFile): boolean => (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== O_WRONLY;
export const mayWrite = ({ flags }: OpenFile): boolean => (flags & O_PATH) === 0 && (flags & O_ACCMODE) !== 0;
export const blocks = ({ flags }: OpenFile): boolean => (flags & O_NONBLOCK) === 0;

/** One descriptor less; the last one closes the stream. */
export function release(file: OpenFile): void {
  file.refs--;
  if (file.refs === 0) file.stream.close?.();
}
