/**
 * The decisions of the memory model that kernels get wrong.
 *
 * Each method is one decision without side effects. The model asks and acts; it holds no bug switch. This class decides
 * right; a mutant overrides one method in a file of its own (mutants.ts), so the correct path has nothing to read around.
 */
import { withoutWrite, type Access } from './pte.ts';
import { PAGE_BYTES } from './units.ts';
import type { RefOverflow } from './frame-table.ts';
import type { Errno } from './errors.ts';
import type { Buddy } from './frame-allocator.ts';
import type { Vma, VmaSet } from './vma.ts';

/** What one VMA takes from its file for one page. */
export interface PageFill {
  /** Where in the page the file bytes begin. */
  readonly start: number;
  /** How many file bytes there are, 1 to 4096. */
  readonly length: number;
  /** How many bytes the file has in that page of the file. */
  readonly extent: number;
  readonly writable: boolean;
  /** Another VMA puts file bytes into the same page. */
  readonly shared: boolean;
}

/** Is the page nothing but one whole page of the file, zero tail included? */
const isWholeFilePage = (fill: PageFill): boolean => fill.start === 0 && fill.length === fill.extent && !fill.shared;

export class Rules {
  // ---- Page cache.

  /** May a page that a fault read from a file enter the page cache? Only if it is the file's page, whole and unshared. */
  mayCache(fill: PageFill): boolean {
    return isWholeFilePage(fill) && !fill.writable;
  }

  /** May a fault be served by the cached page? Only if the VMA wants exactly what the file has in that page. */
  faultMayUseCache(fill: PageFill): boolean {
    return isWholeFilePage(fill) && !fill.writable;
  }

  /** May exec map the cached page ahead of any fault? */
  prefaultMayUseCache(fill: PageFill): boolean {
    return isWholeFilePage(fill);
  }

  /** How many bytes of a page does write-back store? What lies below the end of the file. */
  writeBackBytes(extent: number): number {
    return extent;
  }

  /** What becomes of the dirty mark of a page whose write-back failed? The store does not have it yet. */
  failedWriteBack(): 'staysDirty' | 'clean' {
    return 'staysDirty';
  }

  /** What is done when the store gives fewer bytes than it was asked for? The rest is asked for. */
  shortRead(): 'readOn' | 'takeAsWhole' {
    return 'readOn';
  }

  /** Do the bytes that a file gains from outside reach its cached last page? */
  growthReachesCache(): boolean {
    return true;
  }

  /** Does the cache take a reference of its own of a page that a fault has mapped? */
  cacheTakesReference(): boolean {
    return true;
  }

  /** What becomes of a cached page that a shared mapping changed, when its last mapping goes? */
  unmappedDirtyPage(): 'keep' | 'drop' {
    return 'keep';
  }

  // ---- What a page holds and allows.

  /** Whose bytes does a fault put into a page that several VMAs share? */
  pageContent(): 'everyVma' | 'faultingVma' {
    return 'everyVma';
  }

  /** What protection does such a page get? Nothing that one of the VMAs would not grant; pads have no say. */
  pageProtection(): 'intersection' | 'faultingVma' {
    return 'intersection';
  }

  /** By what does a fault find its VMA: is an address served that no VMA contains, in a page that one does? */
  faultLooksUp(): 'page' | 'byte' {
    return 'page';
  }

  /** What becomes of an access that the protection refuses? `isPresent`: the page has an entry. */
  refusedAccess(_refused: {
    readonly access: Access;
    readonly shared: boolean;
    readonly isPresent: boolean;
  }): 'signal' | 'refresh' | 'copy' {
    return 'signal';
  }

  /** What does a fault do that gets no frame, or whose store fails? The process earns a signal, the kernel goes on. */
  failedFault(_error: Errno): 'signal' | 'panic' {
    return 'signal';
  }

  /** What becomes of the page that a fault prepared and does not need? A cached frame is not the fault's to free. */
  unneededPage(): 'release' | 'free' {
    return 'release';
  }

  /** Up to which page (exclusive) may an anonymous fault map neighbours? Not past the VMA, nor past its leaf table. */
  faultAroundEnd(pages: { readonly wanted: number; readonly vmaEnd: number; readonly regionEnd: number }): number {
    return Math.min(pages.wanted, pages.vmaEnd, pages.regionEnd);
  }

  // ---- Write access and sharing.

  /**
   * May a write fault take the frame over instead of copying it?
   *
   * `others` counts holders besides the faulting entry and the pins that write, `readPins` those of them that are pins;
   * `type` is that of the faulting VMA.
   */
  mayReuseOnWrite(frame: { readonly others: number; readonly readPins: number; readonly type: 'anonymous' | 'file' }): boolean {
    return frame.others === 0;
  }

  /** Does a write fault that takes the frame over make the entry writable? */
  reuseGrantsWrite(): boolean {
    return true;
  }

  /** As what access does the kernel reach user memory that it writes to? */
  copyOutAsks(): Access {
    return 'store';
  }

  /** May an entry become writable at once, or must the next write fault? */
  mayGrantWrite(frame: { readonly others: number; readonly why: 'mprotect' | 'refresh' }): boolean {
    return frame.others === 0;
  }

