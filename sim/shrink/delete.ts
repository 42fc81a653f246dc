/**
 * Deletion: elements of a trace are left out, from the back, as many at a time as will go.
 *
 * An element is a set of ops that belong together, or one op. Where one can go, the number is doubled until it is too
 * large and then halved into place (find_integer of Hypothesis and Shrink Ray), so a long stretch of needless ops costs a
 * few replays and a stretch of needed ones costs one each.
 */
import type { Op } from '../../traces/op.ts';
import type { Candidate } from './evaluate.ts';
import type { Stage } from './question.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

/** Elements that are asked about in one question: work for many threads, and never more for one. */
const BATCH = 8;
/** Passes over a trace until nothing goes any more. */
const PASSES_MAX = 8;

/** Deletes single ops until none can go. @returns true if any went */
export function* deleteOps(shrinker: Shrinker): Stepping<boolean> {
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const before = shrinker.best.ops.length;
    yield* deleteElements(shrinker, 'delete', (ops) => ops.map((_, i) => [i]));
    if (shrinker.best.ops.length === before || shrinker.isOver) return pass > 0;
  }
  return true;
}

/**
 * Goes once through the elements, the last first.
 *
 * @param elementsOf - the op indexes of each element; an element may hold ops of those behind it, not of those before it
 */
export function* deleteElements(
  shrinker: Shrinker,
  stage: Stage,
  elementsOf: (ops: readonly Op[]) => readonly (readonly number[])[],
): Stepping<void> {
  const walk = new Walk(shrinker, elementsOf(shrinker.best.ops));
  while (walk.left > 0) {
    const batch = Math.min(BATCH, walk.left);
    const found = yield* shrinker.first(
      stage,
      Array.from({ length: batch }, (_, i) => walk.without(i, 1)),
    );
    if (shrinker.isOver) return;
    if (found < 0) {
      walk.keep(batch);
      continue;
    }
    walk.keep(found);
    walk.drop(1);
    yield* dropMany(shrinker, stage, walk);
  }
}

/** Drops as many further elements as will go at once. */
function* dropMany(shrinker: Shrinker, stage: Stage, walk: Walk): Stepping<void> {
  let size = 2;
  while (walk.left > 0) {
    const count = Math.min(size, walk.left);
    const goes = (yield* shrinker.first(stage, [walk.without(0, count)])) === 0;
    if (goes) {
      walk.drop(count);
      size = count * 2;
      continue;
    }
    if (count === 1 || shrinker.isOver) return;
    // Between half of it, which went, and all of it, which did not.
    size = Math.floor(count / 2);
    while (size > 0 && !((yield* shrinker.first(stage, [walk.without(0, size)])) === 0)) size = Math.floor(size / 2);
    if (size === 0) return;
    walk.drop(size);
  }
}

/** Where a pass is: elements that are still to be asked about, over a trace that gets shorter meanwhile. */
class Walk {
  private readonly shrinker: Shrinker;
  /** Elements not asked about yet, as op indexes of the trace that the pass began with. */
  private pending: readonly (readonly number[])[];
  /** By op of the present trace: its index in the trace that the pass began with. */
  private origin: readonly number[];

  constructor(shrinker: Shrinker, elements: readonly (readonly number[])[]) {
    this.shrinker = shrinker;
    this.pending = elements;
    this.origin = shrinker.best.ops.map((_, i) => i);
  }

  get left(): number {
    return this.pending.length;
  }

  /** The best trace without `count` elements, those after `skip` of the last. */
  without(skip: number, count: number): Candidate {
    const gone = this.members(skip, count);
    return this.shrinker.withOps(this.shrinker.best.ops.filter((_, i) => !gone.has(this.origin[i]!)));
  }

  keep(count: number): void {
    if (count > 0) this.pending = this.pending.slice(0, -count);
  }

  /** The last `count` elements are gone from the best trace, and so may be what followed the failing op. */
  drop(count: number): void {
    const gone = this.members(0, count);
    this.origin = this.origin.filter((index) => !gone.has(index)).slice(0, this.shrinker.best.ops.length);
    this.keep(count);
  }

  private members(skip: number, count: number): Set<number> {
    const end = this.pending.length - skip;
    return new Set(this.pending.slice(Math.max(0, end - count), end).flat());
  }
}
