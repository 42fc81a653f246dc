/**
 * What the VMAs in a page say of it: which file bytes lie where, and what may be done to it.
 *
 * A page can have bytes of several VMAs. Its content is decided per byte; hardware protects only whole pages, so its
 * protection is the intersection over the VMAs in it that are no pads.
 */
import type { Rules, PageFill } from './rules.ts';
import type { File } from './file.ts';
import { PROT_EXEC, PROT_RWX, PROT_WRITE, type Access } from './pte.ts';
import { PAGE_BYTES } from './units.ts';
import type { Vma } from './vma.ts';

/** The bytes that one VMA takes from its file for one page. */
export interface FilePart {
  readonly vma: Vma;
  readonly file: File;
  readonly fileOffset: number;
  /** Page index in the file, the cache's key. */
  readonly index: number;
  readonly fill: PageFill;
}

/** The file bytes of the page at `pageStart`, by VMA, ascending. Empty for a page of zeros. */
export function filePartsOf(vmas: readonly Vma[], pageStart: number): readonly FilePart[] {
  const parts = vmas.map((vma) => filePart(vma, pageStart)).filter((part) => part !== undefined);
  if (parts.length < 2) return parts;
  return parts.map((part) => ({ ...part, fill: { ...part.fill, shared: true } }));
}

function filePart(vma: Vma, pageStart: number): FilePart | undefined {
  if (vma.backing === undefined) return undefined;
  const { file, offset, fileBytes } = vma.backing;
  const from = Math.max(vma.start, pageStart);
  const fileOffset = offset + from - vma.start;
  const to = Math.min(vma.start + fileBytes, vma.end, pageStart + PAGE_BYTES, from + file.size - fileOffset);
  if (from >= to) return undefined;
  const index = Math.floor(fileOffset / PAGE_BYTES);
  const fill: PageFill = {
    start: from - pageStart,
    length: to - from,
    extent: file.extentOf(index),
    writable: (vma.prot & PROT_WRITE) !== 0,
    shared: false,
  };
  return { vma, file, fileOffset, index, fill };
}

/** The bytes that assembly puts into a page of the region; empty if it leaves the page alone. */
export function partsForAssembly(rules: Rules, vmas: readonly Vma[], file: File, pageStart: number): readonly FilePart[] {
  const parts = filePartsOf(vmas, pageStart);
  const own = parts.filter((part) => part.file === file);
  if (own.length < parts.length && !rules.assemblyMayFillForeignPage()) return [];
  return rules.assemblyFills() === 'firstVma' ? own.slice(0, 1) : own;
}

/** The VMA that a fault at `address` is about, or undefined: no VMA has a say here. */
export function vmaOfFault(rules: Rules, containing: Vma | undefined, onPage: readonly Vma[]): Vma | undefined {
  if (containing !== undefined || rules.faultLooksUp() === 'byte') return containing;
  return onPage.find((vma) => vma.role !== 'pad') ?? onPage[0];
}

/** PROT bits of a page, as the kernel decides it. */
export function protectionOfPage(rules: Rules, onPage: readonly Vma[], faulting: Vma): number {
  if (onPage.length < 2 || rules.pageProtection() === 'faultingVma') return faulting.prot;
  return intersectProtection(onPage);
}

/** What all VMAs of a page grant; pads only count where there is nothing else. */
export function intersectProtection(onPage: readonly Vma[]): number {
  const real = onPage.filter((vma) => vma.role !== 'pad');
  return (real.length > 0 ? real : onPage).reduce((prot, vma) => prot & vma.prot, PROT_RWX);
}

/** Whatever is mapped can be read, as on x86. */
export function allows(prot: number, access: Access): boolean {
  if (access === 'load') return prot !== 0;
  return (prot & (access === 'store' ? PROT_WRITE : PROT_EXEC)) !== 0;
}

/** Is the page that starts at `pageStart` wholly inside one VMA? */
export const isAlone = (onPage: readonly Vma[], pageStart: number): boolean =>
  onPage.length === 1 && onPage[0]!.start <= pageStart && pageStart + PAGE_BYTES <= onPage[0]!.end;
