/** Calls about descriptors: open, close, dup, fcntl, pipe2, getdents64. */
import type { CallRow, Handler } from '../call.ts';
import type { Answer, Errno } from '../errno.ts';
import { create } from '../fs/change.ts';
import { memoryDevice, MEMORY_MAJOR, TTY_MAJOR, TTY_MINOR, CONSOLE_MINOR } from '../fs/devices.ts';
import type { Device, Fifo, Inode } from '../fs/inode.ts';
import { pipeStream } from '../fs/pipe-stream.ts';
import { computedStream, directoryStream, regularStream, resize } from '../fs/regular.ts';
import * as o from '../fs/stream.ts';
import { childOf } from '../fs/tree.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { encodeDirent } from '../structs.ts';
import { viewOf, writeUser } from '../user-memory.ts';
import { placeAt, withFile } from './files-of.ts';
import { joined } from './io.ts';

/** Flags that F_SETFL can change. */
const SETTABLE = o.O_APPEND | o.O_NONBLOCK;

const openat: Handler = (linux, process, [dirfd, address, flags, mode]) => {
  const isNew = (flags & o.O_CREAT) !== 0;
  const follow = (flags & o.O_NOFOLLOW) === 0 && !(isNew && (flags & o.O_EXCL) !== 0);
  const place = placeAt(linux, process, dirfd, address, follow ? (isNew ? 'create' : 'follow') : 'keep');
  if (typeof place === 'string') return place;
  if (place.inode !== undefined && isNew && (flags & o.O_EXCL) !== 0) return 'EEXIST';
  if (place.inode === undefined && !isNew) return 'ENOENT';
  if (isNew && place.mustBeDirectory) return 'EISDIR';
  const made = place.inode ?? create(linux.tree, place, ({ dev }) => linux.tree.newFile(mode & 0o7777 & ~process.umask, dev));
  if (typeof made === 'string') return made;
  const problem = openProblem(made, flags);
  if (problem !== undefined) return problem;
  if (made.kind === 'file' && (flags & o.O_TRUNC) !== 0 && made.content.size > 0) resize(made, 0, linux.tree.now());
  if (made.kind === 'fifo' && (flags & o.O_PATH) === 0) return openFifo(linux, process, made, flags, place);
  const stream = made.kind === 'fifo' ? NOTHING : streamOf(linux, process, made, flags);
  if (typeof stream === 'string') return stream;
  return install(process, o.openFile(made, stream, flags, place));
};

function openProblem(inode: Inode, flags: number): Errno | undefined {
  const writes = (flags & o.O_ACCMODE) !== 0 || (flags & o.O_TRUNC) !== 0;
  if (inode.kind === 'symlink') return (flags & o.O_PATH) !== 0 ? undefined : 'ELOOP';
  if (inode.kind === 'directory') return writes || (flags & o.O_CREAT) !== 0 ? 'EISDIR' : undefined;
  if ((flags & o.O_DIRECTORY) !== 0) return 'ENOTDIR';
  return inode.kind === 'file' && writes && inode.runners > 0 ? 'ETXTBSY' : undefined;
}

function install(process: Process, file: o.OpenFile): Answer {
  const fd = process.fds.add(file, (file.flags & o.O_CLOEXEC) !== 0);
  if (typeof fd === 'string') file.stream.close?.();
  return fd;
}

const NOTHING: o.Stream = { seekable: false, read: () => 'EBADF', write: () => 'EBADF', poll: () => 0 };

function streamOf(linux: Linux, process: Process, inode: Exclude<Inode, Fifo>, flags: number): o.Stream | Errno {
  if ((flags & o.O_PATH) !== 0) return NOTHING;
  switch (inode.kind) {
    case 'file':
      return regularStream(inode, linux.tree.now);
    case 'computed':
      return computedStream(inode);
    case 'directory':
      return directoryStream(inode);
    case 'symlink':
      return 'ELOOP';
    case 'device':
      return deviceStream(linux, process, inode, flags);
  }
}

