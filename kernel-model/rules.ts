/**
 * The decisions of the memory model that kernels get wrong.
 *
 * Each method is one decision without side effects. The model asks and acts; it holds no bug switch. This class decides
 * right; a mutant overrides one method in a file of its own (mutants.ts), so the correct path has nothing to read around.
 */
import { withoutWrite } from './pte.ts';
import { PAGE_BYTES } from './units.ts';
import type { RefOverflow } from './frame-table.ts';
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

  /** What becomes of an access that the protection refuses? */
  refusedAccess(): 'signal' | 'refresh' {
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

  /** May a write fault take the frame over instead of copying it? `others` counts holders besides the faulting entry. */
  mayReuseOnWrite(others: number): boolean {
    return others === 0;
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

  /** What happens when a reference count is at its maximum? */
  refOverflow(): RefOverflow {
    return 'refuse';
  }

  /** Does dropping an address space give back what it held? */
  teardown(): boolean {
    return true;
  }
}
