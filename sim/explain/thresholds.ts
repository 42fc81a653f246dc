/**
 * What the threshold of assembly has to do with a failure: replays at others, chosen so that few tell much.
 *
 * One run in which nothing is assembled tells after which exec how many pages of a region are cached. The greatest such
 * number is the last threshold at which anything is assembled; above it all thresholds give one run. Between two
 * thresholds of which one fails the border is found by halving, which is right if it is the only one.
 */
import { mostCachedPages, pid as asPid, type NamedKernel } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import { isVisible, type Finding } from '../finding.ts';
import type { Replay } from '../replay.ts';
import type { Signature } from '../shrink/signature.ts';
import type { Watcher } from '../watcher.ts';
import { findingLike, type Bench, type Explaining } from './run.ts';

/** How a run at one threshold went. */
export interface ThresholdRow {
  readonly threshold: number;
  /** `same`: the same failure; `other`: a program notices something else; `holds`: neither. */
  readonly outcome: 'same' | 'other' | 'holds';
  readonly finding: Finding | undefined;
  /** The first op at which something is assembled. */
  readonly assembledAt: number | undefined;
  /** Nothing but loads and answers was compared; everything, if false. */
  readonly loadsOnly: boolean;
}

export interface Thresholds {
  /** Of the trace. */
  readonly own: number;
  /** Pages cached in the fullest region when an exec looked: nothing is assembled above it. */
  readonly mostCached: number;
  /** The exec at which so many were cached first. */
  readonly mostCachedAt: number | undefined;
  /** Ascending. */
  readonly rows: readonly ThresholdRow[];
  /** Thresholds from and to which it fails, if there is one such border each; `null` for none that was found. */
  readonly failsFrom: number | null;
  readonly failsTo: number | null;
  /** A threshold between two that fail at which it does not, or none that was tried. */
  readonly isMonotone: boolean;
}

/** A threshold that no region reaches. */
const neverAt = (hugePages: number): number => Math.max(600, hugePages + 1);

export interface ThresholdCase {
  readonly bench: Bench;
  readonly kernel: NamedKernel;
  readonly signature: Signature;
  readonly finding: Finding;
  /** The whole trace, and how many of its ops were run up to the failure. */
  readonly ops: readonly Op[];
  readonly cut: number;
  readonly own: number;
  readonly hugePages: number;
}

export function* tryThresholds(given: ThresholdCase): Explaining<Thresholds> {
  const { bench, kernel, ops, own, hugePages } = given;
  const never = neverAt(hugePages);
  const counts = new ExecCounts();
  yield* bench.run({
    doing: 'without assembly',
    kernel,
    ops,
    threshold: never,
    check: 'none',
    watcherOf: (replay) => counts.watching(replay),
  });
  const { most, at } = counts.greatest();
  const rows = new Map<number, ThresholdRow>();
  const row = function* (threshold: number): Explaining<ThresholdRow> {
    let known = rows.get(threshold);
    if (known === undefined) rows.set(threshold, (known = yield* rowAt(given, threshold, counts)));
    return known;
  };
  const fails = function* (threshold: number): Explaining<boolean> {
    return (yield* row(threshold)).outcome === 'same';
  };
  rows.set(own, { threshold: own, outcome: 'same', finding: given.finding, assembledAt: counts.firstOver(own), loadsOnly: false });
  // Where nothing was assembled the threshold made no difference, and none above it does.
  const neverFails = own > most || (yield* fails(never));
  const zeroFails = yield* fails(0);
  let failsFrom: number | null = zeroFails ? 0 : null;
  let failsTo: number | null = null;
  if (!neverFails) failsTo = (yield* fails(most)) ? most : yield* border(own, most, fails);
  // Above what is ever cached all thresholds give one run.
  if (!zeroFails) failsFrom = yield* border(Math.min(own, most + 1), 0, fails);
  const ascending = [...rows.values()].sort((a, b) => a.threshold - b.threshold);
  const failing = ascending.filter(({ outcome }) => outcome === 'same').map(({ threshold }) => threshold);
  const [low, high] = [Math.min(...failing), Math.max(...failing)];
  const isMonotone = ascending.every(({ threshold, outcome }) => outcome === 'same' || threshold < low || threshold > high);
  return { own, mostCached: most, mostCachedAt: at, rows: ascending, failsFrom, failsTo, isMonotone };
}

