/** A button that opens a file of the user's. */
import { h, type JSX } from 'preact';
import type { StoreProps } from './props.ts';
import type { Store } from './store.ts';

export function FileButton({ store, label }: StoreProps & { readonly label: string }): JSX.Element {
  const onChange = (event: Event): void => openChosen(event, store);
  return h('label', { class: 'button' }, label, h('input', { type: 'file', class: 'hidden-input', onChange }));
}

function openChosen(event: Event, store: Store): void {
  const file = (event.target as HTMLInputElement).files?.[0];
  if (file !== undefined) store.open(file.name, file, {}, undefined);
}
