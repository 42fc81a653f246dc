/**
 * The shrinker: a failing trace in, the smallest trace that fails the same way out.
 *
 *     confirm ► cut ► threshold ► slice ► groups ► rewrites ► deletion ► arguments ► configuration ► files ► rules ► certificate
 *
 * The middle is gone through until nothing changes any more. Each step is kept only if the failure keeps its signature; other
 * failures met on the way are filed. Everything here is a function of the trace, the options and the answers, so a shrink
 * can be driven by one thread or many, stopped, and taken up again from a list of answers.
 */
import type { Op } from '../../traces/op.ts';
import type { Finding } from '../finding.ts';
import { certify, type CertificateLine } from './certificate.ts';
import { shrinkArguments } from './arguments.ts';
import { shrinkConfiguration, shrinkThreshold } from './configuration.ts';
import { deleteOps } from './delete.ts';
import { Dependences } from './dependences.ts';
import { Evaluator, type Candidate, type EvaluateOptions, type Failure } from './evaluate.ts';
import { deleteGroups } from './groups.ts';
import { shrinkFiles } from './image.ts';
import { answerFrom, type Question, type Stage, type Target } from './question.ts';
import { collapseGenerations, fuseTouches, mergeProcesses, useOwnAddresses } from './rewrites.ts';
import { rulesOfKernel, shrinkRules } from './rules.ts';
import { Shrinker, type Best, type SlippedFailure, type Stepping } from './shrinker.ts';
import { isSameSignature, signatureText, type Signature } from './signature.ts';
import { slicesFor } from './slice.ts';

/** What must stay as it is: the whole configuration (threshold, parameters, files), or the kernel with its rules. */
export const FIXABLE = ['threshold', 'rules'] as const;
export type Fixed = (typeof FIXABLE)[number];

export interface ShrinkOptions extends EvaluateOptions {
  readonly fixed?: readonly Fixed[] | undefined;
  /** Another finding than the verdict's: its kind and id, as `invariant cache-truth`. */
  readonly wanted?: string | undefined;
  /** At most this many replays. */
  readonly replaysMax?: number | undefined;
}

/** How far a trace has been shrunk, and what is left. */
export interface ShrinkResult {
  /** The smallest trace; its header says what to expect of it. */
  readonly trace: Candidate;
  readonly signature: Signature;
  /** Wrong rules that are left; the decisions to blame. */
  readonly rules: readonly string[];
  /** For each op why it cannot go; absent when the budget ended the shrink. */
  readonly certificate: readonly CertificateLine[] | undefined;
  readonly slipped: readonly SlippedFailure[];
  /** What was found besides in the first run. */
  readonly known: readonly Signature[];
  readonly replays: number;
  readonly replaysByStage: ReadonlyMap<Stage, number>;
  readonly opsBefore: number;
  /** False when the budget ended the shrink. */
  readonly isComplete: boolean;
}

/** The trace does not fail, or not twice in the same way. */
export class ShrinkError extends Error {}

/** Shrinks on this thread. @throws ShrinkError if the trace does not fail */
export function shrinkTrace(trace: Candidate, options: ShrinkOptions, onBest?: (best: Best, stage: Stage) => void): ShrinkResult {
  const evaluator = evaluatorFor(options);
  const steps = shrinkSteps(trace, options, evaluator);
  let replays = 0;
  for (let step = steps.next(); ;) {
    if (step.done === true) return step.value;
    const { value } = step;
    if (value.kind === 'accepted') onBest?.(value.best, value.stage);
    if (value.kind === 'accepted' || value.kind === 'pause' || isSpent(replays, options)) {
      step = steps.next();
      continue;
    }
    const question: Question = value;
    const answer = answerFrom(question, outcomesOf(question, evaluator));
    replays += answer.failures.length;
    // What was replayed while the time ran out may have been cut short.
    step = steps.next(options.isOutOfTime?.() === true ? undefined : answer);
  }
}

