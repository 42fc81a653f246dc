/**
 * Makes traces/regressions/: for each wrong decision that one CPU can show, the shortest scene found that shows it.
 *
 *     node --import tsx/esm scripts/write-regressions.ts --out traces/regressions
 *
 * A scene fails on `kevlar` plus that decision, as its `expect` says, and holds on `kevlar`. What several scenes need to be
 * small is small in all of them: a huge page has four pages, so a region is 16 KiB.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Trace } from '../traces/codec.ts';
import type { Expectation, FileSpec, KernelSpec, SegmentSpec } from '../traces/header.ts';
import { parseNotation } from '../traces/notation.ts';
import { traceText } from './import-recordings.ts';

export interface Scene {
  /** The wrong decision that the scene is about. */
  readonly id: string;
  /** What happens, in one sentence. */
  readonly note: string;
  readonly files: readonly FileSpec[];
  readonly kernel?: Partial<KernelSpec>;
  /** Another wrong decision that this one needs to show. */
  readonly needs?: string;
  readonly ops: string;
  readonly expect: Omit<Expectation, 'verdict'>;
}

// ---- Files.

const program = (path: string, size: number, segments: SegmentSpec[], more: Partial<FileSpec> = {}): FileSpec => ({
  path,
  size,
  type: 'exec',
  segments,
  content: { seed: path },
  ...more,
});

/**
 * The image of the post in small: the file page that ends the text also begins the data.
 *
 *     0x10000 text | 0x121f0 pad | 0x13bf0 data | 0x143f0 zeros | 0x15000 heap       file page 2 is in both 0x12 and 0x13
 */
const TWO_IN_A_PAGE = program('/bin/two', 0x4000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x21f0, memsz: 0x21f0, flags: 'rx' },
  { vaddr: 0x13bf0, offset: 0x2bf0, filesz: 0x800, memsz: 0x1410, flags: 'rw' },
]);

/** Text and data in one page of memory, with a gap between them that no VMA covers. */
const GAP_IN_A_PAGE = program('/bin/gap', 0x2000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1800, memsz: 0x1800, flags: 'rx' },
  { vaddr: 0x11c00, offset: 0x1c00, filesz: 0x200, memsz: 0x200, flags: 'rw' },
]);

