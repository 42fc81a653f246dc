/** Physical memory: every frame by its use, who holds the chosen one, the page cache, the free lists. */
import { h, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { CachedFileView, FramesView, FrameView } from '../../frames-view.ts';
import type { MomentProps } from '../props.ts';
import { Panel } from '../panel.ts';
import type { Store } from '../store.ts';
import { counted, grouped, hex } from '../text.ts';
import { colourOf, isDark } from '../theme.ts';

const COLUMNS = 64;
const CELL = 8;
const CACHED_SHOWN = 600;

export function FramesPanel({ store, moment, side }: MomentProps): JSX.Element {
  const { frames } = moment;
  const uses = Object.entries(frames.uses).filter(([, count]) => count > 0);
  return h(
    Panel,
    { name: 'frames', title: 'Frames and cache', side, aside: counted(frames.total, 'frame') },
    h(
      'ul',
      { class: 'legend', 'aria-label': 'Uses' },
      ...uses.map(([use, count]) => h('li', null, h('i', { style: { background: `var(--use-${use})` } }), `${use} ${grouped(count)}`)),
    ),
    h(FrameMap, { store, frames }),
    frames.selected === undefined ? null : h(Holders, { store, frame: frames.selected }),
    h(Lists, { store, frames }),
  );
}

function FrameMap({ store, frames }: { readonly store: Store; readonly frames: FramesView }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const columns = Math.min(COLUMNS, Math.max(16, Math.ceil(frames.map.length / 4)));
  const rows = Math.max(1, Math.ceil(frames.map.length / columns));
  useEffect(() => {
    if (canvas.current !== null) drawFrames(canvas.current, frames, columns);
  }, [frames, columns, isDark()]);
  const selected = frames.selected?.frame ?? 0;
  const choose = (frame: number): void => store.select({ frame: Math.max(0, Math.min(frames.total - 1, frame)) });
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (by === undefined) return;
    choose(selected + by);
    event.preventDefault();
    event.stopPropagation();
  };
  const onClick = (event: MouseEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    choose(Math.floor(y * rows) * columns + Math.floor(x * columns));
  };
  return h(
    'div',
    { class: 'frame-map' },
    h('canvas', {
      ref: canvas,
      width: columns * CELL,
      height: rows * CELL,
      tabIndex: 0,
      role: 'img',
      'aria-label': `${counted(frames.map.length, 'frame')} that were ever in use; frame ${hex(selected)} is chosen`,
      onKeyDown,
      onClick,
    }),
  );
}

/** Runs of one use are drawn at once and then cut into frames; a dot is in those that several hold. */
function drawFrames(canvas: HTMLCanvasElement, { map, refs, useNames, selected }: FramesView, columns: number): void {
  const context = canvas.getContext('2d')!;
  const colours = useNames.map((name) => colourOf(`use-${name}`));
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (let frame = 0, end = 0; frame < map.length; frame = end) {
    const row = Math.floor(frame / columns);
    for (end = frame + 1; end < Math.min(map.length, (row + 1) * columns) && map[end] === map[frame]; end++);
    context.fillStyle = colours[map[frame]!]!;
    context.fillRect((frame % columns) * CELL, row * CELL, (end - frame) * CELL, CELL);
  }
  for (let x = CELL - 1; x < canvas.width; x += CELL) context.clearRect(x, 0, 1, canvas.height);
  for (let y = CELL - 1; y < canvas.height; y += CELL) context.clearRect(0, y, canvas.width, 1);
  context.fillStyle = colourOf('text');
  refs.forEach((count, frame) => {
    if (count > 1) context.fillRect((frame % columns) * CELL + 2, Math.floor(frame / columns) * CELL + 2, 3, 3);
  });
  if (selected === undefined) return;
  context.strokeStyle = colourOf('focus');
  context.lineWidth = 2;
  context.strokeRect((selected.frame % columns) * CELL, Math.floor(selected.frame / columns) * CELL, CELL, CELL);
}

function Holders({ store, frame }: { readonly store: Store; readonly frame: FrameView }): JSX.Element {
  const pins = frame.writePins > 0 ? `, ${counted(frame.writePins, 'pin')} that may write` : '';
  return h(
    'div',
    { class: 'holders', 'aria-live': 'polite' },
    h('h3', null, `frame ${hex(frame.frame)}: ${frame.use}, ${counted(frame.refs, 'reference')}${pins}`),
    h(
      'ul',
      null,
      ...frame.holders.map(({ text, pid, address }) =>
        h('li', null, address === undefined ? text : h('button', { class: 'link', onClick: () => store.select({ pid, address }) }, text)),
      ),
      frame.holders.length === 0 ? h('li', { class: 'quiet' }, 'nobody holds it') : null,
    ),
    h(
      'details',
      null,
      h('summary', null, 'where its bytes came from'),
      h('ul', null, ...frame.origins.map((origin) => h('li', null, origin))),
    ),
  );
}

function Lists({ store, frames }: { readonly store: Store; readonly frames: FramesView }): JSX.Element {
  const cached = frames.cache.reduce((sum, { pages }) => sum + pages.length, 0);
  const button = (frame: number): JSX.Element => h('button', { class: 'link', onClick: () => store.select({ frame }) }, hex(frame));
  return h(
    'div',
    null,
    h(
      'details',
      { open: cached <= 64 },
      h('summary', null, `page cache: ${counted(cached, 'page')}`),
      ...frames.cache.map((file) => h(CachedFile, { store, file })),
    ),
    h(
      'details',
      { open: true },
      h('summary', null, `huge-page cache: ${counted(frames.blocks.length, 'block')}`),
      h(
        'ul',
        null,
        ...frames.blocks.map(({ path, address, frame, populated }) =>
          h('li', null, `${path} for ${hex(address)}, ${counted(populated, 'page')} filled, from frame `, button(frame)),
        ),
      ),
    ),
    h(
      'details',
      null,
      h('summary', null, `free lists: ${counted(frames.singles.length, 'single')}, ${frames.zeroed.length} zeroed`),
      h('p', null, 'blocks by order: ', frames.freeBlocks.map((count, order) => `2^${order}: ${count}`).join(', ')),
      h(
        'p',
        null,
        'singles, next first: ',
        ...frames.singles
          .slice(-64)
          .reverse()
          .flatMap((frame) => [button(frame), ' ']),
      ),
    ),
  );
}

function CachedFile({ store, file }: { readonly store: Store; readonly file: CachedFileView }): JSX.Element {
  return h(
    'div',
    { class: 'cached' },
    h('h4', null, `${file.path}: ${counted(file.pages.length, 'page')}`),
    ...file.pages.slice(0, CACHED_SHOWN).map(({ index, frame, refs, isDirty }) => {
      const says = `page ${hex(index)} in frame ${hex(frame)}, ${counted(refs, 'reference')}${isDirty ? ', dirty' : ''}`;
      return h(
        'button',
        { class: `cached-page${isDirty ? ' dirty' : ''}`, title: says, 'aria-label': says, onClick: () => store.select({ frame }) },
        index.toString(16),
      );
    }),
  );
}
