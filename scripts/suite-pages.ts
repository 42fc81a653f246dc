/**
 * Which pages of BusyBox each applet touches: a function of its name.
 *
 * All applets share the pages of start-up and exit; a family (archive, text, …) shares some; the rest is an applet's
 * own. The sizes follow the post: 20 to 30 pages for a shell, about 20 for true, and at most 127 different ones in the
 * first 64 checks, more than 128 once tar has run. Data and stack are not here: every process touches them alike.
 */
import { createPrng, type Stream } from '../sim/prng.ts';

const PAGE_BYTES = 4096;

/** Pages by index from 0x400000. */
export interface PageSet {
  readonly text: readonly number[];
  readonly constants: readonly number[];
}

/** Text between the first page (start-up) and the last, which is partial and holds the exit code. */
const TEXT = { first: 2, last: 232 } as const;
const EXIT_CODE = 233;
/** Constants but for the partial last page, which the shell reads. */
const CONSTANTS = { first: 234, last: 282 } as const;
const CONSTANTS_TAIL = 283;

interface Size {
  readonly text: number;
  readonly constants: number;
}

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  shell: ['sh'],
  archive: ['tar', 'gzip', 'gunzip', 'cpio'],
  digest: ['md5sum', 'sha256sum', 'base64'],
  files: ['cp', 'mv', 'rm', 'mkdir', 'rmdir', 'ln', 'chmod', 'touch', 'ls', 'dd', 'truncate', 'du', 'stat', 'find', 'readlink'],
  text: ['cat', 'head', 'tail', 'wc', 'tee', 'grep', 'sed', 'awk', 'sort', 'uniq', 'tr', 'cut', 'diff', 'comm', 'od'],
  system: ['ps', 'hostname', 'uname', 'id', 'whoami', 'date', 'uptime', 'df', 'ifconfig'],
};
/** Applets of no family: true, echo, env, nice, … */
const OTHERS = 'others';

const START_UP: Size = { text: 7, constants: 5 };
const FAMILY: Size = { text: 3, constants: 2 };
const OWN: Size = { text: 2, constants: 1 };
const OWN_OF: Readonly<Record<string, Size>> = {
  sh: { text: 6, constants: 1 },
  tar: { text: 16, constants: 5 },
  gzip: { text: 8, constants: 3 },
  cpio: { text: 6, constants: 2 },
  find: { text: 6, constants: 2 },
  awk: { text: 6, constants: 2 },
  sed: { text: 4, constants: 1 },
  grep: { text: 4, constants: 1 },
  diff: { text: 4, constants: 1 },
  sort: { text: 3, constants: 1 },
};

const prng = createPrng('busybox-102');
/** What was drawn under a name: a family's pages are drawn once. */
const DRAWN = new Map<string, PageSet>();

/** What every BusyBox process touches before its applet, from the page of the entry on, and after it. */
export const START_UP_PAGES: PageSet & { readonly exit: number } = {
  ...withPages({ text: [1], constants: [] }, draw('start-up', START_UP)),
  exit: EXIT_CODE,
};

const PAGES = new Map<string, PageSet>();

/** What the applet touches besides. The same object at every call. */
export function pagesOf(applet: string): PageSet {
  let pages = PAGES.get(applet);
  if (pages === undefined) {
    const family = Object.keys(FAMILIES).find((name) => FAMILIES[name]!.includes(applet)) ?? OTHERS;
    pages = withPages(draw(`family ${family}`, FAMILY), draw(`applet ${applet}`, OWN_OF[applet] ?? OWN));
    if (applet === 'sh') pages = withPages(pages, { text: [], constants: [CONSTANTS_TAIL] });
    PAGES.set(applet, pages);
  }
  return pages;
}

/** Pages that `programs` touch together of what Kevlar caches: text and constants. */
export function pagesTogether(programs: Iterable<string>): ReadonlySet<number> {
  const sets = [START_UP_PAGES, ...[...new Set(programs)].map(pagesOf)];
  return new Set([START_UP_PAGES.exit, ...sets.flatMap(({ text, constants }) => [...text, ...constants])]);
}

/** Bytes of the file in a page. */
export const bytesIn = (page: number): number => (page === EXIT_CODE ? 0xabc : page === CONSTANTS_TAIL ? 0x1f0 : PAGE_BYTES);

function draw(name: string, size: Size): PageSet {
  const known = DRAWN.get(name);
  if (known !== undefined) return known;
  const stream = prng.stream(name);
  const pages = { text: distinct(stream, TEXT, size.text), constants: distinct(stream, CONSTANTS, size.constants) };
  DRAWN.set(name, pages);
  return pages;
}

function distinct(stream: Stream, { first, last }: { readonly first: number; readonly last: number }, count: number): readonly number[] {
  const drawn = new Set<number>();
  while (drawn.size < count) drawn.add(first + stream.int(last + 1 - first));
  return [...drawn];
}

function withPages(a: PageSet, b: PageSet): PageSet {
  return { text: [...new Set([...a.text, ...b.text])], constants: [...new Set([...a.constants, ...b.constants])] };
}
