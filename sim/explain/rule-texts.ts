/**
 * What the right rules say, one sentence each: what an explanation holds against a wrong decision.
 *
 * The table has every rule, or it does not compile.
 */
import { INVARIANTS } from '../../kernel-model/index.ts';
import type { RuleName } from './spy.ts';

// prettier-ignore
export const RIGHT_RULES: Readonly<Record<RuleName, string>> = {
  // Page cache.
  mayCache: 'A page that a fault read may enter the page cache only if it is the file’s page, whole, zero tail included, with bytes of no other VMA in it and not writable.',
  faultMayUseCache: 'A fault may be served by the cached page only if the VMA wants exactly what the file has in that page.',
  prefaultMayUseCache: 'Exec may map a cached page ahead of any fault only if the VMA wants exactly what the file has in that page.',
  writeBackBytes: 'Write-back stores what lies below the end of the file.',
  failedWriteBack: 'A page whose write-back failed stays dirty: the store does not have it yet.',
  shortRead: 'When the store gives fewer bytes than it was asked for, the rest is asked for.',
  growthReachesCache: 'Bytes that a file gains from outside reach its cached last page.',
  cacheTakesReference: 'The cache takes a reference of its own of a page that a fault has mapped.',
  unmappedDirtyPage: 'A cached page that a shared mapping changed stays when its last mapping goes.',
  // What a page holds and allows.
  pageContent: 'A fault puts the bytes of every VMA into a page that several share.',
  pageProtection: 'A page that several VMAs share grants what all of them grant that are no pads.',
  faultLooksUp: 'A fault is served if some VMA has a byte in the page, whichever byte was asked for.',
  refusedAccess: 'An access that the protection refuses is a signal.',
  failedFault: 'A fault that gets no frame, or whose store fails, earns the process a signal; the kernel goes on.',
  unneededPage: 'A page that a fault prepared and does not need is given back by its reference: a cached frame is not the fault’s to free.',
  faultAroundEnd: 'An anonymous fault maps neighbours neither past its VMA nor past the region of its leaf table.',
  // Write access and sharing.
  mayReuseOnWrite: 'A write may take a frame over only if nobody else holds it, pins included.',
  reuseGrantsWrite: 'A write fault that takes the frame over makes the entry writable.',
  copyOutAsks: 'The kernel reaches user memory that it writes to as a store does.',
  mayGrantWrite: 'An entry may become writable at once only if nobody else holds the frame; else the next write must fault.',
  protNoneRevokesHugeLeaf: 'mprotect(PROT_NONE) over a whole huge leaf takes its access away.',
  unmapSeesHugeLeaf: 'A change to part of a region splits the huge leaf that maps it, and a change to all of it removes the leaf.',
  dontneedDrops: 'madvise(MADV_DONTNEED) drops the pages.',
  pieceOffsetMove: 'A piece’s file offset moves on by the bytes that are cut off in front of it.',
  // Exec.
  assemblySource: 'Assembly may copy a cached page only where the VMA wants all 4096 bytes of it; any other part it reads from the file.',
  assemblyFills: 'Assembly puts the bytes of every VMA of the file into a page that several share.',
  assemblyMayFillForeignPage: 'Assembly leaves a page alone in which another file has bytes too.',
  assemblyMapping: 'An assembled block is mapped by one huge leaf only where one VMA covers it whole, else page by page.',
  mayAssembleRegionZero: 'The region at address 0 may be assembled like any other.',
  hugeBlockKey: 'An assembled block is told from another of the same file by where it lies and which bytes lie where in it.',
  hugeRefs: 'Every sub-frame of a huge mapping has its own reference count.',
  prefaultProtection: 'Pages mapped ahead of a fault get their VMAs’ protection without write: their frames are shared.',
  templateProtection: 'Pages that a template replays are not writable: their frames are shared.',
  templateIsCurrent: 'A template is replayed only while the page cache is what it was when the template was recorded.',
  segmentProtection: 'A segment is mapped with its own protection.',
  placementStart: 'Places for mappings are sought behind the room that the heap may grow into.',
  stackProtection: 'The initial stack pages are mapped with the stack’s protection.',
  vdsoRefs: 'One more process that maps the vDSO’s frame is one more reference.',
  // Heap and mremap.
  heapVma: 'The heap is the VMA that ends where the heap ends.',
  heapMayGrow: 'The heap grows only into a range where nothing lies.',
  refsAfterMove: 'Moving a page does not change the references of its frame.',
  // Fork, exit, counting.
  forkCountsInvalidEntry: 'Fork shares, and counts, an entry that names a frame although it is not valid (PROT_NONE).',
  forkFlushesParent: 'Fork flushes the parent’s translations after it took write access away.',
  forkKeepsShared: 'Shared mappings stay shared in the child.',
  forkCopiesPinned: 'Fork copies a page at once that a pin may write, so that pin and parent keep one frame.',
  failedCallUndoes: 'A call that runs out of frames half-way gives back what its new address space has by then.',
  refOverflow: 'A reference beyond the greatest count is refused.',
  teardown: 'Dropping an address space gives back what it held.',
  // Frames.
  mayPoolAsZeroed: 'A freed frame does not enter the pool of zeroed frames without being cleared.',
  mayMerge: 'A freed block merges with its buddy only if that lies on the free list of the same order.',
};

/** What the checks say that are not the model’s own invariants. */
const CHECKS: Readonly<Record<string, string>> = {
  'content-ref': 'Every byte that is read or mapped is what the program wrote, what its file has there, or zero.',
  'zero-gap': 'A byte that neither a file nor a program put anything into is zero.',
  'fork-isolation': 'No process sees what another stored in private memory.',
  'outcome-ref': 'Every call and access answers as the reference says.',
  'fault-progress': 'An access that is allowed succeeds after a bounded number of faults.',
  'kernel-bug': 'The kernel’s own assertions hold.',
  'vma-map-ref': 'The kernel’s VMAs are the reference’s.',
  'error-atomic': 'A call that fails changes nothing.',
  'dirty-durable': 'After a successful sync the store holds what was written.',
  'warm-exec-monotone': 'A repeated exec of a file does not map less ahead than the one before.',
  'no-leak': 'When every process has exited and the caches are empty, every frame is free.',
};

/** What must be true, of a finding's id; undefined for an id that nobody knows. */
export const statementOf = (id: string): string | undefined => INVARIANTS.find((one) => one.id === id)?.statement ?? CHECKS[id];
