/** The bytes of a page: what must be there beside what is, the first difference in view. */
import { h, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { BytesView } from '../../bytes-view.ts';
import type { Range } from '../../page-pieces.ts';
import type { MomentProps } from '../props.ts';
import { Panel } from '../panel.ts';
import { counted, hex, hexByte, PAGE_BYTES, wrongCount } from '../text.ts';

const ROW_BYTES = 16;

export function BytesPanel({ moment, side }: MomentProps): JSX.Element {
  const { bytes, pid } = moment;
  if (bytes === undefined) return h(Panel, { name: 'bytes', title: 'Bytes', side }, h('p', { class: 'quiet' }, 'no process'));
  const state =
    bytes.wrong.length > 0
      ? h('span', { class: 'bad' }, ` ${counted(wrongCount(bytes.wrong), 'byte')} wrong`)
      : bytes.actual !== undefined && bytes.expected !== undefined
        ? ' as expected'
        : null;
  const aside = [h('span', null, `pid ${pid}, ${hex(bytes.start)}`), state];
  return h(
    Panel,
    { name: 'bytes', title: 'Bytes', side, aside },
    h(HexTable, { bytes, place: `${pid} ${bytes.start} ${bytes.wrong[0]?.start ?? ''}` }),
  );
}

interface HexProps {
  readonly bytes: BytesView;
  /** What is looked at: another one is shown from its first wrong byte on. */
  readonly place: string;
}

function HexTable({ bytes, place }: HexProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const first = bytes.wrong[0];
  useEffect(() => {
    const table = box.current!;
    const mark = table.querySelector('mark')?.closest('tr');
    table.scrollTop = (mark?.offsetTop ?? 0) - table.clientHeight / 3;
  }, [place]);
  const rows = Array.from({ length: PAGE_BYTES / ROW_BYTES }, (_, row) => row * ROW_BYTES);
  return h(
    'div',
    {
      class: 'hex',
      ref: box,
      tabIndex: 0,
      role: 'region',
      'aria-label':
        first === undefined ? 'bytes of the page' : `bytes of the page; the first wrong one is at ${hex(bytes.start + first.start)}`,
    },
    h(
      'table',
      null,
      h(
        'thead',
        null,
        h('tr', null, h('th', { scope: 'col' }, 'address'), h('th', { scope: 'col' }, 'expected'), h('th', { scope: 'col' }, 'found')),
      ),
      h(
        'tbody',
        null,
        ...rows.map((at) =>
          h(
            'tr',
            null,
            h('th', { scope: 'row' }, hex(bytes.start + at)),
            h('td', null, line(bytes.expected, at, bytes.wrong, 'ins')),
            h('td', null, line(bytes.actual, at, bytes.wrong, 'mark')),
          ),
        ),
      ),
    ),
  );
}

/** Sixteen bytes; the ones that differ stand in an element of their own. */
function line(bytes: Uint8Array | undefined, at: number, wrong: readonly Range[], tag: 'ins' | 'mark'): (string | JSX.Element)[] {
  if (bytes === undefined) return ['–'];
  const parts: (string | JSX.Element)[] = [];
  const dump = (from: number, to: number): string => Array.from(bytes.subarray(from, to), hexByte).join(' ');
  const end = at + ROW_BYTES;
  let from = at;
  for (const range of wrong) {
    if (range.end <= from || range.start >= end) continue;
    const start = Math.max(from, range.start);
    const stop = Math.min(end, range.end);
    if (start > from) parts.push(dump(from, start) + ' ');
    parts.push(h(tag, null, dump(start, stop)), stop < end ? ' ' : '');
    from = stop;
  }
  if (from < end) parts.push(dump(from, end));
  return parts;
}
