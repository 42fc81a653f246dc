/**
 * Arguments of ops, made simple: optional ones left out, numbers down to the least that still fails, ranges cut at both ends.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

/** Goes through the ops from the last to the first. */
export function* shrinkArguments(shrinker: Shrinker): Stepping<void> {
  for (let i = shrinker.best.ops.length - 1; i >= 0; i--) {
    if (shrinker.isOver || i >= shrinker.best.ops.length) continue;
    yield* leaveOut(shrinker, i);
    yield* simplerWords(shrinker, i);
    for (const field of NUMBERS) yield* lower(shrinker, i, field);
    yield* cutFront(shrinker, i);
  }
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (op: Op | undefined): Fields => op ?? {};

/** The best trace with op `i` changed. */
function changed(shrinker: Shrinker, i: number, change: Fields, without: readonly string[] = []): Parameters<Shrinker['withOps']>[0] {
  return shrinker.best.ops.map((op, at) => {
    if (at !== i) return op;
    const fields: Record<string, unknown> = { ...op, ...change };
    const isOnePage = op.op === 'touch' && fields['pages'] === 1;
    const gone = isOnePage ? [...without, 'pages'] : without;
    return Object.fromEntries(Object.entries(fields).filter(([name]) => !gone.includes(name))) as unknown as Op;
  });
}

/** Fields that an op can do without. */
const OPTIONAL = ['argv', 'env', 'stack', 'result', 'status', 'signal', 'child', 'width', 'value', 'newAddr', 'bytes', 'counts'];

function* leaveOut(shrinker: Shrinker, i: number): Stepping<void> {
  const op = shrinker.best.ops[i]!;
  const present = OPTIONAL.filter((name) => name in op && !(name === 'child' && op.op !== 'wait'));
  if (present.length === 0) return;
  if ((yield* shrinker.first('arguments', [shrinker.withOps(changed(shrinker, i, {}, present))])) >= 0) return;
  if (present.length > 1)
    for (const name of present) yield* shrinker.first('arguments', [shrinker.withOps(changed(shrinker, i, {}, [name]))]);
}

/** Words in order of simplicity. */
const WORDS: Readonly<Record<string, readonly string[]>> = { access: ['r', 'w', 'x'], prot: ['r', 'rw', 'none', 'rx', 'rwx', 'w'] };

function* simplerWords(shrinker: Shrinker, i: number): Stepping<void> {
  for (const [name, words] of Object.entries(WORDS)) {
    const now = fieldsOf(shrinker.best.ops[i])[name];
    if (typeof now !== 'string') continue;
    const simpler = words.slice(0, Math.max(0, words.indexOf(now)));
    yield* shrinker.first(
      'arguments',
      simpler.map((word) => shrinker.withOps(changed(shrinker, i, { [name]: word }))),
    );
  }
  const { flags } = fieldsOf(shrinker.best.ops[i]) as { flags?: readonly string[] };
  for (const flag of flags ?? []) {
    const left = (fieldsOf(shrinker.best.ops[i])['flags'] as readonly string[]).filter((one) => one !== flag);
    yield* shrinker.first('arguments', [shrinker.withOps(changed(shrinker, i, { flags: left }))]);
  }
}

/** Numbers that may go down, and the least that they may be. */
const NUMBERS = ['pages', 'length', 'newLength', 'offset', 'size', 'at'] as const;
const LEAST: Readonly<Record<(typeof NUMBERS)[number], number>> = { pages: 1, length: 1, newLength: 1, offset: 0, size: 0, at: 1 };

/** Brings one number down: to the least, to whole pages, then by halving the distance. */
function* lower(shrinker: Shrinker, i: number, field: (typeof NUMBERS)[number]): Stepping<void> {
  const now = fieldsOf(shrinker.best.ops[i])[field];
  const isReclaim = shrinker.best.ops[i]?.op === 'reclaim';
  const least = isReclaim ? 0 : LEAST[field];
  if (typeof now !== 'number' || now <= least) return;
  const isInPages = now % PAGE_BYTES === 0 && field !== 'pages' && field !== 'at';
  const step = isInPages ? PAGE_BYTES : 1;
  const floor = isInPages && least > 0 ? PAGE_BYTES : least;
  const withValue = (value: number) => shrinker.withOps(changed(shrinker, i, { [field]: value }));
  if (now > floor && (yield* shrinker.first('arguments', [withValue(floor)])) === 0) return;
  // The failure stays at `high`; `low` was refused.
  let [low, high] = [floor, now];
  while (high - low > step && !shrinker.isOver) {
    const middle = low + Math.floor((high - low) / (2 * step)) * step;
    if ((yield* shrinker.first('arguments', [withValue(middle)])) === 0) high = middle;
    else low = middle;
    if (i >= shrinker.best.ops.length) return;
  }
}

/** Cuts pages off the front of a touch of many pages. */
function* cutFront(shrinker: Shrinker, i: number): Stepping<void> {
  for (let cut = Infinity; ;) {
    const op = shrinker.best.ops[i];
    if (op?.op !== 'touch' || (op.pages ?? 1) < 2 || shrinker.isOver) return;
    const { addr, pages: count = 1 } = op;
    cut = Math.min(cut, count - 1);
    const pages = count - cut;
    const shorter = { addr: Math.floor(addr / PAGE_BYTES + cut) * PAGE_BYTES, pages };
    const goes = (yield* shrinker.first('arguments', [shrinker.withOps(changed(shrinker, i, shorter))])) === 0;
    if (!goes && cut === 1) return;
    if (!goes) cut = Math.floor(cut / 2);
  }
}