/** A finding behind others is only seen by a run that goes on. */
export const evaluatorFor = (options: ShrinkOptions): Evaluator =>
  new Evaluator({ ...options, keepGoing: options.keepGoing ?? options.wanted !== undefined });

function* outcomesOf({ candidates }: Question, evaluator: Evaluator): Generator<ReturnType<Evaluator['evaluate']>> {
  for (const candidate of candidates) yield evaluator.evaluate(candidate);
}

/** Is the budget used up after so many replays? */
export const isSpent = (replays: number, { replaysMax, isOutOfTime }: Pick<ShrinkOptions, 'replaysMax' | 'isOutOfTime'>): boolean =>
  (replaysMax !== undefined && replays >= replaysMax) || isOutOfTime?.() === true;

/** Rounds of the middle of the pipeline. */
const ROUNDS_MAX = 6;

/** The whole pipeline as questions; see question.ts for how to answer them. @throws ShrinkError if the trace does not fail */
export function* shrinkSteps(trace: Candidate, options: ShrinkOptions, evaluator: Evaluator): Stepping<ShrinkResult> {
  const { shrinker, known } = yield* confirm(trace, options, evaluator);
  const fixed = new Set(options.fixed);
  const opsBefore = trace.ops.length;
  if (shrinker.target.where === 'any') yield* toHeadline(shrinker, fixed);
  yield* cut(shrinker);
  if (!fixed.has('threshold')) yield* shrinkThreshold(shrinker);
  yield* slice(shrinker, evaluator);
  // A small machine is also a fast one.
  if (!fixed.has('threshold')) yield* shrinkConfiguration(shrinker);
  if (shrinker.best.ops.length > LONG) yield* deleteGroups(shrinker);
  for (let round = 0; round < ROUNDS_MAX && !shrinker.isOver; round++) {
    const { best } = shrinker;
    yield* rewrite(shrinker, evaluator);
    yield* deleteOps(shrinker);
    yield* shrinkArguments(shrinker);
    if (!fixed.has('threshold')) {
      yield* shrinkConfiguration(shrinker);
      yield* shrinkFiles(shrinker);
    }
    if (!fixed.has('rules')) yield* shrinkRules(shrinker);
    if (shrinker.best === best) break;
  }
  const certificate = yield* certify(shrinker);
  const { best, target, slipped, replays, replaysByStage, isOver } = shrinker;
  const { kind, id, place } = target.signature;
  return {
    trace: withExpectation(best, options),
    signature: { kind, id, place },
    rules: rulesOfKernel(best.header.kernel.name),
    certificate,
    slipped: [...slipped.values()],
    known,
    replays,
    replaysByStage,
    opsBefore,
    isComplete: !isOver,
  };
}

/** Longer traces, whatever the slice left, are shortened group by group first. */
const LONG = 400;

function* rewrite(shrinker: Shrinker, evaluator: Evaluator): Stepping<void> {
  yield* useOwnAddresses(shrinker, (best) => actualOpsOf(best, evaluator));
  yield* mergeProcesses(shrinker);
  yield* collapseGenerations(shrinker);
  yield* fuseTouches(shrinker);
}

interface Confirmed {
  readonly shrinker: Shrinker;
  /** What else the first run found. */
  readonly known: readonly Signature[];
}

/** Two runs, one with all checks and one without: they must be the same run. */
function* confirm(trace: Candidate, options: ShrinkOptions, evaluator: Evaluator): Stepping<Confirmed> {
  const { outcome } = yield* evaluator.running(trace);
  const failure = wantedFailure(outcome, options.wanted);
  // The op in which the kernel's own assertion fails is not counted as run.
  const isBugInOp = outcome.findings.some(({ id, op }) => id === 'kernel-bug' && op === outcome.ops);
  let count = outcome.ops + (isBugInOp ? 1 : 0);
  let again = yield* evaluator.runningUnchecked(trace, count);
  // Or it fails when the processes exit, after the last op.
  if (isBugInOp && again !== outcome.digest) again = yield* evaluator.runningUnchecked(trace, --count);
  if (again !== outcome.digest)
    throw new ShrinkError(`two runs of this trace differ: digests ${outcome.digest} and ${again}; faultline replay --twice says where`);
  const ops = trace.ops.slice(0, count);
  const where: Target['where'] = failure === outcome.headline ? 'headline' : 'any';
  const best: Best = { header: trace.header, ops, failure, digest: outcome.digest };
  return {
    shrinker: new Shrinker(best, { signature: failure, where }, outcome.findings),
    known: outcome.findings.filter((one) => !isSameSignature(one, failure)),
  };
}

