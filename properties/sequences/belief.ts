/**
 * What a generator believes of the arena of each process: which pages are mapped. It need not be right, only right often enough that ops
 * meet what earlier ops made: half of all accesses to nothing would test little.
 */
import type { Stream } from '../../sim/prng.ts';

export class Belief {
  private readonly mapped: Uint8Array;

  constructor(pages: number, mapped = new Uint8Array(pages)) {
    this.mapped = mapped;
  }

  copy(): Belief {
    return new Belief(this.mapped.length, this.mapped.slice());
  }

  set(start: number, pages: number, isMapped: boolean): void {
    this.mapped.fill(isMapped ? 1 : 0, Math.max(0, start), Math.max(0, start + pages));
  }

  /** First page of the highest gap that has room, at its top end, as Linux places; undefined if there is none. */
  gapFor(pages: number): number | undefined {
    let free = 0;
    for (let page = this.mapped.length - 1; page >= 0; page--) {
      free = this.mapped[page] === 1 ? 0 : free + 1;
      if (free === pages) return page;
    }
    return undefined;
  }

  /** A page next to which a mapping begins or ends; undefined if nothing is mapped. */
  edge(draw: Stream): number | undefined {
    const edges = this.pagesWhere((page) => this.at(page) !== this.at(page - 1));
    return edges.length === 0 ? undefined : draw.pick(edges);
  }

  /** A page that is mapped, or is not; undefined if there is none. */
  page(draw: Stream, isMapped: boolean): number | undefined {
    const pages = this.pagesWhere((page) => (this.at(page) === 1) === isMapped);
    return pages.length === 0 ? undefined : draw.pick(pages);
  }

  /** Pages from `page` on that are mapped without a hole. */
  lengthFrom(page: number): number {
    let end = page;
    while (this.at(end) === 1) end++;
    return end - page;
  }

  private at(page: number): number {
    return this.mapped[page] ?? 0;
  }

  private pagesWhere(isWanted: (page: number) => boolean): number[] {
    return Array.from(this.mapped.keys()).filter(isWanted);
  }
}
