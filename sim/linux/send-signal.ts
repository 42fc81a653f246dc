/**
 * Sending signals. The receiver acts on them itself, when it is on the CPU (signals.ts); only stopping and going on are at once.
 *
 * Standard signals do not queue; real-time signals are treated as standard ones.
 *
 * @see signal(7), kill(2); POSIX.1-2017 section 2.4
 */
import { living, type Linux } from './linux.ts';
import type { Process, SignalInfo } from './process.ts';
import { defaultAction, maskOf, maskOfAll, SIG_DFL, SIG_IGN, SIGNALS, STOPPING } from './signal-numbers.ts';

export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_TKILL = -6;

const SIGCONT_BIT = maskOfAll('SIGCONT');
const SA_NOCLDSTOP = 1;
const SA_NOCLDWAIT = 2;
/** si_code of SIGCHLD. */
const CLD = { exited: 1, killed: 2, stopped: 5, continued: 6 } as const;

export const handlerOf = ({ signals }: Process, signal: number): number => signals.actions.get(signal)?.handler ?? SIG_DFL;

export function isIgnored(process: Process, signal: number): boolean {
  const handler = handlerOf(process, signal);
  return handler === SIG_IGN || (handler === SIG_DFL && defaultAction(signal) === 'ignore');
}

/** Sends a signal. One that the process ignores and does not block is gone at once. */
export function sendSignal(linux: Linux, target: Process, info: SignalInfo): void {
  if (target.state === 'zombie') return;
  const { signals } = target;
  const bit = maskOf(info.signal);
  if (info.signal === SIGNALS.SIGCONT) proceed(linux, target);
  if (info.signal === SIGNALS.SIGKILL && target.state === 'stopped') target.state = 'live';
  if ((bit & STOPPING) !== 0n) signals.pending &= ~SIGCONT_BIT;
  if (isIgnored(target, info.signal) && (signals.mask & bit) === 0n) return;
  if ((signals.pending & bit) !== 0n) return;
  signals.pending |= bit;
  signals.infos.set(info.signal, info);
}

/** Sends a signal that the process cannot put off, such as a fault's: if it blocks or ignores it, it dies of it. */
export function forceSignal(linux: Linux, target: Process, info: SignalInfo): void {
  const { signals } = target;
  const bit = maskOf(info.signal);
  if ((signals.mask & bit) !== 0n || handlerOf(target, info.signal) === SIG_IGN) {
    signals.mask &= ~bit;
    signals.actions.delete(info.signal);
  }
  sendSignal(linux, target, info);
}

/** Sends to every process of a group. @returns how many there were */
export function signalGroup(linux: Linux, pgid: number, info: SignalInfo): number {
  const members = living(linux).filter((process) => process.pgid === pgid);
  for (const process of members) sendSignal(linux, process, info);
  return members.length;
}

/** A stopped process goes on. */
function proceed(linux: Linux, target: Process): void {
  target.signals.pending &= ~STOPPING;
  if (target.state !== 'stopped') return;
  target.state = 'live';
  target.news = 'continued';
  tellParent(linux, target, 'continued');
}

/** Sends SIGCHLD. A parent that ignores it never sees its zombies: they are gone at once. */
export function tellParent(linux: Linux, child: Process, news: 'ended' | 'stopped' | 'continued'): void {
  const parent = linux.processes.get(child.parent);
  if (parent === undefined || parent.state === 'zombie') return;
  const action = parent.signals.actions.get(SIGNALS.SIGCHLD);
  const flags = action?.flags ?? 0;
  if (news !== 'ended' && (flags & SA_NOCLDSTOP) !== 0) return;
  sendSignal(linux, parent, { signal: SIGNALS.SIGCHLD, pid: child.pid, ...codeOf(child, news) });
  if (news === 'ended' && (action?.handler === SIG_IGN || (flags & SA_NOCLDWAIT) !== 0)) linux.processes.delete(child.pid);
}

function codeOf({ exitStatus, stopSignal }: Process, news: 'ended' | 'stopped' | 'continued'): Pick<SignalInfo, 'code' | 'status'> {
  if (news === 'stopped') return { code: CLD.stopped, status: stopSignal };
  if (news === 'continued') return { code: CLD.continued, status: SIGNALS.SIGCONT };
  const signal = exitStatus & 0x7f;
  return signal === 0 ? { code: CLD.exited, status: exitStatus >> 8 } : { code: CLD.killed, status: signal };
}
