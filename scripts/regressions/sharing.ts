/** Scenes for kernel-model/mutants/sharing.ts. */
import { TEXT, TWO_IN_A_PAGE } from './images.ts';
import { ASSEMBLES_AT_ONE, type Scene } from './scene.ts';

export const SHARING_SCENES: readonly Scene[] = [
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
    onLinux: {
      note: 'a page of the text is read and made writable, and its frame is the cache’s',
      files: [TEXT],
      ops: `
        p1 exec /bin/text
        p1 touch r 0x10000
        p1 mprotect 0x10000 4096 rw`,
      expect: { kind: 'invariant', id: 'cache-no-writable-alias', op: 2 },
    },
  },
  {
    id: 'sole-holder-never-writes',
    note: 'the child of a fork is gone, and its parent writes',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2
      p2 exit
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'fault-progress', op: 4 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2
        p2 exit
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'fault-progress', op: 4 },
    },
  },
  {
    id: 'reuse-ignores-pins',
    note: 'a child pins a page, gives up its mapping, and the parent writes to what the child still reads',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2
      p2 pin 1 r 0xa00000000
      p2 munmap 0xa00000000 4096
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'pin-coherent', op: 5 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2
        p2 pin 1 r 0x200000
        p2 munmap 0x200000 4096
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'pin-coherent', op: 5 },
    },
  },
  {
    id: 'pad-reuses-shared-frame',
    note: 'the pad in front of the data is written to, in an assembled page',
    files: [TWO_IN_A_PAGE],
    kernel: ASSEMBLES_AT_ONE,
    ops: `
      p1 mmap 0x0 4096 r private path=/bin/two offset=0x2000
      p1 touch r 0xa00000000
      p1 exec /bin/two
      p1 touch w 0x13000`,
    expect: { kind: 'invariant', id: 'cache-no-writable-alias', op: 3 },
    onLinux: {
      note: 'a page that a child holds, too, is written to',
      files: [],
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2
        p1 touch w 0x200000`,
      expect: { kind: 'reference', id: 'fork-isolation', op: 3 },
    },
  },
  {
    id: 'copy-out-skips-cow',
    note: 'the kernel writes a byte for the child, and the parent sees it',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2
      p2 copyOut 0xa00000000 1`,
    expect: { kind: 'reference', id: 'fork-isolation', op: 3 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2
        p2 copyOut 0x200000 1`,
      expect: { kind: 'reference', id: 'fork-isolation', op: 3 },
    },
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
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 mprotect 0x200000 4096 none
        p1 fork p2`,
      expect: { kind: 'invariant', id: 'refcount-exact', op: 3 },
    },
  },
  {
    id: 'fork-skips-flush',
    note: 'a page is written to and forked',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 fork p2`,
    expect: { kind: 'invariant', id: 'tlb-justified', op: 2 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 fork p2`,
      expect: { kind: 'invariant', id: 'tlb-justified', op: 2 },
    },
  },
  {
    id: 'fork-makes-shared-private',
    note: 'the child stores in shared memory, and the parent does not see it',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw shared,anonymous
      p1 fork p2
      p2 touch w 0xa00000000
      p1 touch r 0xa00000000`,
    expect: { kind: 'reference', id: 'content-ref', op: 3 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw shared,anonymous,fixed
        p1 fork p2`,
      expect: { kind: 'invariant', id: 'vma-map-ref', op: 2 },
    },
  },
  {
    id: 'fork-shares-pinned-page',
    note: 'after a fork the parent’s store takes it away from the page that it pinned',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 pin 1 w 0xa00000000
      p1 fork p2
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'pin-coherent', op: 3 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 pin 1 w 0x200000
        p1 fork p2
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'pin-coherent', op: 3 },
    },
  },
];
