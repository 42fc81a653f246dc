/** Scenes for kernel-model/mutants/cache.ts. */
import { INITRAMFS_FILE, SHORT_FILE, TWO_IN_A_PAGE } from './images.ts';
import { NEVER_ASSEMBLES, type Scene } from './scene.ts';

export const CACHE_SCENES: readonly Scene[] = [
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
    id: 'caches-writable-pages',
    note: 'a private page of a file that may be written is read, and the cache has it',
    files: [INITRAMFS_FILE],
    ops: `
      p1 mmap 0x0 4096 rw private path=/i
      p1 touch r 0xa00000000`,
    expect: { kind: 'invariant', id: 'cache-no-writable-alias', op: 1 },
  },
  {
    id: 'cache-takes-no-reference',
    note: 'a page of a file is read, and counted for its mapping only',
    files: [INITRAMFS_FILE],
    ops: `
      p1 mmap 0x0 4096 r private path=/i
      p1 touch r 0xa00000000`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
  },
  {
    id: 'unmap-drops-dirty-page',
    note: 'what was stored in a shared mapping is gone after munmap: at the end the file does not have it',
    files: [SHORT_FILE],
    ops: `
      p1 mmap 0x0 4096 rw shared path=/f
      p1 touch w 0xa00000000
      p1 munmap 0xa00000000 4096`,
    expect: { kind: 'invariant', id: 'dirty-durable', op: 3 },
  },
  {
    id: 'write-back-grows-file',
    note: 'one byte of a short file is written, and written back at the end with the whole page',
    files: [SHORT_FILE],
    ops: 'p1 write /f 0x0 1',
    expect: { kind: 'invariant', id: 'dirty-durable', op: 1 },
    onLinux: {
      expect: { kind: 'invariant', id: 'dirty-durable', op: 1 },
    },
  },
  {
    id: 'growth-keeps-zero-tail',
    note: 'a file of 100 bytes is cached and grows from outside',
    files: [SHORT_FILE],
    ops: `
      p1 read /f 0x0 1
      p1 resize /f 200 value=5a`,
    expect: { kind: 'invariant', id: 'cache-truth', op: 1 },
    onLinux: {
      expect: { kind: 'invariant', id: 'dirty-durable', op: 2 },
    },
  },
];
