/**
 * What Linux knows of a VMA besides its bounds, protection and backing: the rest of vm_flags, and what decides a merge.
 *
 * Bits have Linux's own values. The rights in force are `Vma.prot` and VM_MAYSHARE is `Vma.shared`, so neither is here.
 */
import type { AddressSpace } from '../address-space.ts';
import type { File } from '../file.ts';
import { isPageAligned, PAGE_BYTES, type Vaddr } from '../units.ts';
import { cutVma, describeVma, type FileBacking, type Vma, type VmaRole } from '../vma.ts';
import type { LinuxVma } from './vma-facts.ts';

/** Bits of `LinuxVma.flags`. @see Linux include/linux/mm.h */
export const VM = {
  MAYREAD: 0x10,
  MAYWRITE: 0x20,
  MAYEXEC: 0x40,
  GROWSDOWN: 0x100,
  /** There may be guard markers in it (MADV_GUARD_INSTALL); it never goes again. */
  MAYBE_GUARD: 0x800,
  LOCKED: 0x2000,
  SEQ_READ: 0x8000,
  RAND_READ: 0x1_0000,
  /** Not in a child (MADV_DONTFORK). */
  DONTCOPY: 0x2_0000,
  /** Counts as memory that the system has promised. */
  ACCOUNT: 0x10_0000,
  NORESERVE: 0x20_0000,
  WIPEONFORK: 0x200_0000,
  DONTDUMP: 0x400_0000,
  HUGEPAGE: 0x2000_0000,
  NOHUGEPAGE: 0x4000_0000,
} as const;

/** The rights that mprotect may ever give: the bits of PROT, shifted left by four. */
export const MAY_ALL = VM.MAYREAD | VM.MAYWRITE | VM.MAYEXEC;
export const MAY_SHIFT = 4;

/** A VMA of the linux design. */
export type LinuxVmaOf = Vma & { readonly linux: LinuxVma };

/** What a new mapping is. */
export interface NewVma {
  readonly start: Vaddr;
  readonly end: Vaddr;
  readonly prot: number;
  readonly shared: boolean;
  /** Undefined for private anonymous memory. */
  readonly file: File | undefined;
  /** Offset in the file, in pages; ignored without one. */
  readonly pgoff: number;
  readonly flags: number;
  readonly description: number;
  readonly role: VmaRole;
}

/** A VMA that nobody has touched. */
export function newVma({ file, flags, description, ...rest }: NewVma): LinuxVmaOf {
  const pgoff = file === undefined ? rest.start / PAGE_BYTES : rest.pgoff;
  const { start, end, prot, role, shared } = rest;
  const linux: LinuxVma = { flags, anonVma: undefined, anonChain: [], pgoff, description };
  return { start, end, prot, role, shared, backing: backingAt(file, pgoff, end - start), linux };
}

/** Are the flags of two VMAs the same, but for the one that stays with whatever it merges with (VM_STICKY)? */
export const haveSameFlags = (a: LinuxVmaOf, b: LinuxVmaOf): boolean => ((a.linux.flags ^ b.linux.flags) & ~VM.MAYBE_GUARD) === 0;

/** Does a VMA have one of these flags? */
export const hasFlag = (vma: Vma, bits: number): boolean => ((vma.linux?.flags ?? 0) & bits) !== 0;

export const withFlags = (vma: LinuxVmaOf, flags: number): LinuxVmaOf => ({ ...vma, linux: { ...vma.linux, flags } });

/** The VMA with other bounds and page offset; the backing follows. */
export const placeVma = (vma: LinuxVmaOf, start: Vaddr, end: Vaddr, pgoff: number): LinuxVmaOf => ({
  ...vma,
  start,
  end,
  backing: backingAt(vma.backing?.file, pgoff, end - start),
  linux: { ...vma.linux, pgoff },
});

/** The part of a VMA in [start, end). */
export const partOf = (vma: LinuxVmaOf, start: Vaddr, end: Vaddr): LinuxVmaOf => cutVma(vma, start, end) as LinuxVmaOf;

/** How a file backs `lengthBytes` from a page offset on: wholly; what lies behind its end, a fault finds out. */
const backingAt = (file: File | undefined, pgoff: number, lengthBytes: number): FileBacking | undefined =>
  file === undefined ? undefined : { file, offset: pgoff * PAGE_BYTES, fileBytes: lengthBytes };

// ---- Look-ups; every VMA of a linux space has what makes it one.

/** The VMA that contains the byte at `address`. */
export const vmaAt = ({ vmas }: AddressSpace, address: number): LinuxVmaOf | undefined =>
  vmas.containing(address) as LinuxVmaOf | undefined;

/** VMAs with a byte in [start, end), ascending. */
export const vmasIn = ({ vmas }: AddressSpace, start: number, end: number): readonly LinuxVmaOf[] =>
  vmas.overlapping(start, end) as readonly LinuxVmaOf[];

/** The first VMA that ends behind `address`. */
export const vmaFrom = ({ vmas }: AddressSpace, address: number): LinuxVmaOf | undefined =>
  vmas.firstEndingAfter(address) as LinuxVmaOf | undefined;

/** What is wrong with a VMA of a linux space, if anything: its bounds, its page offset, its rights or its anon_vmas. */
export function checkLinuxVma(vma: Vma): string | undefined {
  const { start, end, prot, backing, linux } = vma;
  if (!isPageAligned(start) || !isPageAligned(end)) return `${describeVma(vma)} is not page-aligned`;
  if (linux === undefined) return `${describeVma(vma)} lacks what Linux knows of a VMA`;
  const { flags, pgoff, anonVma, anonChain } = linux;
  if (backing !== undefined && backing.offset !== pgoff * PAGE_BYTES) return `${describeVma(vma)} has page offset ${pgoff}`;
  if ((prot & ~(flags >> MAY_SHIFT)) !== 0) return `${describeVma(vma)} has rights that it may not have`;
  if (anonVma === undefined ? anonChain.length > 0 : !anonChain.includes(anonVma))
    return `${describeVma(vma)} has an anon_vma that is none of its own`;
  return undefined;
}