function wantedFailure({ headline, findings }: ReturnType<Evaluator['evaluate']>, wanted: string | undefined): Failure {
  if (headline === undefined) throw new ShrinkError('the trace does not fail: there is nothing to shrink');
  if (wanted === undefined) return headline;
  const found = findings.find(
    (failure) => `${failure.kind} ${failure.id}` === wanted || failure.id === wanted || signatureText(failure) === wanted,
  );
  if (found === undefined)
    throw new ShrinkError(`the trace does not show ${wanted}; it shows ${findings.map((one) => `${one.kind} ${one.id}`).join(', ')}`);
  return found;
}

/** A finding behind others becomes the verdict's, if the rules that show the others can go. */
function* toHeadline(shrinker: Shrinker, fixed: ReadonlySet<Fixed>): Stepping<void> {
  if (fixed.has('rules')) return;
  yield* shrinkRules(shrinker);
  const before = shrinker.target;
  shrinker.target = { ...before, where: 'headline' };
  if ((yield* shrinker.first('rules', [{ header: shrinker.best.header, ops: shrinker.best.ops }])) < 0) shrinker.target = before;
}

/** The ops behind the failing one go, if the failure is not one that only the rest of the run brings. */
function* cut(shrinker: Shrinker): Stepping<void> {
  const { ops, failure } = shrinker.best;
  if (failure.op + 1 < ops.length) yield* shrinker.first('confirm', [shrinker.withOps(ops.slice(0, failure.op + 1))]);
}

/** What the failure needed by what the run read and wrote. */
function* slice(shrinker: Shrinker, evaluator: Evaluator): Stepping<void> {
  const { best, target } = shrinker;
  if (best.ops.length < SLICED_OPS_MIN || shrinker.isOver) return;
  let dependences: Dependences | undefined;
  const { result } = yield* evaluator.running(best, (kernel) => (dependences = new Dependences(kernel)));
  const { signature } = target;
  const finding: Finding | undefined = result.findings.find(
    ({ kind, id, op }) => kind === signature.kind && id === signature.id && op === best.failure.op,
  );
  if (finding === undefined || dependences === undefined) return;
  const slices = slicesFor(best, finding, dependences);
  yield* shrinker.first(
    'slice',
    slices.map((kept) => shrinker.withOps(kept.map((index) => best.ops[index]!))),
  );
}

/** Shorter traces are not worth it. */
const SLICED_OPS_MIN = 12;

/** The ops with the addresses that they have in this run. */
function* actualOpsOf(candidate: Candidate, evaluator: Evaluator): Stepping<readonly Op[]> {
  const actual: Op[] = [];
  yield* evaluator.running(candidate, () => ({ before: (op, index) => void (actual[index] = op) }));
  return actual;
}

/** A best-so-far as a trace to be written down: its header says what it shows. */
export function traceOfBest({ header, ops, failure, digest }: Best): Candidate {
  const { seed: _, ...rest } = header;
  const { kind, id, op } = failure;
  return { header: { ...rest, expect: { verdict: 'failed', kind, id, op, digest } }, ops };
}

/** The header says what replaying shows, as a plain replay of it does. */
function withExpectation(best: Best, options: ShrinkOptions): Candidate {
  const trace = traceOfBest(best);
  if (options.wanted === undefined) return trace;
  // What was wanted may not be what the verdict names.
  const { headline, digest } = new Evaluator({ ...options, keepGoing: false, isOutOfTime: undefined }).evaluate(trace);
  return headline === undefined ? trace : traceOfBest({ ...best, failure: headline, digest });
}
