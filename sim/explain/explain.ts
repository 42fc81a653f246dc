/**
 * Explaining a failure: what is wrong, whence it came, which decision allowed it, and what would have been otherwise.
 *
 * The first run finds the failure, the second watches what concerns it. The decisions to blame are found by experiment,
 * on a slice of the trace where that fails alike, and confirmed on all ops up to the failure. Nothing here knows a bug.
 */
import { rightKernelFor, type NamedKernel } from '../../kernel-model/index.ts';
import type { SuppliedFiles } from '../../traces/content.ts';
import type { TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Digester } from '../digest.ts';
import type { Finding } from '../finding.ts';
import { kernelToRun, ReplayError, type Replay, type ReplayResult } from '../replay.ts';
import { Dependences } from '../shrink/dependences.ts';
import { signatureOfFinding, type Signature } from '../shrink/signature.ts';
import { slicesFor } from '../shrink/slice.ts';
import { findGuilt, type Fewer, type Guilt } from './guilt.ts';
import { Bench, findingLike, type Explaining } from './run.ts';
import { statementOf } from './rule-texts.ts';
import { spiedOn, type RuleName } from './spy.ts';
import { StoryTeller, subjectOf, type Leak, type Scene, type StoryEvent, type WrongAnswers } from './story.ts';
import { tryThresholds, type Thresholds } from './thresholds.ts';

export interface ExplainOptions {
  /** Instead of the trace's own. */
  readonly kernel?: string | NamedKernel | undefined;
  readonly threshold?: number | undefined;
  readonly check: CheckMode;
  /** The id of another finding than the one that the verdict names. */
  readonly finding?: string | undefined;
  readonly supplied?: SuppliedFiles | undefined;
  readonly digester: Digester;
}

/** How the same ops go on the right kernel. */
export interface RightRun {
  readonly kernel: string;
  readonly finding: Finding | undefined;
  readonly ops: number;
}

export interface Explanation {
  readonly finding: Finding;
  readonly signature: Signature;
  /** What must be true and is not. */
  readonly statement: string | undefined;
  readonly kernel: NamedKernel;
  readonly threshold: number;
  /** Ops of the trace. */
  readonly ops: readonly Op[];
  readonly result: ReplayResult;
  readonly scene: Scene | undefined;
  /** What happened to the page, the frame and the file page concerned, in order. */
  readonly events: readonly StoryEvent[];
  readonly wrong: ReadonlyMap<RuleName, WrongAnswers>;
  /** The ops that the failure needs by what the run read and wrote; undefined if that could not be told. */
  readonly needed: readonly number[] | undefined;
  /** Of a failure that frames are left over: which. */
  readonly leaks: readonly Leak[];
  readonly guilt: Guilt;
  readonly right: RightRun;
  readonly thresholds: Thresholds;
  readonly replays: number;
}

/** The failure explained; or if there is none the run, which did not fail. */
export type Explained =
  { readonly kind: 'explained'; readonly explanation: Explanation } | { readonly kind: 'holds'; readonly result: ReplayResult };

/** @throws ReplayError if the kernel is unknown, the header cannot be run, or the run has no finding of the wanted id */
export function* explain(
  trace: { readonly header: TraceHeader; readonly ops: readonly Op[] },
  options: ExplainOptions,
): Explaining<Explained> {
  const { header, ops } = withOptions(trace, options);
  const kernel = kernelToRun(header.kernel, options.kernel);
  const bench = new Bench(header, options);
  const result = yield* bench.run({ doing: 'looking for the failure', kernel, ops, keepGoing: options.finding !== undefined });
  const finding = findingWanted(result, options.finding);
  if (finding === undefined) return { kind: 'holds', result };
  // What is only found at the end is found without looking at every change.
  const later = finding.op >= ops.length ? new Bench(header, { ...options, check: 'end' }) : bench;
  const signature = signatureOfFinding(finding, ops[finding.op]);
  const cut = Math.min(finding.op + 1, ops.length);
  const near = ops.slice(0, cut);

  const story = yield* tellStory(later, { kernel, near, finding });
  const fewer = yield* fewerOps(later, { kernel, near, signature, slices: story.slices });
  const guess = { active: new Set(story.wrong.keys()), near: rulesNear(finding, story.events) };
  const guilt = yield* findGuilt({ bench: later, kernel, signature, ops: near, fewer, ...guess });
  const right = yield* runRight(later, kernel, near);
  const { threshold } = result;
  const hugePages = story.hugePages;
  const thresholds = yield* tryThresholds({ bench: later, kernel, signature, finding, ops, cut, own: threshold, hugePages });
  const { scene, events, wrong, leaks } = story;
  const explanation: Explanation = {
    ...{ finding, signature, statement: statementOf(finding.id), kernel, threshold, ops, result },
    ...{ scene, events, wrong, leaks, needed: fewer?.indexes, guilt, right, thresholds },
    replays: bench.replays + (later === bench ? 0 : later.replays),
  };
  return { kind: 'explained', explanation };
}