/** The last threshold on the way from one that fails to one that does not, by halving. */
function* border(failing: number, holding: number, fails: (threshold: number) => Explaining<boolean>): Explaining<number> {
  let [bad, good] = [failing, holding];
  while (Math.abs(bad - good) > 1) {
    const middle = (bad + good) >> 1;
    if (yield* fails(middle)) bad = middle;
    else good = middle;
  }
  return bad;
}

/**
 * One threshold. Until something is assembled all runs are one run. So a threshold at which that comes after the ops that
 * led to the failure goes there as this run does, or as the run without assembly; after these ops loads and answers are
 * compared, and once something is assembled everything is.
 */
function* rowAt(given: ThresholdCase, threshold: number, counts: ExecCounts): Explaining<ThresholdRow> {
  const { bench, kernel, signature, finding, ops, cut, own } = given;
  const assembledAt = counts.firstOver(threshold);
  const isLater = (at: number | undefined): boolean => at === undefined || at >= cut;
  if (isLater(assembledAt) && isLater(counts.firstOver(own))) return { threshold, outcome: 'same', finding, assembledAt, loadsOnly: false };

  const doing = `at threshold ${threshold}`;
  const look = function* (count: number, check: CheckMode): Explaining<ThresholdRow | undefined> {
    const near = ops.slice(0, count);
    const result = yield* bench.run({ doing, kernel, ops: near, threshold, check });
    const same = findingLike(result, near, signature);
    const noticed = same ?? result.findings.find(isVisible);
    if (noticed === undefined) return undefined;
    // What is found at the end of ops that are not all is found at the last of them.
    const found = count < ops.length && noticed.op >= count ? { ...noticed, op: count - 1 } : noticed;
    return { threshold, outcome: same === undefined ? 'other' : 'same', finding: found, assembledAt, loadsOnly: false };
  };
  const near = yield* look(cut, bench.check);
  if (near !== undefined) return near;
  const atAssembly = assembledAt === undefined || assembledAt < cut ? undefined : yield* look(assembledAt + 1, 'end');
  if (atAssembly !== undefined) return atAssembly;
  const whole = cut < ops.length ? yield* look(ops.length, 'end') : undefined;
  return whole ?? { threshold, outcome: 'holds', finding: undefined, assembledAt, loadsOnly: cut < ops.length };
}

/** How many pages of a region are cached after each exec, in a run that assembles nothing. */
class ExecCounts {
  /** Only new maxima, so ascending in both. */
  private readonly maxima: { readonly op: number; readonly pages: number }[] = [];
  /** The exec under way replays a template, and looks at no page of the cache. */
  private isReplayed = false;

  watching({ machine }: Replay): Watcher {
    return {
      before: () => {
        this.isReplayed = false;
      },
      event: ({ type }) => {
        if (type === 'template_replayed') this.isReplayed = true;
      },
      after: (op, index, result) => {
        const space = op.op === 'exec' && result === 0 && !this.isReplayed ? machine.kernel.processes.get(asPid(op.pid))?.space : undefined;
        const pages = space === undefined ? 0 : mostCachedPages(machine.kernel, space);
        if (pages > (this.maxima.at(-1)?.pages ?? 0)) this.maxima.push({ op: index, pages });
      },
    };
  }

  greatest(): { readonly most: number; readonly at: number | undefined } {
    const last = this.maxima.at(-1);
    return { most: last?.pages ?? 0, at: last?.op };
  }

  /** The first exec that finds so many pages cached; at 0 the first that finds any. */
  firstOver(threshold: number): number | undefined {
    return this.maxima.find(({ pages }) => pages >= threshold)?.op;
  }
}
