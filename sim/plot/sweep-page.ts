/** A sweep as a file: the drawings alone (SVG), or a page with the numbers below them (HTML). */
import { element, page, render, type Element } from './markup.ts';
import { PAGE_CSS } from './style.ts';
import { drawingElement, sweepDrawings, sweepSvg } from './sweep-plot.ts';
import type { SweepPoint } from './sweep-points.ts';

/** What was swept. */
export interface Sweep {
  /** What the trace is called: text of a stranger. */
  readonly name: string;
  readonly ops: number;
  readonly check: string;
  readonly points: readonly SweepPoint[];
}

/** An SVG file, well-formed XML. */
export const sweepSvgFile = ({ name, points }: Sweep): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n${render(sweepSvg(points, name))}\n`;

/** An HTML file. */
export function sweepPage({ name, ops, check, points }: Sweep): string {
  const figures = sweepDrawings(points).map((drawing, i) =>
    element('figure', { tabindex: 0, role: 'group', 'aria-label': drawing.title }, drawingElement(drawing, `plot-${i}`)),
  );
  const body = [
    element('h1', {}, `Sweep of ${name}`),
    element(
      'p',
      { class: 'remark' },
      `${ops} ops, each run whole, checks: --check ${check}. The threshold is how many cached pages of 2 MiB an exec needs to assemble a huge page.`,
    ),
    element('div', { class: 'plots' }, ...figures),
    element('details', {}, element('summary', {}, 'The numbers'), element('div', { class: 'sheet', tabindex: 0 }, table(points))),
  ];
  return page({ title: `Sweep of ${name}`, css: PAGE_CSS, body });
}

const HEADINGS = ['kernel', 'threshold', 'verdict', 'checks', 'assemblies', 'faults', 'op', 'address', 'first failure'];

function table(points: readonly SweepPoint[]): Element {
  const rows = points.map(({ kernel, threshold, outcome, checks, assemblies, faults, op, address, found }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row', class: 'code' }, kernel),
      element('td', { class: 'count' }, String(threshold)),
      element('td', {}, outcome),
      element('td', { class: 'count' }, checks),
      element('td', { class: 'count' }, String(assemblies)),
      element('td', { class: 'count' }, String(faults)),
      element('td', { class: 'count' }, op === undefined ? '-' : String(op)),
      element('td', { class: 'code' }, address ?? '-'),
      element('td', { class: 'code' }, found ?? '-'),
    ),
  );
  const head = element('tr', {}, ...HEADINGS.map((heading) => element('th', { scope: 'col' }, heading)));
  return element('table', {}, element('thead', {}, head), element('tbody', {}, ...rows));
}
