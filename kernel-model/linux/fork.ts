/**
 * fork: the child gets every VMA but those it must not have, and the entries that it could not find again by faulting.
 *
 * @see Linux mm/mmap.c dup_mmap
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import { forkWith } from '../processes.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import type { Pid } from '../units.ts';
import type { Vma } from '../vma.ts';
import { forkAnonVma } from './anon-vma.ts';
import { forkPages } from './pages.ts';
import { hasFlag, withFlags, VM, type LinuxVmaOf } from './vma.ts';

/** Makes process `childPid` a copy of `parent`. @returns ENOMEM when frames or counts run out, EAGAIN if the pid is taken */
export const fork = (k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno> =>
  forkWith(k, parent, childPid, { copyVmas, copyPages: forkPages });

function copyVmas(k: Kernel, from: AddressSpace, to: AddressSpace): void {
  for (const vma of from.vmas.ascending as readonly LinuxVmaOf[])
    if (!hasFlag(vma, VM.DONTCOPY)) to.vmas.add(childOf(k, vma, to.vmas.ascending));
}

/** The child's VMA: nothing in it is locked, and one that is wiped has no page and no anon_vma. */
function childOf(k: Kernel, vma: LinuxVmaOf, made: readonly Vma[]): LinuxVmaOf {
  const unlocked = withFlags(vma, vma.linux.flags & ~VM.LOCKED);
  const child = k.rules.forkKeepsShared() ? unlocked : { ...unlocked, shared: false };
  return hasFlag(vma, VM.WIPEONFORK)
    ? { ...child, linux: { ...child.linux, anonVma: undefined, anonChain: [] } }
    : forkAnonVma(k, child, made);
}
