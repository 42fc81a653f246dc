/**
 * VMAs and the set of them that an address space has.
 *
 * A VMA is a value: a change makes a new one. Bounds are bytes and need not be page-aligned: Kevlar keeps segments
 * byte-exact, so several VMAs can have bytes in one page. The set keeps two arrays of the same VMAs: `list` in
 * Kevlar's order (a VMA that is cut leaves its place, the pieces go to the end), which may hold one empty heap, and
 * `sorted` by address without it, for look-ups. VMAs never overlap.
 */
import type { File } from './file.ts';
import type { LinuxVma } from './linux/vma-facts.ts';
import { floorToPage, PAGE_BYTES, type Vaddr } from './units.ts';
import { protName } from './pte.ts';

/** Which part of the layout a VMA is; `pad` fills what segments leave uncovered of their pages, and holes between them. */
export type VmaRole = 'stack' | 'heap' | 'segment' | 'pad' | 'mapping';

export interface FileBacking {
  readonly file: File;
  /** File offset of the VMA's first byte. */
  readonly offset: number;
  /** Bytes from the VMA's start that the file backs; the rest reads as zero. */
  readonly fileBytes: number;
}

export interface Vma {
  readonly start: Vaddr;
  readonly end: Vaddr;
  /** PROT bits: READ 1, WRITE 2, EXEC 4. */
  readonly prot: number;
  readonly role: VmaRole;
  readonly shared: boolean;
  /** Undefined for anonymous memory. */
  readonly backing: FileBacking | undefined;
  /** What Linux knows of it besides; every VMA of that design has it, none of Kevlar's. */
  readonly linux?: LinuxVma | undefined;
}

export const vmaType = (vma: Vma): 'anonymous' | 'file' => (vma.backing === undefined ? 'anonymous' : 'file');

/** `0x51cbf0-0x521bf8 rw- /bin/busybox+0x11bbf0`, the one-line form for reports. */
export function describeVma(vma: Vma): string {
  const backing = vma.backing === undefined ? vma.role : `${vma.backing.file.path}+0x${vma.backing.offset.toString(16)}`;
  return `0x${vma.start.toString(16)}-0x${vma.end.toString(16)} ${protName(vma.prot)}${vma.shared ? 's' : 'p'} ${backing}`;
}

/** How far the file offset of a piece moves on when so many bytes are cut off in front of it. */
type OffsetMove = (skippedBytes: number) => number;
const moveAlong: OffsetMove = (skippedBytes) => skippedBytes;

/** The part of a VMA in [start, end); the file offset, the page offset and the file bytes move along. */
export function cutVma(vma: Vma, start: Vaddr, end: Vaddr, offsetMove = moveAlong): Vma {
  const { backing, linux } = vma;
  const skip = start - vma.start;
  const moved = offsetMove(skip);
  return {
    ...vma,
    start,
    end,
    backing: backing && {
      file: backing.file,
      offset: backing.offset + moved,
      fileBytes: Math.max(0, Math.min(backing.fileBytes - skip, end - start)),
    },
    ...(linux && { linux: { ...linux, pgoff: linux.pgoff + (backing === undefined ? skip : moved) / PAGE_BYTES } }),
  };
}

export class VmaSet {
  private order: Vma[] = [];
  private sorted: Vma[] = [];
  private lastHit = 0;
  private readonly offsetMove: OffsetMove;

  constructor(offsetMove = moveAlong) {
    this.offsetMove = offsetMove;
  }

  /** Kevlar's list, in its order. */
  get list(): readonly Vma[] {
    return this.order;
  }

  /** All non-empty VMAs, ascending. */
  get ascending(): readonly Vma[] {
    return this.sorted;
  }

  /** The VMA that contains the byte at `address`. */
  containing(address: number): Vma | undefined {
    const recent = this.sorted[this.lastHit];
    if (recent !== undefined && recent.start <= address && address < recent.end) return recent;
    const at = this.indexAfter(address);
    const vma = this.sorted[at];
    if (vma === undefined || vma.start > address) return undefined;
    this.lastHit = at;
    return vma;
  }

  /** VMAs with a byte in [start, end), ascending. */
  overlapping(start: number, end: number): readonly Vma[] {
    const found: Vma[] = [];
    for (let i = this.indexAfter(start); i < this.sorted.length && this.sorted[i]!.start < end; i++) found.push(this.sorted[i]!);
    return found;
  }

