/**
 * A sweep as drawings: a grid each for failures, assemblies and faults, kernels downwards, thresholds across.
 *
 * A kernel's name stands above its cells, not beside them, so that a grid of ten thresholds fits a screen of 400 px. Thresholds are
 * in order but not to scale: what matters is which side of a count of cached pages they are on.
 */
import { element, shorten, type Child, type Element } from './markup.ts';
import { outcomeBlock, type Outcome } from './outcome.ts';
import { DRAWING_CSS } from './style.ts';
import { OUTCOME_TEXTS, pointText, sweepGrid, type SweepGrid, type SweepPoint } from './sweep-points.ts';

/** Pixels. */
const PAD = 12;
const GAP = 4;
const CELL = { min: 30, max: 72, inner: 336 };
const DIGIT = 6.7;
const LETTER = 7.3;
const ROWS_TOP = 78;
const NAME = 18;
const BLOCK = 22;
const NUMBER = 14;
const BAR = 26;
const ROW_GAP = 10;
const LEGEND_LINE = 24;
/** How small a drawing may get on a page before it scrolls. */
const SHRINK_MIN = 0.85;

export interface Drawing {
  readonly title: string;
  /** Everything that it shows, in words. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly children: readonly Child[];
}

/** The three drawings of a sweep, of one width. */
export function sweepDrawings(points: readonly SweepPoint[]): readonly Drawing[] {
  const grid = sweepGrid(points);
  return [failures(grid, points), counts(grid, points, ASSEMBLIES), counts(grid, points, FAULTS)];
}

/** A drawing as an element of its own. */
export function drawingElement({ title, description, width, height, children }: Drawing, id: string): Element {
  return element(
    'svg',
    { ...canvas(width, height), style: `min-width: ${Math.round(width * SHRINK_MIN)}px`, 'aria-labelledby': `${id}-title ${id}-desc` },
    element('title', { id: `${id}-title` }, title),
    element('desc', { id: `${id}-desc` }, description),
    ...children,
  );
}

/** All three one below the other, as the root of an SVG file. */
export function sweepSvg(points: readonly SweepPoint[], name: string): Element {
  const drawings = sweepDrawings(points);
  const width = Math.max(...drawings.map((drawing) => drawing.width));
  const tops = drawings.map((_, i) => HEAD + drawings.slice(0, i).reduce((sum, { height }) => sum + height, 0));
  const height = HEAD + drawings.reduce((sum, drawing) => sum + drawing.height, 0);
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      ...canvas(width, height),
      style: 'max-width: 100%; height: auto',
      'aria-labelledby': 'title desc',
    },
    element('title', { id: 'title' }, `Sweep of ${name}`),
    element('desc', { id: 'desc' }, drawings.map(({ description }) => description).join('\n')),
    element('style', {}, DRAWING_CSS),
    element('rect', { class: 'ground', width, height }),
    element('text', { class: 'heading', x: PAD, y: 26 }, shorten(`Sweep of ${name}`, Math.floor((width - 2 * PAD) / 9.5))),
    ...drawings.map(({ children }, i) => element('g', { transform: `translate(0 ${tops[i]!})` }, ...children)),
  );
}

/** Of a file: its heading. */
const HEAD = 36;

const canvas = (width: number, height: number): Element['attributes'] => ({
  width,
  height,
  viewBox: `0 0 ${width} ${height}`,
  role: 'img',
});

interface Layout {
  readonly cell: number;
  readonly width: number;
}

function layoutOf({ thresholds }: SweepGrid, points: readonly SweepPoint[]): Layout {
  const numbers = points.flatMap(({ threshold, assemblies, faults, op }) => [threshold, assemblies, faults, op ?? 0]);
  const digits = Math.max(...numbers.map((number) => String(number).length));
  const needed = Math.max(CELL.min, Math.ceil(digits * DIGIT) + GAP);
  const cell = Math.max(needed, Math.min(CELL.max, Math.floor(CELL.inner / thresholds.length)));
  return { cell, width: 2 * PAD + Math.max(CELL.inner, cell * thresholds.length) };
}

interface Sheet {
  readonly title: string;
  readonly subtitle: string;
  readonly grid: SweepGrid;
  readonly layout: Layout;
  readonly cellHeight: number;
  /** What is drawn of a point whose cell begins at a place. */
  readonly draw: (point: SweepPoint, x: number, y: number) => readonly Child[];
  /** A line below a kernel's cells. */
  readonly note?: (kernel: string) => string;
}

