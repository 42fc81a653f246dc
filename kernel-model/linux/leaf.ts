/**
 * What a page table of Linux says of one page, and what kind of page that is.
 *
 * A leaf is a 4 KiB entry, a huge leaf that covers the page, or a guard marker. The kind of a mapped frame is not written
 * in the entry but known of the frame: a zero page, private memory (ANON), or else a page of a file.
 */
import type { AddressSpace } from '../address-space.ts';
import { ANON, EXCLUSIVE } from '../frame-table.ts';
import type { Kernel } from '../kernel.ts';
import { isTable, protName, sealablePte } from '../pte.ts';
import { vaddrOf, PAGE_BYTES, type Pfn, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';

export interface Leaf {
  readonly slot: number;
  readonly entry: number;
  readonly isHuge: boolean;
}

/** The leaf over `page`, or undefined when nothing is there. */
export function leafOver(k: Kernel, space: AddressSpace, page: Vpn): Leaf | undefined {
  const regionSlot = k.tables.regionSlot(space.root, k.tables.regionOf(page));
  const upper = k.tables.entryAt(regionSlot);
  if (upper === 0) return undefined;
  if (!isTable(upper)) return { slot: regionSlot, entry: upper, isHuge: true };
  const slot = k.tables.pageSlot(space.root, page);
  const entry = k.tables.entryAt(slot);
  return entry === 0 ? undefined : { slot, entry, isHuge: false };
}

/** Is the VMA private memory of no file? */
export const isAnonymous = ({ backing }: Vma): boolean => backing === undefined;

/** Index of the file page that `page` shows in a VMA with a file. */
export const fileIndexOf = (vma: Vma, page: Vpn): number => Math.floor((vma.backing!.offset + vaddrOf(page) - vma.start) / PAGE_BYTES);

/** Does the frame hold private memory? */
export const isAnon = (k: Kernel, frame: Pfn): boolean => (k.frames.flags[frame]! & ANON) !== 0;

/** May the one page that maps the frame write it, whoever else holds a reference? */
export const isExclusive = (k: Kernel, frame: Pfn): boolean => (k.frames.flags[frame]! & EXCLUSIVE) !== 0;

/** Marks frames as private memory of one page each. */
export function claimFrames(k: Kernel, first: Pfn, count: number): void {
  for (let i = 0; i < count; i++) k.frames.flags[first + i]! |= ANON | EXCLUSIVE;
}

/** Marks frames as shared from now on: who writes next must look who else maps them. */
export function shareFrames(k: Kernel, first: Pfn, count: number): void {
  for (let i = 0; i < count; i++) k.frames.flags[first + i]! &= ~EXCLUSIVE;
}

/** Holders of a mapped frame besides one entry, as a write fault counts them; a zero page always has others. */
export const othersOf = (k: Kernel, frame: Pfn): number => (k.isZeroPage(frame) ? 1 : k.othersOf(frame));

/** Enters a 4 KiB leaf, whose reference the caller has taken, and says so. */
export function setLeaf(k: Kernel, space: AddressSpace, page: Vpn, slot: number, frame: Pfn, prot: number, why: string): void {
  k.tables.setEntry(slot, sealablePte(frame, prot));
  k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(page), frame, prot: protName(prot), pages: 1, why });
}
