/** ioctl: the terminal's settings, window size, sessions and foreground group, and the few requests that every file knows. */
import type { CallRow, Handler } from '../call.ts';
import type { Answer, Errno } from '../errno.ts';
import { sizeOf } from '../fs/inode.ts';
import { O_NONBLOCK, type OpenFile, type Stream } from '../fs/stream.ts';
import { groupExists, type Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { isIgnored, SI_KERNEL, signalGroup } from '../send-signal.ts';
import { maskOf, SIGNALS } from '../signal-numbers.ts';
import { decodeTermios, encodeTermios, TERMIOS2_BYTES, TERMIOS_BYTES, TOSTOP } from '../termios.ts';
import type { Tty } from '../tty.ts';
import { readUser, viewOf, writeUser } from '../user-memory.ts';

/**
 * May a process use its terminal now? One in the background is stopped, or gets EIO where it cannot be.
 *
 * @returns undefined if it may; `restart` if its group has been sent the signal
 */
export function backgroundProblem(
  linux: Linux,
  process: Process,
  stream: Stream,
  name: 'SIGTTIN' | 'SIGTTOU',
  isControl = false,
): 'restart' | 'EIO' | undefined {
  const { tty } = linux;
  if (tty === undefined || stream !== tty || tty.session !== process.sid || tty.foreground === process.pgid) return undefined;
  if (name === 'SIGTTOU' && !isControl && (tty.termios.lflag & TOSTOP) === 0) return undefined;
  const signal = SIGNALS[name];
  if (isIgnored(process, signal) || (process.signals.mask & maskOf(signal)) !== 0n) return name === 'SIGTTIN' ? 'EIO' : undefined;
  signalGroup(linux, process.pgid, { signal, code: SI_KERNEL });
  return 'restart';
}

type Request = (linux: Linux, process: Process, tty: Tty, argument: number) => Answer | 'restart';

const int32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
};

function readInt32(linux: Linux, process: Process, address: number): number | undefined {
  const bytes = readUser(linux, process, address, 4);
  return bytes === undefined ? undefined : viewOf(bytes).getInt32(0, true);
}

const put = (linux: Linux, process: Process, address: number, bytes: Uint8Array): 0 | Errno =>
  writeUser(linux, process, address, bytes) ? 0 : 'EFAULT';

const getTermios =
  (lengthBytes: number): Request =>
  (linux, process, tty, address) =>
    put(linux, process, address, encodeTermios(tty.termios).subarray(0, lengthBytes));

/** @param flushes - input that was not read is thrown away (TCSETSF) */
const setTermios =
  (lengthBytes: number, flushes: boolean): Request =>
  (linux, process, tty, address) => {
    const problem = backgroundProblem(linux, process, tty, 'SIGTTOU', true);
    if (problem !== undefined) return problem;
    const bytes = readUser(linux, process, address, lengthBytes);
    if (bytes === undefined) return 'EFAULT';
    if (flushes) tty.flushInput();
    tty.set(decodeTermios(bytes));
    return 0;
  };

const becomeControlling: Request = (_linux, process, tty) => {
  if (tty.session === process.sid) return 0;
  if (process.sid !== process.pid || tty.session !== 0) return 'EPERM';
  tty.session = process.sid;
  tty.foreground = process.pgid;
  return 0;
};

const setForeground: Request = (linux, process, tty, address) => {
  if (tty.session !== process.sid) return 'ENOTTY';
  const problem = backgroundProblem(linux, process, tty, 'SIGTTOU', true);
  if (problem !== undefined) return problem;
  const pgid = readInt32(linux, process, address);
  if (pgid === undefined) return 'EFAULT';
  if (!groupExists(linux, pgid)) return 'ESRCH';
  tty.foreground = pgid;
  return 0;
};

function windowSize({ size: { rows, columns } }: Tty): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setUint16(0, rows, true);
  viewOf(bytes).setUint16(2, columns, true);
  return bytes;
}

