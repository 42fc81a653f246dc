/** Scenes for kernel-model/mutants/exec.ts. */
import { CONSTANTS, TEXT, TWICE } from './images.ts';
import { NEVER_ASSEMBLES, type Scene } from './scene.ts';

export const EXEC_SCENES: readonly Scene[] = [
  {
    id: 'segments-all-rwx',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'vma-map-ref', op: 0 },
    onLinux: {
      expect: { kind: 'invariant', id: 'vma-map-ref', op: 0 },
    },
  },
  {
    id: 'places-in-heap-room',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'region-disjoint', op: 0 },
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
    id: 'stack-executable',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'prot-subset', op: 0 },
    onLinux: {
      expect: { kind: 'invariant', id: 'vma-map-ref', op: 0 },
    },
  },
  {
    id: 'vdso-refs-reset',
    note: 'a program starts',
    files: [TEXT],
    ops: 'p1 exec /bin/text',
    expect: { kind: 'invariant', id: 'refcount-exact', op: 0 },
  },
];
