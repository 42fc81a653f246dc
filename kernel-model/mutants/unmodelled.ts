/**
 * Documented bugs of real kernels on one CPU that no mutant stands for, each with what the model would need first.
 *
 * The list closes the books of the bug zoo: every bug that one CPU can show, with or without an injected fault, is either
 * in the `zoo` field of a mutant or here. Bugs that take two CPUs are in neither.
 */

export interface UnmodelledBug {
  readonly id: string;
  readonly says: string;
  readonly source: string;
  /** What is missing, and why it is. */
  readonly lacks: string;
}

export const UNMODELLED_BUGS: readonly UnmodelledBug[] = [
  {
    id: 'stack-grows-into-neighbour',
    says: 'a stack that grows by itself comes to lie against another mapping',
    source: 'Linux 1be7107fbe18 (CVE-2017-1000364)',
    lacks: 'a stack that grows: Kevlar maps all of it at exec; belongs to the design of Linux',
  },
  {
    id: 'zeroing-runs-backward',
    says: 'a page is cleared downwards, because user code left the direction flag set',
    source: 'Kevlar blogs 180, 205 and 206',
    lacks: 'a CPU flag that user code sets and a trap does not clear: x86 has one, RISC-V does not',
  },
  {
    id: 'directory-inherits-leaf-limits',
    says: 'a directory entry gets the rights of the first leaf below it, and limits all others',
    source: 'Kevlar blog 071, fix 3',
    lacks: 'rights in upper levels: in RISC-V an entry with rights is a leaf',
  },
  {
    id: 'dirty-pipe-merge-flag',
    says: 'a pipe write is merged into a page of the page cache that was spliced into the pipe',
    source: 'Linux CVE-2022-0847 (9d2231c5d74e)',
    lacks: 'pipes that hold frames: the model knows files and memory only',
  },
  {
    id: 'shadow-entry-clobber',
    says: 'one small page takes the place of the marker that an evicted huge page left for all its indexes',
    source: 'Linux 198b62f83eef',
    lacks: 'markers of evicted pages: the cache forgets what it evicts, and keeps huge blocks apart from small pages',
  },
  {
    id: 'refork-loses-cow',
    says: 'a second fork before the first write takes a copy-on-write page for one that may only be read',
    source: 'nanvix issue 2512 and pull request 2515',
    lacks: 'a copy-on-write mark in entries: here the VMA alone says whether a store is allowed, so fork has no mark to lose',
  },
  {
    id: 'leaf-table-refcount-uninit',
    says: 'a leaf table that fork shares was never counted, and the child changes it in place',
    source: 'Kevlar blog 212 (d2affbb)',
    lacks: 'page tables shared by fork: at M9.8 each process has its own',
  },
];