function deviceStream(linux: Linux, process: Process, { major, minor }: Device, flags: number): o.Stream | Errno {
  if (major === MEMORY_MAJOR) return memoryDevice(minor, linux.prng.stream('urandom')) ?? 'ENXIO';
  if (major !== TTY_MAJOR) return 'ENXIO';
  const { tty } = linux;
  if (minor === TTY_MINOR) return tty !== undefined && tty.session === process.sid ? tty : 'ENXIO';
  if (minor !== CONSOLE_MINOR) return 'ENXIO';
  if (tty?.session === 0 && process.sid === process.pid && (flags & o.O_NOCTTY) === 0) {
    tty.session = process.sid;
    tty.foreground = process.pgid;
  }
  return linux.console;
}

/** Opening a FIFO waits for a partner, unless O_NONBLOCK or O_RDWR. */
function* openFifo(linux: Linux, process: Process, inode: Fifo, flags: number, place: o.FileName): Sleeping {
  const { pipe } = inode;
  const mode = flags & o.O_ACCMODE;
  const ends = { reads: mode !== o.O_WRONLY, writes: mode !== 0 };
  if (mode === o.O_WRONLY && (flags & o.O_NONBLOCK) !== 0 && pipe.readers === 0) return 'ENXIO';
  const [readersBefore, writersBefore] = [pipe.readersEver, pipe.writersEver];
  const stream = pipeStream(pipe, ends);
  inode.atime = linux.tree.now();
  if ((flags & o.O_NONBLOCK) === 0 && mode !== o.O_RDWR) {
    const hasPartner = (): boolean =>
      mode === o.O_WRONLY ? pipe.readers > 0 || pipe.readersEver > readersBefore : pipe.writers > 0 || pipe.writersEver > writersBefore;
    if ((yield* sleepUntil(hasPartner)) === 'signal') {
      stream.close?.();
      return 'restart';
    }
  }
  return install(process, o.openFile(inode, stream, flags, place));
}

const pipe2: Handler = (linux, process, [address, flags]) => {
  if ((flags & ~(o.O_CLOEXEC | o.O_NONBLOCK)) !== 0) return 'EINVAL';
  const inode = linux.tree.newFifo(0o600, linux.pipeDevice);
  const [reader, writer] = [
    o.openFile(inode, pipeStream(inode.pipe, { reads: true, writes: false }), flags),
    o.openFile(inode, pipeStream(inode.pipe, { reads: false, writes: true }), flags | o.O_WRONLY),
  ];
  const closeOnExec = (flags & o.O_CLOEXEC) !== 0;
  const first = process.fds.add(reader, closeOnExec);
  if (typeof first === 'string') return first;
  const second = process.fds.add(writer, closeOnExec);
  if (typeof second === 'string') {
    process.fds.close(first);
    return second;
  }
  const bytes = new Uint8Array(8);
  viewOf(bytes).setInt32(0, first, true);
  viewOf(bytes).setInt32(4, second, true);
  if (writeUser(linux, process, address, bytes)) return 0;
  process.fds.close(first);
  process.fds.close(second);
  return 'EFAULT';
};

const dup3: Handler = (_linux, process, [from, to, flags]) => {
  if (from === to) return 'EINVAL';
  return withFile(process, from, (file) => process.fds.replace(to, file, (flags & o.O_CLOEXEC) !== 0));
};

const F = { DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, GETLK: 5, SETLK: 6, SETLKW: 7, DUPFD_CLOEXEC: 1030 } as const;
const FD_CLOEXEC = 1;

