/** Calls that move bytes: read, write and their kin, lseek, sendfile. */
import type { CallRow, Handler } from '../call.ts';
import type { Answer, Errno } from '../errno.ts';
import { sizeOf } from '../fs/inode.ts';
import { resize } from '../fs/regular.ts';
import { blocks, mayRead, mayWrite, O_APPEND, POLLERR, POLLHUP, POLLIN, POLLOUT, type OpenFile } from '../fs/stream.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { sendSignal, SI_USER } from '../send-signal.ts';
import { SIGNALS } from '../signal-numbers.ts';
import { sleepUntil, type Outcome, type Sleep, type Sleeping, type Woken } from '../sleep.ts';
import { readUser, viewOf, writeUser } from '../user-memory.ts';
import { backgroundProblem } from './terminal.ts';
import { withFile } from './files-of.ts';

/** One call moves at most this many bytes, and answers how many it were. */
const TRANSFER_BYTES_MAX = 2 ** 24;
const SENDFILE_STEP_BYTES = 65536;
const IOV_MAX = 1024;

type Taken = Uint8Array | Errno | 'restart';

/** Takes bytes from a file, waiting if it blocks. @param at - the offset; undefined for the file's position, which moves */
function* takeBytes(linux: Linux, process: Process, file: OpenFile, lengthBytes: number, at?: number): Generator<Sleep, Taken, Woken> {
  for (;;) {
    const problem = backgroundProblem(linux, process, file.stream, 'SIGTTIN');
    if (problem !== undefined) return problem;
    const bytes = file.stream.read(at ?? file.offset, Math.min(lengthBytes, TRANSFER_BYTES_MAX));
    if (typeof bytes !== 'string') {
      if (at === undefined && file.stream.seekable) file.offset += bytes.length;
      return bytes;
    }
    if (bytes !== 'EAGAIN' || !blocks(file)) return bytes;
    const isReady = (): boolean => (file.stream.poll() & (POLLIN | POLLHUP)) !== 0;
    if ((yield* sleepUntil(isReady, { forInput: isFromHost(linux, file) })) === 'signal') return 'restart';
  }
}

export const isFromHost = (linux: Linux, { stream }: OpenFile): boolean => stream === linux.tty || stream === linux.input;

/** Gives bytes to a file until it has all, waiting if it blocks. @returns how many it took */
function* giveBytes(linux: Linux, process: Process, file: OpenFile, bytes: Uint8Array, at?: number): Sleeping {
  for (let done = 0; ;) {
    const problem = backgroundProblem(linux, process, file.stream, 'SIGTTOU');
    if (problem !== undefined) return problem;
    if (at === undefined && file.stream.seekable && (file.flags & O_APPEND) !== 0) file.offset = sizeOf(file.inode);
    const taken = file.stream.write((at ?? file.offset) + (at === undefined ? 0 : done), bytes.subarray(done));
    if (typeof taken === 'number') {
      done += taken;
      if (at === undefined && file.stream.seekable) file.offset += taken;
      if (done >= bytes.length) return done;
    } else if (taken === 'EAGAIN' && blocks(file)) {
      const woken = yield* sleepUntil(() => (file.stream.poll() & (POLLOUT | POLLERR)) !== 0);
      if (woken === 'signal') return done > 0 ? done : 'restart';
    } else {
      if (taken === 'EPIPE' && done === 0) sendSignal(linux, process, { signal: SIGNALS.SIGPIPE, code: SI_USER, pid: process.pid });
      return done > 0 ? done : taken;
    }
  }
}

interface Vector {
  readonly address: number;
  readonly length: number;
}

function vectorsAt(linux: Linux, process: Process, address: number, count: number): readonly Vector[] | Errno {
  if (count < 0 || count > IOV_MAX) return 'EINVAL';
  const bytes = readUser(linux, process, address, count * 16);
  if (bytes === undefined) return 'EFAULT';
  const view = viewOf(bytes);
  const vectors = Array.from({ length: count }, (_, i) => ({
    address: Number(view.getBigInt64(i * 16, true)),
    length: Number(view.getBigInt64(i * 16 + 8, true)),
  }));
  return vectors.some(({ length }) => length < 0) ? 'EINVAL' : vectors;
}

function* readInto(linux: Linux, process: Process, fd: number, vectors: readonly Vector[], at?: number): Sleeping {
  const file = process.fds.file(fd);
  if (file === undefined || !mayRead(file)) return 'EBADF';
  if (at !== undefined && !file.stream.seekable) return 'ESPIPE';
  if (at !== undefined && at < 0) return 'EINVAL';
  const wanted = vectors.reduce((sum, { length }) => sum + length, 0);
  const bytes = yield* takeBytes(linux, process, file, wanted, at);
  if (typeof bytes === 'string') return bytes;
  let done = 0;
  for (const { address, length } of vectors) {
    const piece = bytes.subarray(done, done + length);
    if (piece.length > 0 && !writeUser(linux, process, address, piece)) return done > 0 ? done : 'EFAULT';
    done += piece.length;
  }
  return done;
}

