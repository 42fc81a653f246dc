/**
 * VMAs as the reference keeps them: values in a plain list, cut where somebody asks for a part, never joined.
 *
 * Nothing here depends on how a kernel splits and merges: neighbours that continue each other are one VMA to a reader, and two to
 * this list.
 */
import {
  ceilToPage,
  cutVma,
  PAGE_BYTES,
  PROT_EXEC,
  PROT_RWX,
  PROT_WRITE,
  vaddr,
  type Access,
  type Design,
  type Vma,
} from '../../kernel-model/index.ts';

/** What a process of a linux kernel has asked for a VMA, as far as it decides what a program can see. */
export interface Wishes {
  /** May it be made writable? Not for a shared mapping of a file that was opened for reading. */
  readonly mayWrite: boolean;
  /** MADV_DONTNEED and its like refuse it, and what it gains is populated. `perhaps`: that hangs on where a kernel's VMA ends. */
  readonly locked: boolean | 'perhaps';
  /** An access in the gap below moves its start down. */
  readonly growsDown: boolean;
  /** A child does not get it (MADV_DONTFORK). */
  readonly dontFork: boolean;
  /** A child gets zeros (MADV_WIPEONFORK); each of the two is taken back alone. */
  readonly wipeOnFork: boolean;
}

export const NO_WISHES: Wishes = { mayWrite: true, locked: false, growsDown: false, dontFork: false, wipeOnFork: false };

export interface ReferenceVma extends Vma {
  readonly wishes?: Wishes;
}

export const wishesOf = (vma: ReferenceVma): Wishes => vma.wishes ?? NO_WISHES;

/** The part of a VMA in [start, end), or nothing. */
export function pieceOf(vma: ReferenceVma, start: number, end: number): readonly ReferenceVma[] {
  const from = Math.max(vma.start, start);
  const to = Math.min(vma.end, end);
  return from < to ? [{ ...vma, ...cutVma(vma, vaddr(from), vaddr(to)) }] : [];
}

/** What a child gets of a VMA: nothing in it is locked. */
export function inherited(vma: ReferenceVma): readonly ReferenceVma[] {
  const { wishes } = vma;
  if (wishes?.dontFork === true) return [];
  return wishes === undefined || wishes.locked === false ? [vma] : [{ ...vma, wishes: { ...wishes, locked: false } }];
}

/** Does `next` go on where `vma` ends, with the same rights and bytes? A kernel may keep such neighbours as one VMA or as two. */
export function continues(vma: ReferenceVma, next: ReferenceVma): boolean {
  const [a, b] = [vma.backing, next.backing];
  if (vma.end !== next.start || vma.prot !== next.prot || vma.shared !== next.shared || a?.file !== b?.file) return false;
  return a === undefined || b === undefined || a.offset + (vma.end - vma.start) === b.offset;
}

/** A mapping of a file that can change: its unwritten bytes follow the file. On linux every file can. */
export const isCoherent = (design: Design, { backing, role }: Vma): boolean =>
  backing !== undefined && (design.name === 'linux' || (role === 'mapping' && !backing.file.immutable));

export const fileOffsetOf = (vma: Vma, address: number): number => vma.backing!.offset + address - vma.start;

/** Does the page at `start` lie wholly behind the end of the file that backs it? */
export const isBehindFile = (vma: Vma, start: number): boolean =>
  vma.backing !== undefined && fileOffsetOf(vma, start) >= ceilToPage(vma.backing.file.size);

/** May a page with these VMAs be accessed so? What is accessible at all can be read. */
export function grants(onPage: readonly Vma[], access: Access): boolean {
  const real = onPage.filter((vma) => vma.role !== 'pad');
  const prot = (real.length > 0 ? real : onPage).reduce((all, vma) => all & vma.prot, PROT_RWX);
  return access === 'load' ? prot !== 0 : (prot & (access === 'store' ? PROT_WRITE : PROT_EXEC)) !== 0;
}

/** Puts into a page the bytes that a VMA takes from its file. */
export function fillFromFile(page: Uint8Array, vma: Vma, pageStart: number): void {
  if (vma.backing === undefined) return;
  const from = Math.max(vma.start, pageStart);
  const to = Math.min(vma.start + vma.backing.fileBytes, vma.end, pageStart + PAGE_BYTES);
  if (from < to) page.set(vma.backing.file.readWithTail(fileOffsetOf(vma, from), to - from), from - pageStart);
}
