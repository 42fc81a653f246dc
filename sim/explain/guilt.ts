/**
 * Which wrong decisions of a kernel make it fail: found by taking them away, not looked up.
 *
 * A set of decisions is tried by replaying the trace on the same kernel with no others. First none at all: then the right
 * kernel must hold. Then fewer and fewer, until no single one can go. Each that is left is taken away alone, too: where
 * the failure stays without it, another set does the same, and is looked for. Where the search begins is a guess: the rules
 * that were seen to answer wrongly. A wrong guess costs a replay, never the result.
 */
import { kernelNamed, type Mutant, type NamedKernel } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Signature } from '../shrink/signature.ts';
import { findingLike, type Bench, type Explaining } from './run.ts';
import type { RuleName } from './spy.ts';

/** A wrong decision without which, or with which, the failure is another. */
export interface Suspect {
  readonly mutant: Mutant;
  /** The kernel with all its decisions but this one does not fail so. */
  readonly curesAlone: boolean;
}

export interface Guilt {
  /** `right`: it fails without any wrong decision; `none`: the kernel has none; `decisions`: these do it. */
  readonly kind: 'decisions' | 'right' | 'none';
  /** The smallest set found: with these alone the kernel fails so, and without any one of them it does not. */
  readonly decisions: readonly Suspect[];
  /** Other sets that do the same without all of these. */
  readonly others: readonly (readonly Mutant[])[];
  /** How many decisions the kernel gets wrong. */
  readonly of: number;
  readonly experiments: number;
  /** Ops of the trace on which sets were tried, and on which the result was confirmed. */
  readonly triedOn: number;
  readonly confirmedOn: number;
}

/** At most this many other sets are looked for. */
const OTHERS_MAX = 2;

/** A kernel with some of its wrong decisions only. */
export function kernelOnly(kernel: NamedKernel, mutants: readonly Mutant[]): NamedKernel {
  const kept = kernel.mutants.filter((mutant) => mutants.includes(mutant));
  return kept.length === kernel.mutants.length ? kernel : { ...kernel, name: nameOf(kernel, kept), mutants: kept };
}

/** `kevlar@m9.8~a~b`, or `kevlar+c` if that is shorter and the same. */
function nameOf(kernel: NamedKernel, kept: readonly Mutant[]): string {
  const base = kernelNamed(kernel.name.split(/[+~]/, 1)[0]!);
  const added = kept.map(({ id }) => `+${id}`).join('');
  if (typeof base === 'string') return `${kernel.name} with ${kept.map(({ id }) => id).join(', ') || 'no wrong decision'}`;
  if (Object.keys(base.parameters).length === 0 && base.mutants.length === 0) return `${base.name}${added}`;
  const less = base.mutants.filter((mutant) => !kept.includes(mutant)).map(({ id }) => `~${id}`);
  const more = kept.filter((mutant) => !base.mutants.includes(mutant)).map(({ id }) => `+${id}`);
  return `${base.name}${less.join('')}${more.join('')}`;
}

/** Ops that fail alike, and when to look for that. */
export interface Fewer {
  readonly ops: readonly Op[];
  readonly check: CheckMode;
}

export interface Case {
  readonly bench: Bench;
  readonly kernel: NamedKernel;
  readonly signature: Signature;
  /** The whole run up to the failure, and if it is known to fail so too a part of it. */
  readonly ops: readonly Op[];
  readonly fewer: Fewer | undefined;
  /** Rules that answered wrongly at all, and those of them that did so about what is concerned. A guess where to begin. */
  readonly active: ReadonlySet<RuleName>;
  readonly near: ReadonlySet<RuleName>;
}

/** Finds the decisions to blame. @throws ReplayError */
export function* findGuilt({ bench, kernel, signature, ops, fewer, active, near }: Case): Explaining<Guilt> {
  const of = kernel.mutants.length;
  const guesses = [near, active].map((rules) => kernel.mutants.filter(({ rule }) => rules.has(rule)));
  if (of === 0) return { kind: 'none', decisions: [], others: [], of, experiments: 0, triedOn: ops.length, confirmedOn: ops.length };
  if (fewer !== undefined) {
    const quick = yield* new Trial(bench, kernel, signature, fewer).judge(guesses);
    const confirmed = yield* new Trial(bench, kernel, signature, { ops, check: bench.check }).confirm(quick);
    if (confirmed !== undefined) return confirmed;
  }
  return yield* new Trial(bench, kernel, signature, { ops, check: bench.check }).judge(guesses);
}

