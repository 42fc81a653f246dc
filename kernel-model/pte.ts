/**
 * Page-table entries: 64 bits in the layout of RISC-V Sv48.
 *
 *      63            54 53                    10 9   8 7 6 5 4 3 2 1 0
 *     +----------------+------------------------+-----+-+-+-+-+-+-+-+-+
 *     | zero           | PPN (44 bits)          | RSW |D|A|G|U|X|W|R|V|
 *     +----------------+------------------------+-----+-+-+-+-+-+-+-+-+
 *
 * A valid entry with none of R, W, X points to the next level (`table`); any other valid entry maps (`leaf`). Frames
 * number fewer than 2^22, so the upper word of a good entry is 0 and the lower word holds everything; an upper word
 * that is not 0 means that the walker is reading something that is no page table.
 *
 * Memory without rights is kept in two ways. Kevlar's mprotect(PROT_NONE) leaves an entry that is not valid but still
 * names a frame. Linux *seals* the leaf: it stays valid, for the kernel alone (U is 0), so that a huge leaf can be
 * sealed whole. An entry of Linux that is not valid and not 0 names no frame: it is a guard marker.
 *
 * As on x86, and unlike the bare RISC-V encoding, whatever is mapped can be read: kernels here set R on every leaf.
 */
import { pfn, type Pfn } from './units.ts';

export const PTE_VALID = 1;
export const PTE_READ = 2;
export const PTE_WRITE = 4;
export const PTE_EXEC = 8;
const PTE_USER = 16;
/** Linux's guard marker: not valid, no frame, the first software bit. */
export const PTE_GUARD = 0x100;
/** The second software bit: given up by MADV_FREE and not written since. The next store is noticed, by a fault that nobody counts. */
export const PTE_LAZY = 0x200;
export const PTE_RIGHTS = PTE_READ | PTE_WRITE | PTE_EXEC;
/** What a leaf that programs may use has: V and U. */
const PTE_OPEN = PTE_VALID | PTE_USER;
const PPN_SHIFT = 10;

/** What a program does with memory. */
export type Access = 'load' | 'store' | 'fetch';

/** Protection bits of a VMA, as in Kevlar's helpers: READ 1, WRITE 2, EXEC 4. */
export const PROT_NONE = 0;
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const PROT_EXEC = 4;
export const PROT_RWX = PROT_READ | PROT_WRITE | PROT_EXEC;

/** A protection without WRITE; what could be written could be read, so READ stays. */
export const withoutWrite = (prot: number): number => (prot === PROT_NONE ? PROT_NONE : (prot & ~PROT_WRITE) | PROT_READ);

/** `rw-` form of a protection. */
export function protName(prot: number): string {
  return (prot & PROT_READ ? 'r' : '-') + (prot & PROT_WRITE ? 'w' : '-') + (prot & PROT_EXEC ? 'x' : '-');
}

/** The access rights that a protection grants, as PTE bits; 0 for PROT_NONE. */
export function rightsOfProt(prot: number): number {
  if (prot === PROT_NONE) return 0;
  return PTE_READ | (prot & PROT_WRITE ? PTE_WRITE : 0) | (prot & PROT_EXEC ? PTE_EXEC : 0);
}

/** A leaf entry; with PROT_NONE it keeps the frame and loses every flag. */
export const leafPte = (frame: Pfn, prot: number): number =>
  ((frame << PPN_SHIFT) | (prot === PROT_NONE ? 0 : PTE_VALID | PTE_USER | rightsOfProt(prot))) >>> 0;

/** A leaf entry as Linux makes it: without rights it is sealed. */
export const sealablePte = (frame: Pfn, prot: number): number =>
  prot === PROT_NONE ? ((frame << PPN_SHIFT) | PTE_VALID | PTE_READ) >>> 0 : leafPte(frame, prot);

/** An entry that points to the table in `frame`; upper levels grant everything. */
export const tablePte = (frame: Pfn): number => ((frame << PPN_SHIFT) | PTE_VALID) >>> 0;

/** The same flags over another frame. */
export const withFrame = (entry: number, frame: Pfn): number => ((entry & ((1 << PPN_SHIFT) - 1)) | (frame << PPN_SHIFT)) >>> 0;

export const frameOfPte = (entry: number): Pfn => pfn(entry >>> PPN_SHIFT);
export const isValid = (entry: number): boolean => (entry & PTE_VALID) !== 0;
export const isLeaf = (entry: number): boolean => (entry & PTE_VALID) !== 0 && (entry & PTE_RIGHTS) !== 0;
export const isTable = (entry: number): boolean => (entry & (PTE_VALID | PTE_RIGHTS)) === PTE_VALID;
/** Does the entry mark a page that must not be touched (MADV_GUARD_INSTALL)? */
export const isGuard = (entry: number): boolean => entry === PTE_GUARD;
/** The rights that an entry grants to programs, as PTE bits; 0 when it is not valid, or sealed. */
export const rightsOfPte = (entry: number): number =>
  (entry & PTE_OPEN) !== PTE_OPEN ? 0 : entry & (entry & PTE_LAZY ? PTE_RIGHTS & ~PTE_WRITE : PTE_RIGHTS);
