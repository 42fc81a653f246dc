/**
 * The page fault of Linux: find the VMA, refuse what it does not allow, then look at what stands in the page table.
 *
 *     nothing, in anonymous memory    anonymous-fault.ts   the zero page, a fresh page, or a whole region
 *     nothing, in a mapping of a file file-fault.ts        the cached page and its neighbours, or a copy of it
 *     a guard marker                                       SIGSEGV
 *     a leaf that does not allow it   write-fault.ts       take the page over, or copy it
 *
 * Only a fault that is resolved counts. What the VMA refuses leaves no trace.
 *
 * @see Linux mm/memory.c, handle_mm_fault; arch/x86/mm/fault.c, do_user_addr_fault
 */
import type { AddressSpace } from '../address-space.ts';
import { resolvedFault, unmappedFault, type FaultOutcome } from '../fault-outcome.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { allows } from '../page-content.ts';
import { isGuard, PROT_NONE, PROT_WRITE, PTE_LAZY, PTE_WRITE, type Access } from '../pte.ts';
import { vpnOf, PAGE_BYTES, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import type { Fault } from './access.ts';
import { anonymousFault, hugeFault } from './anonymous-fault.ts';
import { fileFault } from './file-fault.ts';
import { growDown } from './grow-down.ts';
import { fileIndexOf, isAnonymous, leafOver } from './leaf.ts';
import { presentFault } from './write-fault.ts';

/** Resolves a fault at `address`, or says which signal the access earns. */
export function* faultIn(k: Kernel, space: AddressSpace, address: number, access: Access): Operation<FaultOutcome> {
  const vma = space.vmas.containing(address) ?? growDown(k, space, address);
  if (vma === undefined) {
    k.emit(unmappedFault(space, address));
    return 'SIGSEGV';
  }
  const answer = allows(vma.prot, access) ? 'grant' : refusalOf(k, space, vma, address, access);
  if (answer === 'signal') return 'SIGSEGV';
  if (access === 'store' && (yield* noticeStore(k, space, vpnOf(address)))) return 'resolved';
  const prot = answer === 'copy' ? vma.prot | PROT_WRITE : vma.prot;
  const outcome = yield* resolve(k, { space, address, page: vpnOf(address), access, vma, prot });
  if (outcome === 'resolved') {
    k.counts.faults++;
    k.emit(resolvedFault(space, address, vma));
  }
  return outcome;
}

function* resolve(k: Kernel, fault: Fault): Operation<FaultOutcome> {
  const { space, page, vma } = fault;
  const leaf = leafOver(k, space, page);
  if (leaf !== undefined) return isGuard(leaf.entry) ? 'SIGSEGV' : yield* presentFault(k, fault, leaf);
  if (!isAnonymous(vma)) return yield* fileFault(k, fault);
  return (yield* hugeFault(k, fault)) ?? (yield* anonymousFault(k, fault));
}

/** The first store to a page that was given up: from now on it is wanted again. Hardware notes this without a fault. @returns whether it was that */
function* noticeStore(k: Kernel, space: AddressSpace, page: Vpn): Operation<boolean> {
  const leaf = leafOver(k, space, page);
  if (leaf === undefined || (leaf.entry & PTE_LAZY) === 0 || (leaf.entry & PTE_WRITE) === 0) return false;
  k.tables.setEntry(leaf.slot, leaf.entry & ~PTE_LAZY);
  yield* k.flush(space, page, 1);
  return true;
}

/** What becomes of an access that the protection refuses; to memory without any rights always a signal. */
function refusalOf(k: Kernel, space: AddressSpace, vma: Vma, address: number, access: Access): 'signal' | 'refresh' | 'copy' {
  if (vma.prot === PROT_NONE) return 'signal';
  return k.rules.refusedAccess({ access, shared: vma.shared, isPresent: leafOver(k, space, vpnOf(address)) !== undefined });
}

/** The code of the signal that a refused access earns: why it was refused, as siginfo's si_code tells it. */
export function signalCode(k: Kernel, space: AddressSpace, address: number, access: Access): 'MAPERR' | 'ACCERR' | 'ADRERR' {
  const vma = space.vmas.containing(address);
  if (vma === undefined) return 'MAPERR';
  if (!allows(vma.prot, access)) return 'ACCERR';
  const page = vpnOf(address);
  const leaf = leafOver(k, space, page);
  if (leaf !== undefined && isGuard(leaf.entry)) return 'MAPERR';
  const isBehindEnd = !isAnonymous(vma) && fileIndexOf(vma, page) * PAGE_BYTES >= vma.backing!.file.size;
  return isBehindEnd ? 'ADRERR' : 'ACCERR';
}
