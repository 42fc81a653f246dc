/** Scenes for kernel-model/mutants/assembly.ts. */
import { GAP_IN_A_PAGE, LOADED, LOADER, TEXT, TWO_IN_A_PAGE } from './images.ts';
import { ASSEMBLES_AT_ONE, type Scene } from './scene.ts';

export const ASSEMBLY_SCENES: readonly Scene[] = [
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
    ops: `
      p1 exec /bin/two
      p1 touch r 0x12000
      p1 exec /bin/two`,
    expect: { kind: 'reference', id: 'content-ref', op: 2 },
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
];
