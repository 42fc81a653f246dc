/** Scenes for kernel-model/mutants/fault.ts. */
import { GAP_IN_A_PAGE, TEXT, TWO_IN_A_PAGE } from './images.ts';
import type { Scene } from './scene.ts';

export const FAULT_SCENES: readonly Scene[] = [
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
    onLinux: {
      files: [TEXT],
      ops: `
        p1 exec /bin/text
        p1 touch w 0x10000`,
      expect: { kind: 'invariant', id: 'fault-progress', op: 1 },
    },
  },
  {
    id: 'refused-write-copies',
    note: 'a page that may only be read is read, then written to',
    files: [],
    ops: `
      p1 mmap 0x0 4096 r private,anonymous
      p1 touch r 0xa00000000
      p1 touch w 0xa00000000`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 2 },
    onLinux: {
      files: [TEXT],
      ops: `
        p1 exec /bin/text
        p1 touch r 0x10000
        p1 touch w 0x10000`,
      expect: { kind: 'outcome', id: 'outcome-ref', op: 2 },
    },
  },
];
