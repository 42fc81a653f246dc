/** What views are given. */
import type { Moment } from '../moment.ts';
import type { Store } from './store.ts';

export interface StoreProps {
  readonly store: Store;
}

export interface MomentProps extends StoreProps {
  readonly moment: Moment;
  /** 0, or 1 for the other kernel. */
  readonly side: number;
}
