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
 * that is not 0 means that the walker is reading something that is no page table. An entry that is not valid but not
 * 0 either still names a frame: mprotect(PROT_NONE) leaves it so.
 *
 * As on x86, and unlike the bare RISC-V encoding, whatever is mapped can be read: kernels here set R on every leaf.
 */
import { pfn, type Pfn } from './units.ts';

export const PTE_VALID = 1;
export const PTE_READ = 2;
export const PTE_WRITE = 4;
export const PTE_EXEC = 8;
const PTE_USER = 16;
const PTE_RIGHTS = PTE_READ | PTE_WRITE | PTE_EXEC;
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

/** An entry that points to the table in `frame`; upper levels grant everything. */
export const tablePte = (frame: Pfn): number => ((frame << PPN_SHIFT) | PTE_VALID) >>> 0;

export const frameOfPte = (entry: number): Pfn => pfn(entry >>> PPN_SHIFT);
export const isValid = (entry: number): boolean => (entry & PTE_VALID) !== 0;
export const isLeaf = (entry: number): boolean => (entry & PTE_VALID) !== 0 && (entry & PTE_RIGHTS) !== 0;
export const isTable = (entry: number): boolean => (entry & (PTE_VALID | PTE_RIGHTS)) === PTE_VALID;
/** The rights that an entry grants, as PTE bits; 0 when it is not valid. */
export const rightsOfPte = (entry: number): number => (entry & PTE_VALID ? entry & PTE_RIGHTS : 0);
