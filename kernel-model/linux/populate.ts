/**
 * Faulting a range in ahead of its use: MAP_POPULATE, mlock, and madvise's POPULATE_READ and POPULATE_WRITE.
 *
 * mmap and mlock touch writable private memory as a writer would, so that it is copied now, and all else as a reader;
 * they pass over holes, and mmap over every failure. madvise asks for one kind of access and names what stops it.
 *
 * @see Linux mm/gup.c, __mm_populate, populate_vma_page_range, faultin_page_range; mm/madvise.c, madvise_populate
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { FaultOutcome } from '../fault-outcome.ts';
import { rightFor } from '../fault-outcome.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { PROT_NONE, PROT_READ, PROT_WRITE, rightsOfPte, type Access } from '../pte.ts';
import { vaddr, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import type { Vma } from '../vma.ts';
import { faultIn } from './fault.ts';
import { leafOver } from './leaf.ts';

/** Who asks: mmap with MAP_POPULATE or a locked mapping, mlock, madvise with POPULATE_READ or POPULATE_WRITE. */
export type PopulateFor = 'mmap' | 'mlock' | 'read' | 'write';

/**
 * Faults in [start, end), page-aligned.
 *
 * @returns for mmap always 0; for mlock ENOMEM where the memory cannot be had, EAGAIN without frames; for madvise ENOMEM for
 *   a hole, EINVAL where the access is not allowed, EFAULT where it earns a signal. What came before is populated.
 */
export function* populate(k: Kernel, space: AddressSpace, start: Vaddr, end: Vaddr, who: PopulateFor): Operation<0 | Errno> {
  for (let at = start; at < end;) {
    const vma = space.vmas.overlapping(at, end)[0];
    if (who === 'read' || who === 'write') {
      if (vma === undefined || vma.start > at) return 'ENOMEM';
      if (!maySupply(vma, who)) return 'EINVAL';
    }
    if (vma === undefined) return 0;
    const to = vaddr(Math.min(end, vma.end));
    const outcome = yield* populateVma(k, space, vma, vaddr(Math.max(at, vma.start)), to, who);
    if (outcome !== 'resolved' && who !== 'mmap') return errnoOf(outcome, who);
    at = to;
  }
  return 0;
}

/** Does the VMA allow what madvise asks for? Memory that is only writable is not readable here, whatever the hardware does. */
const maySupply = (vma: Vma, who: 'read' | 'write'): boolean => (vma.prot & (who === 'write' ? PROT_WRITE : PROT_READ)) !== 0;

/** Faults in pages of one VMA. @returns what stopped it */
function* populateVma(k: Kernel, space: AddressSpace, vma: Vma, from: Vaddr, to: Vaddr, who: PopulateFor): Operation<FaultOutcome> {
  if (vma.prot === PROT_NONE) return 'SIGSEGV';
  const isWriter = who === 'write' || (who !== 'read' && !vma.shared && (vma.prot & PROT_WRITE) !== 0);
  for (let address = from; address < to; address = vaddr(address + PAGE_BYTES)) {
    const outcome = yield* touch(k, space, address, isWriter ? 'store' : 'load');
    if (outcome !== 'resolved') return outcome;
  }
  return 'resolved';
}

/** Makes one page accessible. A fault may leave work for a second one, never for many. */
export function* touch(k: Kernel, space: AddressSpace, address: Vaddr, access: Access): Operation<FaultOutcome> {
  for (let faults = 0; faults < k.parameters.faultsMax; faults++) {
    const leaf = leafOver(k, space, vpnOf(address));
    if (leaf !== undefined && (rightsOfPte(leaf.entry) & rightFor(access)) !== 0) return 'resolved';
    const outcome = yield* faultIn(k, space, address, access);
    if (outcome !== 'resolved') return outcome;
  }
  return 'SIGKILL';
}

function errnoOf(outcome: FaultOutcome, who: PopulateFor): Errno {
  if (outcome === 'SIGKILL') return who === 'mlock' ? 'EAGAIN' : 'ENOMEM';
  return who === 'mlock' ? 'ENOMEM' : 'EFAULT';
}
