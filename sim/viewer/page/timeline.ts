/** The timeline: processes as lanes, what happened on them, the counters below; zoomed and moved with wheel, drag and keys. */
import { h, type JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { StoreProps } from './props.ts';
import { drawTimeline, timelineHeight } from './timeline-draw.ts';
import type { Store } from './store.ts';
import { counted, grouped } from './text.ts';

interface TimelineProps extends StoreProps {
  /** Changes when the data or the visible part do. */
  readonly version: number;
  readonly op: number;
}

/** A press that moves less is a click. */
const DRAG_PIXELS_MIN = 4;

export function Timeline({ store }: TimelineProps): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current !== null) drawTimeline(canvas.current, store);
  });
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
