/**
 * Designs: what a kernel lays out and promises, before any decision that can be wrong.
 *
 * A design is constants and pure functions. The kernel builds from it and the reference reader predicts from it, so
 * nothing in here may depend on a rule or on state. Where two designs do a thing each in its own way, the operations
 * differ (operations.ts); where they only differ in a number, it is a field in here.
 */
import { PAGE_BYTES, vaddr, type Vaddr } from './units.ts';
import { userEnd } from './page-table.ts';

export type DesignName = 'kevlar' | 'linux';

export interface Design {
  readonly name: DesignName;
  /** Are segment VMAs kept to the byte, or rounded out to pages with the file offset moved back? */
  readonly segmentBounds: 'byte' | 'page';
  /** First address behind the stack. */
  readonly stackTop: Vaddr;
  /** Length of the stack VMA, the page of the ELF header at its top included. */
  readonly stackBytes: number;
  /** Where the search for a place for a mapping starts: Kevlar's goes upwards from here, Linux's downwards. */
  readonly placementStart: Vaddr;
  /** Where it ends. */
  readonly placementEnd: Vaddr;
  /** Anonymous mappings of this many bytes or more are placed at multiples of it. */
  readonly placementHugeBytes: number;
  /** Address of the page shared by the kernel with every process; no VMA covers it. Linux has none, so it lies outside user space. */
  readonly vdso: Vaddr;
  /** Nothing is mapped below. */
  readonly lowestAddress: Vaddr;
  /** First address that a program cannot have. */
  readonly userEnd: number;
  /** Do bytes that a shared mapping stored behind the end of a file show when the file grows? Those of a memfd do. */
  readonly showsTail: boolean;
  /** Does exec assemble huge pages from cached pages? Kevlar's does; on Linux it is an experiment. */
  readonly assembles: boolean;
  /** Bytes kept free behind the heap of a position-independent program. */
  readonly heapReserveBytes: number;
}

const KEVLAR_STACK_TOP = 0xa_0000_0000;
const KEVLAR_STACK_BYTES = 0x2_1000;
const KEVLAR_VDSO = 0x1000_0000_0000;
const KEVLAR_PLACEMENT_END = 0x0fff_0000_0000;

/** vm.mmap_min_addr: no program of a normal user maps anything below. */
const LINUX_LOWEST = 0x1_0000;
/** arch/x86/mm/mmap.c mmap_base: the room for the stack, at least this much, ASLR off. */
const LINUX_STACK_ROOM_BYTES = 128 * 1024 * 1024;
/** RLIMIT_STACK. */
const LINUX_STACK_BYTES = 8 * 1024 * 1024;

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
    lowestAddress: vaddr(PAGE_BYTES),
    userEnd: end,
    showsTail: false,
    assembles: true,
    heapReserveBytes: 256 * 1024 * 1024,
  };
}

/** The layout of Linux on x86-64 without ASLR; a smaller huge page shrinks what addresses can reach. */
export function linuxDesign(hugePages: number): Design {
  // The last page below the canonical hole is nobody's.
  const end = userEnd(hugePages) - PAGE_BYTES;
  return {
    name: 'linux',
    segmentBounds: 'page',
    stackTop: vaddr(end),
    stackBytes: LINUX_STACK_BYTES,
    placementStart: vaddr(end - LINUX_STACK_ROOM_BYTES),
    placementEnd: vaddr(LINUX_LOWEST),
    placementHugeBytes: hugePages * PAGE_BYTES,
    vdso: vaddr(end),
    lowestAddress: vaddr(LINUX_LOWEST),
    userEnd: end,
    showsTail: true,
    assembles: false,
    heapReserveBytes: 0,
  };
}
