/**
 * Draws the timeline. Every visible op is looked at each time: a million take a few milliseconds, and no pyramid has to be kept.
 *
 * A column of pixels shows the most important thing that happened in it on each lane; failures and assemblies stand above the lanes.
 */
import { FLAG, type Sample } from '../overview.ts';
import type { Store } from './store.ts';
import { grouped } from './text.ts';
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

const STRIPS: readonly { readonly name: string; readonly value: (sample: Sample) => number; readonly colour: string }[] = [
  { name: 'cached pages', value: (sample) => sample.cachedPages, colour: 'cache' },
  { name: 'resident pages', value: (sample) => sample.residentPages, colour: 'kernel' },
  { name: 'faults', value: (sample) => sample.faults, colour: 't-fault' },
  { name: 'free frames', value: (sample) => sample.freeFrames, colour: 'use-single' },
];

const laneCount = (store: Store): number => Math.min(LANES_SHOWN_MAX, 1 + store.lanes.reduce((most, lane) => Math.max(most, lane), 0));
const laneCounts = new WeakMap<Store, { readonly covered: number; readonly lanes: number }>();

/** How many lanes there are so far, worked out again only when the overview has grown. */
function lanesOf(store: Store): number {
  const known = laneCounts.get(store);
  if (known?.covered === store.covered) return known.lanes;
  const lanes = laneCount(store);
  laneCounts.set(store, { covered: store.covered, lanes });
  return lanes;
}

const laneHeight = (lanes: number): number => (lanes <= 4 ? 14 : lanes <= 8 ? 10 : 7);

export function timelineHeight(store: Store): number {
  const lanes = lanesOf(store);
  return MARKS_HEIGHT + lanes * laneHeight(lanes) + 6 + STRIPS.length * STRIP_HEIGHT;
}

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
  const lanes = lanesOf(store);
  drawLanes(plan, store, lanes);
  drawMarks(plan, store);
  const top = MARKS_HEIGHT + lanes * laneHeight(lanes) + 6;
  STRIPS.forEach((strip, i) => drawStrip(plan, store, { ...strip, top: top + i * STRIP_HEIGHT }));
  drawCursor(plan, store, height);
}

function drawLanes({ context, width, from, to }: Plan, store: Store, lanes: number): void {
  const columns = Math.max(1, Math.floor(width));
  const [first, end] = [Math.max(0, Math.floor(from)), Math.min(store.covered, Math.ceil(to))];
  const height = laneHeight(lanes);
  const perOp = width / (to - from);
  const best = new Uint8Array(columns * lanes);
  for (let op = first; op < end; op++) {
    const column = Math.max(0, Math.min(columns - 1, Math.floor((op - from) * perOp)));
    const at = Math.min(lanes - 1, store.lanes[op]!) * columns + column;
    const kind = 1 + KIND_OF_FLAGS[store.flags[op]!]!;
    if (kind > best[at]!) best[at] = kind;
  }
  const colours = KINDS.map(([, colour]) => colourOf(colour));
  const barWidth = Math.max(1, perOp >= 4 ? perOp - 1 : Math.min(perOp, 2));
  for (let lane = 0; lane < lanes; lane++) {
    const y = MARKS_HEIGHT + lane * height;
    context.fillStyle = colourOf(lane % 2 === 0 ? 'lane' : 'lane-other');
    context.fillRect(0, y, width, height);
    for (let column = 0; column < columns; column++) {
      const kind = best[lane * columns + column]!;
      if (kind === 0) continue;
      context.fillStyle = colours[kind - 1]!;
      context.fillRect(column, y + 1, barWidth, height - 2);
    }
  }
}

function drawMarks({ context, width, x }: Plan, store: Store): void {
  const perOp = x(1) - x(0);
  const middle = (op: number): number => x(op) + Math.min(perOp, 40) / 2;
  let last = -10;
  context.fillStyle = colourOf('t-assembly');
  for (let op = 0; op < store.covered; op++) {
    if ((store.flags[op]! & FLAG.assembly) === 0) continue;
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

interface StripPlan {
  readonly name: string;
  readonly value: (sample: Sample) => number;
  readonly colour: string;
  readonly top: number;
}

function drawStrip({ context, width, x, from, to }: Plan, store: Store, { name, value, colour, top }: StripPlan): void {
  const bottom = top + STRIP_HEIGHT - 4;
  const values = store.samples.map(value);
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
  store.samples.forEach(({ at }, i) => {
    if (at < from - 1 && (store.samples[i + 1]?.at ?? 0) < from) return;
    if (at > to && (store.samples[i - 1]?.at ?? 0) > to) return;
    const before = values[i - 1];
    // What an op changed shows from where the op begins.
    if (before !== undefined) points.push([x(at - 1), y(before)]);
    points.push([x(at - 1), y(values[i]!)]);
  });
  const last = values.at(-1);
  if (last !== undefined) points.push([x(store.covered), y(last)]);
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
  const now = store.moments[0] === undefined ? undefined : value(store.moments[0].counters);
  label(context, `${name}${now === undefined ? '' : ` ${grouped(now)}`}${isCached ? ` / threshold ${grouped(threshold)}` : ''}`, top + 10);
}

function line(context: CanvasRenderingContext2D, points: readonly (readonly [number, number])[]): void {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.stroke();
}

/** Text on a ground of its own, so that it can be read over the lines. */
function label(context: CanvasRenderingContext2D, text: string, y: number): void {
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colourOf('label-ground');
  context.fillRect(0, y - 10, context.measureText(text).width + 8, 13);
  context.fillStyle = colourOf('text');
  context.fillText(text, 4, y);
}

function drawCursor({ context, x }: Plan, store: Store, height: number): void {
  const width = Math.max(1.5, x(1) - x(0));
  context.fillStyle = colourOf('cursor');
  context.fillRect(x(store.op), 0, Math.min(width, 40), height);
  context.fillStyle = colourOf('focus');
  context.fillRect(x(store.op) - 0.75, 0, 1.5, height);
}
