/**
 * Inodes: what a name of the file tree stands for.
 *
 * The content of a regular file is the kernel model's sparse `File`, so a file may be larger than memory. Directories and
 * symlinks may be computed (that is how /proc is made); everything else is plain state that calls change.
 */
import { File } from '../../../kernel-model/index.ts';
import type { Pipe } from './pipe.ts';

export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;

export interface Attributes {
  /** Number of the file system: st_dev. */
  readonly dev: number;
  readonly ino: number;
  /** Type and permission bits, as in st_mode. */
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  /** Nanoseconds since 1970. */
  atime: bigint;
  mtime: bigint;
  ctime: bigint;
}

export interface RegularFile extends Attributes {
  readonly kind: 'file';
  content: File;
  /** Goes up with every change of the content. */
  version: number;
  /** Processes that run it; it cannot be written then. */
  runners: number;
}

/** A file whose bytes are made when it is opened, as in /proc. */
export interface ComputedFile extends Attributes {
  readonly kind: 'computed';
  readonly bytes: () => Uint8Array;
}

/** What a computed directory holds: made anew at every look. */
export interface ComputedEntries {
  get(name: string): Inode | undefined;
  keys(): Iterable<string>;
}

export interface Directory extends Attributes {
  readonly kind: 'directory';
  /** Its one name, kept by whoever moves it; '' for the root of a file system. */
  name: string;
  parent: Directory;
  readonly entries: Map<string, Inode> | ComputedEntries;
  /** Root of the file system that is mounted here. */
  mounted: Directory | undefined;
}

export interface Symlink extends Attributes {
  readonly kind: 'symlink';
  readonly target: () => string;
  /** Where a link of /proc leads without a path: what it stands for may have none. */
  readonly jump?: () => Inode | undefined;
}

export interface Fifo extends Attributes {
  readonly kind: 'fifo';
  readonly pipe: Pipe;
}

export interface Device extends Attributes {
  readonly kind: 'device';
  readonly major: number;
  readonly minor: number;
}

export type Inode = RegularFile | ComputedFile | Directory | Symlink | Fifo | Device;

/** Linux's coding of a small device number in st_rdev. */
export const deviceNumber = (major: number, minor: number): number => major * 256 + minor;

export const emptyContent = (): File => new File('', [], new Uint8Array(0), false);

/** Size as stat shows it, in bytes. */
export function sizeOf(inode: Inode): number {
  if (inode.kind === 'file') return inode.content.size;
  if (inode.kind === 'symlink') return inode.target().length;
  return inode.kind === 'directory' && inode.entries instanceof Map ? 4096 : 0;
}
