/**
 * The BusyBox that live runs execute: `npm run guest` puts it into guest/, and any other can be named.
 *
 * Its applets are read from the table that BusyBox itself searches: their names, sorted, each closed by a NUL, and an empty name
 * after the last.
 */
import { readFileSync } from 'node:fs';
import { packageFile } from './package-files.ts';
import { UsageError } from './terminal.ts';

export interface Guest {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Sorted as BusyBox sorts them. */
  readonly applets: readonly string[];
}

export const DEFAULT_GUEST = 'guest/busybox';

/** @param path - undefined for the one that `npm run guest` got. @throws UsageError that says how to get it */
export function readGuest(path: string | undefined): Guest {
  const bytes = readGuestFile(path);
  const applets = appletsOf(bytes);
  if (applets.length === 0) throw new UsageError(`${path ?? DEFAULT_GUEST}: is no BusyBox with a shell (run it with --elf)`);
  return { path: path ?? DEFAULT_GUEST, bytes, applets };
}

function readGuestFile(path: string | undefined): Uint8Array {
  try {
    return readFileSync(path ?? packageFile(DEFAULT_GUEST));
  } catch (error) {
    if (path === undefined) throw new UsageError(`${DEFAULT_GUEST} is not there (npm run guest gets it; --guest names another one)`);
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** A few names that every BusyBox with a shell has. */
const ANCHORS = ['sh', 'cat', 'echo'];
const NAME = /^[a-z0-9[_][a-z0-9[_.+-]*$/;

/** The longest sorted list of names around the anchors; empty if there is none. */
export function appletsOf(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  let longest: string[] = [];
  for (let at = text.indexOf('\0sh\0'); at >= 0; at = text.indexOf('\0sh\0', at + 1)) {
    const list = [...namesBefore(text, at), ...namesFrom(text, at + 1)];
    if (list.length > longest.length && ANCHORS.every((name) => list.includes(name))) longest = list;
  }
  return longest;
}

/** Names from `at` on, as long as they ascend. */
function namesFrom(text: string, at: number): string[] {
  const names: string[] = [];
  for (let start = at; ;) {
    const name = text.slice(start, text.indexOf('\0', start));
    if (!NAME.test(name) || name <= (names.at(-1) ?? '')) return names;
    names.push(name);
    start += name.length + 1;
  }
}

/**
 * Names before the NUL at `end`, as long as they descend, in ascending order.
 *
 * Nothing closes what lies before the table, so the first name ends a string of anything: its letters are taken, or `[` alone.
 */
function namesBefore(text: string, end: number): string[] {
  const names: string[] = [];
  for (let last = 'sh', at = end; ;) {
    const start = text.lastIndexOf('\0', at - 1);
    const string = text.slice(start + 1, at);
    const name = NAME.test(string) ? string : (/\[$|[a-z0-9_.+-]+$/.exec(string)?.[0] ?? '');
    if (name !== '' && name < last) names.push(name);
    if (name !== string || name >= last) return names.reverse();
    last = name;
    at = start;
  }
}
