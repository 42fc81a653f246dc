/** What an exec remembers of a file: its VMAs, and the pages that its first prefault mapped. */
import type { Pfn, Vpn } from './units.ts';
import type { Vma } from './vma.ts';

export interface Template {
  /** Segments, holes and pads, in list order; the stack and the heap are made anew. */
  readonly vmas: readonly Vma[];
  readonly prefaulted: readonly TemplatePage[];
  /** Generation of the page cache when `prefaulted` was recorded. */
  readonly generation: number;
}

export interface TemplatePage {
  readonly page: Vpn;
  readonly frame: Pfn;
  /** Protection of the VMA, PROT bits. */
  readonly prot: number;
  readonly isHuge: boolean;
}