/** Rules that answered wrongly just where the wrong byte passed, or where the failure was found. */
function rulesNear({ byte, op }: Finding, events: readonly StoryEvent[]): ReadonlySet<RuleName> {
  const record = byte?.provenance;
  const via = new Set(record === undefined ? [op] : [record.op, ...record.hops.map((hop) => hop.op)]);
  const near = events.filter(({ op: at, event }) => via.has(at) && ABOUT_A_PAGE.has(event.type));
  return new Set(near.flatMap(({ wrong }) => wrong.map(({ rule }) => rule)));
}

/** Events whose decisions are about one page, not about all of an op. */
const ABOUT_A_PAGE: ReadonlySet<string> = new Set([
  'page_fault',
  'cache_insert',
  'cache_hit',
  'assembly_page',
  'cow_copy',
  'cow_reuse',
  'protection_changed',
]);

function withOptions(trace: { readonly header: TraceHeader; readonly ops: readonly Op[] }, { threshold }: ExplainOptions): typeof trace {
  const { header, ops } = trace;
  return threshold === undefined ? trace : { header: { ...header, kernel: { ...header.kernel, assembleThreshold: threshold } }, ops };
}

function findingWanted({ failure, findings }: ReplayResult, wanted: string | undefined): Finding | undefined {
  if (wanted === undefined || failure === undefined) return failure;
  const found = findings.find(({ kind, id }) => id === wanted || `${kind} ${id}` === wanted);
  if (found === undefined) throw new ReplayError(`the trace does not show ${wanted}; it shows ${findings.map(({ id }) => id).join(', ')}`);
  return found;
}

interface Told extends Pick<Explanation, 'scene' | 'events' | 'wrong' | 'leaks'> {
  readonly hugePages: number;
  readonly slices: readonly (readonly number[])[];
}

/** Shorter traces need no slice. */
const SLICED_OPS_MIN = 12;

/** The second run, watched. */
function* tellStory(
  bench: Bench,
  { kernel, near, finding }: { kernel: NamedKernel; near: readonly Op[]; finding: Finding },
): Explaining<Told> {
  let teller: StoryTeller | undefined;
  let dependences: Dependences | undefined;
  let hugePages = 0;
  const spied = spiedOn(kernel, (wrong) => teller?.hear(wrong));
  const watcherOf = (replay: Replay): StoryTeller => {
    hugePages = replay.machine.kernel.parameters.hugePages;
    if (near.length >= SLICED_OPS_MIN) replay.machine.watch((dependences = new Dependences(replay.machine.kernel)));
    return (teller = new StoryTeller(replay, subjectOf(finding, near.length)));
  };
  const run = { doing: 'watching what led to it', kernel: { ...spied, name: kernel.name }, ops: near, keepGoing: true, watcherOf };
  const { findings } = yield* bench.run(run);
  const again = findings.find(({ kind, id, op }) => kind === finding.kind && id === finding.id && op === finding.op);
  const slices = dependences === undefined || again === undefined ? [] : slicesFor({ header: bench.header, ops: near }, again, dependences);
  const { scene, events, wrong } = teller!;
  return { scene, events, wrong, leaks: finding.id === 'no-leak' ? teller!.leaks() : [], hugePages, slices };
}

interface Question {
  readonly kernel: NamedKernel;
  readonly near: readonly Op[];
  readonly signature: Signature;
  readonly slices: readonly (readonly number[])[];
}

/** The smallest slice that fails alike; looked at only at its end, if the failure is still to be seen there. */
function* fewerOps(
  bench: Bench,
  { kernel, near, signature, slices }: Question,
): Explaining<(Fewer & { readonly indexes: readonly number[] }) | undefined> {
  for (const indexes of slices) {
    const ops = indexes.map((index) => near[index]!);
    for (const check of new Set<CheckMode>(['end', bench.check])) {
      const result = yield* bench.run({ doing: 'looking for the ops that matter', kernel, ops, check, keepGoing: true });
      if (findingLike(result, ops, signature) !== undefined) return { ops, check, indexes };
    }
  }
  return undefined;
}

/** The same ops on the design done right. */
function* runRight(bench: Bench, wrong: NamedKernel, near: readonly Op[]): Explaining<RightRun> {
  const kernel = rightKernelFor(wrong);
  const { failure, ops } = yield* bench.run({ doing: `on ${kernel.name}`, kernel, ops: near });
  return { kernel: kernel.name, finding: failure, ops };
}