/** Headings, names and cells. @returns them, and where they end */
function sheet({ title, subtitle, grid, layout, cellHeight, draw, note }: Sheet): {
  readonly children: readonly Child[];
  readonly end: number;
} {
  const letters = Math.floor((layout.width - 2 * PAD) / LETTER);
  const rowHeight = NAME + cellHeight + (note === undefined ? 0 : NAME) + ROW_GAP;
  const left = (column: number): number => PAD + column * layout.cell;
  const rows = grid.kernels.flatMap((kernel, row) => {
    const top = ROWS_TOP + row * rowHeight;
    const cells = grid.thresholds.flatMap((threshold, column) => {
      const point = grid.at(kernel, threshold);
      if (point === undefined) return [];
      const target = element('rect', { x: left(column), y: top + NAME, width: layout.cell, height: cellHeight, 'fill-opacity': 0 });
      return [element('g', {}, element('title', {}, pointText(point)), target, ...draw(point, left(column), top + NAME))];
    });
    const remark = note?.(kernel) ?? '';
    return [
      element('text', { class: 'name', x: PAD, y: top + 12 }, element('title', {}, kernel), shorten(kernel, letters)),
      ...cells,
      ...(remark === '' ? [] : [element('text', { class: 'quiet', x: PAD, y: top + NAME + cellHeight + 13 }, shorten(remark, letters))]),
    ];
  });
  const labels = grid.thresholds.map((threshold, column) =>
    element('text', { class: 'number', x: left(column) + layout.cell / 2, y: ROWS_TOP - 10 }, String(threshold)),
  );
  return {
    children: [
      element('text', { class: 'heading', x: PAD, y: 24 }, title),
      element('text', { class: 'quiet', x: PAD, y: 43 }, subtitle),
      ...labels,
      ...rows,
    ],
    end: ROWS_TOP + grid.kernels.length * rowHeight,
  };
}

const ACROSS = 'across: threshold, not to scale';

function failures(grid: SweepGrid, points: readonly SweepPoint[]): Drawing {
  const layout = layoutOf(grid, points);
  const { children, end } = sheet({
    title: 'Failures',
    subtitle: `op of the first; ${ACROSS}`,
    grid,
    layout,
    cellHeight: BLOCK + NUMBER,
    draw: ({ outcome, op }, x, y) => [
      outcomeBlock(outcome, { x: x + GAP / 2, y, width: layout.cell - GAP, height: BLOCK }),
      ...(op === undefined ? [] : [element('text', { class: 'number', x: x + layout.cell / 2, y: y + BLOCK + 12 }, String(op))]),
    ],
    note: (kernel) => foundBy(points, kernel).join(', '),
  });
  const kinds = (Object.keys(OUTCOME_TEXTS) as Outcome[]).filter((kind) => points.some(({ outcome }) => outcome === kind));
  const legend = kinds.flatMap((kind, i) => [
    outcomeBlock(kind, { x: PAD, y: end + i * LEGEND_LINE, width: 26, height: 18 }),
    element('text', { x: PAD + 34, y: end + i * LEGEND_LINE + 13 }, OUTCOME_TEXTS[kind]),
  ]);
  return {
    title: 'Failures over thresholds and kernels',
    description: describe('Failures.', grid, ({ outcome, found, op }) =>
      found === undefined ? outcome : `${outcome}, ${found} at op ${op ?? '-'}`,
    ),
    width: layout.width,
    height: end + kinds.length * LEGEND_LINE + PAD,
    children: [...children, ...legend],
  };
}

/** What a kernel's runs found, each once; in brackets what no program noticed. */
const foundBy = (points: readonly SweepPoint[], name: string): readonly string[] => [
  ...new Set(
    points.flatMap(({ kernel, found, outcome }) =>
      kernel !== name || found === undefined ? [] : [outcome === 'asleep' ? `(${found})` : found],
    ),
  ),
];

interface Count {
  readonly title: string;
  readonly of: (point: SweepPoint) => number;
}

const ASSEMBLIES: Count = { title: 'Assemblies', of: ({ assemblies }) => assemblies };
const FAULTS: Count = { title: 'Faults', of: ({ faults }) => faults };

/** Bars from zero, all of one scale, each with its number. */
function counts(grid: SweepGrid, points: readonly SweepPoint[], { title, of }: Count): Drawing {
  const layout = layoutOf(grid, points);
  const max = Math.max(1, ...points.map(of));
  const { children, end } = sheet({
    title,
    subtitle: `bars from 0 to ${max}; ${ACROSS}`,
    grid,
    layout,
    cellHeight: NUMBER + BAR,
    draw: (point, x, y) => {
      const height = Math.round((of(point) / max) * BAR * 10) / 10;
      const bottom = y + NUMBER + BAR;
      return [
        element('rect', { class: 'bar', x: x + GAP / 2, y: bottom - height, width: layout.cell - GAP, height }),
        element('line', { class: 'base', x1: x, x2: x + layout.cell, y1: bottom, y2: bottom }),
        element('text', { class: 'number', x: x + layout.cell / 2, y: bottom - height - 4 }, String(of(point))),
      ];
    },
  });
  return {
    title: `${title} over thresholds and kernels`,
    description: describe(`${title}.`, grid, (point) => String(of(point))),
    width: layout.width,
    height: end + PAD,
    children,
  };
}

/** A line a kernel: equal neighbours as one. */
function describe(title: string, { kernels, thresholds, at }: SweepGrid, say: (point: SweepPoint) => string): string {
  const lines = kernels.map((kernel) => {
    const groups: { from: number; to: number; text: string }[] = [];
    for (const threshold of thresholds) {
      const point = at(kernel, threshold);
      const text = point === undefined ? 'not run' : say(point);
      const last = groups.at(-1);
      if (last?.text === text) last.to = threshold;
      else groups.push({ from: threshold, to: threshold, text });
    }
    return `${kernel}: ${groups.map(({ from, to, text }) => `${text} at ${from === to ? from : `${from} to ${to}`}`).join('; ')}.`;
  });
  return [title, ...lines].join('\n');
}
