/**
 * Who runs next, on one CPU: round robin in order of pids, starting behind the one that ran last.
 *
 * A sleeper is looked at whenever somebody else is chosen; there is no queue to keep in step. When everybody sleeps, time goes on
 * to the next deadline.
 */
import { living, type Linux } from './linux.ts';
import type { Process } from './process.ts';
import { sendSignal, SI_KERNEL } from './send-signal.ts';
import { SIGNALS } from './signal-numbers.ts';
import { deliverable } from './signals.ts';

/** The next process that can go on, or undefined if all wait. */
export function chooseNext(linux: Linux): Process | undefined {
  const last = linux.current?.pid ?? 0;
  const now = linux.clock.now();
  let first: Process | undefined;
  for (const process of linux.processes.values()) {
    if (!canGoOn(process, now)) continue;
    if (process.pid > last) return process;
    first ??= process;
  }
  return first;
}

function canGoOn(process: Process, now: number): boolean {
  if (process.state !== 'live') return false;
  const { call } = process;
  if (call === undefined) return true;
  if (call.sleep.isReady() || (call.sleep.deadline !== undefined && call.sleep.deadline <= now)) return true;
  return call.sleep.uninterruptible !== true && deliverable(process) !== 0n;
}

/** The earliest time at which something happens by itself: an alarm, or the end of a sleep; Infinity for never. */
export function nextDeadline(linux: Linux): number {
  let next = Infinity;
  for (const { alarm, call, state } of living(linux)) {
    next = Math.min(next, alarm?.at ?? Infinity);
    if (state === 'live') next = Math.min(next, call?.sleep.deadline ?? Infinity);
  }
  return next;
}

/** Sends SIGALRM for every interval timer that has run down. */
export function ringAlarms(linux: Linux): void {
  const now = linux.clock.now();
  for (const process of living(linux)) {
    const { alarm } = process;
    if (alarm === undefined || alarm.at > now) continue;
    const missed = alarm.interval > 0 ? Math.floor((now - alarm.at) / alarm.interval) + 1 : 0;
    process.alarm = missed > 0 ? { at: alarm.at + missed * alarm.interval, interval: alarm.interval } : undefined;
    sendSignal(linux, process, { signal: SIGNALS.SIGALRM, code: SI_KERNEL });
  }
}
