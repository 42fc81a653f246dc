/** Calls that make, link, rename and remove names, and those about the working directory. */
import type { CallRow, Handler } from '../call.ts';
import type { Answer, Errno } from '../errno.ts';
import { create, link, removeDirectory, rename, unlink } from '../fs/change.ts';
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFREG, type Directory, type Inode } from '../fs/inode.ts';
import { pathOf } from '../fs/tree.ts';
import { bytesOf } from '../names.ts';
import { readPath, writeUser } from '../user-memory.ts';
import { AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, inodeAt, placeAt } from './files-of.ts';

const answerOf = (made: Inode | Errno): Answer => (typeof made === 'string' ? made : 0);

const mkdirat: Handler = (linux, process, [dirfd, address, mode]) => {
  const place = placeAt(linux, process, dirfd, address, 'name');
  if (typeof place === 'string') return place;
  const permissions = mode & 0o1777 & ~process.umask;
  return answerOf(create(linux.tree, place, (parent, name) => linux.tree.newDirectory(parent, name, permissions)));
};

const mknodat: Handler = (linux, process, [dirfd, address, mode, device]) => {
  const place = placeAt(linux, process, dirfd, address, 'name');
  if (typeof place === 'string') return place;
  const type = mode & S_IFMT;
  const permissions = mode & 0o7777 & ~process.umask;
  if (type !== S_IFIFO && type !== S_IFCHR && type !== S_IFREG && type !== 0) return 'EPERM';
  return answerOf(
    create(linux.tree, place, ({ dev }) => {
      if (type === S_IFIFO) return linux.tree.newFifo(permissions, dev);
      if (type === S_IFCHR) return linux.tree.newDeviceNode(permissions, device >>> 8, device & 0xff, dev);
      return linux.tree.newFile(permissions, dev);
    }),
  );
};

const symlinkat: Handler = (linux, process, [targetAddress, dirfd, address]) => {
  const target = readPath(linux, process, targetAddress);
  if (typeof target === 'string') return target;
  if (target.name === '') return 'ENOENT';
  const place = placeAt(linux, process, dirfd, address, 'name');
  if (typeof place === 'string') return place;
  return answerOf(create(linux.tree, place, ({ dev }) => linux.tree.newSymlink(target.name, dev)));
};

const linkat: Handler = (linux, process, [fromFd, fromAddress, toFd, toAddress, flags]) => {
  const from = placeAt(linux, process, fromFd, fromAddress, (flags & AT_SYMLINK_FOLLOW) !== 0 ? 'follow' : 'keep');
  if (typeof from === 'string') return from;
  if (from.inode === undefined) return 'ENOENT';
  const to = placeAt(linux, process, toFd, toAddress, 'name');
  if (typeof to === 'string') return to;
  return link(linux.tree, from.inode, to);
};

const unlinkat: Handler = (linux, process, [dirfd, address, flags]) => {
  const place = placeAt(linux, process, dirfd, address, 'name');
  if (typeof place === 'string') return place;
  return (flags & AT_REMOVEDIR) !== 0 ? removeDirectory(linux.tree, place) : unlink(linux.tree, place);
};

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

const renameat2: Handler = (linux, process, [fromFd, fromAddress, toFd, toAddress, flags]) => {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) !== 0 || flags === (RENAME_NOREPLACE | RENAME_EXCHANGE)) return 'EINVAL';
  const from = placeAt(linux, process, fromFd, fromAddress, 'name');
  if (typeof from === 'string') return from;
  const to = placeAt(linux, process, toFd, toAddress, 'name');
  if (typeof to === 'string') return to;
  return rename(linux.tree, from, to, { keepsTarget: (flags & RENAME_NOREPLACE) !== 0, exchanges: (flags & RENAME_EXCHANGE) !== 0 });
};

const readlinkat: Handler = (linux, process, [dirfd, address, buffer, lengthBytes]) => {
  if (lengthBytes <= 0) return 'EINVAL';
  const place = placeAt(linux, process, dirfd, address, 'keep');
  if (typeof place === 'string') return place;
  if (place.inode === undefined) return 'ENOENT';
  if (place.inode.kind !== 'symlink') return 'EINVAL';
  const bytes = bytesOf(place.inode.target()).subarray(0, lengthBytes);
  return writeUser(linux, process, buffer, bytes) ? bytes.length : 'EFAULT';
};

const getcwd: Handler = (linux, process, [address, lengthBytes]) => {
  const path = pathOf(process.root, process.cwd);
  if (path === undefined) return 'ENOENT';
  const bytes = bytesOf(path + '\0');
  if (bytes.length > lengthBytes) return 'ERANGE';
  return writeUser(linux, process, address, bytes) ? bytes.length : 'EFAULT';
};

const toDirectory = (inode: Inode | Errno, act: (directory: Directory) => void): Answer => {
  if (typeof inode === 'string') return inode;
  if (inode.kind !== 'directory') return 'ENOTDIR';
  act(inode);
  return 0;
};

const chdir: Handler = (linux, process, [address]) =>
  toDirectory(inodeAt(linux, process, AT_FDCWD, address, 0), (directory) => {
    process.cwd = directory;
  });

const fchdir: Handler = (_linux, process, [fd]) =>
  toDirectory(process.fds.file(fd)?.inode ?? 'EBADF', (directory) => {
    process.cwd = directory;
  });

const chroot: Handler = (linux, process, [address]) =>
  toDirectory(inodeAt(linux, process, AT_FDCWD, address, 0), (directory) => {
    process.root = directory;
  });

export const NAME_CALLS: readonly CallRow[] = [
  [17, 'getcwd', getcwd],
  [33, 'mknodat', mknodat],
  [34, 'mkdirat', mkdirat],
  [35, 'unlinkat', unlinkat],
  [36, 'symlinkat', symlinkat],
  [37, 'linkat', linkat],
  [49, 'chdir', chdir],
  [50, 'fchdir', fchdir],
  [51, 'chroot', chroot],
  [78, 'readlinkat', readlinkat],
  [276, 'renameat2', renameat2],
];
