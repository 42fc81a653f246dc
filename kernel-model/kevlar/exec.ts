/**
 * exec as Kevlar does it: filled ahead of any fault.
 *
 * A second exec of the same file takes its VMAs from a template; the result must equal a fresh load.
 */
import type { AddressSpace } from '../address-space.ts';
import type { Errno } from '../errors.ts';
import { planKevlarExec } from './exec-layout.ts';
import type { ExecPlan, ExecRequest } from '../exec-request.ts';
import { execWith } from '../exec.ts';
import type { File } from '../file.ts';
import type { Kernel, Operation, Process } from '../kernel.ts';
import { mapPage } from '../mapping.ts';
import { prefaultCachedPages, prefaultSmallAnonymous } from './prefault.ts';
import { PROT_EXEC, PROT_READ, PROT_WRITE } from '../pte.ts';
import { vaddr, vpnOf, PAGE_BYTES } from '../units.ts';
import { auditVm, verifyPrefaultedPages } from './verifiers.ts';
import type { Vma } from '../vma.ts';

/** Replaces the address space of `process` by one with the image at `path`, laid out as Kevlar does. */
export function exec(k: Kernel, process: Process, path: string, argv: readonly string[], env: readonly string[]): Operation<0 | Errno> {
  return execWith(k, process, { path, argv, env }, { plan: (request) => planKevlarExec(k.design, request), fill: fillSpace });
}

/** @returns false when a frame or a table could not be had */
function* fillSpace(k: Kernel, space: AddressSpace, plan: ExecPlan, request: ExecRequest): Operation<boolean> {
  const { file } = request.program;
  const isStatic = request.interpreter === undefined && file.immutable;
  addVmas(k, space, plan, isStatic ? file : undefined);
  space.heapStart = space.heapEnd = plan.heapStart;
  space.heapLimit = plan.heapLimit;
  space.placementNext = vaddr(k.rules.placementStart({ planned: plan.placementNext, heapStart: plan.heapStart }));
  if (!(yield* prefaultCachedPages(k, space, file))) return false;
  if (!prefaultSmallAnonymous(k, space)) return false;
  if (k.parameters.verify) {
    verifyPrefaultedPages(k, space);
    auditVm(k, space);
  }
  return mapVdso(k, space) && mapStack(k, space, plan);
}

/** Stack and heap from the plan; the rest from the file's template if there is one, which an immutable file keeps for ever. */
function addVmas(k: Kernel, space: AddressSpace, plan: ExecPlan, template: File | undefined): void {
  const [stack, heap, ...rest] = plan.vmas;
  const fresh = rest.map((vma) => (vma.role === 'segment' ? { ...vma, prot: k.rules.segmentProtection(vma.prot) } : vma));
  for (const vma of [stack!, heap!]) space.vmas.add(vma);
  const remembered: readonly Vma[] | undefined = template === undefined ? undefined : k.templates.get(template)?.vmas;
  for (const vma of remembered ?? fresh) space.vmas.add(vma);
  if (template !== undefined && remembered === undefined) k.templates.set(template, { vmas: fresh, prefaulted: [], generation: -1 });
}

/** The vDSO's frame is shared by all; no VMA covers it. */
function mapVdso(k: Kernel, space: AddressSpace): boolean {
  k.frames.refs[k.vdsoFrame] = k.rules.vdsoRefs(k.frames.refs[k.vdsoFrame]!);
  if (mapPage(k, space, vpnOf(k.design.vdso), k.vdsoFrame, PROT_READ | PROT_EXEC, 'vdso')) return true;
  k.release(k.vdsoFrame);
  return false;
}

function mapStack(k: Kernel, space: AddressSpace, plan: ExecPlan): boolean {
  const prot = k.rules.stackProtection(PROT_READ | PROT_WRITE);
  for (const { address, bytes } of plan.stackPages) {
    const frame = k.allocateZeroed('data');
    if (frame === undefined) return false;
    k.memory.access.fill(frame, 0, bytes);
    k.provenance.note(frame, 0, PAGE_BYTES, { kind: 'kernel', what: 'initial stack' });
    k.frames.refs[frame] = 1;
    if (mapPage(k, space, vpnOf(address), frame, prot, 'stack')) continue;
    k.release(frame);
    return false;
  }
  return true;
}
