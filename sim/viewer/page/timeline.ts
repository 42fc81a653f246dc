/**
 * The timeline: processes as lanes, what happened on them, the counters below; zoomed and moved with wheel, drag and keys.
 *
 * The picture is drawn again only when its data or the visible part change; the cursor and the counters' values are elements over it.
 */
import { h, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { StoreProps } from './props.ts';
import { drawTimeline, STRIPS, stripTop, timelineHeight } from './timeline-draw.ts';
import type { Store } from './store.ts';
import { counted, grouped } from './text.ts';
import { isDark } from './theme.ts';

/** A press that moves less is a click. */
const DRAG_PIXELS_MIN = 4;

export function Timeline({ store }: StoreProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) drawTimeline(canvas.current, store);
  }, [store, store.timelineVersion, isDark()]);
  useEffect(() => {
    const element = canvas.current!;
    const resized = new ResizeObserver(() => drawTimeline(element, store));
    const removeHandlers = addHandlers(element, store);
    resized.observe(element);
    return () => {
      resized.disconnect();
      removeHandlers();
    };
  }, [store]);
  const [moment] = store.moments;
  const [from, to] = store.range;
  return h(
    'section',
    { class: 'timeline', 'aria-label': 'Timeline' },
    h(
      'div',
      { class: 'chart' },
      h('canvas', {
        ref: canvas,
        tabIndex: 0,
        role: 'slider',
        'aria-label': 'op',
        'aria-valuemin': -1,
        'aria-valuemax': store.count - 1,
        'aria-valuenow': store.op,
        'aria-valuetext': `op ${store.op}: ${moment?.opText ?? ''}`,
        style: { height: `${timelineHeight(store)}px` },
      }),
      h('div', { class: 'over-chart' }, h(Cursor, { store }), h(StripLabels, { store })),
    ),
    h(
      'p',
      { class: 'quiet timeline-legend' },
      `ops ${grouped(Math.floor(from))} to ${grouped(Math.ceil(to) - 1)}`,
      h('span', { class: 'key failure' }, '▼ failure'),
      h('span', { class: 'key assembly' }, '◆ assembly'),
      h('span', { class: 'key exec' }, '▌exec'),
      h('span', { class: 'key fork' }, '▌fork, exit'),
      h('span', { class: 'key fault' }, '▌fault'),
      h('span', { class: 'key call' }, '▌memory call'),
      h('span', { class: 'key touch' }, '▌other'),
      store.openedInMs === undefined
        ? null
        : h('span', null, `${counted(store.count, 'op')} run in ${grouped(Math.round(store.openedInMs))} ms`),
    ),
  );
}

function Cursor({ store }: StoreProps): JSX.Element {
  const [from, to] = store.range;
  const share = (ops: number): string => `${(ops / (to - from)) * 100}%`;
  return h('i', { class: 'cursor', style: { left: share(store.op - from), width: share(1) } });
}

/** The counters' names, and what they are at the moment. */
function StripLabels({ store }: StoreProps): JSX.Element {
  const [moment] = store.moments;
  const threshold = ` / threshold ${grouped(store.facts?.threshold ?? 0)}`;
  return h(
    'div',
    null,
    ...STRIPS.map(({ name, value }, i) =>
      h(
        'span',
        { class: 'strip-label', style: { top: `${stripTop(store, i)}px` } },
        `${name}${moment === undefined ? '' : ` ${grouped(value(moment.counters))}`}${name === 'cached pages' ? threshold : ''}`,
      ),
    ),
  );
}

function addHandlers(canvas: HTMLCanvasElement, store: Store): () => void {
  let drag: { readonly x: number; last: number; hasMoved: boolean } | undefined;
  const opAt = (x: number): number => {
    const box = canvas.getBoundingClientRect();
    const [from, to] = store.range;
    return from + ((x - box.left) / box.width) * (to - from);
  };
  const handlers = {
    wheel: (event: WheelEvent): void => {
      event.preventDefault();
      const [from, to] = store.range;
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey)
        store.pan(((to - from) * (event.deltaX || event.deltaY)) / canvas.clientWidth);
      else store.zoom(1.0015 ** event.deltaY, opAt(event.clientX));
    },
    pointerdown: (event: PointerEvent): void => {
      drag = { x: event.clientX, last: event.clientX, hasMoved: false };
      canvas.setPointerCapture(event.pointerId);
    },
    pointermove: (event: PointerEvent): void => {
      if (drag === undefined) return;
      drag.hasMoved ||= Math.abs(event.clientX - drag.x) >= DRAG_PIXELS_MIN;
      if (drag.hasMoved) store.pan(opAt(drag.last) - opAt(event.clientX));
      drag.last = event.clientX;
    },
    pointerup: (event: PointerEvent): void => {
      if (drag !== undefined && !drag.hasMoved) store.goTo(Math.floor(opAt(event.clientX)));
      drag = undefined;
    },
  } as const;
  canvas.addEventListener('wheel', handlers.wheel, { passive: false });
  canvas.addEventListener('pointerdown', handlers.pointerdown);
  canvas.addEventListener('pointermove', handlers.pointermove);
  canvas.addEventListener('pointerup', handlers.pointerup);
  return () => {
    canvas.removeEventListener('wheel', handlers.wheel);
    canvas.removeEventListener('pointerdown', handlers.pointerdown);
    canvas.removeEventListener('pointermove', handlers.pointermove);
    canvas.removeEventListener('pointerup', handlers.pointerup);
  };
}
