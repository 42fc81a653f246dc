/** What a plot shows of a sweep: one point a run, put in a grid of kernels and thresholds. */
import { hex } from '../../kernel-model/index.ts';
import { isVisible } from '../finding.ts';
import type { ReplayResult } from '../replay.ts';
import { checksText } from '../sweep.ts';
import type { Outcome } from './outcome.ts';

export interface SweepPoint {
  readonly kernel: string;
  readonly threshold: number;
  readonly outcome: Outcome;
  /** Id of what was found first, as the table of a sweep has it; undefined if nothing was. */
  readonly found: string | undefined;
  /** Index of the op at which it was found. */
  readonly op: number | undefined;
  /** The address of a wrong byte. */
  readonly address: string | undefined;
  readonly assemblies: number;
  readonly faults: number;
  /** `64/100`, or `-` if the trace has no marks. */
  readonly checks: string;
}

export function sweepPoint({
  kernel,
  threshold,
  verdict,
  findings,
  failure,
  divergence,
  assemblies,
  faults,
  checks,
}: ReplayResult): SweepPoint {
  const counts = { kernel, threshold, assemblies, faults, checks: checksText(checks) };
  const finding = findings.find(isVisible) ?? failure;
  if (finding !== undefined) {
    const { id, op, address } = finding;
    return {
      ...counts,
      outcome: isVisible(finding) ? 'failed' : 'asleep',
      found: id,
      op,
      address: address === undefined ? undefined : hex(address),
    };
  }
  if (verdict === 'diverged' && divergence !== undefined)
    return { ...counts, outcome: 'diverged', found: `answer of ${divergence.name}`, op: divergence.op, address: undefined };
  return { ...counts, outcome: verdict, found: undefined, op: undefined, address: undefined };
}

/** Kernels in the order of the sweep, thresholds ascending; a cell that was swept twice is there once. */
export interface SweepGrid {
  readonly kernels: readonly string[];
  readonly thresholds: readonly number[];
  /** Undefined where nothing was run. */
  readonly at: (kernel: string, threshold: number) => SweepPoint | undefined;
}

export function sweepGrid(points: readonly SweepPoint[]): SweepGrid {
  const cells = new Map<string, SweepPoint>(points.map((point) => [`${point.threshold} ${point.kernel}`, point]));
  return {
    kernels: [...new Set(points.map(({ kernel }) => kernel))],
    thresholds: [...new Set(points.map(({ threshold }) => threshold))].sort((a, b) => a - b),
    at: (kernel, threshold) => cells.get(`${threshold} ${kernel}`),
  };
}

export const OUTCOME_TEXTS: Readonly<Record<Outcome, string>> = {
  held: 'held',
  asleep: 'an invariant is broken, no program noticed',
  failed: 'a program could notice',
  diverged: 'held, but an answer differs from the recorded one',
  limit: 'ended by a limit',
};

/** One point in a sentence without a full stop. */
export function pointText({ kernel, threshold, outcome, found, op, address, assemblies, faults, checks }: SweepPoint): string {
  const what =
    found === undefined
      ? OUTCOME_TEXTS[outcome]
      : `${OUTCOME_TEXTS[outcome]}: ${found} at op ${op ?? '-'}${address === undefined ? '' : `, ${address}`}`;
  return `${kernel}, threshold ${threshold}: ${what}; assemblies ${assemblies}, faults ${faults}${checks === '-' ? '' : `, checks passed ${checks}`}`;
}
