/**
 * The mutant board as a page: one row a mutant, who killed it and in how many runs, and why the others survived.
 *
 * No times stand in it, so the same seed gives the same page. On a narrow screen a row becomes a card; the roles are written down,
 * because a table that is laid out otherwise is none to a screen reader.
 */
import type { Mutant, UNMODELLED_BUGS } from '../../kernel-model/index.ts';
import {
  hasSurvived,
  killersOf,
  median,
  rightLines,
  survivalReason,
  unseenText,
  type Matrix,
  type MutantRow,
  type UnseenMutant,
} from '../mutant-report.ts';
import { counted } from '../report.ts';
import { element, page, type Child, type Element } from './markup.ts';
import { outcomeBlock, type Outcome } from './outcome.ts';
import { PAGE_CSS } from './style.ts';

export interface MutantBoard extends Matrix {
  readonly seed: string;
  readonly seeds: number;
  readonly check: string;
  readonly unmodelled: typeof UNMODELLED_BUGS;
}

/** The page. */
export function mutantPage({ kernel, seed, seeds, check, rows, notHunted, right, unmodelled }: MutantBoard): string {
  const runsMax = Math.max(1, ...rows.map(runsOf));
  const survivors = rows.filter(hasSurvived);
  const summary = `${rows.length - survivors.length} of ${counted(rows.length, 'mutant')} killed, ${survivors.length} survived, ${notHunted.length} not hunted.`;
  const settings = `Kernel ${kernel.name}, seed ${seed}, ${counted(seeds, 'hunt')} each, checks: --check ${check}. Runs are those of the median hunt, bars on a logarithmic scale.`;
  const body = [
    element('h1', {}, 'Mutants'),
    element('p', {}, summary),
    ...rightLines(kernel.name, right)
      .filter((line) => line !== '')
      .map((line) => element('p', {}, line)),
    element('p', { class: 'remark' }, settings),
    ...survivorList(survivors),
    element('h2', {}, 'Every mutant'),
    board([...rows.map((row) => huntedRow(row, runsMax)), ...notHunted.map(unseenRow)]),
    ...unmodelledList(unmodelled),
  ];
  return page({ title: 'Mutants', css: `${PAGE_CSS}${BOARD_CSS}`, body });
}

const BOARD_CSS = `
.board { width: 100%; }
.board .code { overflow-wrap: break-word; }
.board svg { vertical-align: -4px; margin-right: 6px; }
.board .count { white-space: nowrap; }
.board .runs svg { display: block; margin: 2px 0 0 auto; }
.says { font-weight: 400; color: var(--quiet); font-size: 12px; display: block; font-family: system-ui, Liberation Sans, sans-serif; }
.part { display: block; }
tr:target { outline: 2px solid var(--focus); }
@media (max-width: 800px) {
  .board, .board tbody, .board tr, .board td, .board th { display: block; }
  .board thead { position: absolute; clip-path: inset(50%); }
  .board tr { padding: 8px 0; border-top: 1px solid var(--line); }
  .board td, .board th { border: 0; padding: 2px 8px; }
  .board td { display: grid; grid-template-columns: 84px 1fr; text-align: left; }
  .board td::before { content: attr(data-label); color: var(--quiet); font: 12px system-ui, Liberation Sans, sans-serif; }
  .board .runs svg { margin: 2px 0 0; }
  .board .empty { display: none; }
}
`;

const HEADINGS = ['mutant', 'rule', 'zoo', 'killed by', 'runs', 'shortest', 'survived because'] as const;

function board(rows: readonly Element[]): Element {
  const head = element('tr', { role: 'row' }, ...HEADINGS.map((heading) => element('th', { scope: 'col', role: 'columnheader' }, heading)));
  return element(
    'table',
    { class: 'board', role: 'table', 'aria-label': 'Every mutant' },
    element('thead', { role: 'rowgroup' }, head),
    element('tbody', { role: 'rowgroup' }, ...rows),
  );
}

