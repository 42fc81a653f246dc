/**
 * How a shrinker asks: questions out, answers in.
 *
 * The shrinker is a generator. It never replays a candidate itself; it yields candidates, simplest or boldest first, and is
 * told which is the first that fails in the wanted way. So whoever drives it may replay them one after the other, on
 * many threads at once (later ones speculatively), or not at all because a journal knows the answer: the result is the same.
 */
import type { Candidate, Failure, Outcome } from './evaluate.ts';
import { isSameSignature, type Signature } from './signature.ts';

/** What counts as the wanted failure. */
export interface Target {
  readonly signature: Signature;
  /** `headline`: the verdict must name it. `any`: it must be among the findings. */
  readonly where: 'headline' | 'any';
}

/** The part of the pipeline that asks. */
export type Stage =
  'confirm' | 'configuration' | 'slice' | 'groups' | 'rewrite' | 'delete' | 'arguments' | 'image' | 'rules' | 'certificate';

export interface Question {
  /** `first`: stop at the first candidate that fails as wanted. `all`: every outcome is wanted. */
  readonly kind: 'first' | 'all';
  readonly stage: Stage;
  readonly candidates: readonly Candidate[];
  readonly target: Target;
}
export interface Answer {
  /** The first candidate that fails as wanted, or -1. */
  readonly index: number;
  /** Of each candidate up to that one; of all, if all were asked for. */
  readonly failures: readonly (Failure | undefined)[];
  readonly digest: string;
}

/** The failure of an outcome that is the wanted one, if there is one. */
export function wantedIn({ headline, findings }: Outcome, { signature, where }: Target): Failure | undefined {
  if (where === 'any') return findings.find((failure) => isSameSignature(failure, signature));
  return headline !== undefined && isSameSignature(headline, signature) ? headline : undefined;
}

/** Answers a question from the outcomes of its candidates in order; pulls no more of them than it needs. */
export function answerFrom({ kind, target }: Question, outcomes: Iterable<Outcome>): Answer {
  const failures: (Failure | undefined)[] = [];
  let index = -1;
  let digest = '';
  for (const outcome of outcomes) {
    const wanted = wantedIn(outcome, target);
    failures.push(wanted ?? outcome.headline);
    if (wanted === undefined || index >= 0) continue;
    index = failures.length - 1;
    digest = outcome.digest;
    if (kind === 'first') break;
  }
  return { index, failures, digest };
}
