/**
 * Merging and splitting of VMAs: which neighbours become one, and what a change to part of a VMA leaves behind.
 *
 * Two VMAs are one if they touch, have the same rights, flags and open file, their page offsets run on, and their
 * anon_vmas allow it. A split keeps the anon_vma on both sides, so what was split can be joined again; what was faulted
 * in apart, mostly cannot.
 *
 * @see Linux mm/vma.c vma_merge_new_range, vma_merge_existing_range, vma_modify
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import { isForkChild } from './anon-vma.ts';
import { splitHugeAt } from './huge.ts';
import { haveSameFlags, partOf, placeVma, vmaAt, VM, type LinuxVmaOf } from './vma.ts';

/** The neighbours that a VMA becomes one with. */
interface Partners {
  readonly previous: LinuxVmaOf | undefined;
  readonly next: LinuxVmaOf | undefined;
}

/**
 * Adds a VMA to a range that is free, as part of its neighbours where they may merge.
 *
 * @param sides - with which neighbours; a heap that grows is only joined with what it grows from
 */
export function addVma(space: AddressSpace, vma: LinuxVmaOf, sides: 'both' | 'left' | 'none' = 'both'): void {
  const partners = partnersOf(space, vma, sides !== 'none', sides === 'both');
  exchange(space, partners, [], [join(vma, partners)]);
}

/**
 * Changes the part of `vma` in [start, end), which becomes part of a neighbour where it then may, or is split off. A huge
 * page that lies across a new boundary is split, too.
 */
export function* changePart(
  k: Kernel,
  space: AddressSpace,
  vma: LinuxVmaOf,
  start: Vaddr,
  end: Vaddr,
  change: { readonly prot: number; readonly flags: number },
): Operation<void> {
  if (vma.prot === change.prot && vma.linux.flags === change.flags) return;
  const part = partOf(vma, start, end);
  const changed: LinuxVmaOf = { ...part, prot: change.prot, linux: { ...part.linux, flags: change.flags } };
  const partners = partnersOf(space, changed, start === vma.start, end === vma.end);
  const pieces = [join(changed, partners)];
  if (vma.start < start) pieces.unshift(partOf(vma, vma.start, start));
  if (end < vma.end) pieces.push(partOf(vma, end, vma.end));
  exchange(space, partners, [vma], pieces);
  for (const edge of [start, end]) yield* splitHugeAt(k, space, vpnOf(edge));
}

function partnersOf(space: AddressSpace, vma: LinuxVmaOf, looksLeft: boolean, looksRight: boolean): Partners {
  const before = looksLeft ? vmaAt(space, vma.start - 1) : undefined;
  const after = looksRight ? vmaAt(space, vma.end) : undefined;
  const previous = before !== undefined && isSequel(before, vma) && maySharePages(vma, before) ? before : undefined;
  const next = after !== undefined && isSequel(vma, after) && maySharePages(vma, after) ? after : undefined;
  const allThree = previous === undefined || next === undefined || areAnonVmasCompatible(previous, next);
  return { previous, next: allThree ? next : undefined };
}

/** Is `b` the same kind of memory as `a`, and its page offset the one that comes next? */
function isSequel(a: LinuxVmaOf, b: LinuxVmaOf): boolean {
  return (
    a.prot === b.prot &&
    a.shared === b.shared &&
    haveSameFlags(a, b) &&
    a.backing?.file === b.backing?.file &&
    a.linux.description === b.linux.description &&
    b.linux.pgoff === a.linux.pgoff + (b.start - a.start) / PAGE_BYTES
  );
}

/** May `vma` and a neighbour have one anon_vma? If only one of them has, not when fork made it: its lock would be everybody's. */
function maySharePages(vma: LinuxVmaOf, neighbour: LinuxVmaOf): boolean {
  const [mine, theirs] = [vma.linux.anonVma, neighbour.linux.anonVma];
  if (mine === theirs) return true;
  if (mine !== undefined && theirs !== undefined) return false;
  return !isForkChild(mine === undefined ? neighbour : vma);
}

/** Do two VMAs that a third fits between not contradict each other? */
const areAnonVmasCompatible = ({ linux: a }: LinuxVmaOf, { linux: b }: LinuxVmaOf): boolean =>
  a.anonVma === undefined || b.anonVma === undefined || a.anonVma === b.anonVma;

/** `vma` and its partners as one, with the anon_vma and the guard flag that one of them has. */
function join(vma: LinuxVmaOf, { previous, next }: Partners): LinuxVmaOf {
  const all = [previous, next, vma].filter((one) => one !== undefined);
  const faulted = all.find(({ linux }) => linux.anonVma !== undefined) ?? vma;
  const first = previous ?? vma;
  const { anonVma, anonChain } = faulted.linux;
  const joined = placeVma(all[0]!, first.start, (next ?? vma).end, first.linux.pgoff);
  const guard = all.reduce((bits, { linux }) => bits | (linux.flags & VM.MAYBE_GUARD), 0);
  return { ...joined, linux: { ...joined.linux, flags: joined.linux.flags | guard, anonVma, anonChain } };
}

function exchange(space: AddressSpace, { previous, next }: Partners, changed: readonly LinuxVmaOf[], pieces: readonly LinuxVmaOf[]): void {
  for (const old of [previous, ...changed, next]) if (old !== undefined) space.vmas.replace(old, []);
  for (const piece of pieces) space.vmas.add(piece);
}
