/**
 * What must hold of every run, as functions from a trace to the sentences that say what does not.
 *
 * A property is true of a trace if it answers nothing. Each replays the trace as often as it needs; none knows a rule.
 */
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { CHECK_MODES } from '../sim/checker.ts';
import type { Digester } from '../sim/digest.ts';
import { replay } from '../sim/replay.ts';

export interface GeneratedTrace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

export type Property = (trace: GeneratedTrace, digester: Digester) => readonly string[];

/** No wrong byte, no wrong outcome, no broken invariant, nothing leaked. */
export const holds: Property = (trace, digester) =>
  replay(trace, { digester, check: 'every' }).findings.map(({ id, op, message }) => `${id} at op ${op}: ${message}`);

/** The same trace gives the same result, digest and all, every time. */
export const isRepeatable: Property = (trace, digester) => {
  const [once, again] = [1, 2].map(() => JSON.stringify(replay(trace, { digester, check: 'changes' })));
  return once === again ? [] : [`two runs differ: ${once} and ${again}`];
};

/** What is checked does not change the run. */
export const isUnmovedByChecks: Property = (trace, digester) => {
  const digests = CHECK_MODES.map((check) => replay(trace, { digester, check }).digest);
  return new Set(digests).size === 1 ? [] : [`the digests differ by check mode: ${digests.join(', ')}`];
};
