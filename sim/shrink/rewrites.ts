/**
 * Rewrites: what no deletion can do. Each is tried whole first, then part by part, and kept only if the failure stays.
 *
 * Addresses become those of this kernel; processes become one; the lives of a program become one; touches of one kind
 * become one touch of many pages.
 */
import { floorToPage, PAGE_BYTES } from '../../kernel-model/index.ts';
import { ADDRESS_END, TOUCH_PAGES_MAX } from '../../traces/field.ts';
import type { FileSpec } from '../../traces/header.ts';
import type { Op, OpOf } from '../../traces/op.ts';
import type { Candidate } from './evaluate.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

type Ops = readonly Op[];

/** The ops with the addresses that they had here, and without what only a recording needs. */
export function* useOwnAddresses(shrinker: Shrinker, actualOps: (of: Candidate) => Stepping<Ops>): Stepping<void> {
  const isRecorded = shrinker.best.ops.some((op) => op.result !== undefined || (op.op === 'exec' && op.stack !== undefined));
  if (!isRecorded || shrinker.isOver) return;
  const actual = yield* actualOps(shrinker.best);
  const plain = shrinker.best.ops.map((op, i) => withoutRecording(actual[i] ?? op));
  yield* shrinker.first('rewrite', [shrinker.withOps(plain)]);
}

function withoutRecording(op: Op): Op {
  if (op.op === 'exec') {
    const { stack: _stack, result: _result, ...rest } = op;
    return rest;
  }
  const { result: _, ...rest } = op;
  return rest;
}

// ---- Processes.

/** All processes become one; if that is too much, each becomes its parent. Those that are left are numbered from 1. */
export function* mergeProcesses(shrinker: Shrinker): Stepping<void> {
  const { ops } = shrinker.best;
  const first = ops[0]?.pid ?? 1;
  const forks = ops.filter((op) => op.op === 'fork' || op.op === 'vfork');
  if (forks.length > 0 || ops.some(({ pid }) => pid !== first)) {
    const merged = ops.filter((op) => !isOfProcessLife(op)).map((op) => ({ ...op, pid: first }));
    if ((yield* shrinker.first('rewrite', [shrinker.withOps(merged)])) < 0)
      for (const { pid, child } of [...forks].reverse())
        yield* shrinker.first('rewrite', [shrinker.withOps(into(shrinker.best.ops, child, pid))]);
  }
  yield* renumber(shrinker);
}

const isOfProcessLife = (op: Op): boolean => op.op === 'fork' || op.op === 'vfork' || op.op === 'exit' || op.op === 'wait';

/** The ops of `child` become ops of `parent`. */
function into(ops: Ops, child: number, parent: number): Ops {
  return ops.flatMap((op): Op[] => {
    if ('child' in op && op.child === child) return [];
    if (op.pid !== child) return [op];
    return op.op === 'exit' ? [] : [{ ...op, pid: parent }];
  });
}

function* renumber(shrinker: Shrinker): Stepping<void> {
  const numbers = new Map<number, number>();
  const numberOf = (pid: number): number => {
    if (!numbers.has(pid)) numbers.set(pid, numbers.size + 1);
    return numbers.get(pid)!;
  };
  const ops = shrinker.best.ops.map((op) => {
    const pid = numberOf(op.pid);
    return 'child' in op ? { ...op, pid, child: numberOf(op.child) } : { ...op, pid };
  });
  if ([...numbers].some(([from, to]) => from !== to)) yield* shrinker.first('rewrite', [shrinker.withOps(ops)]);
}

