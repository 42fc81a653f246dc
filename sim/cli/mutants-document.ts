/** The kill matrix as one JSON document. */
import { UNMODELLED_BUGS } from '../../kernel-model/index.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Finding } from '../finding.ts';
import type { Hunt } from '../mutant-matrix.ts';
import { killersOf, median, type Matrix, type MutantRow, type UnseenMutant } from '../mutant-report.ts';

/** What the hunts were given. */
export interface MatrixSettings {
  readonly seed: string;
  readonly seeds: number;
  readonly runs: number;
  /** Seconds. */
  readonly time: number;
  readonly check: CheckMode;
}

/** The document; of everything else the same flags give the same again, but not of `notDeterministic`. */
export const matrixDocument = ({ seed, seeds, runs, time, check }: MatrixSettings, { kernel, rows, notHunted, right }: Matrix): object => ({
  kernel: kernel.name,
  seed,
  seeds,
  runsMax: runs,
  secondsMax: time,
  check,
  notDeterministic: ['elapsedMs', 'elapsedMsMedian', 'elapsedMsMax'],
  rows: rows.map(rowDocument),
  notHunted: notHunted.map(unseenDocument),
  right: right.map(huntDocument),
  notModelled: UNMODELLED_BUGS,
});

function rowDocument({ mutant, hunts, unseen, shortest }: MutantRow): object {
  const { id, rule, source, zoo = [], brokenBy, needs } = mutant;
  const times = hunts.map(({ elapsedMs }) => Math.round(elapsedMs));
  return {
    mutant: id,
    rule,
    source,
    zoo,
    needs: needs ?? null,
    expected: brokenBy,
    killedBy: killersOf(hunts),
    killed: hunts.filter(({ killedBy }) => killedBy !== undefined).length,
    survived: hunts.some(({ killedBy }) => killedBy === undefined),
    reason: unseen?.reason ?? null,
    shortestOps: shortest ?? null,
    runsMedian: median(hunts.map(({ runs }) => runs)),
    elapsedMsMedian: median(times),
    elapsedMsMax: Math.max(...times),
    hunts: hunts.map((hunt) => ({ ...huntDocument(hunt), asked: hunt.asked })),
  };
}

const unseenDocument = ({ mutant: { id, rule }, unseen: { isAsked, reason } }: UnseenMutant): object => ({
  mutant: id,
  rule,
  asked: isAsked,
  reason,
});

const huntDocument = ({ killedBy, first, runs, ops, elapsedMs }: Hunt): object => ({
  killedBy: killedBy === undefined ? null : findingDocument(killedBy),
  first: first === undefined ? null : { run: first.run, ...findingDocument(first.finding) },
  runs,
  ops,
  elapsedMs: Math.round(elapsedMs),
});

const findingDocument = ({ kind, id, op, message }: Finding): object => ({ kind, id, op, message });
