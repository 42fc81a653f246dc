/**
 * How programs reach memory: TLB, then page table, then fault, up to a bound.
 *
 * `translate` is the hot path and never faults; `reach` faults until the access is possible or refused. An access is
 * within one page: who wants more asks page by page, as hardware does. Kernel copies use the same two.
 */
import type { AddressSpace } from './address-space.ts';
import type { Signal } from './errors.ts';
import { faultIn } from './kevlar/fault.ts';
import { rightFor } from './fault-outcome.ts';
import type { Cpu, Kernel, Operation } from './kernel.ts';
import { faultIn as linuxFaultIn } from './linux/fault.ts';
import { frameOfPte, rightsOfPte, type Access } from './pte.ts';
import { vpnOf, PAGE_BYTES } from './units.ts';

/** An access that cannot be made: it earns a signal, or never ends (`stuck`: more faults than `faultsMax`). */
export type Refusal = Signal | 'stuck';

/** Byte address in linear memory of what `cpu` finds at `address` in `space`, or -1 if that takes a fault. */
export function translate(k: Kernel, cpu: Cpu, space: AddressSpace, address: number, access: Access): number {
  const page = vpnOf(address);
  const right = rightFor(access);
  const hit = cpu.tlb.lookup(space.asid, page, right);
  if (hit >= 0) return hit + (address % PAGE_BYTES);
  if (address >= k.design.userEnd) return -1;
  const entry = k.tables.entryOf(space.root, page);
  const rights = rightsOfPte(entry);
  if ((rights & right) === 0) return -1;
  const frame = frameOfPte(entry);
  if (!k.frames.exists(frame)) return -1;
  cpu.tlb.fill(space.asid, page, frame, rights);
  return k.memory.byteOf(frame) + (address % PAGE_BYTES);
}

/** As `translate`, faulting until it succeeds. */
export function* reach(k: Kernel, cpu: Cpu, space: AddressSpace, address: number, access: Access): Operation<number | Refusal> {
  if (address < 0 || address >= k.design.userEnd) return 'SIGSEGV';
  for (let faults = 0; ; faults++) {
    const at = translate(k, cpu, space, address, access);
    if (at >= 0) return at;
    if (faults === k.parameters.faultsMax) return 'stuck';
    const outcome = yield* k.design.name === 'linux' ? linuxFaultIn(k, space, address, access) : faultIn(k, space, address, access);
    if (outcome !== 'resolved') return outcome;
  }
}
