/** An address space: VMAs, page table, heap and placement pointer; shared by the processes of a vfork until one execs. */
import type { Asid, Pfn, Pid, Vaddr } from './units.ts';
import type { Vma, VmaSet } from './vma.ts';

export interface AddressSpace {
  /** Names the space for its whole life; ids are never reused. */
  readonly id: number;
  /** The process it was made for; events name it. */
  readonly pid: Pid;
  readonly root: Pfn;
  vmas: VmaSet;
  asid: Asid;
  /** The generation of ids that `asid` belongs to; an older one must be renewed before use. */
  asidGeneration: number;
  heapStart: Vaddr;
  heapEnd: Vaddr;
  /** The heap must end before this address. */
  heapLimit: Vaddr;
  /** Where the search for a place for the next mapping starts. */
  placementNext: Vaddr;
  /** Linux: a table in reserve for each huge leaf, by region, so that a split cannot fail (pgtable_trans_huge_deposit). */
  readonly deposits: Map<number, Pfn>;
  /** Processes that use the space. */
  owners: number;
}

/** The VMAs of immutable files, in list order: what prefault and the verifiers look at. */
export const immutableFileVmas = (space: AddressSpace): readonly Vma[] =>
  space.vmas.list.filter((vma) => vma.backing?.file.immutable === true && !vma.shared);