/** Of the execs of each process only the first and the last are left, or only the last. */
export function* collapseGenerations(shrinker: Shrinker): Stepping<void> {
  const { ops } = shrinker.best;
  const execs = new Map<number, number[]>();
  ops.forEach((op, index) => {
    if (op.op === 'exec') execs.set(op.pid, [...(execs.get(op.pid) ?? []), index]);
  });
  const without = (goneOf: (all: readonly number[]) => readonly number[]): Ops | undefined => {
    const gone = new Set([...execs.values()].flatMap(goneOf));
    return gone.size === 0 ? undefined : ops.filter((_, index) => !gone.has(index));
  };
  const candidates = [without((all) => all.slice(0, -1)), without((all) => all.slice(1, -1))];
  yield* shrinker.first(
    'rewrite',
    candidates.filter((one) => one !== undefined).map((one) => shrinker.withOps(one)),
  );
}

// ---- Touches.

type Touch = OpOf<'touch'>;

/** Runs of touches become single touches of many pages: all runs at once, else one after the other. */
export function* fuseTouches(shrinker: Shrinker): Stepping<void> {
  yield* unifyAccess(shrinker);
  const { ops } = shrinker.best;
  if (runsOf(ops).every(({ touches }) => touches.length < 2)) return;
  const all = FUSIONS.map((fuse) => shrinker.withOps(withRuns(ops, fuse)));
  const programs = shrinker.best.header.files.filter(({ segments }) => segments !== undefined).slice(0, PROGRAMS_MAX);
  const ofPrograms = programs.map((program) => shrinker.withOps(withOneTouchAPlace(ops, program)));
  const accepted = yield* shrinker.first('rewrite', [...ofPrograms, ...all]);
  if (accepted >= 0 && accepted <= ofPrograms.length) return;
  for (let i = runsOf(shrinker.best.ops).length - 1; i >= 0 && !shrinker.isOver; i--) {
    const now = shrinker.best.ops;
    yield* shrinker.first(
      'rewrite',
      FUSIONS.map((fuse) => shrinker.withOps(withRuns(now, fuse, i))).filter((one) => one.ops.length < now.length),
    );
  }
}

/** Programs whose layouts are tried as the places of touches. */
const PROGRAMS_MAX = 4;

/** Fetches and stores become loads where that changes nothing. */
function* unifyAccess(shrinker: Shrinker): Stepping<void> {
  for (const kinds of ['xw', 'x']) {
    const { ops } = shrinker.best;
    const last = ops.length - 1;
    const loads = ops.map((op, i): Op => (op.op === 'touch' && i < last && kinds.includes(op.access) ? asLoad(op) : op));
    if (loads.some((op, i) => op !== ops[i]) && (yield* shrinker.first('rewrite', [shrinker.withOps(loads)])) >= 0) return;
  }
}

function asLoad({ value: _, ...touch }: Touch): Touch {
  return { ...touch, access: 'r' };
}

/**
 * All touches of a process within reach of each other become one, where the first of them was. The failing op is left
 * alone, and so are touches in mid-page: there a segment begins, and it matters which byte of the page is touched first.
 */
function withOneTouchAPlace(ops: Ops, { segments = [] }: FileSpec): Ops {
  const starts = segments.map(({ vaddr }) => vaddr);
  const touched = ops.flatMap((op) => (op.op === 'touch' ? [op.addr] : []));
  const edges = [
    ...new Set([...starts, ...touched].filter((address) => address % PAGE_BYTES !== 0).map((address) => floorToPage(address))),
  ];
  const isFused = (op: Op, at: number): op is Touch => op.op === 'touch' && at < ops.length - 1 && op.addr % PAGE_BYTES === 0;
  const isOneStretch = (low: number, high: number): boolean =>
    high - low <= SPAN_MAX * PAGE_BYTES && !edges.some((edge) => low <= edge && edge < high);
  const places: { readonly at: number; readonly touches: Touch[]; low: number; high: number }[] = [];
  ops.forEach((op, at) => {
    if (!isFused(op, at)) return;
    const [low, high] = [floorToPage(op.addr), floorToPage(op.addr) + (op.pages ?? 1) * PAGE_BYTES];
    const place = places.find((one) => one.touches[0]!.pid === op.pid && isOneStretch(Math.min(low, one.low), Math.max(high, one.high)));
    if (place === undefined) places.push({ at, touches: [op], low, high });
    else {
      place.touches.push(op);
      [place.low, place.high] = [Math.min(low, place.low), Math.max(high, place.high)];
    }
  });
  const placeAt = new Map(places.map((place) => [place.at, place]));
  return ops.flatMap((op, at): readonly Op[] => {
    if (!isFused(op, at)) return [op];
    const place = placeAt.get(at);
    return place === undefined ? [] : place.touches.length < 2 ? [op] : spanning(place.touches);
  });
}

