/**
 * What a fault on a page that already has an entry means, as a table.
 *
 * The six questions have 64 answers; exactly one row matches each, and a test goes through all of them. A fault on a
 * page without an entry is no question: the page is made and mapped (fault.ts).
 */

export interface EntryFacts {
  /** The protection allows this kind of access. */
  readonly allowed: boolean;
  /** The entry is valid. */
  readonly valid: boolean;
  /** The entry grants this kind of access. */
  readonly granted: boolean;
  /** The access is a store. */
  readonly store: boolean;
  /** The VMA is a shared mapping. */
  readonly shared: boolean;
  /** Nobody else holds the mapped frame. */
  readonly sole: boolean;
}

export type EntryAction =
  | 'retry' // the TLB lagged behind the entry: drop the translation
  | 'refresh' // the entry lags behind the VMA: give it the rights of the protection
  | 'dirty' // first store to a shared file page: note it, then allow it
  | 'reuse' // copy-on-write, sole holder: make the frame writable
  | 'copy'; // copy-on-write, shared frame: map a private copy

const COLUMNS = ['allowed', 'valid', 'granted', 'store', 'shared', 'sole'] as const satisfies readonly (keyof EntryFacts)[];

export interface EntryRow {
  readonly label: string;
  readonly action: EntryAction;
  readonly pattern: readonly (boolean | undefined)[];
}

const row = (label: string, action: EntryAction, pattern: EntryRow['pattern']): EntryRow => ({ label, action, pattern });
const Y = true;
const N = false;
const _ = undefined; // does not matter

// prettier-ignore
export const ENTRY_TABLE: readonly EntryRow[] = [
  //                    allowed valid granted store shared sole
  row('@A', 'refresh', [N,      _,    _,      _,    _,     _]), // only a kernel that does not signal comes here
  row('@B', 'refresh', [Y,      N,    _,      _,    _,     _]),
  row('@C', 'retry',   [Y,      Y,    Y,      _,    _,     _]),
  row('@D', 'refresh', [Y,      Y,    N,      N,    _,     _]),
  row('@E', 'dirty',   [Y,      Y,    N,      Y,    Y,     _]),
  row('@F', 'reuse',   [Y,      Y,    N,      Y,    N,     Y]),
  row('@G', 'copy',    [Y,      Y,    N,      Y,    N,     N]),
];

export const matches = (entry: EntryRow, facts: EntryFacts): boolean =>
  entry.pattern.every((cell, i) => cell === undefined || cell === facts[COLUMNS[i]!]);

/** The action for these facts. @throws Error if the table has a hole, which the test rules out */
export function actionFor(facts: EntryFacts): EntryAction {
  const found = ENTRY_TABLE.find((entry) => matches(entry, facts));
  if (found === undefined) throw new Error(`the entry table has no row for ${JSON.stringify(facts)}`);
  return found.action;
}
