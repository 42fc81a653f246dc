/**
 * What a process does about its pending signals, when it is on the CPU and about to go on in user mode.
 *
 * @see signal(7); Linux kernel/signal.c get_signal
 */
import { endProcess } from './exit.ts';
import type { Linux } from './linux.ts';
import type { Process, SignalInfo } from './process.ts';
import { forceSignal, handlerOf, SI_KERNEL, SI_USER, tellParent } from './send-signal.ts';
import { pushFrame } from './signal-frame.ts';
import { defaultAction, maskOf, maskOfAll, SIG_DFL, SIG_IGN, SIGNAL_MAX, SIGNALS, UNBLOCKABLE } from './signal-numbers.ts';

/** Signals of a fault come before others. */
const SYNCHRONOUS = maskOfAll('SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGTRAP', 'SIGFPE', 'SIGSYS');

/** Signals that wait and are not blocked, as a mask. */
export const deliverable = ({ signals }: Process): bigint => signals.pending & ~(signals.mask & ~UNBLOCKABLE);

/** Is there a signal that ends a sleep: one with a handler, or a deadly one? */
export function isInterrupted(process: Process): boolean {
  const waiting = deliverable(process);
  if (waiting === 0n) return false;
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) {
    if ((waiting & maskOf(signal)) === 0n) continue;
    const handler = handlerOf(process, signal);
    if (handler === SIG_IGN) continue;
    if (handler !== SIG_DFL || defaultAction(signal) === 'end' || defaultAction(signal) === 'crash') return true;
  }
  return false;
}

/** Acts on the pending signals of the process that is on the CPU; afterwards it may be stopped or gone. */
export function actOnSignals(linux: Linux, process: Process): void {
  actOnPending(linux, process);
  const { signals } = process;
  if (process.call === undefined && signals.maskAfterCall !== undefined) {
    signals.mask = signals.maskAfterCall;
    signals.maskAfterCall = undefined;
    actOnPending(linux, process);
  }
  process.restarts = false;
}

function actOnPending(linux: Linux, process: Process): void {
  const { signals } = process;
  while (process.state === 'live') {
    const waiting = deliverable(process);
    if (waiting === 0n) return;
    const signal = firstOf((waiting & SYNCHRONOUS) !== 0n ? waiting & SYNCHRONOUS : waiting);
    signals.pending &= ~maskOf(signal);
    actOn(linux, process, signals.infos.get(signal) ?? { signal, code: SI_USER });
  }
}

function actOn(linux: Linux, process: Process, info: SignalInfo): void {
  const handler = handlerOf(process, info.signal);
  if (handler === SIG_IGN) return;
  if (handler !== SIG_DFL) {
    // As Linux's force_sigsegv: there may be a handler for that, on another stack.
    if (pushFrame(linux, process, info)) return;
    if (info.signal === SIGNALS.SIGSEGV) endProcess(linux, process, { signal: SIGNALS.SIGSEGV });
    else forceSignal(linux, process, { signal: SIGNALS.SIGSEGV, code: SI_KERNEL });
    return;
  }
  const action = defaultAction(info.signal);
  if (action === 'stop') stop(linux, process, info.signal);
  else if (action !== 'ignore') endProcess(linux, process, info);
}

function stop(linux: Linux, process: Process, signal: number): void {
  process.state = 'stopped';
  process.stopSignal = signal;
  process.news = 'stopped';
  tellParent(linux, process, 'stopped');
}

function firstOf(mask: bigint): number {
  for (let signal = 1; ; signal++) if ((mask & maskOf(signal)) !== 0n) return signal;
}