/** One page of text. */
const TEXT = program('/bin/text', 0x1000, [{ vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' }]);

/** Text, and one page of constants that are not to be executed. */
const CONSTANTS = program('/bin/constants', 0x2000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' },
  { vaddr: 0x11000, offset: 0x1000, filesz: 0x1000, memsz: 0x1000, flags: 'r' },
]);

/** The same file page as text and as data. */
const TWICE = program('/bin/twice', 0x1000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' },
  { vaddr: 0x11000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rw' },
]);

/** An interpreter of eight pages, and a program of one that is loaded with it: then it lies one page further up. */
const LOADER = program('/lib/loader', 0x8000, [{ vaddr: 0, offset: 0, filesz: 0x8000, memsz: 0x8000, flags: 'rx' }], { type: 'dyn' });
const LOADED = program('/bin/loaded', 0x1000, [{ vaddr: 0, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' }], {
  type: 'dyn',
  interp: '/lib/loader',
});

// ---- Scenes, in the order of the list of decisions.

const NEVER_ASSEMBLES = { assembleThreshold: 1000 };
const ASSEMBLES_AT_ONE = { assembleThreshold: 1 };

export const SCENES: readonly Scene[] = [
  {
    id: 'caches-partial-pages',
    note: 'the tail of the text is read: half of its file page enters the cache as the whole',
    files: [TWO_IN_A_PAGE],
    ops: `
      p1 exec /bin/two
      p1 touch r 0x12000`,
    expect: { kind: 'invariant', id: 'cache-truth', op: 1 },
  },
  {
    id: 'fault-trusts-cached-page',
    note: 'a whole file page is cached, and the tail of the text takes it: data shows in the pad',
    files: [TWO_IN_A_PAGE],
    kernel: NEVER_ASSEMBLES,
    ops: `
      p1 exec /bin/two
      p1 mmap 0x0 4096 r private path=/bin/two offset=0x2000
      p1 touch r 0xa00000000
      p1 touch r 0x12000`,
    expect: { kind: 'reference', id: 'zero-gap', op: 3 },
  },
  {
    id: 'prefault-trusts-cached-page',
    note: 'the last file page of the data is cached whole, and exec maps it where zeros must follow the data',
    files: [TWO_IN_A_PAGE],
    kernel: NEVER_ASSEMBLES,
    ops: `
      p1 mmap 0x0 4096 r private path=/bin/two offset=0x3000
      p1 touch r 0xa00000000
      p1 exec /bin/two`,
    expect: { kind: 'reference', id: 'zero-gap', op: 2 },
  },
  {
    id: 'assembly-copies-whole-page',
    note: 'the file page of the data’s head is cached whole, and assembly copies it over the pad in front',
    files: [TWO_IN_A_PAGE],
    kernel: ASSEMBLES_AT_ONE,
    ops: `
      p1 mmap 0x0 4096 r private path=/bin/two offset=0x2000
      p1 touch r 0xa00000000
      p1 exec /bin/two`,
    expect: { kind: 'reference', id: 'zero-gap', op: 2 },
  },
  {
    id: 'assembly-trusts-cached-range',
    note: 'the tail of the text is cached in part, and assembly takes the data’s head from what is not there',
    files: [TWO_IN_A_PAGE],
    kernel: ASSEMBLES_AT_ONE,
    needs: 'caches-partial-pages',
    ops: `
      p1 exec /bin/two
      p1 touch r 0x12000
      p1 exec /bin/two`,
    expect: { kind: 'reference', id: 'content-ref', op: 2 },
  },
  {
    id: 'mprotect-grants-write',
    note: 'after a fork mprotect makes the parent’s page writable while the child still reads it',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2
      p1 mprotect 0xa00000000 4096 rw
      p1 touch w 0xa00000000`,
    expect: { kind: 'reference', id: 'fork-isolation', op: 4 },
  },
  {
    id: 'prot-none-keeps-huge-leaf',
    note: 'a huge page is made inaccessible and read',
    files: [],
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000
      p1 mprotect 0xa00000000 16384 none
      p1 touch r 0xa00000000`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 3 },
  },
  {
    id: 'fixed-map-ignores-huge-leaf',
    note: 'a file is mapped over one page of a huge page, and the old bytes stay',
    files: [{ path: '/f', size: 4096, immutable: false, content: { seed: '/f' } }],
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000
      p1 mmap 0xa00001000 4096 r private,fixed path=/f`,
    expect: { kind: 'reference', id: 'content-ref', op: 2 },
  },
  {
    id: 'brk-ignores-huge-leaf',
    note: 'the heap grows by a huge page, is written to, and shrinks',
    files: [TWO_IN_A_PAGE],
    ops: `
      p1 exec /bin/two
      p1 brk 0x1c000
      p1 touch w 0x18000
      p1 brk 0x18000`,
    expect: { kind: 'invariant', id: 'pte-backed', op: 3 },
  },
  {
    id: 'dontneed-ignores-huge-leaf',
    note: 'a huge page is written to and given up, and still shows what was written',
    files: [],
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000
      p1 madvise 0xa00000000 16384 dontneed`,
    expect: { kind: 'reference', id: 'zero-gap', op: 2 },
  },
  {
    id: 'dontneed-does-nothing',
    note: 'a page is written to and given up, and still shows what was written',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 madvise 0xa00000000 4096 dontneed`,
    expect: { kind: 'reference', id: 'zero-gap', op: 2 },
  },
  {
    id: 'heap-by-vma-index',
    note: 'what musl does at its start: the first heap page is replaced, and the next brk takes the text for the heap',
    files: [TWO_IN_A_PAGE],
    ops: `
      p1 exec /bin/two
      p1 brk 0x17000
      p1 mmap 0x15000 4096 none private,anonymous,fixed
      p1 brk 0x18000`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 3 },
  },
  {
    id: 'first-toucher-fills-page',
    note: 'the pad behind the text is read first: the text in that page is gone',
    files: [TWO_IN_A_PAGE],
    ops: `
      p1 exec /bin/two
      p1 touch r 0x12800`,
    expect: { kind: 'reference', id: 'content-ref', op: 1 },
  },
  {
    id: 'first-toucher-protects-page',
    note: 'the pad behind the text is written to, in a page of code',
    files: [TWO_IN_A_PAGE],
    ops: `
      p1 exec /bin/two
      p1 touch w 0x12800`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 1 },
  },
  {
    id: 'fault-looks-up-bytes',
    note: 'a byte between the text and the data of one page is read',
    files: [GAP_IN_A_PAGE],
    ops: `
      p1 exec /bin/gap
      p1 touch r 0x11a00`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 1 },
  },
  {
    id: 'assembly-fills-first-vma',
    note: 'text and data share a page of an assembled block, and the data’s bytes are missing',
    files: [GAP_IN_A_PAGE],
    kernel: ASSEMBLES_AT_ONE,
    ops: `
      p1 exec /bin/gap
      p1 touch r 0x10000
      p1 exec /bin/gap`,
    expect: { kind: 'reference', id: 'content-ref', op: 2 },
  },
  {
    id: 'fault-around-crosses-region',
    note: 'a mapping begins one page before a huge page, and the fault there maps on into it',
    files: [],
    ops: `
      p1 mmap 0x13000 20480 rw private,anonymous,fixed
      p1 touch w 0x14000
      p1 touch w 0x13000`,
    expect: { kind: 'invariant', id: 'metadata-live', op: 2 },
  },
  {
    id: 'unneeded-page-freed',
    note: 'a write to cached text is refused, and the cached frame is freed on the way',
    files: [TEXT],
    ops: `
      p1 exec /bin/text
      p1 touch r 0x10000
      p1 touch w 0x10000`,
    expect: { kind: 'invariant', id: 'freed-unreachable', op: 2 },
  },
  {
    id: 'refused-access-refreshed',
    note: 'a write to memory that may only be read never ends',
    files: [],
    ops: `
      p1 mmap 0x0 4096 r private,anonymous
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'fault-progress', op: 1 },
  },
  {
    id: 'fork-skips-prot-none',
    note: 'a page that was made inaccessible is forked',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 mprotect 0xa00000000 4096 none
      p1 fork p2`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 3 },
  },
  {
    id: 'assembly-maps-beyond-vma',
    note: 'a program of one page is assembled, and three more pages are mapped behind it',
    files: [TEXT],
    kernel: ASSEMBLES_AT_ONE,
    ops: `
      p1 exec /bin/text
      p1 touch r 0x10000
      p1 exec /bin/text`,
    expect: { kind: 'invariant', id: 'pte-backed', op: 2 },
  },
  {
    id: 'huge-block-by-region',
    note: 'a block of the loader on its own is mapped where the loader lies one page further up',
    files: [LOADER, LOADED],
    kernel: ASSEMBLES_AT_ONE,
    ops: `
      p1 exec /lib/loader
      p1 touch r 0xa00004000
      p1 exec /lib/loader
      p1 exec /bin/loaded`,
    expect: { kind: 'reference', id: 'content-ref', op: 3 },
  },
  {
    id: 'prefault-grants-exec',
    note: 'a cached page of constants is mapped ahead of its fault',
    files: [CONSTANTS],
    kernel: NEVER_ASSEMBLES,
    ops: `
      p1 exec /bin/constants
      p1 touch r 0x11000
      p1 exec /bin/constants`,
    expect: { kind: 'invariant', id: 'prot-subset', op: 2 },
  },
  {
    id: 'template-maps-writable',
    note: 'the third exec replays what the second mapped of the cache, and may write to it',
    files: [TWICE],
    kernel: NEVER_ASSEMBLES,
    ops: `
      p1 exec /bin/twice
      p1 touch r 0x10000
      p1 exec /bin/twice
      p1 exec /bin/twice`,
    expect: { kind: 'invariant', id: 'cache-no-writable-alias', op: 3 },
  },
  {
    id: 'template-never-rebuilt',
    note: 'a template names two pages of the cache, and is replayed after one of them was reclaimed',
    files: [CONSTANTS, TEXT],
    kernel: NEVER_ASSEMBLES,
    ops: `
      p1 exec /bin/constants
      p1 touch r 0x10000+2
      p1 exec /bin/constants
      p1 exec /bin/text
      p1 reclaim 1
      p1 exec /bin/constants`,
    expect: { kind: 'reference', id: 'content-ref', op: 5 },
  },
  {
    id: 'refcount-wraps',
    note: 'counts end at 3: with the third process the frame of the vDSO has none',
    files: [TEXT],
    kernel: { refcountMax: 3 },
    ops: `
      p1 exec /bin/text
      p1 fork p2
      p1 fork p3`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 2 },
  },
  {
    id: 'no-teardown',
    note: 'a process ends',
    files: [],
    ops: 'p1 exit 0',
    expect: { kind: 'invariant', id: 'refcount-exact', op: 0 },
  },
  {
    id: 'mremap-resets-refs',
    note: 'after a fork the parent moves a page and writes to it: the child sees the write',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2
      p1 mremap 0xa00000000 4096 4096 mayMove,fixed newAddr=0xa00010000
      p1 touch w 0xa00010000`,
    expect: { kind: 'reference', id: 'fork-isolation', op: 4 },
  },
  {
    id: 'huge-refs-base-only',
    note: 'a huge page is mapped',
    files: [],
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
  },
  {
    id: 'stack-executable',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'prot-subset', op: 0 },
  },
  {
    id: 'vdso-refs-reset',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'refcount-exact', op: 0 },
  },
];

