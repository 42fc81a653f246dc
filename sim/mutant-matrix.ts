/**
 * The kill matrix: which wrong decision is found by which invariant, in how many random traces.
 *
 * A hunt replays one trace after another on a right kernel with one mutant until an invariant that the mutant names
 * sees it. A mutant that needs another is hunted on both together, and only counts as found by what the other alone does
 * not show. The right kernel is hunted in the same way: there, whatever is found is a false alarm.
 *
 * Traces, clock and budget come in as functions. But for the times, a hunt is a function of the traces.
 */
import { MUTANTS, type Mutant, type NamedKernel } from '../kernel-model/index.ts';
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { CheckMode } from './check/checker.ts';
import type { Digester } from './digest.ts';
import type { Finding } from './finding.ts';
import { Replay, replay } from './replay.ts';
import { listenedTo } from './rule-listener.ts';

interface RandomTrace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

export interface HuntOptions {
  /** The kernel that decides right. */
  readonly kernel: NamedKernel;
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
  /** Runs in which the kernel asked the rule that the mutant overrides; 0 without a mutant. */
  readonly asked: number;
  /** Ops of the trace that killed it, up to and with the one that showed it. */
  readonly ops: number;
  /** Not deterministic. */
  readonly elapsedMs: number;
}

/** Hunts one mutant, a run at each step. */
export function* huntMutant(mutant: Mutant, options: HuntOptions): Generator<number, Hunt> {
  const needed = MUTANTS.filter(({ id }) => id === mutant.needs);
  const without = needed.length === 0 ? undefined : withMutants(options.kernel, needed);
  const isNamed = (finding: Finding): boolean => mutant.brokenBy.includes(finding.id);
  return yield* hunt(withMutants(options.kernel, [...needed, mutant]), { rule: mutant.rule, isNamed, without }, options);
}

/** Hunts the right kernel, where every finding is a false alarm. */
export function* huntRight(options: HuntOptions): Generator<number, Hunt> {
  return yield* hunt(options.kernel, { isNamed: () => true }, options);
}

const withMutants = (kernel: NamedKernel, mutants: readonly Mutant[]): NamedKernel => ({
  ...kernel,
  name: [kernel.name, ...mutants.map(({ id }) => id)].join('+'),
  mutants: [...kernel.mutants, ...mutants],
});

interface Quarry {
  readonly rule?: Mutant['rule'];
  readonly isNamed: (finding: Finding) => boolean;
  /** What this kernel shows on the same trace does not count. */
  readonly without?: NamedKernel | undefined;
}

function* hunt(hunted: NamedKernel, { rule, isNamed, without }: Quarry, options: HuntOptions): Generator<number, Hunt> {
  const { trace, runsMax, isOutOfTime, now = () => 0 } = options;
  const start = now();
  const askedIn = new Set<number>();
  const kernel = rule === undefined ? hunted : listenedTo(hunted, [rule], () => askedIn.add(run));
  let first: Hunt['first'];
  let run = 0;
  const ended = (killedBy?: Finding, ops = 0): Hunt => ({ killedBy, first, runs: run, asked: askedIn.size, ops, elapsedMs: now() - start });
  while (run < runsMax && isOutOfTime?.(now() - start) !== true) {
    const { header, ops } = trace(run++);
    const isKilling = without === undefined ? isNamed : notSeenWith(without, { header, ops }, isNamed, options);
    const found = firstFinding({ header, ops }, kernel, isKilling, options);
    if (found.first !== undefined) first ??= { finding: found.first, run };
    if (found.killer !== undefined) return ended(found.killer, Math.min(found.killer.op + 1, ops.length));
    yield run;
  }
  return ended();
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
  kernel: NamedKernel,
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
