/** A titled part of the page that a key can reach. */
import { h, type ComponentChildren, type JSX } from 'preact';

interface PanelProps {
  readonly name: string;
  readonly title: string;
  /** 0, or 1 for the other kernel. */
  readonly side?: number;
  readonly aside?: ComponentChildren;
  readonly children?: ComponentChildren;
}

export function Panel({ name, title, side = 0, aside, children }: PanelProps): JSX.Element {
  const id = side === 0 ? `panel-${name}` : `panel-${name}-b`;
  return h(
    'section',
    { class: `panel ${name}`, id, tabIndex: -1, 'aria-labelledby': `${id}-title` },
    h('header', null, h('h2', { id: `${id}-title` }, title), h('div', { class: 'aside' }, aside)),
    children,
  );
}