const setWindowSize: Request = (linux, process, tty, address) => {
  const bytes = readUser(linux, process, address, 8);
  if (bytes === undefined) return 'EFAULT';
  tty.size = { rows: viewOf(bytes).getUint16(0, true), columns: viewOf(bytes).getUint16(2, true) };
  signalGroup(linux, tty.foreground, { signal: SIGNALS.SIGWINCH, code: SI_KERNEL });
  return 0;
};

const leave: Request = (_linux, process, tty) => {
  if (tty.session !== process.sid) return 'ENOTTY';
  if (process.sid === process.pid) tty.session = tty.foreground = 0;
  return 0;
};

const REQUESTS: ReadonlyMap<number, Request> = new Map<number, Request>([
  /* TCGETS, TCGETS2 */ [0x5401, getTermios(TERMIOS_BYTES)],
  [0x802c_542a, getTermios(TERMIOS2_BYTES)],
  /* TCSETS, TCSETSW, TCSETSF, and the same with termios2 */ [0x5402, setTermios(TERMIOS_BYTES, false)],
  [0x5403, setTermios(TERMIOS_BYTES, false)],
  [0x5404, setTermios(TERMIOS_BYTES, true)],
  [0x402c_542b, setTermios(TERMIOS2_BYTES, false)],
  [0x402c_542c, setTermios(TERMIOS2_BYTES, false)],
  [0x402c_542d, setTermios(TERMIOS2_BYTES, true)],
  /* TCSBRK */ [0x5409, () => 0],
  /* TCXONC */ [0x540a, () => 0],
  /* TCFLSH: 0 is input, 1 output, 2 both */
  [
    0x540b,
    (_linux, _process, tty, queue) => {
      if (queue !== 1) tty.flushInput();
      return 0;
    },
  ],
  /* TIOCSCTTY */ [0x540e, becomeControlling],
  /* TIOCGPGRP */
  [
    0x540f,
    (linux, process, tty, address) => (tty.session === process.sid ? put(linux, process, address, int32(tty.foreground)) : 'ENOTTY'),
  ],
  /* TIOCSPGRP */ [0x5410, setForeground],
  /* TIOCGWINSZ */ [0x5413, (linux, process, tty, address) => put(linux, process, address, windowSize(tty))],
  /* TIOCSWINSZ */ [0x5414, setWindowSize],
  /* TIOCNOTTY */ [0x5422, leave],
  /* TIOCGSID */
  [0x5429, (linux, process, tty, address) => (tty.session === process.sid ? put(linux, process, address, int32(tty.session)) : 'ENOTTY')],
]);

const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;

const ioctl: Handler = (linux, process, [fd, requested, argument]) => {
  const request = requested >>> 0;
  const slot = process.fds.get(fd);
  if (slot === undefined) return 'EBADF';
  const { file } = slot;
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      slot.closeOnExec = request === FIOCLEX;
      return 0;
    case FIONBIO: {
      const isOn = readInt32(linux, process, argument);
      if (isOn === undefined) return 'EFAULT';
      file.flags = isOn !== 0 ? file.flags | O_NONBLOCK : file.flags & ~O_NONBLOCK;
      return 0;
    }
    case FIONREAD: {
      const waiting = readableBytes(linux, file);
      return waiting === undefined ? 'ENOTTY' : put(linux, process, argument, int32(waiting));
    }
    default: {
      const act = linux.tty !== undefined && file.stream === linux.tty ? REQUESTS.get(request) : undefined;
      return act === undefined ? 'ENOTTY' : act(linux, process, linux.tty!, argument);
    }
  }
};

function readableBytes(linux: Linux, { inode, stream, offset }: OpenFile): number | undefined {
  if (stream === linux.tty) return linux.tty.readableBytes();
  if (stream === linux.input) return linux.input.readableBytes();
  if (inode.kind === 'fifo') return inode.pipe.length;
  return inode.kind === 'file' ? Math.max(0, sizeOf(inode) - offset) : undefined;
}

export const TERMINAL_CALLS: readonly CallRow[] = [[29, 'ioctl', ioctl]];
