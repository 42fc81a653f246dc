/** What a page fault ends with, on either design. */
import { KernelBug, type Errno, type Signal } from './errors.ts';
import type { AddressSpace } from './address-space.ts';
import type { EventOf } from './events.ts';
import type { Kernel } from './kernel.ts';
import { PTE_EXEC, PTE_READ, PTE_WRITE, type Access } from './pte.ts';
import { vmaType, type Vma } from './vma.ts';

export type FaultOutcome = 'resolved' | Signal;

/** Right of an entry, as a PTE bit, that an access needs. */
export const rightFor = (access: Access): number => (access === 'load' ? PTE_READ : access === 'store' ? PTE_WRITE : PTE_EXEC);

/** Without a frame, or with a store that fails, the access earns a signal. @throws KernelBug if the rule has the kernel stop */
export function failed(k: Kernel, error: Errno): Signal {
  if (k.rules.failedFault(error) === 'panic') throw new KernelBug('a fault can always be served', { error });
  return error === 'ENOMEM' ? 'SIGKILL' : 'SIGBUS';
}

/** What is told of a fault that was served. */
export function resolvedFault({ pid }: AddressSpace, vaddr: number, vma: Vma): EventOf<'page_fault'> {
  const found = { vma_start: vma.start, vma_end: vma.end, vma_type: vmaType(vma) };
  return { type: 'page_fault', pid, vaddr, ip: 0, reason: 'demand_page', resolved: true, ...found };
}

/** What is told of an access to memory that no VMA has. */
export function unmappedFault({ pid }: AddressSpace, vaddr: number): EventOf<'page_fault'> {
  return { type: 'page_fault', pid, vaddr, ip: 0, reason: vaddr === 0 ? 'null_pointer' : 'no_vma', resolved: false };
}
