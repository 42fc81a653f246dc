/**
 * Waiting: a system call that cannot finish yet is a generator that yields what it waits for.
 *
 * It goes on where it was when that has come, so no copy and no op is ever made twice, and it is told why it woke. A signal wakes
 * it only if a handler (or death) interrupts it: a process that is stopped and continued, or that ignores the signal, sleeps on.
 */
import type { Answer } from './errno.ts';

export interface Sleep {
  isReady(): boolean;
  /** Nanoseconds of the clock at which waiting ends. */
  readonly deadline?: number | undefined;
  /** Only death wakes it otherwise, as after vfork. */
  readonly uninterruptible?: boolean;
  /** It waits for the host's input. */
  readonly forInput?: boolean;
}

export type Woken = 'ready' | 'timeout' | 'signal';

/**
 * `restart`: a signal came before anything happened; the call is made again, or is EINTR, as the handler's SA_RESTART says.
 * `done`: the call has set the registers itself, or the process is gone.
 */
export type Outcome = Answer | 'restart' | 'done';

export type Sleeping = Generator<Sleep, Outcome, Woken>;

/** Registers a0 to a5, signed; exact as long as they are below 2^53. */
export type Args = readonly [number, number, number, number, number, number];

export interface CallRecord {
  readonly name: string;
  readonly args: Args;
  /** Strings that the call read from user memory, in order. */
  readonly texts: string[];
  /** Undefined while it sleeps. */
  outcome: Outcome | undefined;
}

export interface SuspendedCall {
  readonly sleeping: Sleeping;
  readonly sleep: Sleep;
  readonly record: CallRecord;
}

/** Waits. @returns why it is over */
export function* sleepUntil(isReady: () => boolean, options: Omit<Sleep, 'isReady'> = {}): Generator<Sleep, Woken, Woken> {
  return isReady() ? 'ready' : yield { isReady, ...options };
}
