/** Scenes for kernel-model/mutants/frames.ts. */
import { TEXT } from './images.ts';
import type { Scene } from './scene.ts';

export const FRAME_SCENES: readonly Scene[] = [
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
    onLinux: {
      note: 'counts end at 1: the page of the text is the cache’s and cannot be mapped',
      kernel: { refcountMax: 1 },
      ops: `
        p1 exec /bin/text
        p1 touch r 0x10000`,
      expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
    },
  },
  {
    id: 'no-teardown',
    note: 'a process ends',
    files: [],
    ops: 'p1 exit 0',
    expect: { kind: 'invariant', id: 'refcount-exact', op: 0 },
    onLinux: {
      expect: { kind: 'invariant', id: 'refcount-exact', op: 0 },
    },
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
    onLinux: {
      note: 'after a fork the parent moves a page',
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2
        p1 mremap 0x200000 4096 4096 mayMove,fixed newAddr=0x300000`,
      expect: { kind: 'invariant', id: 'refcount-exact', op: 3 },
    },
  },
  {
    id: 'huge-refs-base-only',
    note: 'a huge page is mapped',
    files: [],
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 16384 rw private,anonymous,fixed
        p1 madvise 0x200000 16384 hugepage
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'refcount-exact', op: 2 },
    },
  },
  {
    id: 'freed-frame-in-zero-pool',
    note: 'a page is written to and unmapped',
    files: [],
    kernel: { zeroedMax: 1 },
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 munmap 0xa00000000 4096`,
    expect: { kind: 'invariant', id: 'fresh-zero', op: 2 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 munmap 0x200000 4096`,
      expect: { kind: 'invariant', id: 'fresh-zero', op: 2 },
    },
  },
  {
    id: 'merges-pooled-frame',
    note: 'a frame goes into the pool, then its buddy is freed',
    files: [],
    kernel: { hugePages: 8, singlesMax: 1 },
    ops: `
      p1 mmap 0x0 16384 rw private,anonymous
      p1 touch w 0xa00000000
      p1 munmap 0xa00002000 4096
      p1 munmap 0xa00003000 4096`,
    expect: { kind: 'invariant', id: 'alloc-wellformed', op: 3 },
    onLinux: {
      note: 'four pages are unmapped: a frame goes into the pool, then its buddy is freed',
      ops: `
        p1 mmap 0x200000 16384 rw private,anonymous,fixed
        p1 touch w 0x200000+4
        p1 munmap 0x200000 16384`,
      expect: { kind: 'invariant', id: 'alloc-wellformed', op: 2 },
    },
  },
];
