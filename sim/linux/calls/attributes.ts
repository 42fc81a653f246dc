/** Calls that show and change what an inode says of itself: stat, access, chmod, chown, times, size, the file system's counts. */
import type { CallRow, Handler } from '../call.ts';
import type { Answer } from '../errno.ts';
import { S_IFMT, type Inode } from '../fs/inode.ts';
import { resize } from '../fs/regular.ts';
import { freeMemory, type Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { encodeStat, encodeStatfs } from '../structs.ts';
import { readUser, viewOf, writeUser } from '../user-memory.ts';
import { AT_FDCWD, inodeAt, withFile, withInode } from './files-of.ts';

const showStat = (linux: Linux, process: Process, inode: Inode, address: number): Answer =>
  writeUser(linux, process, address, encodeStat(inode)) ? 0 : 'EFAULT';

const newfstatat: Handler = (linux, process, [dirfd, path, address, flags]) =>
  withInode(inodeAt(linux, process, dirfd, path, flags), (inode) => showStat(linux, process, inode, address));

const fstat: Handler = (linux, process, [fd, address]) => withFile(process, fd, ({ inode }) => showStat(linux, process, inode, address));

const X_OK = 1;

/** Everybody is root: only a file that nobody may execute is refused. */
const faccess: Handler = (linux, process, [dirfd, path, mode, flags]) =>
  withInode(inodeAt(linux, process, dirfd, path, flags), (inode) => {
    if ((mode & ~7) !== 0) return 'EINVAL';
    return (mode & X_OK) !== 0 && inode.kind !== 'directory' && (inode.mode & 0o111) === 0 ? 'EACCES' : 0;
  });

function changeMode(linux: Linux, inode: Inode, mode: number): Answer {
  inode.mode = (inode.mode & S_IFMT) | (mode & 0o7777);
  inode.ctime = linux.tree.now();
  return 0;
}

/** -1 leaves one as it is; a change takes the set-id bits of a file away. */
function changeOwner(linux: Linux, inode: Inode, uid: number, gid: number): Answer {
  if ((uid | 0) !== -1) inode.uid = uid;
  if ((gid | 0) !== -1) inode.gid = gid;
  if (inode.kind !== 'directory') inode.mode &= ~0o6000;
  inode.ctime = linux.tree.now();
  return 0;
}

const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;

const utimensat: Handler = (linux, process, [dirfd, path, times, flags]) => {
  const bytes = times === 0 ? undefined : readUser(linux, process, times, 32);
  if (times !== 0 && bytes === undefined) return 'EFAULT';
  const inode = path === 0 ? (process.fds.file(dirfd)?.inode ?? 'EBADF') : inodeAt(linux, process, dirfd, path, flags);
  return withInode(inode, (found) => {
    const now = linux.tree.now();
    const wanted = (offset: number, old: bigint): bigint => (bytes === undefined ? now : timeOf(bytes, offset, now, old));
    [found.atime, found.mtime, found.ctime] = [wanted(0, found.atime), wanted(16, found.mtime), now];
    return 0;
  });
};

function timeOf(bytes: Uint8Array, offset: number, now: bigint, old: bigint): bigint {
  const view = viewOf(bytes);
  const ns = Number(view.getBigInt64(offset + 8, true));
  if (ns === UTIME_NOW) return now;
  return ns === UTIME_OMIT ? old : view.getBigInt64(offset, true) * 1_000_000_000n + BigInt(ns);
}

const truncate: Handler = (linux, process, [path, size]) =>
  withInode(inodeAt(linux, process, AT_FDCWD, path, 0), (inode) => {
    if (inode.kind === 'directory') return 'EISDIR';
    if (inode.kind !== 'file') return 'EINVAL';
    return inode.runners > 0 ? 'ETXTBSY' : resize(inode, size, linux.tree.now());
  });

const TMPFS_MAGIC = 0x0102_1994;
const PROC_MAGIC = 0x9fa0;

/** The tree has the machine's memory; what files take of it is not counted. */
function showStatfs(linux: Linux, process: Process, { dev }: Inode, address: number): Answer {
  const isTree = dev === linux.tree.dev;
  const counts = isTree ? freeMemory(linux) : { totalBytes: 0, freeBytes: 0 };
  return writeUser(linux, process, address, encodeStatfs({ magic: isTree ? TMPFS_MAGIC : PROC_MAGIC, ...counts })) ? 0 : 'EFAULT';
}

const statfs: Handler = (linux, process, [path, address]) =>
  withInode(inodeAt(linux, process, AT_FDCWD, path, 0), (inode) => showStatfs(linux, process, inode, address));

const fstatfs: Handler = (linux, process, [fd, address]) =>
  withFile(process, fd, ({ inode }) => showStatfs(linux, process, inode, address));

const fchmodat: Handler = (linux, process, [dirfd, path, mode]) =>
  withInode(inodeAt(linux, process, dirfd, path, 0), (inode) => changeMode(linux, inode, mode));

const fchownat: Handler = (linux, process, [dirfd, path, uid, gid, flags]) =>
  withInode(inodeAt(linux, process, dirfd, path, flags), (inode) => changeOwner(linux, inode, uid, gid));

/** No file has extended attributes. */
const noAttributes: Handler = () => 'EOPNOTSUPP';

export const ATTRIBUTE_CALLS: readonly CallRow[] = [
  [5, 'setxattr', noAttributes],
  [6, 'lsetxattr', noAttributes],
  [7, 'fsetxattr', noAttributes],
  [8, 'getxattr', noAttributes],
  [9, 'lgetxattr', noAttributes],
  [10, 'fgetxattr', noAttributes],
  [43, 'statfs', statfs],
  [44, 'fstatfs', fstatfs],
  [45, 'truncate', truncate],
  [48, 'faccessat', (linux, process, [dirfd, path, mode]) => faccess(linux, process, [dirfd, path, mode, 0, 0, 0])],
  [52, 'fchmod', (linux, process, [fd, mode]) => withFile(process, fd, ({ inode }) => changeMode(linux, inode, mode))],
  [53, 'fchmodat', fchmodat],
  [54, 'fchownat', fchownat],
  [55, 'fchown', (linux, process, [fd, uid, gid]) => withFile(process, fd, ({ inode }) => changeOwner(linux, inode, uid, gid))],
  [79, 'newfstatat', newfstatat],
  [80, 'fstat', fstat],
  [88, 'utimensat', utimensat],
  [439, 'faccessat2', faccess],
];
