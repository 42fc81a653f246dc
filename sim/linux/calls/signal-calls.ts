/** Calls about signals: actions, masks, sending, waiting, the alternate stack, and the way back from a handler. */
import type { CallRow, Handler } from '../call.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { SI_TKILL, SI_USER, forceSignal, isIgnored, sendSignal } from '../send-signal.ts';
import { encodeStack, popFrame } from '../signal-frame.ts';
import { maskOf, SIG_DFL, SIGNAL_MAX, SIGNALS, UNBLOCKABLE } from '../signal-numbers.ts';
import { isInterrupted } from '../signals.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { decodeTimespec } from '../structs.ts';
import { readUser, viewOf, writeIfAny, writeUser } from '../user-memory.ts';

const SIGSET_BYTES = 8;

const isSignal = (signal: number): boolean => Number.isInteger(signal) && signal >= 1 && signal <= SIGNAL_MAX;

/** Reads a signal set. @returns undefined for EFAULT */
export function readMask(linux: Linux, process: Process, address: number): bigint | undefined {
  const bytes = readUser(linux, process, address, SIGSET_BYTES);
  return bytes === undefined ? undefined : viewOf(bytes).getBigUint64(0, true);
}

const encodeMask = (mask: bigint): Uint8Array => {
  const bytes = new Uint8Array(SIGSET_BYTES);
  viewOf(bytes).setBigUint64(0, mask, true);
  return bytes;
};

/** struct sigaction of riscv64: handler, flags, mask; there is no restorer. */
const ACTION_BYTES = 24;

const sigaction: Handler = (linux, process, [signal, newAddress, oldAddress, setBytes]) => {
  if (!isSignal(signal) || setBytes !== SIGSET_BYTES) return 'EINVAL';
  const old = process.signals.actions.get(signal);
  const given = newAddress === 0 ? undefined : readUser(linux, process, newAddress, ACTION_BYTES);
  if (newAddress !== 0 && given === undefined) return 'EFAULT';
  if (given !== undefined) {
    if ((maskOf(signal) & UNBLOCKABLE) !== 0n) return 'EINVAL';
    const view = viewOf(given);
    const handler = Number(view.getBigUint64(0, true));
    process.signals.actions.set(signal, {
      handler,
      flags: view.getUint32(8, true),
      mask: view.getBigUint64(16, true) & ~UNBLOCKABLE,
    });
    if (isIgnored(process, signal)) process.signals.pending &= ~maskOf(signal);
  }
  const encodeOld = (): Uint8Array => {
    const bytes = new Uint8Array(ACTION_BYTES);
    viewOf(bytes).setBigUint64(0, BigInt(old?.handler ?? SIG_DFL), true);
    viewOf(bytes).setUint32(8, old?.flags ?? 0, true);
    viewOf(bytes).setBigUint64(16, old?.mask ?? 0n, true);
    return bytes;
  };
  return writeIfAny(linux, process, oldAddress, encodeOld) ? 0 : 'EFAULT';
};

const HOW = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const;

const sigprocmask: Handler = (linux, process, [how, newAddress, oldAddress, setBytes]) => {
  if (setBytes !== SIGSET_BYTES) return 'EINVAL';
  const { signals } = process;
  const old = signals.mask;
  if (newAddress !== 0) {
    const given = readMask(linux, process, newAddress);
    if (given === undefined) return 'EFAULT';
    if (how === HOW.BLOCK) signals.mask = old | given;
    else if (how === HOW.UNBLOCK) signals.mask = old & ~given;
    else if (how === HOW.SETMASK) signals.mask = given;
    else return 'EINVAL';
    signals.mask &= ~UNBLOCKABLE;
  }
  return writeIfAny(linux, process, oldAddress, () => encodeMask(old)) ? 0 : 'EFAULT';
};

/** Sets a mask for the time of one call. */
export function maskForCall({ signals }: Process, mask: bigint): void {
  signals.maskAfterCall = signals.mask;
  signals.mask = mask & ~UNBLOCKABLE;
}

function* sigsuspend(linux: Linux, process: Process, [address]: Args): Sleeping {
  const mask = readMask(linux, process, address);
  if (mask === undefined) return 'EFAULT';
  maskForCall(process, mask);
  yield* sleepUntil(() => isInterrupted(process));
  return 'EINTR';
}

