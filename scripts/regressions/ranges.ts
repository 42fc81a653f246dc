/** Scenes for kernel-model/mutants/ranges.ts. */
import { SHORT_FILE, TEXT, TWO_IN_A_PAGE } from './images.ts';
import type { Scene } from './scene.ts';

export const RANGE_SCENES: readonly Scene[] = [
  {
    id: 'split-keeps-offset',
    note: 'the first of two mapped file pages is unmapped, and the second one becomes the first',
    files: [SHORT_FILE],
    ops: `
      p1 mmap 0x0 8192 r private path=/f
      p1 munmap 0xa00000000 4096`,
    expect: { kind: 'invariant', id: 'vma-map-ref', op: 1 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 8192 r private,fixed path=/f
        p1 munmap 0x200000 4096`,
      expect: { kind: 'invariant', id: 'vma-map-ref', op: 1 },
    },
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
    onLinux: {
      note: 'a huge page is made inaccessible',
      ops: `
        p1 mmap 0x200000 16384 rw private,anonymous,fixed
        p1 madvise 0x200000 16384 hugepage
        p1 touch w 0x200000
        p1 mprotect 0x200000 16384 none`,
      expect: { kind: 'invariant', id: 'prot-subset', op: 3 },
    },
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
    onLinux: {
      ops: `
        p1 mmap 0x200000 16384 rw private,anonymous,fixed
        p1 madvise 0x200000 16384 hugepage
        p1 touch w 0x200000
        p1 mmap 0x201000 4096 r private,fixed path=/f`,
      expect: { kind: 'reference', id: 'content-ref', op: 3 },
    },
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
    onLinux: {
      note: 'the heap asks for a huge page, which is written to and given back',
      files: [],
      ops: `
        p1 brk 0x18000
        p1 madvise 0x14000 16384 hugepage
        p1 touch w 0x14000
        p1 brk 0x14000`,
      expect: { kind: 'invariant', id: 'pte-backed', op: 3 },
    },
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
    onLinux: {
      ops: `
        p1 mmap 0x200000 16384 rw private,anonymous,fixed
        p1 madvise 0x200000 16384 hugepage
        p1 touch w 0x200000
        p1 madvise 0x200000 16384 dontneed`,
      expect: { kind: 'reference', id: 'zero-gap', op: 3 },
    },
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
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 madvise 0x200000 4096 dontneed`,
      expect: { kind: 'reference', id: 'zero-gap', op: 2 },
    },
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
    id: 'heap-grows-over-neighbour',
    note: 'a page is mapped behind the heap, which grows over it',
    files: [TEXT],
    ops: `
      p1 exec /bin/text
      p1 mmap 0x11000 4096 rw private,anonymous,fixed
      p1 brk 0x12000`,
    expect: { kind: 'outcome', id: 'outcome-ref', op: 2 },
    onLinux: {
      note: 'a page is mapped near the heap, which grows up to it: Linux leaves a page between',
      files: [],
      ops: `
        p1 mmap 0x12000 4096 rw private,anonymous,fixed
        p1 brk 0x12000`,
      expect: { kind: 'outcome', id: 'outcome-ref', op: 1 },
    },
  },
];
