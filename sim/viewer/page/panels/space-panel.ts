/** The address space of a process: its VMAs, the state of their pages to scale, and what the op changed. */
import { h, type JSX } from 'preact';
import type { Moment } from '../../moment.ts';
import type { PageRun, SpaceView, VmaView } from '../../space-view.ts';
import type { MomentProps } from '../props.ts';
import { Panel } from '../panel.ts';
import type { Store } from '../store.ts';
import { counted, grouped, hex, PAGE_BYTES } from '../text.ts';

export function SpacePanel({ store, moment, side }: MomentProps): JSX.Element {
  const { space } = moment;
  return h(
    Panel,
    { name: 'space', title: 'Address space', side, aside: h(ProcessChoice, { store, moment }) },
    space === undefined ? h('p', { class: 'quiet' }, `pid ${moment.pid} does not exist`) : h(Space, { store, space, moment }),
  );
}

function ProcessChoice({ store, moment }: { readonly store: Store; readonly moment: Moment }): JSX.Element {
  return h(
    'label',
    null,
    'process ',
    h(
      'select',
      {
        value: String(moment.pid),
        onChange: (event: Event) =>
          store.select({ pid: Number((event.target as HTMLSelectElement).value), address: undefined, frame: undefined }),
      },
      ...moment.processes.map(({ pid, parent, argv0, isRunning }) =>
        h('option', { value: String(pid), selected: pid === moment.pid }, `${pid} ${argv0}${isRunning ? ' ●' : ''} (parent ${parent})`),
      ),
    ),
  );
}

interface SpaceProps {
  readonly store: Store;
  readonly space: SpaceView;
  readonly moment: Moment;
}

function Space({ store, space, moment }: SpaceProps): JSX.Element {
  const changes = [
    ...space.removed.map((line) => h('li', null, h('span', { class: 'gone' }, '− '), h('code', null, line))),
    space.unmapped > 0 ? h('li', null, h('span', { class: 'gone' }, '− '), counted(space.unmapped, 'page'), ' unmapped') : null,
  ];
  return h(
    'div',
    null,
    h(
      'p',
      { class: 'quiet' },
      `${counted(space.vmas.length, 'VMA')}, ${counted(space.mappedPages, 'page')} mapped, heap ${hex(space.heap[0])}-${hex(space.heap[1])}`,
    ),
    h(PageLegend, null),
    h('ul', { class: 'changes' }, ...changes),
    h('ul', { class: 'vmas' }, ...space.vmas.map((vma) => h(VmaLine, { store, vma, runs: space.runs, moment, key: vma.start }))),
  );
}

const PAGE_STATES: readonly (readonly [className: string, says: string])[] = [
  ['r', 'read'],
  ['x', 'execute'],
  ['w', 'write'],
  ['none', 'no access'],
  ['huge', 'in a huge leaf'],
  ['changed', 'changed by the op'],
  ['bad-page', 'wrong bytes'],
];

function PageLegend(): JSX.Element {
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'Page states' },
    ...PAGE_STATES.map(([name, says]) => h('li', null, h('i', { class: `run ${name}` }), says)),
    h('li', { class: 'quiet' }, 'pale: shared with others'),
  );
}

interface VmaProps {
  readonly store: Store;
  readonly vma: VmaView;
  readonly runs: readonly PageRun[];
  readonly moment: Moment;
}

function VmaLine({ store, vma, runs, moment }: VmaProps): JSX.Element {
  const pages = Math.ceil(vma.end / PAGE_BYTES) - Math.floor(vma.start / PAGE_BYTES);
  const isWrong = runs.some((run) => run.isWrong && overlaps(run, vma));
  return h(
    'li',
    { class: `${vma.isChanged ? 'new' : ''} ${vma.role}` },
    h(
      'div',
      { class: 'vma-head' },
      h(
        'button',
        { class: 'link', onClick: () => store.select({ pid: moment.pid, address: vma.start, frame: undefined }) },
        `${hex(vma.start)}-${hex(vma.end)}`,
      ),
      h('code', null, ` ${vma.prot}${vma.isShared ? 's' : 'p'} `),
      h('span', { class: 'vma-name' }, vma.name, vma.offset === undefined ? '' : `+${hex(vma.offset)}`),
      h('span', { class: 'quiet' }, ` ${grouped(vma.mappedPages)} of ${counted(pages, 'page')}`),
      vma.isChanged ? h('em', null, ' new') : null,
      isWrong ? h('em', { class: 'bad' }, ' wrong bytes') : null,
    ),
    h(Strip, { store, vma, runs: runs.filter((run) => overlaps(run, vma)), moment, pages }),
  );
}

const overlaps = (run: PageRun, vma: VmaView): boolean => run.start < vma.end && vma.start < run.start + run.pages * PAGE_BYTES;

/** The pages of a VMA to scale: a click or the arrows choose one. */
function Strip({ store, vma, runs, moment, pages }: VmaProps & { readonly pages: number }): JSX.Element {
  const first = vma.start - (vma.start % PAGE_BYTES);
  const length = pages * PAGE_BYTES;
  const choose = (address: number): void =>
    store.select({ pid: moment.pid, address: Math.max(first, Math.min(first + length - PAGE_BYTES, address)), frame: undefined });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const isInside = first <= moment.address && moment.address < first + length;
    choose(isInside ? moment.address + (event.key === 'ArrowLeft' ? -PAGE_BYTES : PAGE_BYTES) : first);
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event: MouseEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    choose(first + Math.floor(((event.clientX - box.left) / box.width) * pages) * PAGE_BYTES);
  };
  const share = (bytes: number): string => `${(bytes / length) * 100}%`;
  return h(
    'div',
    { class: 'strip', tabIndex: 0, role: 'img', 'aria-label': describeRuns(runs), onKeyDown, onClick },
    ...runs.map((run) => {
      const start = Math.max(run.start, first);
      const end = Math.min(run.start + run.pages * PAGE_BYTES, first + length);
      return h('i', { class: classOf(run), style: { left: share(start - first), width: share(end - start) }, title: describeRuns([run]) });
    }),
    first <= moment.address && moment.address < first + length
      ? h('b', { style: { left: share(moment.address - (moment.address % PAGE_BYTES) - first), width: share(PAGE_BYTES) } })
      : null,
  );
}

function classOf({ prot, isHuge, isShared, isChanged, isWrong }: PageRun): string {
  const kind = prot === '---' ? 'none' : prot.includes('w') ? 'w' : prot.includes('x') ? 'x' : 'r';
  return ['run', kind, isHuge ? 'huge' : '', isShared ? 'shared' : '', isChanged ? 'changed' : '', isWrong ? 'bad-page' : '']
    .filter((name) => name !== '')
    .join(' ');
}

const describeRuns = (runs: readonly PageRun[]): string =>
  runs.length === 0
    ? 'no page mapped'
    : runs
        .slice(0, 12)
        .map((run) =>
          [
            `${hex(run.start)}, ${counted(run.pages, 'page')} ${run.prot}`,
            run.isHuge ? 'huge' : '',
            run.isShared ? 'shared' : '',
            run.isChanged ? 'changed' : '',
            run.isWrong ? 'wrong bytes' : '',
          ]
            .filter((word) => word !== '')
            .join(' '),
        )
        .join('; ');