function* sigtimedwait(linux: Linux, process: Process, [setAddress, infoAddress, timeAddress]: Args): Sleeping {
  const set = readMask(linux, process, setAddress);
  const time = timeAddress === 0 ? undefined : readUser(linux, process, timeAddress, 16);
  if (set === undefined || (timeAddress !== 0 && time === undefined)) return 'EFAULT';
  const span = time === undefined ? undefined : decodeTimespec(time);
  if (time !== undefined && span === undefined) return 'EINVAL';
  const { signals } = process;
  const deadline = span === undefined ? undefined : linux.clock.now() + span;
  const woken = yield* sleepUntil(() => (signals.pending & set) !== 0n, { deadline });
  const signal = Array.from({ length: SIGNAL_MAX }, (_, i) => i + 1).find((one) => (signals.pending & set & maskOf(one)) !== 0n);
  if (signal === undefined) return woken === 'signal' ? 'EINTR' : 'EAGAIN';
  signals.pending &= ~maskOf(signal);
  const info = new Uint8Array(128);
  viewOf(info).setInt32(0, signal, true);
  viewOf(info).setInt32(8, signals.infos.get(signal)?.code ?? SI_USER, true);
  viewOf(info).setInt32(16, signals.infos.get(signal)?.pid ?? 0, true);
  return writeIfAny(linux, process, infoAddress, () => info) ? signal : 'EFAULT';
}

/** The processes that kill's first argument means; -1 is everybody but process 1 and the caller. */
function targetsOf(linux: Linux, process: Process, pid: number): readonly Process[] {
  const all = [...linux.processes.values()];
  if (pid > 0) return all.filter((other) => other.pid === pid);
  if (pid === -1) return all.filter((other) => other.pid !== 1 && other !== process);
  const group = pid === 0 ? process.pgid : -pid;
  return all.filter((other) => other.pgid === group);
}

const kill: Handler = (linux, process, [pid, signal]) => {
  if (signal !== 0 && !isSignal(signal)) return 'EINVAL';
  const targets = targetsOf(linux, process, pid | 0);
  if (targets.length === 0) return 'ESRCH';
  if (signal !== 0) for (const target of targets) sendSignal(linux, target, { signal, code: SI_USER, pid: process.pid });
  return 0;
};

const toThread = (linux: Linux, process: Process, tid: number, signal: number): 0 | 'EINVAL' | 'ESRCH' => {
  if (tid <= 0 || (signal !== 0 && !isSignal(signal))) return 'EINVAL';
  const target = linux.processes.get(tid);
  if (target === undefined) return 'ESRCH';
  if (signal !== 0) sendSignal(linux, target, { signal, code: SI_TKILL, pid: process.pid });
  return 0;
};

const STACK_BYTES = 24;
const SS_DISABLE = 2;
const MINSIGSTKSZ = 2048;

const sigaltstack: Handler = (linux, process, [newAddress, oldAddress]) => {
  const { signals } = process;
  const old = new Uint8Array(STACK_BYTES);
  encodeStack(viewOf(old), 0, signals.alternateStack, Number(linux.hart.registers.x[2]!));
  const given = newAddress === 0 ? undefined : readUser(linux, process, newAddress, STACK_BYTES);
  if (newAddress !== 0 && given === undefined) return 'EFAULT';
  if (given !== undefined) {
    const view = viewOf(given);
    if ((viewOf(old).getUint32(8, true) & 1) !== 0) return 'EPERM';
    const lengthBytes = Number(view.getBigUint64(16, true));
    const isOff = (view.getUint32(8, true) & SS_DISABLE) !== 0;
    if (!isOff && lengthBytes < MINSIGSTKSZ) return 'ENOMEM';
    signals.alternateStack = isOff ? undefined : { address: Number(view.getBigUint64(0, true)), lengthBytes };
  }
  return writeIfAny(linux, process, oldAddress, () => old) ? 0 : 'EFAULT';
};

const sigreturn: Handler = (linux, process) => {
  if (!popFrame(linux, process)) forceSignal(linux, process, { signal: SIGNALS.SIGSEGV, code: SI_USER });
  return 'done';
};

const sigpending: Handler = (linux, process, [address]) =>
  writeUser(linux, process, address, encodeMask(process.signals.pending & process.signals.mask)) ? 0 : 'EFAULT';

export const SIGNAL_CALLS: readonly CallRow[] = [
  [129, 'kill', kill],
  [130, 'tkill', (linux, process, [tid, signal]) => toThread(linux, process, tid, signal)],
  [131, 'tgkill', (linux, process, [, tid, signal]) => toThread(linux, process, tid, signal)],
  [132, 'sigaltstack', sigaltstack],
  [133, 'rt_sigsuspend', sigsuspend],
  [134, 'rt_sigaction', sigaction],
  [135, 'rt_sigprocmask', sigprocmask],
  [136, 'rt_sigpending', sigpending],
  [137, 'rt_sigtimedwait', sigtimedwait],
  [139, 'rt_sigreturn', sigreturn],
];