interface Run {
  readonly start: number;
  readonly touches: readonly Touch[];
}

/** Touches of one process and one kind that follow one another. The failing op is left alone. */
function runsOf(ops: Ops): readonly Run[] {
  const runs: { start: number; touches: Touch[] }[] = [];
  ops.forEach((op, index) => {
    if (op.op !== 'touch' || index === ops.length - 1) return;
    const last = runs.at(-1);
    const before = last?.touches.at(-1);
    if (before !== undefined && last!.start + last!.touches.length === index && before.pid === op.pid && before.access === op.access)
      last!.touches.push(op);
    else runs.push({ start: index, touches: [op] });
  });
  return runs;
}

/** From the shortest result to the most faithful one. */
const FUSIONS: readonly ((touches: readonly Touch[]) => readonly Touch[])[] = [spanning, asMany, joined];

/** One touch of every page from the lowest to the highest. */
function spanning(touches: readonly Touch[]): readonly Touch[] {
  const pages = pagesOf(touches);
  const [low, high] = [pages[0]!, pages.at(-1)!];
  const count = (high - low) / PAGE_BYTES + 1;
  return count > SPAN_MAX ? touches : [touchOf(touches[0]!, low, count)];
}

/** One touch of as many pages, from the lowest on. */
function asMany(touches: readonly Touch[]): readonly Touch[] {
  const pages = pagesOf(touches);
  const isPossible = pages.length <= SPAN_MAX && pages[0]! + pages.length * PAGE_BYTES <= ADDRESS_END;
  return isPossible ? [touchOf(touches[0]!, pages[0]!, pages.length)] : touches;
}

/** The same pages in ascending order, neighbours in one touch. */
function joined(touches: readonly Touch[]): readonly Touch[] {
  const result: Touch[] = [];
  for (const page of pagesOf(touches)) {
    const last = result.at(-1);
    if (last !== undefined && floorToPage(last.addr) + (last.pages ?? 1) * PAGE_BYTES === page)
      result[result.length - 1] = touchOf(last, last.addr, (last.pages ?? 1) + 1);
    else result.push(touchOf(touches[0]!, touches.find(({ addr }) => floorToPage(addr) === page)?.addr ?? page, 1));
  }
  return result;
}

/** A touch of more pages than a large program has is no simplification. */
const SPAN_MAX = Math.min(TOUCH_PAGES_MAX, 4096);

const touchOf = ({ pid, op, access }: Touch, addr: number, pages: number): Touch =>
  pages === 1 ? { pid, op, addr, access } : { pid, op, addr, access, pages };

/** Every page touched, ascending, each once. */
function pagesOf(touches: readonly Touch[]): readonly number[] {
  const pages = new Set<number>();
  for (const { addr, pages: count = 1 } of touches)
    for (let i = 0; i < Math.min(count, SPAN_MAX); i++) pages.add(floorToPage(addr) + i * PAGE_BYTES);
  return [...pages].sort((a, b) => a - b);
}

/** The ops with each run, or the one of that number, fused. */
function withRuns(ops: Ops, fuse: (touches: readonly Touch[]) => readonly Touch[], only?: number): Ops {
  const result: Op[] = [];
  let next = 0;
  runsOf(ops).forEach(({ start, touches }, i) => {
    result.push(...ops.slice(next, start), ...(touches.length < 2 || (only !== undefined && only !== i) ? touches : fuse(touches)));
    next = start + touches.length;
  });
  return [...result, ...ops.slice(next)];
}
