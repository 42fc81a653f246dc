/** What a page fault ends with, on either design. */
import { KernelBug, type Errno, type Signal } from './errors.ts';
import type { Kernel } from './kernel.ts';
import { PTE_EXEC, PTE_READ, PTE_WRITE, type Access } from './pte.ts';

export type FaultOutcome = 'resolved' | Signal;

/** Right of an entry, as a PTE bit, that an access needs. */
export const rightFor = (access: Access): number => (access === 'load' ? PTE_READ : access === 'store' ? PTE_WRITE : PTE_EXEC);

/** Without a frame, or with a store that fails, the access earns a signal. @throws KernelBug if the rule has the kernel stop */
export function failed(k: Kernel, error: Errno): Signal {
  if (k.rules.failedFault(error) === 'panic') throw new KernelBug('a fault can always be served', { error });
  return error === 'ENOMEM' ? 'SIGKILL' : 'SIGBUS';
}
