/** Ranges of addresses. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Recorded addresses in [start, end) are `delta` further in the trace. */
export interface Move extends Range {
  readonly delta: number;
}

/** The most that a stack reaches down from its end: Linux's RLIMIT_STACK. */
export const STACK_BYTES_MAX = 8 * 2 ** 20;
