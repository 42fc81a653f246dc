/**
 * The state of a shrink under way: the best trace so far, what failed it, and what was met on the way.
 *
 * Stages ask through `first`; what is accepted is cut behind its failing op and becomes the best. A candidate that was
 * refuted once is not asked again. When the budget is used up every question is answered with no, and the stages end by
 * themselves.
 */
import type { Op } from '../../traces/op.ts';
import type { Candidate, Failure, Pause } from './evaluate.ts';
import { isSameSignature, signatureText, type Signature } from './signature.ts';
import type { Answer, Question, Stage, Target } from './question.ts';

/** What a shrinker yields: a question, the news that there is a smaller trace, or a chance to look up. */
export type Step = Question | Pause | { readonly kind: 'accepted'; readonly stage: Stage; readonly best: Best };

export interface Best extends Candidate {
  readonly failure: Failure;
  readonly digest: string;
}

/** A stage: a generator of steps. An answer comes for each question, undefined when the budget is used up. */
export type Stepping<Result> = Generator<Step, Result, Answer | undefined>;

/** Another failure, and the first trace that showed it. */
export interface SlippedFailure {
  readonly signature: Signature;
  readonly trace: Candidate;
}

export class Shrinker {
  best: Best;
  target: Target;
  /** Candidates replayed for an answer; what was speculated beyond it does not count. */
  replays = 0;
  /** Replays by stage, in the order in which the stages began. */
  readonly replaysByStage = new Map<Stage, number>();
  readonly slipped = new Map<string, SlippedFailure>();
  isOver = false;
  private readonly known: readonly Signature[];
  private refuted = new Set<string>();

  /** @param known - findings of the first run, which are no news */
  constructor(best: Best, target: Target, known: readonly Signature[]) {
    this.best = best;
    this.target = target;
    this.known = known;
  }

  /** Asks for the first candidate that fails as wanted, and makes it the best. @returns which one; -1 for none */
  *first(stage: Stage, candidates: readonly Candidate[]): Stepping<number> {
    const fresh: number[] = [];
    const now = this.best.ops.length <= REMEMBERED_OPS_MAX ? keyOf(this.best) : undefined;
    candidates.forEach((candidate, i) => {
      if (candidate.ops.length > REMEMBERED_OPS_MAX) fresh.push(i);
      else if (!this.refuted.has(keyOf(candidate)) && keyOf(candidate) !== now) fresh.push(i);
    });
    if (fresh.length === 0 || this.isOver) return -1;
    const asked = fresh.map((i) => candidates[i]!);
    const answer = yield* this.ask({ kind: 'first', stage, candidates: asked, target: this.target });
    if (answer === undefined) return -1;
    const refuted = answer.index < 0 ? asked : asked.slice(0, answer.index);
    for (const candidate of refuted) this.noteRefuted(candidate);
    if (answer.index < 0) return -1;
    this.accept(asked[answer.index]!, answer.failures[answer.index]!, answer.digest);
    yield { kind: 'accepted', stage, best: this.best };
    return fresh[answer.index]!;
  }

  /** Asks for every outcome. @returns undefined when the budget is used up */
  *all(stage: Stage, candidates: readonly Candidate[]): Stepping<readonly (Failure | undefined)[] | undefined> {
    if (candidates.length === 0) return [];
    if (this.isOver) return undefined;
    return (yield* this.ask({ kind: 'all', stage, candidates, target: this.target }))?.failures;
  }

  /** The best trace with other ops. */
  withOps(ops: readonly Op[]): Candidate {
    return { header: this.best.header, ops };
  }

  private *ask(question: Question): Stepping<Answer | undefined> {
    const answer = yield question;
    if (answer === undefined) {
      this.isOver = true;
      return undefined;
    }
    this.replays += answer.failures.length;
    this.replaysByStage.set(question.stage, (this.replaysByStage.get(question.stage) ?? 0) + answer.failures.length);
    answer.failures.forEach((failure, i) => {
      if (failure !== undefined) this.noteSlip(failure, question.candidates[i]!);
    });
    return answer;
  }

  private accept(candidate: Candidate, failure: Failure, digest: string): void {
    // What comes behind the failing op cannot matter; with `any` the run went on past it.
    const isLast = failure.op >= candidate.ops.length - 1 || this.target.where === 'any';
    const ops = isLast || failure.kind === 'invariant' ? candidate.ops : candidate.ops.slice(0, failure.op + 1);
    this.best = { header: candidate.header, ops, failure, digest };
  }

  private noteSlip(failure: Failure, trace: Candidate): void {
    const isNews =
      !isSameSignature(this.target.signature, failure) && this.known.every(({ kind, id }) => kind !== failure.kind || id !== failure.id);
    const text = signatureText(failure);
    if (isNews && !this.slipped.has(text)) this.slipped.set(text, { signature: failure, trace });
  }

  // ---- Memory.

  private noteRefuted(candidate: Candidate): void {
    if (candidate.ops.length > REMEMBERED_OPS_MAX) return;
    if (this.refuted.size >= REFUTED_MAX) this.refuted = new Set();
    this.refuted.add(keyOf(candidate));
  }
}

/** Longer candidates are rarely asked twice, and their keys are long. */
const REMEMBERED_OPS_MAX = 400;
const REFUTED_MAX = 20_000;

const keyOf = ({ header, ops }: Candidate): string => JSON.stringify([header.kernel, header.files, ops]);
