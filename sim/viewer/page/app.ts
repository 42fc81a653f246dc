/** The page: what is shown when, top to bottom. */
import { h, type JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { FileButton } from './file-button.ts';
import { KEYS } from './keys.ts';
import { BytesPanel } from './panels/bytes-panel.ts';
import { FramesPanel } from './panels/frames-panel.ts';
import { OpsPanel } from './panels/ops-panel.ts';
import { RegionPanel } from './panels/region-panel.ts';
import { SpacePanel } from './panels/space-panel.ts';
import { WhatPanel } from './panels/what-panel.ts';
import type { MomentProps, StoreProps } from './props.ts';
import { counted, grouped } from './text.ts';
import { isDark } from './theme.ts';
import { Timeline } from './timeline.ts';
import { Toolbar, TopBar } from './toolbar.ts';

export function App({ store }: StoreProps): JSX.Element {
  return h(
    'div',
    { class: 'app' },
    h(TopBar, { store }),
    store.error === undefined ? null : h('p', { class: 'error', role: 'alert' }, store.error),
    store.facts === undefined ? h(Welcome, { store }) : h(Views, { store }),
    store.isHelpOpen ? h(Help, { store }) : null,
  );
}

function Welcome({ store }: StoreProps): JSX.Element {
  const isReading = store.phase === 'reading';
  return h(
    'main',
    { class: 'welcome' },
    isReading
      ? h('p', { role: 'status' }, `reading… ${counted(store.opsRead, 'op')}`)
      : [
          h('p', null, 'Drop a trace here: .jsonl or .jsonl.gz. It stays on this machine.'),
          h(FileButton, { store, label: 'or choose a file' }),
        ],
  );
}

function Views({ store }: StoreProps): JSX.Element {
  const { moments } = store;
  return h(
    'main',
    { class: moments.length > 1 ? 'two' : '' },
    h(Toolbar, { store }),
    h(Timeline, { store }),
    store.partings === undefined ? null : h(PartingLines, { store }),
    moments.length === 0
      ? h('p', { role: 'status', class: 'quiet' }, 'running…')
      : h(
          'div',
          { class: 'panels', 'data-op': moments[0]!.op },
          h('div', { class: 'column' }, h(OpsPanel, { store }), h(WhatPanel, { store })),
          h(Sides, { store }),
        ),
  );
}

/** All that a moment alone decides; it stays as it is until another moment is here. */
function Sides({ store }: StoreProps): JSX.Element {
  const { moments } = store;
  return useMemo(
    () => h('div', { class: 'sides' }, ...moments.map((moment, side) => h(Side, { store, moment, side, key: side }))),
    [store, moments, isDark()],
  );
}

function Side({ store, moment, side }: MomentProps): JSX.Element {
  const props = { store, moment, side };
  return h(
    'div',
    { class: 'side', role: 'group', 'aria-label': moment.kernel },
    store.moments.length > 1 ? h('h2', { class: 'side-title' }, `${'AB'[side]!}  ${moment.kernel}, threshold ${moment.threshold}`) : null,
    moment.bug === undefined ? null : h('p', { class: 'error' }, `The kernel's own assertion failed here, the run ends: ${moment.bug}`),
    h(RegionPanel, props),
    h(BytesPanel, props),
    h(SpacePanel, props),
    h(FramesPanel, props),
  );
}

function PartingLines({ store }: StoreProps): JSX.Element {
  const { events, answer } = store.partings!;
  const line = (what: string, parting: typeof events, none: string): JSX.Element =>
    h(
      'li',
      null,
      `${what}: `,
      parting === undefined
        ? none
        : [h('button', { onClick: () => store.goTo(parting.op) }, `op ${grouped(parting.op)}`), ` ${parting.text}`],
    );
  return h(
    'section',
    { class: 'partings', 'aria-label': 'Where the kernels part' },
    h('ul', null, line('A and B first do different things at', events, 'never'), line('They first answer differently at', answer, 'never')),
  );
}

function Help({ store }: StoreProps): JSX.Element {
  return h(
    'div',
    { class: 'help', role: 'dialog', 'aria-label': 'Keys', 'aria-modal': 'false' },
    h('h2', null, 'Keys'),
    h('dl', null, ...KEYS.flatMap(({ shown, says }) => [h('dt', null, h('kbd', null, shown)), h('dd', null, says)])),
    h(
      'p',
      null,
      'In the huge page, the strips of VMAs and the frames the arrows choose a page; Enter goes to the op that its bytes came from.',
    ),
    h('button', { autofocus: true, onClick: () => store.toggleHelp() }, 'close'),
  );
}
