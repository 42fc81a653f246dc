/** The huge page: a grid of its pages, each to scale; the chosen page large, with what stands where, what should, and where it came from. */
import { h, type JSX } from 'preact';
import { SOURCES, type Piece } from '../../page-pieces.ts';
import type { CellView, RegionView } from '../../region-view.ts';
import type { MomentProps } from '../props.ts';
import { Panel } from '../panel.ts';
import type { Store } from '../store.ts';
import { counted, hex, PAGE_BYTES, piecesGradient, SOURCE_TEXT, wrongCount, wrongGradient } from '../text.ts';

const COLUMNS = 32;

export function RegionPanel({ store, moment, side }: MomentProps): JSX.Element {
  const { region, pid, address } = moment;
  if (region === undefined) return h(Panel, { name: 'region', title: 'Huge page', side }, h('p', { class: 'quiet' }, 'no process'));
  const wrong = region.cells.filter((cell) => cell.wrong.length > 0).length;
  const bytes = region.cells.length * PAGE_BYTES;
  const move = (by: number): void => store.select({ pid, address: Math.max(0, region.start + by * bytes), frame: undefined });
  const aside = [
    h(
      'span',
      null,
      `pid ${pid}, ${hex(region.start)}, ${region.isHuge ? 'one huge leaf' : counted(region.cells.filter((cell) => cell.frame !== undefined).length, 'page')}`,
    ),
    wrong === 0 ? null : h('span', { class: 'bad' }, ` ${counted(wrong, 'page')} with wrong bytes`),
    h('button', { onClick: () => move(-1), 'aria-label': 'region before' }, '‹'),
    h('button', { onClick: () => move(1), 'aria-label': 'next region' }, '›'),
  ];
  const chosen = Math.max(0, Math.min(region.cells.length - 1, Math.floor((address - region.start) / PAGE_BYTES)));
  return h(
    Panel,
    { name: 'region', title: 'Huge page', side, aside },
    h(Legend, null),
    h(Grid, { store, region, chosen, pid }),
    h(Lens, { store, cell: region.cells[chosen]!, index: chosen }),
  );
}

function Legend(): JSX.Element {
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'Colours' },
    ...SOURCES.filter((source) => source !== 'unknown').map((source) =>
      h('li', null, h('i', { style: { background: `var(--${source})` } }), SOURCE_TEXT[source]),
    ),
    h('li', null, h('i', { class: 'wrong-mark' }), 'wrong bytes'),
  );
}

interface GridProps {
  readonly store: Store;
  readonly region: RegionView;
  readonly chosen: number;
  readonly pid: number;
}

function Grid({ store, region, chosen, pid }: GridProps): JSX.Element {
  const columns = Math.min(COLUMNS, region.cells.length);
  const rows = Array.from({ length: Math.ceil(region.cells.length / columns) }, (_, row) =>
    region.cells.slice(row * columns, (row + 1) * columns),
  );
  const choose = (index: number): void => store.select({ pid, address: region.cells[index]!.address, frame: undefined });
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by !== undefined && region.cells[chosen + by] !== undefined) {
      choose(chosen + by);
      focusCell(event.currentTarget as HTMLElement, chosen + by);
    } else if (event.key === 'Enter') followBytes(store, region.cells[chosen]!);
    else if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
  };
  return h(
    'div',
    {
      class: `cells ${columns < COLUMNS ? 'few' : ''}`,
      role: 'grid',
      'aria-label': `Pages of the huge page at ${hex(region.start)}`,
      style: { '--columns': columns },
      onKeyDown,
    },
    ...rows.map((cells, row) =>
      h(
        'div',
        { role: 'row', key: row },
        ...cells.map((cell, i) =>
          h(Cell, {
            cell,
            index: row * columns + i,
            isChosen: row * columns + i === chosen,
            onChoose: choose,
            onFollow: () => followBytes(store, cell),
          }),
        ),
      ),
    ),
  );
}

const focusCell = (grid: HTMLElement, index: number): void =>
  (grid.querySelectorAll('[role=gridcell]')[index] as HTMLElement | undefined)?.focus();

/** Goes to the op that put the page's wrong bytes there; from that op, to the one before it in their history. */
function followBytes(store: Store, cell: CellView): void {
  const op = guiltyOp(cell, store.op);
  if (op !== undefined) {
    store.selection = { ...store.selection, pid: store.moments[0]?.pid, address: cell.address };
    store.goTo(op);
  }
}

