/** Ranges of addresses. */

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Recorded addresses in [start, end) are `delta` further in the trace. */
export interface Move extends Range {
  readonly delta: number;
}
