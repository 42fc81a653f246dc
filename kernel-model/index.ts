/** The public surface of the kernel model: all that other folders see of it. */
export type { AddressSpace } from './address-space.ts';
export { mostCachedPages } from './assembly.ts';
export { brk } from './kevlar/brk.ts';
export { isKnownToKevlar, madvise, mincore, msync, sync } from './kevlar/advice-calls.ts';
export { type Advice } from './requests.ts';
export { evictPage, writeBackAll } from './cache-fill.ts';
export { coversVdso, kevlarDesign, linuxDesign, type Design, type DesignName } from './design.ts';
export { digestParts, STATE_PARTS, type StateHasher, type StatePart } from './digest.ts';
export { checkImage, isElf, MACHINE_RISCV, parseElf, type ElfProblem, type Image, type Segment } from './elf.ts';
export { assert, KernelBug, type Errno, type Signal } from './errors.ts';
export { EVENT_FIELDS, eventAsJson, eventAsKevlarLine, type EventOf, type EventType, type KernelEvent } from './events.ts';
export type { ExecPlan } from './exec-request.ts';
export { planExec } from './exec-plan.ts';
export { exec } from './kevlar/exec.ts';
export { loadRequest } from './exec.ts';
export { exit, unpin } from './exit.ts';
export { File } from './file.ts';
export { beginWrite, dropCaches, pin, readFile, reclaim, resizeFromOutside, truncate, writeFile } from './file-calls.ts';
export { mincoreVector, pageStates, signalCode } from './linux/pages.ts';
export { fork } from './kevlar/fork.ts';
export { vfork } from './processes.ts';
export { INVARIANTS } from './invariants/index.ts';
export type { Invariant, Violation } from './invariants/violation.ts';
export { drain, Kernel, type Cpu, type KernelConfig, type Operation, type Process, type YieldPoint } from './kernel.ts';
export { designOf, kernelNamed, kernelWith, KERNELS, rightKernelFor, rulesOf, type NamedKernel } from './kernels.ts';
export { mmap, munmap } from './kevlar/mmap.ts';
export { type MmapRequest } from './requests.ts';
export { operationsOf, type Operations } from './operations.ts';
export { rightFor } from './fault-outcome.ts';
export { reach, translate, type Refusal } from './mmu.ts';
export { MUTANTS } from './mutants.ts';
export type { Mutant } from './mutants/mutant.ts';
export { UNMODELLED_BUGS } from './mutants/unmodelled.ts';
export { mprotect } from './kevlar/mprotect.ts';
export { mremap } from './kevlar/mremap.ts';
export { type MremapRequest } from './requests.ts';
export { allows, intersectProtection } from './page-content.ts';
export { DEFAULT_PARAMETERS, PARAMETER_BOUNDS, parameterProblem, type Parameters, type Profile } from './parameters.ts';
export {
  defineKernel,
  KernelDefinitionError,
  kernelOf,
  RuleError,
  type KernelDefinition,
  type OwnKernel,
  type RulesClass,
} from './own-kernel.ts';
export type { Hop, Origin, ProvenanceRecord, ProvenanceRun } from './provenance.ts';
export { frameOfPte, isValid, leafPte, protName, PROT_EXEC, PROT_NONE, PROT_READ, PROT_RWX, PROT_WRITE, type Access } from './pte.ts';
export { Rules, type PageFill } from './rules.ts';
export { raise } from './signal.ts';
export { restoreSnapshot, takeSnapshot, type Snapshot } from './snapshot.ts';
export { Survey } from './invariants/survey.ts';
export * from './units.ts';
export { copyIn, copyOut, noteWrite } from './user-copy.ts';
export { cutVma, describeVma, vmaType, VmaSet, type FileBacking, type Vma, type VmaRole } from './vma.ts';
export { VM } from './linux/vma.ts';
export { vdsoFile } from './linux/vdso.ts';
export { vdsoCodeAt } from './linux/vdso-address.ts';
export { wasm, type WasmMemory, type WasmModule } from './wasm.ts';
