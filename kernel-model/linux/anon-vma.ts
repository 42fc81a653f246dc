/**
 * anon_vma: the object that says which VMAs a private page can be found through.
 *
 * Here it decides which VMAs may merge: two of them only if at most one has an anon_vma, or both the same; and one that
 * fork made never lends its own to a VMA without. Linux counts the children and users of each; here they are counted when
 * asked for, over all VMAs.
 *
 * @see Linux mm/rmap.c __anon_vma_prepare, anon_vma_clone, anon_vma_fork
 */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { PAGE_BYTES } from '../units.ts';
import type { Vma } from '../vma.ts';
import { haveSameFlags, vmaAt, type LinuxVmaOf } from './vma.ts';
import type { AnonVma } from './vma-facts.ts';

/** Was the VMA forked from one that had private pages? Then it has more than its own anon_vma. */
export const isForkChild = (vma: LinuxVmaOf): boolean => vma.linux.anonVma !== undefined && vma.linux.anonChain.length !== 1;

/**
 * Gives the VMA an anon_vma if it has none, before its first private page: that of a neighbour which it could merge with
 * but for its rights and its anon_vma, else a new one.
 *
 * @returns the VMA as it now stands in the set
 */
export function prepareAnonVma(space: AddressSpace, vma: Vma): Vma {
  const old = vma as LinuxVmaOf;
  if (old.linux.anonVma !== undefined) return vma;
  const anonVma = neighboursAnonVma(space, old) ?? { parent: undefined };
  const prepared = { ...old, linux: { ...old.linux, anonVma, anonChain: [anonVma] } };
  space.vmas.replace(old, [prepared]);
  return prepared;
}

function neighboursAnonVma(space: AddressSpace, vma: LinuxVmaOf): AnonVma | undefined {
  const next = vmaAt(space, vma.end);
  const previous = vmaAt(space, vma.start - 1);
  if (next !== undefined && isLendable(next) && areCompatible(vma, next)) return next.linux.anonVma;
  if (previous !== undefined && isLendable(previous) && areCompatible(previous, vma)) return previous.linux.anonVma;
  return undefined;
}

const isLendable = ({ linux }: LinuxVmaOf): boolean => linux.anonVma !== undefined && linux.anonChain.length === 1;

/** Could the two merge, but for their rights and anon_vmas? */
function areCompatible(a: LinuxVmaOf, b: LinuxVmaOf): boolean {
  return (
    a.shared === b.shared &&
    a.backing?.file === b.backing?.file &&
    a.linux.description === b.linux.description &&
    haveSameFlags(a, b) &&
    b.linux.pgoff === a.linux.pgoff + (b.start - a.start) / PAGE_BYTES
  );
}

/**
 * The child's VMA for a parent's: linked to all anon_vmas of the parent, and with one of its own, or one of those as its
 * own that no VMA uses any more.
 *
 * @param made - the child's VMAs so far
 */
export function forkAnonVma(k: Kernel, vma: LinuxVmaOf, made: readonly Vma[]): LinuxVmaOf {
  const { anonVma, anonChain } = vma.linux;
  if (anonVma === undefined) return vma;
  const reused = anonChain.findLast((one) => isIdle(k, one, made));
  if (reused !== undefined) return { ...vma, linux: { ...vma.linux, anonVma: reused } };
  const own: AnonVma = { parent: anonVma };
  return { ...vma, linux: { ...vma.linux, anonVma: own, anonChain: [...anonChain, own] } };
}

/** Is it in no VMA as its own, with fewer than two children? A root always has one child more, itself. */
function isIdle(k: Kernel, anonVma: AnonVma, made: readonly Vma[]): boolean {
  if (anonVma.parent === undefined) return false;
  const children = new Set<AnonVma>();
  for (const vmas of [...[...k.spaces].map((space) => space.vmas.ascending), made]) {
    for (const { linux } of vmas) {
      if (linux?.anonVma === anonVma) return false;
      for (const one of linux?.anonChain ?? []) if (one.parent === anonVma) children.add(one);
    }
  }
  return children.size < 2;
}
