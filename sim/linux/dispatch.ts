/** From an ecall to its answer: looks the call up, runs it, and goes on with those that had to wait. */
import { CALLS } from './calls/table.ts';
import { encodeAnswer } from './errno.ts';
import { notKnown, type Linux } from './linux.ts';
import type { Process } from './process.ts';
import { isInterrupted } from './signals.ts';
import type { Args, CallRecord, Outcome, Sleeping, Woken } from './sleep.ts';

const A0 = 10;
const A7 = 17;
/** Calls that a process's history keeps. */
const HISTORY_MAX = 16;
const ECALL_BYTES = 4n;

/** Makes the call that the program of the process on the CPU asks for. */
export function answerCall(linux: Linux, process: Process): void {
  const { x } = linux.hart.registers;
  const number = Number(x[A7]!);
  const args = [0, 1, 2, 3, 4, 5].map((i) => Number(x[A0 + i]!)) as unknown as Args;
  const entry = CALLS.get(number);
  const record: CallRecord = { name: entry?.name ?? `call ${number}`, args, texts: [], outcome: undefined };
  process.history.push(record);
  if (process.history.length > HISTORY_MAX) process.history.shift();
  const outcome = entry === undefined ? notKnown(linux, record.name) : entry.handler(linux, process, args);
  if (typeof outcome === 'object') advance(linux, process, outcome, record);
  else finish(linux, process, record, outcome);
}

/** Goes on with a call that waited, if it is to wake; a signal that does not concern it leaves it asleep. */
export function resumeCall(linux: Linux, process: Process): void {
  const { sleeping, sleep, record } = process.call!;
  const woken = wakes(linux, process, sleep);
  if (woken !== undefined) advance(linux, process, sleeping, record, woken);
}

function wakes({ clock }: Linux, process: Process, sleep: NonNullable<Process['call']>['sleep']): Woken | undefined {
  if (sleep.isReady()) return 'ready';
  if (sleep.uninterruptible !== true && isInterrupted(process)) return 'signal';
  return sleep.deadline !== undefined && sleep.deadline <= clock.now() ? 'timeout' : undefined;
}

function advance(linux: Linux, process: Process, sleeping: Sleeping, record: CallRecord, woken?: Woken): void {
  const step = woken === undefined ? sleeping.next('ready') : sleeping.next(woken);
  if (step.done === true) {
    process.call = undefined;
    finish(linux, process, record, step.value);
  } else process.call = { sleeping, sleep: step.value, record };
}

function finish(linux: Linux, process: Process, record: CallRecord, outcome: Outcome): void {
  record.outcome = outcome;
  linux.onCall?.(process.pid, record);
  if (outcome === 'done') return;
  if (outcome === 'restart') {
    process.restarts = true;
    return;
  }
  const { registers } = linux.hart;
  registers.x[A0] = encodeAnswer(outcome);
  registers.pc += ECALL_BYTES;
}
