/** What file calls share: from descriptors and paths in user memory to open files, inodes and places in the tree. */
import type { Answer, Errno } from '../errno.ts';
import type { Inode } from '../fs/inode.ts';
import type { OpenFile } from '../fs/stream.ts';
import type { LastName, Origin, Place } from '../fs/tree.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { readPath } from '../user-memory.ts';

export const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
const AT_EMPTY_PATH = 0x1000;

/** A path that was read, and where its walk starts. */
interface StartedPath {
  readonly origin: Origin;
  readonly name: string;
}

function startAt(linux: Linux, process: Process, dirfd: number, address: number): StartedPath | Errno {
  const path = readPath(linux, process, address);
  if (typeof path === 'string') return path;
  if (path.name.startsWith('/') || dirfd === AT_FDCWD) return { origin: process, name: path.name };
  const file = process.fds.file(dirfd);
  if (file === undefined) return 'EBADF';
  if (file.inode.kind !== 'directory') return path.name === '' ? { origin: process, name: '' } : 'ENOTDIR';
  return { origin: { root: process.root, cwd: file.inode }, name: path.name };
}

/** Where the path at `address` leads, from the directory of `dirfd`. */
export function placeAt(linux: Linux, process: Process, dirfd: number, address: number, last: LastName): Place | Errno {
  const path = startAt(linux, process, dirfd, address);
  return typeof path === 'string' ? path : linux.tree.walk(path.origin, path.name, last);
}

/** The inode that an `…at` call with flags means; with AT_EMPTY_PATH that can be the file of `dirfd` itself. */
export function inodeAt(linux: Linux, process: Process, dirfd: number, address: number, flags: number): Inode | Errno {
  const path = startAt(linux, process, dirfd, address);
  if (typeof path === 'string') return path;
  if (path.name === '' && (flags & AT_EMPTY_PATH) !== 0) {
    return dirfd === AT_FDCWD ? process.cwd : (process.fds.file(dirfd)?.inode ?? 'EBADF');
  }
  return linux.tree.find(path.origin, path.name, (flags & AT_SYMLINK_NOFOLLOW) === 0 ? 'follow' : 'keep');
}

/** Does something with the file of a descriptor; EBADF if there is none. */
export const withFile = (process: Process, fd: number, act: (file: OpenFile) => Answer): Answer => {
  const file = process.fds.file(fd);
  return file === undefined ? 'EBADF' : act(file);
};

/** Does something with an inode that may be an error. */
export const withInode = (inode: Inode | Errno, act: (inode: Inode) => Answer): Answer => (typeof inode === 'string' ? inode : act(inode));