const runsOf = ({ hunts }: MutantRow): number => median(hunts.map(({ runs }) => runs));

function huntedRow(row: MutantRow, runsMax: number): Element {
  const { mutant, hunts, shortest } = row;
  const killed = hunts.filter(({ killedBy }) => killedBy !== undefined).length;
  const ofSeeds = hunts.length === 1 || killed === 0 ? [] : [element('span', { class: 'part remark' }, `${killed}/${hunts.length} hunts`)];
  return rowOf(mutant, hasSurvived(row) ? (row.unseen === undefined ? 'failed' : 'limit') : 'held', [
    [...parts(killersOf(hunts)), ...ofSeeds],
    [String(runsOf(row)), runsBar(runsOf(row), runsMax)],
    shortest === undefined ? [] : [counted(shortest, 'op')],
    hasSurvived(row) ? [survivalReason(row)] : [],
  ]);
}

const unseenRow = (row: UnseenMutant): Element => rowOf(row.mutant, 'limit', [[], [], [], [`not hunted: ${unseenText(row)}`]]);

/** How an outcome of a hunt is called; the others do not occur. */
const STATES: Partial<Readonly<Record<Outcome, string>>> = { held: 'killed', failed: 'survived', limit: 'nothing can show it' };

/** A row from what all mutants have and the last four cells. */
function rowOf({ id, rule, says, zoo = [], needs }: Mutant, outcome: Outcome, cells: readonly (readonly Child[])[]): Element {
  const state = element(
    'svg',
    { width: 20, height: 20, role: 'img', 'aria-label': STATES[outcome] },
    element('title', {}, STATES[outcome] ?? ''),
    outcomeBlock(outcome, { x: 0, y: 0, width: 20, height: 20 }),
  );
  const name = element(
    'th',
    { scope: 'row', role: 'rowheader', class: 'code' },
    state,
    id,
    element('span', { class: 'says' }, needs === undefined ? says : `${says}; shows only with ${needs}`),
  );
  const all: readonly (readonly Child[])[] = [[rule], parts(zoo), ...cells];
  const kinds = ['code', 'code', 'code', 'count runs', 'count', ''];
  return element(
    'tr',
    { id, role: 'row' },
    name,
    ...all.map((children, i) =>
      element(
        'td',
        { role: 'cell', class: children.length === 0 ? `${kinds[i]!} empty` : kinds[i]!, 'data-label': HEADINGS[i + 1] },
        element('div', {}, ...children),
      ),
    ),
  );
}

const parts = (texts: readonly string[]): Child[] => texts.map((text) => element('span', { class: 'part' }, text));

const BAR = { width: 72, height: 6 };

/** One run is a sliver, the most runs are the whole width. */
function runsBar(runs: number, runsMax: number): Element {
  const width = Math.round(((Math.log(Math.max(1, runs)) + 1) / (Math.log(runsMax) + 1)) * BAR.width * 10) / 10;
  return element('svg', { ...BAR, 'aria-hidden': 'true' }, element('rect', { class: 'bar', width, height: BAR.height, rx: 1 }));
}

function survivorList(survivors: readonly MutantRow[]): readonly Element[] {
  if (survivors.length === 0) return [];
  const items = survivors.map((row) =>
    element('li', {}, element('a', { href: `#${row.mutant.id}`, class: 'code' }, row.mutant.id), `: ${survivalReason(row)}`),
  );
  return [element('h2', {}, 'Survivors'), element('ul', {}, ...items)];
}

function unmodelledList(bugs: typeof UNMODELLED_BUGS): readonly Element[] {
  const items = bugs.map(({ id, says, source, lacks }) =>
    element(
      'li',
      {},
      element('span', { class: 'code' }, id),
      `: ${says} (${source}). `,
      element('span', { class: 'remark' }, `Lacks ${lacks}`),
    ),
  );
  return items.length === 0
    ? []
    : [element('details', {}, element('summary', {}, 'Documented bugs without a mutant'), element('ul', {}, ...items))];
}
