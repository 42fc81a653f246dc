/** The files of the regressions' scenes: programs of a few pages, and what is mapped beside them. */
import type { FileSpec, SegmentSpec } from '../../traces/header.ts';

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
export const TWO_IN_A_PAGE = program('/bin/two', 0x4000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x21f0, memsz: 0x21f0, flags: 'rx' },
  { vaddr: 0x13bf0, offset: 0x2bf0, filesz: 0x800, memsz: 0x1410, flags: 'rw' },
]);

/** Text and data in one page of memory, with a gap between them that no VMA covers. */
export const GAP_IN_A_PAGE = program('/bin/gap', 0x2000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1800, memsz: 0x1800, flags: 'rx' },
  { vaddr: 0x11c00, offset: 0x1c00, filesz: 0x200, memsz: 0x200, flags: 'rw' },
]);

/** One page of text. */
export const TEXT = program('/bin/text', 0x1000, [{ vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' }]);

/** Text, and one page of constants that are not to be executed. */
export const CONSTANTS = program('/bin/constants', 0x2000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' },
  { vaddr: 0x11000, offset: 0x1000, filesz: 0x1000, memsz: 0x1000, flags: 'r' },
]);

/** The same file page as text and as data. */
export const TWICE = program('/bin/twice', 0x1000, [
  { vaddr: 0x10000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' },
  { vaddr: 0x11000, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rw' },
]);

/** An interpreter of eight pages, and a program of one that is loaded with it: then it lies one page further up. */
export const LOADER = program('/lib/loader', 0x8000, [{ vaddr: 0, offset: 0, filesz: 0x8000, memsz: 0x8000, flags: 'rx' }], {
  type: 'dyn',
});
export const LOADED = program('/bin/loaded', 0x1000, [{ vaddr: 0, offset: 0, filesz: 0x1000, memsz: 0x1000, flags: 'rx' }], {
  type: 'dyn',
  interp: '/lib/loader',
});

/** Two pages that never change. */
export const INITRAMFS_FILE: FileSpec = { path: '/i', size: 0x2000, immutable: true, content: { seed: '/i' } };

/** A file that can change and ends in mid-page. */
export const SHORT_FILE: FileSpec = { path: '/f', size: 100, immutable: false, content: { seed: '/f' } };
