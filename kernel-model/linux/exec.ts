/**
 * exec on Linux: VMAs as the ELF loader lays them out, then the few pages that it writes itself: what lies behind a segment's file
 * bytes, and the arguments. Everything else waits for its first fault, but where huge pages are assembled (assembly.ts).
 *
 * @see Linux fs/binfmt_elf.c load_elf_binary, fs/exec.c
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import type { ExecPlan } from '../exec-request.ts';
import { execWith } from '../exec.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { frameOfPte } from '../pte.ts';
import { pageOffset, vpnOf, PAGE_BYTES, type Vaddr } from '../units.ts';
import type { Vma } from '../vma.ts';
import { assembleSegments } from './assembly.ts';
import { planLinuxExec } from './exec-layout.ts';
import { touch } from './populate.ts';

/** Replaces the address space of `process` by one with the image at `path`. */
export function exec(k: Kernel, process: Process, path: string, argv: readonly string[], env: readonly string[]): Operation<0 | Errno> {
  return execWith(k, process, { path, argv, env }, { plan: (request) => planLinuxExec(k.design, request, k.vdsoFile), fill: fillSpace });
}

/** @returns false when a frame or a table could not be had */
function* fillSpace(k: Kernel, space: AddressSpace, plan: ExecPlan): Operation<boolean> {
  for (const vma of plan.vmas) space.vmas.add(asDecided(k, vma));
  space.heapStart = space.heapEnd = plan.heapStart;
  space.heapLimit = plan.heapLimit;
  space.placementNext = plan.placementNext;
  if (k.design.assembles && !(yield* assembleSegments(k, space))) return false;
  for (const { start, end } of plan.zeroed) if (!(yield* write(k, space, start, new Uint8Array(end - start)))) return false;
  for (const { address, bytes } of plan.stackPages) if (!(yield* write(k, space, address, bytes))) return false;
  return true;
}

function asDecided(k: Kernel, vma: Vma): Vma {
  if (vma.role === 'stack') return { ...vma, prot: k.rules.stackProtection(vma.prot) };
  return vma.role === 'segment' ? { ...vma, prot: k.rules.segmentProtection(vma.prot) } : vma;
}

/** Writes bytes within one page as the program itself would: with a fault, and into a private copy. */
function* write(k: Kernel, space: AddressSpace, address: Vaddr, bytes: Uint8Array): Operation<boolean> {
  if ((yield* touch(k, space, address, 'store')) !== 'resolved') return false;
  const frame = frameOfPte(k.tables.entryOf(space.root, vpnOf(address)));
  const offset = pageOffset(address);
  k.memory.access.fill(frame, offset, bytes);
  const origin = bytes.length === PAGE_BYTES ? ({ kind: 'kernel', what: 'initial stack' } as const) : ({ kind: 'zero' } as const);
  k.provenance.note(frame, offset, bytes.length, origin);
  return true;
}