const fcntl: Handler = (_linux, process, [fd, command, argument]) => {
  const slot = process.fds.get(fd);
  if (slot === undefined) return 'EBADF';
  switch (command) {
    case F.DUPFD:
    case F.DUPFD_CLOEXEC:
      return process.fds.add(slot.file, command === F.DUPFD_CLOEXEC, argument);
    case F.GETFD:
      return slot.closeOnExec ? FD_CLOEXEC : 0;
    case F.SETFD:
      slot.closeOnExec = (argument & FD_CLOEXEC) !== 0;
      return 0;
    case F.GETFL:
      return slot.file.flags & ~(o.O_CREAT | o.O_EXCL | o.O_TRUNC | o.O_CLOEXEC | o.O_NOCTTY);
    case F.SETFL:
      slot.file.flags = (slot.file.flags & ~SETTABLE) | (argument & SETTABLE);
      return 0;
    // Record locks are not kept: every one is granted.
    case F.SETLK:
    case F.SETLKW:
      return 0;
    default:
      return 'EINVAL';
  }
};

const LOCK = { SHARED: 1, EXCLUSIVE: 2, NOBLOCK: 4, UNLOCK: 8 } as const;

/** Locks the file for an open file description; the lock goes with its last descriptor. */
function* flock(linux: Linux, process: Process, [fd, operation]: Args): Sleeping {
  const file = process.fds.file(fd);
  if (file === undefined) return 'EBADF';
  const kind = operation & ~LOCK.NOBLOCK;
  if (kind === LOCK.UNLOCK) {
    linux.locks.get(file.inode)?.delete(file);
    return 0;
  }
  if (kind !== LOCK.SHARED && kind !== LOCK.EXCLUSIVE) return 'EINVAL';
  const holders = linux.locks.get(file.inode) ?? new Map<o.OpenFile, 'shared' | 'exclusive'>();
  linux.locks.set(file.inode, holders);
  const isFree = (): boolean =>
    [...holders].every(([other, held]) => other === file || other.refs === 0 || (held === 'shared' && kind === LOCK.SHARED));
  if (!isFree() && (operation & LOCK.NOBLOCK) !== 0) return 'EAGAIN';
  if ((yield* sleepUntil(isFree)) === 'signal') return 'restart';
  for (const other of [...holders.keys()]) if (other.refs === 0) holders.delete(other);
  holders.set(file, kind === LOCK.SHARED ? 'shared' : 'exclusive');
  return 0;
}

/** Entries come in the order in which they were made; what is made while a directory is read does not show. */
const getdents64: Handler = (linux, process, [fd, address, lengthBytes]) =>
  withFile(process, fd, (file) => {
    const { inode } = file;
    if (inode.kind !== 'directory') return 'ENOTDIR';
    file.names ??= ['.', '..', ...inode.entries.keys()];
    const records: Uint8Array[] = [];
    let room = lengthBytes;
    for (; file.offset < file.names.length; file.offset++) {
      const name = file.names[file.offset]!;
      const entry = name === '.' ? inode : name === '..' ? inode.parent : childOf(inode, name);
      if (entry === undefined) continue;
      const record = encodeDirent(name, entry, file.offset + 1);
      if (record.length > room) break;
      records.push(record);
      room -= record.length;
    }
    if (records.length === 0) return file.offset < file.names.length ? 'EINVAL' : 0;
    const bytes = joined(records);
    return writeUser(linux, process, address, bytes) ? bytes.length : 'EFAULT';
  });

const closeRange: Handler = (_linux, process, [first, last, flags]) => {
  if (first > last || flags !== 0) return 'EINVAL';
  for (const fd of process.fds.numbers()) if (first <= fd && fd <= last) process.fds.close(fd);
  return 0;
};

export const DESCRIPTOR_CALLS: readonly CallRow[] = [
  [23, 'dup', (_linux, process, [fd]) => withFile(process, fd, (file) => process.fds.add(file, false))],
  [24, 'dup3', dup3],
  [25, 'fcntl', fcntl],
  [32, 'flock', flock],
  [56, 'openat', openat],
  [57, 'close', (_linux, process, [fd]) => process.fds.close(fd)],
  [59, 'pipe2', pipe2],
  [61, 'getdents64', getdents64],
  [436, 'close_range', closeRange],
];
