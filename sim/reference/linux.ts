/**
 * What only a linux kernel does to memory, told for the reference: VMAs that grow down, pages that are copied ahead of a store,
 * guarded pages, holes in files, and ranges that move.
 *
 * Each function is what one paragraph of the manual says; none asks how a kernel gets there. Ranges are page-aligned.
 */
import { ceilToPage, floorToPage, PAGE_BYTES, PROT_WRITE, vaddr, type Access, type File } from '../../kernel-model/index.ts';
import type { Reference } from './reference.ts';
import { continues, grants, isBehindFile, pieceOf, wishesOf, type ReferenceVma, type Wishes } from './vmas.ts';

/** What SEGV and BUS say of an address: nothing there, no right to it, or nothing behind it. */
export type SignalCode = 'MAPERR' | 'ACCERR' | 'ADRERR';

/** A VMA that grows down keeps so much free below it, unless what lies there cannot be accessed; mmap keeps it free above others, too. */
export const STACK_GAP_BYTES = 256 * PAGE_BYTES;
/** RLIMIT_STACK: a VMA that grows down gets no longer. */
const STACK_BYTES_MAX = 8 * 1024 * 1024;

/** The code of the signal for an access that is refused. A guarded page is one that is not there, if the access is allowed at all. */
export function signalCode(reference: Reference, pid: number, address: number, access: Access): SignalCode {
  if (reference.access(pid, address, access) === 'SIGBUS') return 'ADRERR';
  const vma = reference.containing(pid, address);
  return vma === undefined || grants([vma], access) ? 'MAPERR' : 'ACCERR';
}

/** What a page fault does first: the VMA above the gap that holds `address` comes down to it, if it may. */
export function growDown(reference: Reference, pid: number, address: number): void {
  const start = floorToPage(address);
  const vmas = reference.ascending(pid);
  const at = vmas.findIndex((vma) => vma.end > start);
  const [below, above] = [vmas[at - 1], vmas[at]];
  if (above === undefined || above.start <= start || !wishesOf(above).growsDown) return;
  const isCrowded = below !== undefined && !wishesOf(below).growsDown && below.prot !== 0 && start - below.end < STACK_GAP_BYTES;
  if (isCrowded || wholeEnd(vmas, above) - start > STACK_BYTES_MAX) return;
  const space = reference.space(pid);
  space.vmas = space.vmas.map((vma) => (vma === above ? { ...vma, start: vaddr(start) } : vma));
}

/** Where the VMA ends that begins with `first`: the list has it in pieces. */
function wholeEnd(vmas: readonly ReferenceVma[], first: ReferenceVma): number {
  let { end } = first;
  for (const vma of vmas) if (vma.start === end && vma.prot === first.prot && wishesOf(vma).growsDown) end = vma.end;
  return end;
}

/** What populating a page needs of it, asked in this order. */
export type Populating = 'ok' | 'noVma' | 'refused' | 'fault';

/** Populates [start, end) page by page, as far as it goes: private pages of files that may be written are copied. */
export function populate(
  reference: Reference,
  pid: number,
  start: number,
  end: number,
  access: (vma: ReferenceVma) => Access | undefined,
): Populating {
  for (let page = start; page < end; page += PAGE_BYTES) {
    const vma = reference.containing(pid, page);
    if (vma === undefined) return 'noVma';
    const how = access(vma);
    if (how === undefined) return 'refused';
    // The right was looked at; what is left is what a fault can meet.
    if (reference.space(pid).guards.has(page) || isBehindFile(vma, page)) return 'fault';
    if (how === 'store' && reference.isPopulated(pid, page)) reference.copyPage(pid, page);
  }
  return 'ok';
}

/** How mlock and MAP_POPULATE touch a VMA: with a store if that takes a private copy; not at all if nothing is allowed. */
export function lockingAccess(vma: ReferenceVma): Access | undefined {
  if (vma.prot === 0) return undefined;
  return (vma.prot & PROT_WRITE) !== 0 && !vma.shared ? 'store' : 'load';
}

/** MADV_GUARD_INSTALL: the pages lose what they hold, and no access is allowed. */
export function guard(reference: Reference, pid: number, start: number, end: number): void {
  reference.forget(pid, start, end);
  for (let page = start; page < end; page += PAGE_BYTES) reference.space(pid).guards.add(page);
}

/** MADV_REMOVE: the file reads as zero in [offset, offset + length); its size stays. */
export function punchHole(file: File, offset: number, length: number): void {
  const end = Math.min(offset + length, ceilToPage(file.size));
  for (let at = offset; at < end; at++) file.poke(at, 0);
}

