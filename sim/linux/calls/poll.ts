/** ppoll and pselect6: waiting for several files at once. */
import type { CallRow } from '../call.ts';
import type { Errno } from '../errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../fs/stream.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { decodeTimespec } from '../structs.ts';
import { readUser, viewOf, writeUser } from '../user-memory.ts';
import { isFromHost } from './io.ts';
import { maskForCall, readMask } from './signal-calls.ts';

const POLLNVAL = 0x20;
/** Always reported, whether asked for or not. */
const ALWAYS = POLLERR | POLLHUP | POLLNVAL;

interface Watched {
  readonly fd: number;
  readonly events: number;
}

function readyEvents(process: Process, { fd, events }: Watched): number {
  if (fd < 0) return 0;
  const file = process.fds.file(fd);
  return file === undefined ? POLLNVAL : file.stream.poll() & (events | ALWAYS);
}

const hasHostInput = (linux: Linux, process: Process, watched: readonly Watched[]): boolean =>
  watched.some(({ fd, events }) => {
    const file = process.fds.file(fd);
    return file !== undefined && (events & POLLIN) !== 0 && isFromHost(linux, file);
  });

/** The deadline of a timeout at `address`, `forever` for none. */
function deadlineAt(linux: Linux, process: Process, address: number): number | undefined | Errno {
  if (address === 0) return undefined;
  const bytes = readUser(linux, process, address, 16);
  if (bytes === undefined) return 'EFAULT';
  const span = decodeTimespec(bytes);
  return span === undefined ? 'EINVAL' : linux.clock.now() + span;
}

/** Waits until one of the files is ready, for as long as `deadline` and signals allow. */
function* waitForAny(linux: Linux, process: Process, watched: readonly Watched[], deadline: number | undefined): Sleeping {
  const count = (): number => watched.filter((one) => readyEvents(process, one) !== 0).length;
  const woken = yield* sleepUntil(() => count() > 0, { deadline, forInput: hasHostInput(linux, process, watched) });
  return woken === 'signal' ? 'EINTR' : count();
}

const POLLFD_BYTES = 8;
const FDS_MAX = 1024;

function* ppoll(linux: Linux, process: Process, [address, count, timeAddress, maskAddress]: Args): Sleeping {
  if (count < 0 || count > FDS_MAX) return 'EINVAL';
  const bytes = readUser(linux, process, address, count * POLLFD_BYTES);
  if (bytes === undefined) return 'EFAULT';
  const deadline = deadlineAt(linux, process, timeAddress);
  if (typeof deadline === 'string') return deadline;
  const mask = maskAddress === 0 ? undefined : readMask(linux, process, maskAddress);
  if (maskAddress !== 0 && mask === undefined) return 'EFAULT';
  if (mask !== undefined) maskForCall(process, mask);
  const view = viewOf(bytes);
  const watched = Array.from({ length: count }, (_, i) => ({
    fd: view.getInt32(i * POLLFD_BYTES, true),
    events: view.getInt16(i * POLLFD_BYTES + 4, true),
  }));
  const outcome = yield* waitForAny(linux, process, watched, deadline);
  if (typeof outcome === 'string') return outcome;
  watched.forEach((one, i) => view.setInt16(i * POLLFD_BYTES + 6, readyEvents(process, one), true));
  return writeUser(linux, process, address, bytes) ? outcome : 'EFAULT';
}

/** Sets of descriptors are bit arrays; the three sets ask for reading, writing and exceptions. */
function* pselect6(linux: Linux, process: Process, [count, ...rest]: Args): Sleeping {
  const [readAddress, writeAddress, exceptAddress, timeAddress, maskPointer] = rest;
  if (count < 0 || count > FDS_MAX) return 'EINVAL';
  const setBytes = Math.ceil(count / 64) * 8;
  const addresses = [readAddress, writeAddress, exceptAddress];
  const sets = addresses.map((address) => (address === 0 ? new Uint8Array(setBytes) : readUser(linux, process, address, setBytes)));
  if (sets.includes(undefined)) return 'EFAULT';
  const deadline = deadlineAt(linux, process, timeAddress);
  if (typeof deadline === 'string') return deadline;
  if (!useMask(linux, process, maskPointer)) return 'EFAULT';
  const has = (set: number, fd: number): boolean => ((sets[set]![fd >> 3]! >> (fd & 7)) & 1) !== 0;
  const watched = Array.from({ length: count }, (_, fd) => ({ fd, events: (has(0, fd) ? POLLIN : 0) | (has(1, fd) ? POLLOUT : 0) })).filter(
    ({ fd, events }) => events !== 0 || has(2, fd),
  );
  if (watched.some(({ fd }) => process.fds.file(fd) === undefined)) return 'EBADF';
  const outcome = yield* waitForAny(linux, process, watched, deadline);
  if (typeof outcome === 'string') return outcome;
  return answerSets(linux, process, addresses, watched, setBytes);
}

/** The last argument points to a pointer to the mask, which may be null. */
function useMask(linux: Linux, process: Process, pointer: number): boolean {
  const bytes = pointer === 0 ? undefined : readUser(linux, process, pointer, 16);
  if (bytes === undefined) return pointer === 0;
  const address = Number(viewOf(bytes).getBigInt64(0, true));
  const mask = address === 0 ? undefined : readMask(linux, process, address);
  if (mask !== undefined) maskForCall(process, mask);
  return address === 0 || mask !== undefined;
}

function answerSets(
  linux: Linux,
  process: Process,
  addresses: readonly number[],
  watched: readonly Watched[],
  setBytes: number,
): number | 'EFAULT' {
  let found = 0;
  const answers = addresses.map(() => new Uint8Array(setBytes));
  for (const one of watched) {
    const ready = readyEvents(process, one);
    const isReady = [
      (ready & (POLLIN | POLLHUP)) !== 0 && (one.events & POLLIN) !== 0,
      (ready & (POLLOUT | POLLERR)) !== 0 && (one.events & POLLOUT) !== 0,
    ];
    isReady.forEach((is, set) => {
      if (!is) return;
      answers[set]![one.fd >> 3]! |= 1 << (one.fd & 7);
      found++;
    });
  }
  const written = addresses.every((address, i) => address === 0 || writeUser(linux, process, address, answers[i]!));
  return written ? found : 'EFAULT';
}

export const POLL_CALLS: readonly CallRow[] = [
  [72, 'pselect6', pselect6],
  [73, 'ppoll', ppoll],
];