function* writeFrom(linux: Linux, process: Process, fd: number, vectors: readonly Vector[], at?: number): Sleeping {
  const file = process.fds.file(fd);
  if (file === undefined || !mayWrite(file)) return 'EBADF';
  if (at !== undefined && !file.stream.seekable) return 'ESPIPE';
  if (at !== undefined && at < 0) return 'EINVAL';
  const pieces: Uint8Array[] = [];
  let room = TRANSFER_BYTES_MAX;
  for (const { address, length } of vectors) {
    const piece = readUser(linux, process, address, Math.min(length, room));
    if (piece === undefined) return 'EFAULT';
    pieces.push(piece);
    room -= piece.length;
  }
  return yield* giveBytes(linux, process, file, joined(pieces), at);
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

const one = (address: number, length: number): readonly Vector[] => [
  { address, length: Math.min(Math.max(length, 0), TRANSFER_BYTES_MAX) },
];

const vectored =
  (move: typeof readInto, isAt: boolean): Handler =>
  (linux, process, [fd, address, count, offset]) => {
    const vectors = vectorsAt(linux, process, address, count);
    return typeof vectors === 'string' ? vectors : move(linux, process, fd, vectors, isAt ? offset : undefined);
  };

const SEEK = { SET: 0, CUR: 1, END: 2 } as const;

const lseek: Handler = (_linux, process, [fd, offset, whence]) =>
  withFile(process, fd, (file) => {
    if (!file.stream.seekable) return 'ESPIPE';
    const base = whence === SEEK.SET ? 0 : whence === SEEK.CUR ? file.offset : whence === SEEK.END ? sizeOf(file.inode) : undefined;
    if (base === undefined || base + offset < 0) return 'EINVAL';
    file.offset = base + offset;
    file.names = undefined;
    return file.offset;
  });

function* sendfile(linux: Linux, process: Process, [outFd, inFd, offsetAddress, count]: Parameters<Handler>[2]): Sleeping {
  const [from, to] = [process.fds.file(inFd), process.fds.file(outFd)];
  if (from === undefined || to === undefined || !mayRead(from) || !mayWrite(to)) return 'EBADF';
  if (from.inode.kind !== 'file') return 'EINVAL';
  const start = offsetAddress === 0 ? undefined : readUser(linux, process, offsetAddress, 8);
  if (offsetAddress !== 0 && start === undefined) return 'EFAULT';
  const first = start === undefined ? from.offset : Number(viewOf(start).getBigInt64(0, true));
  let done = 0;
  let outcome: Outcome = 0;
  while (done < count) {
    const bytes = from.stream.read(first + done, Math.min(SENDFILE_STEP_BYTES, count - done));
    if (typeof bytes === 'string') return bytes;
    if (bytes.length === 0) break;
    outcome = yield* giveBytes(linux, process, to, bytes);
    if (typeof outcome !== 'number') break;
    done += outcome;
    if (outcome < bytes.length) break;
  }
  if (done === 0 && typeof outcome === 'string') return outcome;
  if (start === undefined) from.offset = first + done;
  else {
    viewOf(start).setBigInt64(0, BigInt(first + done), true);
    if (!writeUser(linux, process, offsetAddress, start)) return 'EFAULT';
  }
  return done;
}

const truncateFile = (linux: Linux, { inode }: Pick<OpenFile, 'inode'>, size: number): Answer => {
  if (inode.kind === 'directory') return 'EISDIR';
  if (inode.kind !== 'file') return 'EINVAL';
  return inode.runners > 0 ? 'ETXTBSY' : resize(inode, size, linux.tree.now());
};

const ftruncate: Handler = (linux, process, [fd, size]) =>
  withFile(process, fd, (file) => (mayWrite(file) ? truncateFile(linux, file, size) : 'EINVAL'));

const FALLOC_FL_KEEP_SIZE = 1;

const fallocate: Handler = (linux, process, [fd, mode, offset, length]) =>
  withFile(process, fd, (file) => {
    if (!mayWrite(file)) return 'EBADF';
    if (offset < 0 || length <= 0) return 'EINVAL';
    if ((mode & ~FALLOC_FL_KEEP_SIZE) !== 0) return 'EOPNOTSUPP';
    if (file.inode.kind !== 'file') return 'ENODEV';
    if (mode === FALLOC_FL_KEEP_SIZE || offset + length <= sizeOf(file.inode)) return 0;
    return truncateFile(linux, file, offset + length);
  });

/** Nothing is ever lost here. */
const sync: Handler = (_linux, process, [fd]) => withFile(process, fd, () => 0);

export const IO_CALLS: readonly CallRow[] = [
  [46, 'ftruncate', ftruncate],
  [47, 'fallocate', fallocate],
  [62, 'lseek', lseek],
  [63, 'read', (linux, process, [fd, address, length]) => readInto(linux, process, fd, one(address, length))],
  [64, 'write', (linux, process, [fd, address, length]) => writeFrom(linux, process, fd, one(address, length))],
  [65, 'readv', vectored(readInto, false)],
  [66, 'writev', vectored(writeFrom, false)],
  [67, 'pread64', (linux, process, [fd, address, length, offset]) => readInto(linux, process, fd, one(address, length), offset)],
  [68, 'pwrite64', (linux, process, [fd, address, length, offset]) => writeFrom(linux, process, fd, one(address, length), offset)],
  [69, 'preadv', vectored(readInto, true)],
  [70, 'pwritev', vectored(writeFrom, true)],
  [71, 'sendfile', sendfile],
  [81, 'sync', () => 0],
  [82, 'fsync', sync],
  [83, 'fdatasync', sync],
  [223, 'fadvise64', sync],
  [267, 'syncfs', sync],
];
