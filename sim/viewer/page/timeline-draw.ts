/**
 * Draws of the timeline what only the data and the visible part decide; what follows the moment lies over it (timeline.ts).
 *
 * Every visible op is looked at each time: a million take a few milliseconds, and no pyramid has to be kept. A column of pixels
 * shows the most important thing that happened in it on each lane; failures and assemblies stand above the lanes.
 */
import { FLAG, type Sample } from '../overview.ts';
import type { Store } from './store.ts';
import { colourOf } from './theme.ts';

const MARKS_HEIGHT = 28;
const STRIP_HEIGHT = 30;
const LANES_SHOWN_MAX = 16;

/** From the least to the most important; index 0 is an op without a flag. */
const KINDS: readonly (readonly [flags: number, colour: string])[] = [
  [0, 't-touch'],
  [FLAG.call, 't-call'],
  [FLAG.fault, 't-fault'],
  [FLAG.fork | FLAG.exit, 't-fork'],
  [FLAG.exec, 't-exec'],
];

/** By the flags of an op, which kind it shows. */
const KIND_OF_FLAGS = Uint8Array.from({ length: 256 }, (_, flags) => KINDS.findLastIndex(([mask]) => mask === 0 || (flags & mask) !== 0));

interface Strip {
  readonly name: string;
  readonly value: (sample: Sample) => number;
  readonly colour: string;
}

/** The counters below the lanes. */
export const STRIPS: readonly Strip[] = [
  { name: 'cached pages', value: (sample) => sample.cachedPages, colour: 'cache' },
  { name: 'resident pages', value: (sample) => sample.residentPages, colour: 'kernel' },
  { name: 'faults', value: (sample) => sample.faults, colour: 't-fault' },
  { name: 'free frames', value: (sample) => sample.freeFrames, colour: 'use-single' },
];

const lanesOf = ({ overview }: Store): number => Math.min(LANES_SHOWN_MAX, overview.laneCount);
const laneHeight = (lanes: number): number => (lanes <= 4 ? 14 : lanes <= 8 ? 10 : 7);

/** Distance of a strip from the top, in pixels. */
export function stripTop(store: Store, index: number): number {
  const lanes = lanesOf(store);
  return MARKS_HEIGHT + lanes * laneHeight(lanes) + 6 + index * STRIP_HEIGHT;
}

export const timelineHeight = (store: Store): number => stripTop(store, STRIPS.length);

interface Plan {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly from: number;
  readonly to: number;
  readonly x: (op: number) => number;
}

export function drawTimeline(canvas: HTMLCanvasElement, store: Store): void {
  const width = canvas.clientWidth;
  const height = timelineHeight(store);
  if (width === 0) return;
  const scale = devicePixelRatio;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d')!;
  context.scale(scale, scale);
  const [from, to] = store.range;
  const plan = { context, width, from, to, x: (op: number) => ((op - from) / (to - from)) * width };
  drawLanes(plan, store, lanesOf(store));
  drawMarks(plan, store);
  STRIPS.forEach((strip, i) => drawStrip(plan, store, { ...strip, top: stripTop(store, i) }));
}

function drawLanes({ context, width, from, to }: Plan, store: Store, lanes: number): void {
  const columns = Math.max(1, Math.floor(width));
  const height = laneHeight(lanes);
  const perOp = width / (to - from);
  const kinds = kindsByColumn(store, columns, lanes);
  const colours = KINDS.map(([, colour]) => colourOf(colour));
  const barWidth = Math.max(1, perOp >= 4 ? perOp - 1 : Math.min(perOp, 2));
  for (let lane = 0; lane < lanes; lane++) {
    const y = MARKS_HEIGHT + lane * height;
    context.fillStyle = colourOf(lane % 2 === 0 ? 'lane' : 'lane-other');
    context.fillRect(0, y, width, height);
    const own = kinds.subarray(lane * columns, (lane + 1) * columns);
    for (let column = 0, end = 0; column < columns; column = end) {
      const kind = own[column]!;
      for (end = column + 1; end < columns && own[end] === kind; end++);
      if (kind === 0) continue;
      context.fillStyle = colours[kind - 1]!;
      context.fillRect(column, y + 1, end - 1 - column + barWidth, height - 2);
    }
  }
}

