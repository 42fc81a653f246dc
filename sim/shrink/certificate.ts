/**
 * The certificate: for each op that is left, what happens without it. A trace of which no op can go is 1-minimal.
 */
import type { Failure } from './evaluate.ts';
import { wantedIn } from './question.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

/** Why an op cannot go. */
export interface CertificateLine {
  /** Index of the op. */
  readonly op: number;
  /** The trace without it holds, or fails in another way. */
  readonly without: 'holds' | 'other';
  /** That other failure. */
  readonly failure: Failure | undefined;
}

/** Replays the trace without each op. @returns undefined if the budget was used up, or an op could go after all */
export function* certify(shrinker: Shrinker): Stepping<readonly CertificateLine[] | undefined> {
  const { ops } = shrinker.best;
  if (ops.length > CERTIFIED_OPS_MAX) return undefined;
  const failures = yield* shrinker.all(
    'certificate',
    ops.map((_, gone) => shrinker.withOps(ops.filter((__, i) => i !== gone))),
  );
  if (failures === undefined) return undefined;
  const lines = failures.map((failure, op): CertificateLine => ({ op, without: failure === undefined ? 'holds' : 'other', failure }));
  const isWanted = (failure: Failure | undefined): boolean =>
    failure !== undefined &&
    wantedIn({ headline: failure, findings: [failure], digest: '', ops: 0, assemblies: 0, isCutShort: false }, shrinker.target) !==
      undefined;
  return lines.some(({ failure }) => isWanted(failure)) ? undefined : lines;
}

/** A longer trace is not at its end yet. */
const CERTIFIED_OPS_MAX = 2000;