  /** VMAs with a byte in the page of `address`, ascending. */
  onPage(address: number): readonly Vma[] {
    const start = floorToPage(address);
    const single = this.sorted[this.lastHit];
    if (single !== undefined && single.start <= start && start + PAGE_BYTES <= single.end) return [single];
    return this.overlapping(start, start + PAGE_BYTES);
  }

  /** The first VMA that ends behind `address`, whether it contains it or not. */
  firstEndingAfter(address: number): Vma | undefined {
    return this.sorted[this.indexAfter(address)];
  }

  isFree(start: number, end: number): boolean {
    const next = this.firstEndingAfter(start);
    return next === undefined || next.start >= end;
  }

  /** Appends a VMA; its range must be free. An empty one only appears in `list`. */
  add(vma: Vma): void {
    this.order.push(vma);
    if (vma.start < vma.end) this.sorted.splice(this.indexAfter(vma.start), 0, vma);
  }

  /** Puts `pieces` in the place of `old`, which keeps its place in `list` only if exactly one piece takes it. */
  replace(old: Vma, pieces: readonly Vma[]): void {
    const at = this.order.indexOf(old);
    if (pieces.length === 1) this.order[at] = pieces[0]!;
    else this.order.splice(at, 1);
    if (pieces.length !== 1) this.order.push(...pieces);
    const place = this.sorted.indexOf(old);
    const filled = pieces.filter((vma) => vma.start < vma.end).sort((a, b) => a.start - b.start);
    if (place >= 0) this.sorted.splice(place, 1, ...filled);
    else for (const vma of filled) this.sorted.splice(this.indexAfter(vma.start), 0, vma);
  }

  /** Removes every byte of [start, end), cutting VMAs that straddle an end; remainders go to the end of `list`. */
  remove(start: Vaddr, end: Vaddr): void {
    for (const vma of [...this.overlapping(start, end)]) {
      const pieces: Vma[] = [];
      if (vma.start < start) pieces.push(this.cut(vma, vma.start, start));
      if (end < vma.end) pieces.push(this.cut(vma, end, vma.end));
      this.order.splice(this.order.indexOf(vma), 1);
      this.order.push(...pieces);
      this.sorted.splice(this.sorted.indexOf(vma), 1, ...pieces);
    }
  }

  /** Applies `change` to the part of every VMA inside [start, end); a partly covered VMA is cut, its pieces go to the end. */
  changeRange(start: Vaddr, end: Vaddr, change: (vma: Vma) => Vma): void {
    for (const vma of [...this.overlapping(start, end)]) {
      const from = Math.max(start, vma.start) as Vaddr;
      const to = Math.min(end, vma.end) as Vaddr;
      const pieces = [change(this.cut(vma, from, to))];
      if (vma.start < from) pieces.unshift(this.cut(vma, vma.start, from));
      if (to < vma.end) pieces.push(this.cut(vma, to, vma.end));
      this.replace(vma, pieces);
    }
  }

  copy(): VmaSet {
    const copy = new VmaSet(this.offsetMove);
    copy.order = [...this.order];
    copy.sorted = [...this.sorted];
    return copy;
  }

  private cut(vma: Vma, start: Vaddr, end: Vaddr): Vma {
    return cutVma(vma, start, end, this.offsetMove);
  }

  /** Index in `sorted` of the first VMA that ends after `address`. */
  private indexAfter(address: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The first thing wrong with the set: order, overlap, emptiness, or a list that disagrees with the array. */
export function checkVmaSet(set: VmaSet): string | undefined {
  const { list, ascending } = set;
  for (const [i, vma] of ascending.entries()) {
    if (vma.start >= vma.end) return `${describeVma(vma)} is empty`;
    if (i > 0 && ascending[i - 1]!.end > vma.start)
      return `${describeVma(ascending[i - 1]!)} and ${describeVma(vma)} overlap or are out of order`;
    if (!list.includes(vma)) return `${describeVma(vma)} is not in the list`;
  }
  const empty = list.filter((vma) => vma.start >= vma.end);
  const stray = empty.find((vma) => vma.role !== 'heap');
  if (stray !== undefined) return `${describeVma(stray)} is empty and no heap`;
  if (list.length - empty.length !== ascending.length)
    return `the list holds ${list.length - empty.length} VMAs, the array ${ascending.length}`;
  return undefined;
}
