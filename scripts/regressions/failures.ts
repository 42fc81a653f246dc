/** Scenes for kernel-model/mutants/failures.ts. */
import { INITRAMFS_FILE, SHORT_FILE, TEXT } from './images.ts';
import type { Scene } from './scene.ts';

export const FAILURE_SCENES: readonly Scene[] = [
  {
    id: 'short-read-taken-as-whole',
    note: 'a read gives one byte less than the page, and the cache takes it for the page',
    files: [INITRAMFS_FILE],
    ops: `
      p1 mmap 0x0 4096 r private path=/i
      p1 inject shortRead 1 bytes=1
      p1 touch r 0xa00000000`,
    expect: { kind: 'reference', id: 'content-ref', op: 2 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 r private,fixed path=/i
        p1 inject shortRead 1 bytes=1
        p1 touch r 0x200000`,
      expect: { kind: 'reference', id: 'content-ref', op: 2 },
    },
  },
  {
    id: 'failed-write-back-clean',
    note: 'a write-back fails, and the page counts as written',
    files: [SHORT_FILE],
    ops: `
      p1 write /f 0x0 1
      p1 inject eio 1
      p1 sync`,
    expect: { kind: 'invariant', id: 'cache-truth', op: 2 },
    onLinux: {
      expect: { kind: 'invariant', id: 'cache-truth', op: 2 },
    },
  },
  {
    id: 'no-frame-panics',
    note: 'a page is touched when no frame is left',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 inject noFrame 1
      p1 touch w 0xa00000000`,
    expect: { kind: 'invariant', id: 'kernel-bug', op: 2 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 inject noFrame 1
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'kernel-bug', op: 2 },
    },
  },
  {
    id: 'store-error-panics',
    note: 'a file page is touched and cannot be read',
    files: [INITRAMFS_FILE],
    ops: `
      p1 mmap 0x0 4096 r private path=/i
      p1 inject eio 1
      p1 touch r 0xa00000000`,
    expect: { kind: 'invariant', id: 'kernel-bug', op: 2 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,fixed path=/i
        p1 inject eio 1
        p1 touch w 0x200000`,
      expect: { kind: 'invariant', id: 'kernel-bug', op: 2 },
    },
  },
  {
    id: 'failed-fork-keeps-half',
    note: 'a fork gets a frame for its root table, and none for the next',
    files: [],
    ops: `
      p1 mmap 0x0 4096 rw private,anonymous
      p1 touch w 0xa00000000
      p1 inject noFrame 2
      p1 fork p2`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 3 },
    onLinux: {
      ops: `
        p1 mmap 0x200000 4096 rw private,anonymous,fixed
        p1 touch w 0x200000
        p1 inject noFrame 2
        p1 fork p2`,
      expect: { kind: 'invariant', id: 'refcount-exact', op: 3 },
    },
  },
  {
    id: 'failed-exec-keeps-half',
    note: 'an exec gets a frame for its root table, and none for the next',
    files: [TEXT],
    ops: `
      p1 inject noFrame 2
      p1 exec /bin/text`,
    expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
    onLinux: {
      expect: { kind: 'invariant', id: 'refcount-exact', op: 1 },
    },
  },
];
