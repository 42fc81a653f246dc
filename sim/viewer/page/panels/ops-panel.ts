/** The ops around the current one, in notation. */
import { h, type JSX } from 'preact';
import type { StoreProps } from '../props.ts';
import { Panel } from '../panel.ts';
import { FLAG } from '../../overview.ts';

const BEFORE = 7;
const SHOWN = 15;

export function OpsPanel({ store }: StoreProps): JSX.Element {
  const first = Math.max(0, Math.min(store.op - BEFORE, store.count - SHOWN));
  const ops = Array.from({ length: Math.min(SHOWN, store.count) }, (_, i) => first + i);
  return h(
    Panel,
    { name: 'ops', title: 'Ops' },
    h('ol', { class: 'op-list', start: first }, ...ops.map((op) => h(OpLine, { store, op, key: op }))),
  );
}

function OpLine({ store, op }: StoreProps & { readonly op: number }): JSX.Element {
  const flags = store.overview.flags[op] ?? 0;
  const isFailure = store.findings[0]?.findings.some((finding) => finding.isVisible && finding.op === op) === true;
  const marks = [isFailure ? '✗' : '', flags & FLAG.assembly ? '◆' : '', flags & FLAG.fault ? '•' : ''].join('');
  const says = [isFailure ? 'failure' : '', flags & FLAG.assembly ? 'assembly' : '', flags & FLAG.fault ? 'fault' : '']
    .filter((word) => word !== '')
    .join(', ');
  return h(
    'li',
    { class: op === store.op ? 'current' : '' },
    h(
      'button',
      { onClick: () => store.goTo(op), 'aria-current': op === store.op ? 'step' : undefined },
      h('span', { class: 'number', style: { minWidth: `${String(store.count).length}ch` } }, op),
      h('span', { class: isFailure ? 'marks bad' : 'marks', title: says, 'aria-label': says === '' ? undefined : says }, marks),
      h('code', null, store.lineOf(op) ?? '…'),
    ),
  );
}
