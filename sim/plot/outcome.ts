/** What became of a run or a hunt, as a small coloured block with a mark that can be told without the colour. */
import { element, type Element } from './markup.ts';

export type Outcome = 'held' | 'asleep' | 'failed' | 'diverged' | 'limit';

/** Marks around the origin, 12 wide. */
const MARKS: Readonly<Record<Outcome, string>> = {
  held: 'M-6 0L-2 4L6 -5',
  asleep: 'M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0M0 0h0.01',
  failed: 'M-5 -5L5 5M5 -5L-5 5',
  diverged: 'M-6 -3H6M-6 3H6M3 -6L-3 6',
  limit: 'M-5 0h0.01M0 0h0.01M5 0h0.01',
};

/** A block with its upper left corner at a point. */
export function outcomeBlock(
  outcome: Outcome,
  { x, y, width, height }: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Element {
  return element(
    'g',
    {},
    element('rect', { class: outcome, x, y, width, height, rx: 3 }),
    element('path', { class: `mark ${outcome}`, transform: `translate(${x + width / 2} ${y + height / 2})`, d: MARKS[outcome] }),
  );
}