/** From where to where a range moves, and how long it is afterwards. With an old length of 0 what is shared appears a second time. */
export interface Move {
  readonly from: number;
  readonly length: number;
  readonly to: number;
  readonly newLength: number;
  /** MREMAP_DONTUNMAP: the VMA stays, its pages go. */
  readonly isKept: boolean;
}

/** mremap to another place. The target is free or will be cut; the source lies in what may be one VMA. */
export function moveRange(reference: Reference, pid: number, { from, length, to, newLength, isKept }: Move): void {
  const space = reference.space(pid);
  const kept = Math.min(length, newLength);
  const sources = length === 0 ? [duplicated(reference.containing(pid, from)!, from)] : cut(reference, pid, from, from + kept);
  const shift = to - from;
  const written = [...space.written].filter(([page]) => from <= page && page < from + kept);
  const guards = [...space.guards].filter((page) => from <= page && page < from + kept);
  if (isKept) leave(reference, pid, from, from + length);
  else reference.unmap(pid, from, from + length);
  reference.unmap(pid, to, to + newLength);
  for (const vma of sources) {
    const moved = { ...vma, start: vaddr(vma.start + shift), end: vaddr(vma.end + shift) };
    space.vmas.push(moved.end === to + kept ? endingAt(moved, to + newLength) : moved);
  }
  for (const [page, bytes] of written) space.written.set(page + shift, bytes);
  for (const page of guards) space.guards.add(page + shift);
}

/** The VMA that ends at `end` gets a new end. */
export function lengthen(reference: Reference, pid: number, end: number, newEnd: number): void {
  const space = reference.space(pid);
  space.vmas = space.vmas.map((vma) => (vma.end === end ? endingAt(vma, newEnd) : vma));
}

function endingAt(vma: ReferenceVma, end: number): ReferenceVma {
  const backing = vma.backing && { ...vma.backing, fileBytes: end - vma.start };
  return { ...vma, end: vaddr(end), backing };
}

const cut = (reference: Reference, pid: number, start: number, end: number): readonly ReferenceVma[] =>
  reference.overlapping(pid, start, end).flatMap((vma) => pieceOf(vma, start, end));

/** A VMA of no length at `address` that shows what `vma` shows there. */
function duplicated(vma: ReferenceVma, address: number): ReferenceVma {
  const backing = vma.backing && { ...vma.backing, offset: vma.backing.offset + address - vma.start, fileBytes: 0 };
  return { ...vma, start: vaddr(address), end: vaddr(address), backing };
}

/**
 * The VMAs of the range stay without what they held there, and are no longer locked. A kernel unlocks its whole VMA: surely what was
 * never cut, and the neighbours that may belong to it perhaps.
 */
function leave(reference: Reference, pid: number, start: number, end: number): void {
  reference.empty(pid, start, end);
  const uncut = reference.overlapping(pid, start, end);
  const [low, high] = wholeRange(reference.ascending(pid), start, end);
  lock(reference, pid, low, high, (locked) => (locked === false ? false : 'perhaps'));
  for (const vma of uncut) lock(reference, pid, vma.start, vma.end, () => false);
}

function lock(reference: Reference, pid: number, start: number, end: number, change: (locked: Wishes['locked']) => Wishes['locked']): void {
  reference.change(pid, start, end, (vma) => ({ ...vma, wishes: { ...wishesOf(vma), locked: change(wishesOf(vma).locked) } }));
}

/** How far a VMA of a kernel may reach that covers [start, end): over all neighbours that continue each other. */
function wholeRange(vmas: readonly ReferenceVma[], start: number, end: number): readonly [start: number, end: number] {
  let [low, high] = [start, end];
  for (const [i, vma] of vmas.entries()) if (vma.end > high && isJoined(vmas[i - 1], vma, high)) high = vma.end;
  for (const [i, vma] of [...vmas.entries()].reverse()) if (vma.start < low && isJoined(vma, vmas[i + 1], low)) low = vma.start;
  return [low, high];
}

/** Does `at` lie inside one of two neighbours, or where the second continues the first? */
function isJoined(vma: ReferenceVma | undefined, next: ReferenceVma | undefined, at: number): boolean {
  const isInside = [vma, next].some((one) => one !== undefined && one.start < at && at < one.end);
  return isInside || (vma?.end === at && next !== undefined && continues(vma, next));
}