class Trial {
  private readonly bench: Bench;
  private readonly kernel: NamedKernel;
  private readonly signature: Signature;
  private readonly ops: readonly Op[];
  private readonly check: CheckMode;
  private readonly known = new Map<string, boolean>();

  constructor(bench: Bench, kernel: NamedKernel, signature: Signature, { ops, check }: Fewer) {
    this.bench = bench;
    this.kernel = kernel;
    this.signature = signature;
    this.ops = ops;
    this.check = check;
  }

  /** @param guesses - sets that may do, the boldest first */
  *judge(guesses: readonly (readonly Mutant[])[]): Explaining<Guilt> {
    const all = this.kernel.mutants;
    if (yield* this.fails([])) return this.verdict('right', [], []);
    let start = all;
    for (const guess of guesses) {
      if (guess.length === 0 || guess.length === all.length || !(yield* this.fails(guess))) continue;
      start = guess;
      break;
    }
    const decisions = yield* this.smallest(start);
    const suspects: Suspect[] = [];
    const others: (readonly Mutant[])[] = [];
    for (const mutant of decisions) {
      const rest = without(all, [mutant]);
      const curesAlone = !(yield* this.fails(rest));
      suspects.push({ mutant, curesAlone });
      if (curesAlone || others.length >= OTHERS_MAX) continue;
      const other = yield* this.smallest(rest);
      if (others.every((known) => keyOf(known) !== keyOf(other))) others.push(other);
    }
    return this.verdict('decisions', suspects, others);
  }

  /** The verdict of another trial, if it is true of this one's ops too. */
  *confirm(quick: Guilt): Explaining<Guilt | undefined> {
    const all = this.kernel.mutants;
    const mutants = quick.decisions.map(({ mutant }) => mutant);
    if (quick.kind !== 'decisions' || !(yield* this.fails(mutants))) return undefined;
    for (const { mutant, curesAlone } of quick.decisions) {
      if ((yield* this.fails(without(all, [mutant]))) === curesAlone) return undefined;
    }
    return { ...quick, experiments: quick.experiments + this.known.size, confirmedOn: this.ops.length };
  }

  private verdict(kind: Guilt['kind'], decisions: readonly Suspect[], others: readonly (readonly Mutant[])[]): Guilt {
    const { length } = this.ops;
    return { kind, decisions, others, of: this.kernel.mutants.length, experiments: this.known.size, triedOn: length, confirmedOn: length };
  }

  /** The smallest set to be found among these, of which none can go. From the last to the first, as many at a time as will go. */
  private *smallest(from: readonly Mutant[]): Explaining<readonly Mutant[]> {
    let kept = from;
    for (let end = kept.length, size = Math.max(1, kept.length >> 1); end > 0;) {
      const count = Math.min(size, end);
      const less = [...kept.slice(0, end - count), ...kept.slice(end)];
      if (yield* this.fails(less)) {
        kept = less;
        end -= count;
        size = count * 2;
      } else if (count > 1) size = count >> 1;
      else {
        end--;
        size = 2;
      }
    }
    return kept;
  }

  private *fails(mutants: readonly Mutant[]): Explaining<boolean> {
    const key = keyOf(mutants);
    const before = this.known.get(key);
    if (before !== undefined) return before;
    const kernel = kernelOnly(this.kernel, mutants);
    const doing = `with ${mutants.length} of ${this.kernel.mutants.length} wrong decisions`;
    const result = yield* this.bench.run({ doing, kernel, ops: this.ops, check: this.check, keepGoing: true });
    const fails = findingLike(result, this.ops, this.signature) !== undefined;
    this.known.set(key, fails);
    return fails;
  }
}

const keyOf = (mutants: readonly Mutant[]): string => mutants.map(({ id }) => id).join(' ');
const without = (all: readonly Mutant[], some: readonly Mutant[]): readonly Mutant[] => all.filter((mutant) => !some.includes(mutant));