  /** Does an mprotect(PROT_NONE) over a whole huge leaf take its access away? */
  protNoneRevokesHugeLeaf(): boolean {
    return true;
  }

  /** Does a change to part of a region split the huge leaf that maps it, and to all of it remove the leaf? */
  unmapSeesHugeLeaf(_by: 'munmap' | 'fixed' | 'brk' | 'dontneed' | 'mremap'): boolean {
    return true;
  }

  /** Does madvise(MADV_DONTNEED) drop the pages? */
  dontneedDrops(): boolean {
    return true;
  }

  /** How far does the file offset of a piece move on when so many bytes of its VMA are cut off in front of it? */
  pieceOffsetMove(skippedBytes: number): number {
    return skippedBytes;
  }

  // ---- Exec.

  /** Where does assembly take one VMA's bytes of a page from, if the page is in the cache? */
  assemblySource(fill: PageFill): 'cachedPage' | 'cachedRange' | 'file' {
    return fill.start === 0 && fill.length === PAGE_BYTES ? 'cachedPage' : 'file';
  }

  /** Whose bytes does assembly put into a page that several VMAs of the file share? */
  assemblyFills(): 'everyVma' | 'firstVma' {
    return 'everyVma';
  }

  /** May assembly fill a page in which another file has bytes too? */
  assemblyMayFillForeignPage(): boolean {
    return false;
  }

  /** How is an assembled block mapped? By one huge leaf only where one VMA covers it whole. */
  assemblyMapping(block: { readonly coveredByOneVma: boolean }): 'leaf' | 'pages' {
    return block.coveredByOneVma ? 'leaf' : 'pages';
  }

  /** May the region at address 0 be assembled? */
  mayAssembleRegionZero(): boolean {
    return true;
  }

  /** What tells one assembled block of a file from another? Where it lies, and which bytes lie where in it. */
  hugeBlockKey(block: { readonly region: number; readonly layout: string }): string {
    return `${block.region} ${block.layout}`;
  }

  /** How many sub-frames of a huge mapping get a reference count? */
  hugeRefs(hugePages: number): number {
    return hugePages;
  }

  /** With what protection are pages mapped ahead of a fault? Never writable: their frames are shared. */
  prefaultProtection(prot: number): number {
    return withoutWrite(prot);
  }

  /** With what protection does a template map the pages it replays? */
  templateProtection(prot: number): number {
    return withoutWrite(prot);
  }

  /** Is a template that was recorded at one generation of the cache still good at another? */
  templateIsCurrent(generation: { readonly recorded: number; readonly now: number }): boolean {
    return generation.recorded === generation.now;
  }

  /** With what protection is a segment mapped? */
  segmentProtection(prot: number): number {
    return prot;
  }

  /** Where does the search for a place for mappings begin? Behind the room that the heap may grow into. */
  placementStart(layout: { readonly planned: number; readonly heapStart: number }): number {
    return layout.planned;
  }

  /** With what protection are the initial stack pages mapped? */
  stackProtection(prot: number): number {
    return prot;
  }

  /** What is the reference count of the vDSO's frame after one more process maps it? */
  vdsoRefs(refs: number): number {
    return refs + 1;
  }

  // ---- Heap and mremap.

  /** Which VMA is the heap? The one that ends where the heap ends. */
  heapVma(vmas: VmaSet, heap: { readonly start: number; readonly end: number }): Vma | undefined {
    return vmas.list.find((vma) => vma.role === 'heap' && vma.end === heap.end && vma.start >= heap.start);
  }

  /** May the heap grow into a range? Only if nothing lies there. */
  heapMayGrow(range: { readonly isFree: boolean }): boolean {
    return range.isFree;
  }

  /** What is the reference count of a frame whose page mremap moved? */
  refsAfterMove(refs: number): number {
    return refs;
  }

  // ---- Fork, exit, counting.

  /** Does fork share, and count, an entry that is not valid but names a frame (PROT_NONE)? */
  forkCountsInvalidEntry(): boolean {
    return true;
  }

  /** Does fork flush the parent's translations after it took write access away? */
  forkFlushesParent(): boolean {
    return true;
  }

  /** Do shared mappings stay shared in the child? */
  forkKeepsShared(): boolean {
    return true;
  }

  /** Does fork copy a page at once that a pin may write, so that pin and parent keep one frame? */
  forkCopiesPinned(): boolean {
    return true;
  }

  /** Does a call that runs out of frames half-way give back what its new address space has by then? */
  failedCallUndoes(_call: 'fork' | 'exec'): boolean {
    return true;
  }

  /** What happens when a reference count is at its maximum? */
  refOverflow(): RefOverflow {
    return 'refuse';
  }

  /** Does dropping an address space give back what it held? */
  teardown(): boolean {
    return true;
  }

  // ---- Frames.

  /** May a freed frame enter the pool of frames known to be zero? Not without being cleared. */
  mayPoolAsZeroed(): boolean {
    return false;
  }

  /** May a freed block merge with its buddy? Only if that lies on the free list of the same order. */
  mayMerge(buddy: Buddy): boolean {
    return buddy.isListed;
  }
}