function guiltyOp(cell: CellView, current: number): number | undefined {
  const [wrong] = cell.wrong;
  const piece = cell.pieces.find((one) => wrong === undefined || (one.start <= wrong.start && wrong.start < one.end)) ?? cell.pieces[0];
  return piece?.ops.findLast((op) => op >= 0 && op < current) ?? piece?.ops.at(-1);
}

interface CellProps {
  readonly cell: CellView;
  readonly index: number;
  readonly isChosen: boolean;
  readonly onChoose: (index: number) => void;
  readonly onFollow: () => void;
}

function Cell({ cell, index, isChosen, onChoose, onFollow }: CellProps): JSX.Element {
  const says = describeCell(cell, index);
  const isEmpty = cell.frame === undefined;
  return h(
    'div',
    {
      role: 'gridcell',
      class: `cell${isEmpty ? (cell.vmas.length > 0 ? ' absent' : ' outside') : ''}${cell.wrong.length > 0 ? ' wrong' : ''}${isChosen ? ' chosen' : ''}`,
      tabIndex: isChosen ? 0 : -1,
      title: says,
      'aria-label': says,
      'aria-selected': isChosen,
      style: isEmpty ? {} : { backgroundImage: piecesGradient(cell.pieces) },
      onClick: () => onChoose(index),
      onDblClick: onFollow,
    },
    cell.wrong.length > 0 ? h('i', { style: { backgroundImage: wrongGradient(cell.wrong) } }) : null,
  );
}

function describeCell({ address, frame, pieces, wrong, vmas }: CellView, index: number): string {
  const where = `page ${index}, ${hex(address)}`;
  const state =
    frame === undefined ? `not mapped, ${vmas.length === 0 ? 'no VMA' : vmas.map((vma) => vma.name).join(', ')}` : `frame ${hex(frame)}`;
  const from = pieces.map((piece) => `${pieces.length > 1 ? `${hex(piece.start)}-${hex(piece.end)} ` : ''}${piece.text}`);
  const bad = wrong.length === 0 ? [] : [`${counted(wrongCount(wrong), 'wrong byte')}, the first at ${hex(address + wrong[0]!.start)}`];
  return [where, state, ...bad, ...from].join('\n');
}

function Lens({ store, cell, index }: { readonly store: Store; readonly cell: CellView; readonly index: number }): JSX.Element {
  return h(
    'div',
    { class: 'lens', 'aria-live': 'polite' },
    h('h3', null, `page ${index}, ${hex(cell.address)}`, cell.frame === undefined ? ', not mapped' : `, frame ${hex(cell.frame)}`),
    h(
      'div',
      { class: 'lens-bars', 'aria-hidden': 'true' },
      h(VmaBar, { cell }),
      h(
        'div',
        { class: 'lens-bar', style: { backgroundImage: piecesGradient(cell.pieces) } },
        ...cell.wrong.slice(0, 200).map((range) => h('i', { class: 'wrong-mark', style: span(range) })),
      ),
    ),
    h(
      'ul',
      { class: 'lens-facts' },
      ...cell.pieces.map((piece) => h(PieceLine, { store, piece })),
      cell.wrong.length === 0
        ? null
        : h(
            'li',
            { class: 'bad' },
            `${counted(wrongCount(cell.wrong), 'byte')} differ from what must be there, from ${hex(cell.wrong[0]!.start)} to ${hex(cell.wrong.at(-1)!.end)}`,
          ),
    ),
  );
}

/** The VMAs of a page to scale. */
function VmaBar({ cell }: { readonly cell: CellView }): JSX.Element {
  return h(
    'div',
    { class: 'vma-bar' },
    ...cell.vmas.map((vma) =>
      h(
        'span',
        { class: vma.role === 'pad' ? 'pad' : '', style: span(vma), title: vma.name },
        vma.offset === undefined ? vma.name : `${vma.name}+${hex(vma.offset)}`,
      ),
    ),
  );
}

const span = ({ start, end }: { readonly start: number; readonly end: number }): { left: string; width: string } => ({
  left: `${(start / PAGE_BYTES) * 100}%`,
  width: `${((end - start) / PAGE_BYTES) * 100}%`,
});

function PieceLine({ store, piece }: { readonly store: Store; readonly piece: Piece }): JSX.Element {
  const ops = [...new Set(piece.ops)].filter((op) => op >= 0);
  return h(
    'li',
    null,
    h('i', { class: 'swatch', style: { background: `var(--${piece.source})` } }),
    h('code', null, `${hex(piece.start)}–${hex(piece.end)}`),
    ` ${SOURCE_TEXT[piece.source]}: ${piece.text} `,
    ...ops.map((op) => h('button', { class: 'link', onClick: () => store.goTo(op) }, `go to op ${op}`)),
  );
}
