/**
 * Sweeps: one trace on every kernel at every threshold, as a table.
 *
 * A row names the first failure that a program could notice. Where there is none although the verdict is `failed`, the
 * first broken invariant stands there in brackets: a bug that slept through the run.
 */
import { hex } from '../kernel-model/index.ts';
import { isVisible } from './finding.ts';
import type { CheckCounts } from './marks.ts';
import type { ReplayResult } from './replay.ts';
import { alignColumns } from './report.ts';

export interface SweepCell {
  readonly kernel: string;
  readonly threshold: number;
}

/** Every kernel with every threshold, kernel by kernel. */
export const sweepCells = (kernels: readonly string[], thresholds: readonly number[]): SweepCell[] =>
  kernels.flatMap((kernel) => thresholds.map((threshold) => ({ kernel, threshold })));

const HEADINGS = ['kernel', 'thr', 'verdict', 'checks', 'asm', 'faults', 'op', 'pid', 'address', 'first failure'];
const RIGHT: ReadonlySet<number> = new Set([1, 3, 4, 5, 6, 7]);

/** What the headings of a table mean. */
export const SWEEP_LEGEND: readonly string[] = [
  'thr: cached pages of 2 MiB at which an exec assembles a huge page; asm: assemblies',
  '(…): no program noticed anything, but this invariant is broken',
];

/** The table: headings, then a line for each result. */
export function sweepLines(results: readonly ReplayResult[]): string[] {
  return alignColumns([HEADINGS, ...results.map(rowOf)], RIGHT);
}

function rowOf(result: ReplayResult): string[] {
  const { kernel, threshold, verdict, checks, assemblies, faults } = result;
  return [kernel, String(threshold), verdict, checksText(checks), String(assemblies), String(faults), ...failureCells(result)];
}

/** `64/100`: skipped checks are in neither number. */
export const checksText = (checks: CheckCounts | undefined): string =>
  checks === undefined ? '-' : `${checks.passed}/${checks.passed + checks.failed}`;

function failureCells({ findings, failure, divergence, verdict }: ReplayResult): string[] {
  const visible = findings.find(isVisible);
  if (visible !== undefined) {
    const { op, pid, address, id } = visible;
    return [String(op), pid === undefined ? '-' : String(pid), address === undefined ? '-' : hex(address), id];
  }
  if (failure !== undefined) return [String(failure.op), '-', '-', `(${failure.id})`];
  if (verdict === 'diverged' && divergence !== undefined) return [String(divergence.op), '-', '-', `answer of ${divergence.name}`];
  return ['-', '-', '-', '-'];
}
