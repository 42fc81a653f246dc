/**
 * Designs: what a kernel lays out and promises, before any decision that can be wrong.
 *
 * A design is constants and pure functions. The kernel builds from it and the reference reader predicts from it, so
 * nothing in here may depend on a rule or on state. `kevlar` is the one design so far; `linux` has its seat in
 * `DesignName` and in the fields in which the two differ.
 */
import { PAGE_BYTES, vaddr, type Vaddr } from './units.ts';
import { userEnd } from './page-table.ts';

export type DesignName = 'kevlar';

export interface Design {
  readonly name: DesignName;
  /** Are segment VMAs kept to the byte, or rounded out to pages with the file offset moved back? */
  readonly segmentBounds: 'byte' | 'page';
  /** First address behind the stack; also where mmap placement starts. */
  readonly stackTop: Vaddr;
  /** Length of the stack VMA, the page of the ELF header at its top included. */
  readonly stackBytes: number;
  readonly placementStart: Vaddr;
  readonly placementEnd: Vaddr;
  /** Anonymous mappings of this many bytes or more are placed at multiples of it. */
  readonly placementHugeBytes: number;
  /** Address of the page shared by the kernel with every process; no VMA covers it. */
  readonly vdso: Vaddr;
  /** First address that a program cannot have. */
  readonly userEnd: number;
  /** Bytes kept free behind the heap of a position-independent program. */
  readonly heapReserveBytes: number;
}

const KEVLAR_STACK_TOP = 0xa_0000_0000;
const KEVLAR_STACK_BYTES = 0x2_1000;
const KEVLAR_VDSO = 0x1000_0000_0000;
const KEVLAR_PLACEMENT_END = 0x0fff_0000_0000;

/** Does a range touch the vDSO page? It stays where it is: calls that would change it are refused. */
export const coversVdso = (design: Design, start: number, end: number): boolean => start < design.vdso + PAGE_BYTES && design.vdso < end;

/** The layout of Kevlar at M9.8; a smaller huge page shrinks what addresses can reach. */
export function kevlarDesign(hugePages: number, segmentBounds: Design['segmentBounds']): Design {
  const end = userEnd(hugePages);
  const vdso = Math.min(KEVLAR_VDSO, end / 2);
  return {
    name: 'kevlar',
    segmentBounds,
    stackTop: vaddr(KEVLAR_STACK_TOP),
    stackBytes: KEVLAR_STACK_BYTES,
    placementStart: vaddr(KEVLAR_STACK_TOP),
    placementEnd: vaddr(Math.min(KEVLAR_PLACEMENT_END, vdso - 0x1_0000_0000)),
    placementHugeBytes: hugePages * PAGE_BYTES,
    vdso: vaddr(vdso),
    userEnd: end,
    heapReserveBytes: 256 * 1024 * 1024,
  };
}
