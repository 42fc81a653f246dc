/** What the op did: its answer, its events, the findings of the run. */
import { h, type JSX } from 'preact';
import type { EventView } from '../../moment.ts';
import type { StoreProps } from '../props.ts';
import { Panel } from '../panel.ts';
import type { FindingView } from '../../findings.ts';
import type { Store } from '../store.ts';
import { counted, grouped } from '../text.ts';

const FINDINGS_SHOWN = 40;

export function WhatPanel({ store }: StoreProps): JSX.Element {
  const isOne = store.moments.length === 1;
  return h(
    Panel,
    { name: 'what', title: 'What happened' },
    ...store.moments.map((moment, side) =>
      h(
        'div',
        { key: side },
        h(
          'p',
          { class: 'op-text', role: isOne ? 'status' : undefined },
          isOne ? '' : `${'AB'[side]!}: `,
          h('code', null, moment.opText),
          moment.result === undefined ? '' : ` → ${moment.result}`,
        ),
        h(Findings, { store, side }),
        h(
          'details',
          { open: isOne && moment.eventCount <= 60 },
          h('summary', null, counted(moment.eventCount, 'event')),
          h(Events, { store, events: moment.events, count: moment.eventCount }),
        ),
      ),
    ),
  );
}

function Findings({ store, side }: StoreProps & { readonly side: number }): JSX.Element | null {
  const soFar = store.findings[side];
  if (soFar === undefined || soFar.findings.length === 0) return null;
  const named = soFar.findings[soFar.headline];
  const others = soFar.findings.filter((finding) => finding !== named);
  return h(
    'div',
    { class: 'findings' },
    named === undefined ? null : h(FindingReport, { store, finding: named }),
    others.length === 0
      ? null
      : h(
          'details',
          null,
          h('summary', null, `also found: ${others.length}`),
          h(
            'ul',
            null,
            ...others
              .slice(0, FINDINGS_SHOWN)
              .map((finding) => h('li', null, opButton(store, finding), ` ${finding.kind} ${finding.id}: ${finding.message}`)),
          ),
        ),
  );
}

function FindingReport({ store, finding }: StoreProps & { readonly finding: FindingView }): JSX.Element {
  return h(
    'details',
    { open: true, class: finding.isVisible ? 'failure' : '' },
    h('summary', null, `${finding.kind} ${finding.id} at `, opButton(store, finding)),
    h('pre', { tabIndex: 0 }, finding.lines.join('\n')),
  );
}

const opButton = (store: Store, finding: FindingView): JSX.Element =>
  h('button', { class: 'link', onClick: () => store.goToFinding(finding) }, `op ${grouped(finding.op)}`);

function Events({ store, events, count }: StoreProps & { readonly events: readonly EventView[]; readonly count: number }): JSX.Element {
  return h(
    'ol',
    { class: 'events' },
    ...events.map(({ type, text, pid, address }) =>
      h(
        'li',
        { class: type.includes('verify_fail') ? 'bad' : '' },
        address === undefined
          ? h('b', null, type)
          : h(
              'button',
              { class: 'link', onClick: () => store.select({ pid: pid ?? store.selection.pid, address, frame: undefined }) },
              type,
            ),
        h('code', null, fieldsOf(text)),
      ),
    ),
    count > events.length ? h('li', { class: 'quiet' }, `and ${grouped(count - events.length)} more`) : null,
  );
}

/** The fields of an event's JSON, without the type that stands beside. */
const fieldsOf = (text: string): string =>
  ' ' +
  text
    .replace(/^\{"type":"[^"]*",?/, '')
    .replace(/\}$/, '')
    .replace(/"(\w+)":/g, '$1=')
    .replace(/"(0x[0-9a-f]+|[\w-]+)"/g, '$1')
    .replaceAll(',', ' ');
