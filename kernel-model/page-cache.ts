/**
 * The page cache: for each file and page index the frame that holds it, and the huge-page cache beside it.
 *
 * The cache owns one reference of every frame in it. An entry says nothing of how much of the page was filled: it
 * claims the file's whole extent in that page, zero behind it, and the invariant `cache-truth` holds it to that. The
 * generation counts every insertion and eviction, so that lists made from the cache know when they are stale.
 */
import type { File } from './file.ts';
import type { Pfn } from './units.ts';

export interface CachePage {
  readonly frame: Pfn;
  /** Changed since it was last written to the store. */
  readonly dirty: boolean;
}

/** An assembled block: the frames of one region of a file's image. */
export interface HugeBlock {
  readonly file: File;
  /** First page of the region it was assembled for, in units of regions. */
  readonly region: number;
  readonly frame: Pfn;
  /** Sub-pages that hold bytes of the file. */
  readonly populated: readonly boolean[];
}

export class PageCache {
  private pages = new Map<File, Map<number, CachePage>>();
  private blocks = new Map<File, Map<string, HugeBlock>>();
  private pageCount = 0;
  generation = 0;

  /** Small pages cached, over all files. */
  get size(): number {
    return this.pageCount;
  }

  lookup(file: File, index: number): CachePage | undefined {
    return this.pages.get(file)?.get(index);
  }

  insert(file: File, index: number, page: CachePage): void {
    let ofFile = this.pages.get(file);
    if (ofFile === undefined) this.pages.set(file, (ofFile = new Map<number, CachePage>()));
    if (!ofFile.has(index)) this.pageCount++;
    ofFile.set(index, page);
    this.generation++;
  }

  setDirty(file: File, index: number, dirty: boolean): void {
    const page = this.lookup(file, index);
    if (page !== undefined && page.dirty !== dirty) this.pages.get(file)!.set(index, { frame: page.frame, dirty });
  }

  remove(file: File, index: number): void {
    if (this.pages.get(file)?.delete(index) === true) {
      this.pageCount--;
      this.generation++;
    }
  }

  /** Every cached small page, by file and in order of insertion. */
  eachPage(visit: (file: File, index: number, page: CachePage) => void): void {
    for (const [file, pages] of this.pages) for (const [index, page] of pages) visit(file, index, page);
  }

  pagesOf(file: File): readonly (readonly [index: number, page: CachePage])[] {
    return [...(this.pages.get(file) ?? [])];
  }

  lookupBlock(file: File, key: string): HugeBlock | undefined {
    return this.blocks.get(file)?.get(key);
  }

  insertBlock(key: string, block: HugeBlock): void {
    let ofFile = this.blocks.get(block.file);
    if (ofFile === undefined) this.blocks.set(block.file, (ofFile = new Map<string, HugeBlock>()));
    ofFile.set(key, block);
    this.generation++;
  }

  removeBlock(file: File, key: string): void {
    if (this.blocks.get(file)?.delete(key) === true) this.generation++;
  }

  eachBlock(visit: (block: HugeBlock, key: string) => void): void {
    for (const blocks of this.blocks.values()) for (const [key, block] of blocks) visit(block, key);
  }

  copy(): PageCache {
    const copy = new PageCache();
    for (const [file, pages] of this.pages) copy.pages.set(file, new Map(pages));
    for (const [file, blocks] of this.blocks) copy.blocks.set(file, new Map(blocks));
    copy.pageCount = this.pageCount;
    copy.generation = this.generation;
    return copy;
  }
}
