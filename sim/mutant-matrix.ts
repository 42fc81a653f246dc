/**
 * The kill matrix: which wrong decision is found by which invariant, in how many random traces.
 *
 * A hunt replays one trace after another on the right kernel with one mutant until an invariant that the mutant names
 * sees it. A mutant that needs another is hunted on both together, and only counts as found by what the other alone does
 * not show. The right kernel is hunted in the same way: there, whatever is found is a false alarm.
 *
 * Traces, clock and budget come in as functions. But for the times, a hunt is a function of the traces.
 */
import { kernelNamed, kernelWith, type Mutant, type NamedKernel } from '../kernel-model/index.ts';
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { CheckMode } from './checker.ts';
import type { Digester } from './digest.ts';
import type { Finding } from './finding.ts';
import { Replay, replay } from './replay.ts';

interface RandomTrace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

export interface HuntOptions {
  /** The trace of a number from 0; the kernel in its header does not count. */
  readonly trace: (index: number) => RandomTrace;
  readonly runsMax: number;
  readonly check: CheckMode;
  readonly digester: Digester;
  /** Asked before each run, with the milliseconds that the hunt has lasted. */
  readonly isOutOfTime?: ((elapsedMs: number) => boolean) | undefined;
  /** Milliseconds from some moment on; without it every time is 0. */
  readonly now?: (() => number) | undefined;
}

export interface Hunt {
  /** The finding that ended it: one that the mutant names. Undefined if it survived. */
  readonly killedBy: Finding | undefined;
  /** The first finding at all, and the number of the run that made it, from 1. */
  readonly first: { readonly finding: Finding; readonly run: number } | undefined;
  /** Runs made, the last one included. */
  readonly runs: number;
  /** Ops of the trace that killed it, up to and with the one that showed it. */
  readonly ops: number;
  /** Not deterministic. */
  readonly elapsedMs: number;
}

/** Hunts one mutant, a run at each step. */
export function* huntMutant(mutant: Mutant, options: HuntOptions): Generator<number, Hunt> {
  return yield* hunt(kernelWith(mutant), (finding) => mutant.brokenBy.includes(finding.id), options, mutant.needs);
}

/** Hunts the right kernel, where every finding is a false alarm. */
export function* huntRight(options: HuntOptions): Generator<number, Hunt> {
  return yield* hunt('kevlar', () => true, options);
}

function* hunt(name: string, isNamed: (finding: Finding) => boolean, options: HuntOptions, needs?: string): Generator<number, Hunt> {
  const { trace, runsMax, isOutOfTime, now = () => 0 } = options;
  const kernel = kernelNamed(name) as NamedKernel;
  const start = now();
  let first: Hunt['first'];
  let run = 0;
  while (run < runsMax && isOutOfTime?.(now() - start) !== true) {
    const { header, ops } = trace(run++);
    const isKilling = needs === undefined ? isNamed : notSeenWith(`kevlar+${needs}`, { header, ops }, isNamed, options);
    const found = firstFinding({ header, ops }, kernel, isKilling, options);
    if (found.first !== undefined) first ??= { finding: found.first, run };
    if (found.killer !== undefined)
      return { killedBy: found.killer, first, runs: run, ops: Math.min(found.killer.op + 1, ops.length), elapsedMs: now() - start };
    yield run;
  }
  return { killedBy: undefined, first, runs: run, ops: 0, elapsedMs: now() - start };
}

/** Runs until something is found that `isKilling`, or to the end. */
function firstFinding(
  { header, ops }: RandomTrace,
  kernel: NamedKernel,
  isKilling: (finding: Finding) => boolean,
  { check, digester }: HuntOptions,
): { readonly first: Finding | undefined; readonly killer: Finding | undefined } {
  const run = new Replay(header, { kernel, check, digester });
  const { findings } = run.checker!;
  let seen = 0;
  for (const op of ops) {
    const goesOn = run.step(op);
    for (; seen < findings.length; seen++) if (isKilling(findings[seen]!)) return { first: findings[0], killer: findings[seen] };
    if (!goesOn) break;
  }
  run.finish();
  return { first: findings[0], killer: findings.find(isKilling) };
}

/** Of what is named: what another kernel does not show on the same trace. Asked at most once a run. */
function notSeenWith(
  kernel: string,
  trace: RandomTrace,
  isNamed: (finding: Finding) => boolean,
  { check, digester }: HuntOptions,
): (finding: Finding) => boolean {
  let ids: ReadonlySet<string> | undefined;
  return (finding) => {
    if (!isNamed(finding)) return false;
    ids ??= new Set(replay(trace, { kernel, check, digester, keepGoing: true }).findings.map(({ id }) => id));
    return !ids.has(finding.id);
  };
}