/** Lane by lane, for each column of pixels: 0 where no op is, else 1 + index into KINDS of the most important one. */
function kindsByColumn({ overview, range: [from, to] }: Store, columns: number, lanes: number): Uint8Array {
  const perOp = columns / (to - from);
  const kinds = new Uint8Array(columns * lanes);
  const end = Math.min(overview.covered, Math.ceil(to));
  let column = 0;
  let columnEnd = -1;
  for (let op = Math.max(0, Math.floor(from)); op < end; op++) {
    if (op >= columnEnd) {
      column = Math.max(0, Math.min(columns - 1, Math.floor((op - from) * perOp)));
      columnEnd = from + (column + 1) / perOp;
    }
    const at = Math.min(lanes - 1, overview.lanes[op]!) * columns + column;
    const kind = 1 + KIND_OF_FLAGS[overview.flags[op]!]!;
    if (kind > kinds[at]!) kinds[at] = kind;
  }
  return kinds;
}

function drawMarks({ context, width, x }: Plan, store: Store): void {
  const perOp = x(1) - x(0);
  const middle = (op: number): number => x(op) + Math.min(perOp, 40) / 2;
  let last = -10;
  context.fillStyle = colourOf('t-assembly');
  for (const op of store.overview.assemblies) {
    const at = middle(op);
    if (at < -8 || at > width + 8 || at - last < 3) continue;
    last = at;
    shape(context, [
      [at, 15],
      [at + 5, 21],
      [at, 27],
      [at - 5, 21],
    ]);
  }
  context.fillStyle = colourOf('wrong');
  for (const { op, isVisible } of store.findings[0]?.findings ?? []) {
    if (!isVisible) continue;
    const at = middle(Math.min(op, store.count - 1));
    shape(context, [
      [at - 6, 1],
      [at + 6, 1],
      [at, 13],
    ]);
  }
}

function shape(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.fill();
}

interface StripPlan extends Strip {
  readonly top: number;
}

function drawStrip({ context, width, x, from, to }: Plan, store: Store, { name, value, colour, top }: StripPlan): void {
  const bottom = top + STRIP_HEIGHT - 4;
  const { samples, covered } = store.overview;
  const values = samples.map(value);
  const isCached = name === 'cached pages';
  const threshold = store.facts?.threshold ?? 0;
  const highest = Math.max(1, ...values, isCached && threshold <= 1024 ? threshold : 0);
  const lowest = name === 'free frames' ? Math.min(highest - 1, ...values) : 0;
  const y = (of: number): number => bottom - ((of - lowest) / (highest - lowest)) * (STRIP_HEIGHT - 8);
  context.strokeStyle = colourOf('line');
  context.lineWidth = 1;
  line(context, [
    [0, bottom + 0.5],
    [width, bottom + 0.5],
  ]);
  context.strokeStyle = colourOf(colour);
  context.lineWidth = 1.5;
  const points: [number, number][] = [];
  samples.forEach(({ at }, i) => {
    if (at < from - 1 && (samples[i + 1]?.at ?? 0) < from) return;
    if (at > to && (samples[i - 1]?.at ?? 0) > to) return;
    const before = values[i - 1];
    // What an op changed shows from where the op begins.
    if (before !== undefined) points.push([x(at - 1), y(before)]);
    points.push([x(at - 1), y(values[i]!)]);
  });
  const last = values.at(-1);
  if (last !== undefined) points.push([x(covered), y(last)]);
  line(context, points);
  if (isCached && threshold <= 1024) {
    context.setLineDash([4, 3]);
    context.strokeStyle = colourOf('wrong');
    line(context, [
      [0, y(threshold)],
      [width, y(threshold)],
    ]);
    context.setLineDash([]);
  }
}

function line(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}
