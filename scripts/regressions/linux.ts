/**
 * Scenes of the `linux` design: the shortest sequences in which model, reference or harness once differed from a real kernel.
 *
 * What the kernel answered is recorded in test/linux/found.jsonl; of both, traces/regressions/linux/ is made.
 */
import type { Mode } from '../../traces/sequences/arena.ts';

export interface LinuxScene {
  readonly id: string;
  /** What was wrong. */
  readonly note: string;
  readonly mode?: Mode;
  /** One op a line, in the grammar of traces/sequences/op.ts. */
  readonly ops: string;
}

export const LINUX_SCENES: readonly LinuxScene[] = [
  {
    id: 'shared-anonymous-has-no-offset',
    note: 'shared anonymous memory that was mapped with an offset began there, behind its own end: SIGBUS',
    ops: `
      mmap s+0xd000 0x2000 rw s,a,F - 0x3000
      w s+0xd124 0xe3`,
  },
  {
    id: 'failed-pwrite-lengthens-the-file',
    note: 'a pwrite whose buffer cannot be read has begun its first page all the same: the file reaches to there',
    ops: `
      syswrite f0 0x7000 s+0x10000 0x1000
      mmap s+0x14000 0x1000 r s,F f0 0x6000
      r s+0x14000`,
  },
  {
    id: 'pwrite-reads-what-it-has-written',
    note: 'memory behind the end of the file became readable while the file grew, but not before the piece that made it grow was written',
    ops: `
      mmap 0 0xa000 rw p f0 0x0
      fork
      @1 syswrite f0 0x5000 s+0x388da 0x46f1`,
  },
  {
    id: 'pwrite-from-the-page-it-writes',
    note: 'a page that is copied onto itself was copied from what it held before, not byte by byte',
    mode: 'brk',
    ops: `
      mmap 0 0xa000 rw p,a - 0x0
      mmap 0 0x3000 r sv f0 0x0
      syswrite f0 0x1000 b+0x33228 0x489a`,
  },
  {
    id: 'growing-a-file-caches-no-page',
    note: 'a file that grows from the middle of a hole got a page in the cache for its old tail',
    ops: `
      ftrunc f1 0x0
      mmap s+0x10000 0x6000 r s,F f1 0x0
      ftrunc f1 0x1800
      ftrunc f1 0x5123
      mincore s+0x10000 0x6000`,
  },
  {
    id: 'mremap-shrinks-past-user-space',
    note: 'an old length that reaches past user space was cut; the kernel refuses to unmap the rest',
    ops: `
      mmap s+0x3c000 0x1001 rw p,a,F - 0x0
      mremap s+0x3c000 0xfffffffffffff000 0x7000 - s+0x3c000`,
  },
  {
    id: 'mlock-past-the-end-of-addresses',
    note: 'the reference expected ENOMEM, as for a hole, of a range that wraps around',
    ops: `
      mmap s+0x1b000 0x2000 rw p,a,F - 0x0
      mlock s+0x1b000 0xfffffffffffff000`,
  },
  {
    id: 'mmap-of-a-file-longer-than-addresses',
    note: 'the reference expected EOVERFLOW of the offset before ENOMEM of the length',
    ops: `
      mmap s+0x28000 0xfffffffffffff000 rw sv,F f1 0x1000`,
  },
  {
    id: 'guard-under-another-refusal',
    note: 'the reference saw the guard first; the VMA refuses before any page is looked at',
    ops: `
      mmap s+0x10000 0x2000 rw p,a,F - 0x0
      madvise s+0x10000 0x1000 guard_install
      w s+0x10000 0x1
      mprotect s+0x10000 0x2000 -
      w s+0x10000 0x2`,
  },
  {
    id: 'fork-copies-guards-of-shared-memory',
    note: 'a child did not inherit the guards of shared memory',
    ops: `
      mmap s+0x10000 0x3000 rw s,a,F - 0x0
      w s+0x11000 0x7
      madvise s+0x10000 0x1000 guard_install
      fork
      @1 r s+0x10000
      @1 r s+0x11000`,
  },
  {
    id: 'msync-leaves-pages-writable',
    note: 'msync wrote back and write-protected; files in memory have nowhere to be written to',
    ops: `
      mmap s+0x10000 0x2000 rw s,F,P f0 0x4000
      msync s+0x10000 0x1000
      w s+0x10000 0xee`,
  },
  {
    id: 'dofork-keeps-wipeonfork',
    note: 'MADV_DOFORK took MADV_WIPEONFORK back too, and MADV_KEEPONFORK took back MADV_DONTFORK',
    ops: `
      mmap s+0x10000 0x4000 rw p,a,F - 0x0
      w s+0x10000 0x1
      w s+0x12000 0x2
      madvise s+0x10000 0x1000 wipeonfork
      madvise s+0x10000 0x1000 dofork
      madvise s+0x12000 0x1000 dontfork
      madvise s+0x12000 0x1000 keeponfork
      fork
      @1 r s+0x10000
      @1 r s+0x12000`,
  },
  {
    id: 'dontunmap-unlocks-the-whole-vma',
    note: 'the reference unlocked only what was moved; a kernel unlocks the VMA that it was moved from',
    ops: `
      mmap s+0x10000 0x3000 rw p,a,F - 0x0
      w s+0x10000 0x1
      w s+0x12000 0x2
      mlock s+0x10000 0x3000
      mremap s+0x10000 0x2000 0x2000 md 0
      madvise s+0x12000 0x1000 free
      madvise s+0x12000 0x1000 dontneed
      r s+0x12000`,
  },
];