/** Frames enough for the largest scene, and few enough that checking all of them after each op costs nothing. */
const SMALL: Partial<KernelSpec> = { frames: 128, hugePages: 4 };

/** A scene as a trace. @throws TraceError naming the line of the scene that is no op */
export function traceOf({ id, note, files, kernel, needs, ops, expect }: Scene): Trace {
  const name = needs === undefined ? `kevlar+${id}` : `kevlar+${needs}+${id}`;
  return {
    header: {
      faultline: 1,
      kernel: { name, ...SMALL, ...kernel },
      files: [...files],
      source: { note },
      expect: { verdict: 'failed', ...expect },
    },
    ops: parseNotation(ops, id),
  };
}

/** The name and the text of the file of a scene. */
export const fileOf = (scene: Scene): { readonly name: string; readonly text: string } => ({
  name: `${scene.id}.jsonl`,
  text: traceText(traceOf(scene)),
});

function main(args: string[]): void {
  const { values } = parseArgs({ args, options: { out: { type: 'string' } } });
  if (values.out === undefined) throw new Error('usage: write-regressions.ts --out FOLDER');
  for (const { name, text } of SCENES.map(fileOf)) writeFileSync(join(values.out, name), text);
  console.log(`${values.out}: ${SCENES.length} traces`);
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
