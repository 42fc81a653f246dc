/**
 * A machine that runs machine code: kernel, hart and checker put together, and what there is to say at the end.
 *
 * The counterpart of replay.ts: there ops come from a trace, here a small Linux makes them of what a program does.
 */
import {
  DEFAULT_PARAMETERS,
  designOf,
  KernelBug,
  kernelNamed,
  parameterProblem,
  rulesOf,
  type NamedKernel,
  type Parameters,
} from '../kernel-model/index.ts';
import { Checker, type CheckMode } from './check/checker.ts';
import { headline, type Finding } from './finding.ts';
import { vdsoBytes } from './linux/signal-frame.ts';
import { Machine } from './machine.ts';
import { Reference } from './reference/reference.ts';
import { ReplayError } from './replay.ts';
import type { Hart, HartMemory } from './riscv/hart.ts';
import { Interpreter } from './riscv/interpreter.ts';
import { hartBytes, WasmHart } from './riscv/wasm/hart.ts';
import type { Watcher } from './watcher.ts';

/** How machine code is executed: compiled to WebAssembly, or by the readable interpreter. */
export const ENGINES = ['wasm', 'interpreter'] as const;
export type EngineName = (typeof ENGINES)[number];

export interface LiveOptions {
  readonly kernel: string | NamedKernel;
  /** Parameters instead of the kernel's. */
  readonly parameters?: Partial<Parameters> | undefined;
  readonly check: CheckMode;
  readonly engine?: EngineName | undefined;
  /** Others that watch, the recorder for one. */
  readonly watchers?: readonly Watcher[] | undefined;
}

/** What a live run leaves behind, besides what its programs did. */
export interface LiveResult {
  /** As of a replay: what a program could notice comes before what only an invariant saw. */
  readonly failure: Finding | undefined;
  readonly findings: readonly Finding[];
  readonly counts: { readonly faults: number; readonly assemblies: number; readonly execs: number; readonly forks: number };
  /** Frames that were not given back although every process is gone. */
  readonly leakedFrames: number;
}

export class LiveMachine {
  readonly machine: Machine;
  readonly hart: Hart;
  readonly kernel: NamedKernel;
  readonly checker: Checker | undefined;
  private readonly freeAtStart: number;

  /** @throws ReplayError if the kernel or a parameter does not exist */
  constructor(options: LiveOptions) {
    const named = typeof options.kernel === 'string' ? kernelNamed(options.kernel) : options.kernel;
    if (typeof named === 'string') throw new ReplayError(named);
    this.kernel = named;
    const isChecked = options.check !== 'none';
    const parameters: Parameters = { ...DEFAULT_PARAMETERS, ...named.parameters, provenance: isChecked, ...options.parameters };
    const problem = parameterProblem(parameters);
    if (problem !== undefined) throw new ReplayError(`parameter ${problem.name}: ${problem.message}`);
    const design = designOf(named, parameters);
    this.machine = new Machine({
      design,
      rules: rulesOf(named),
      parameters,
      files: [],
      hartBytes: hartBytes(parameters.frames),
      vdso: vdsoBytes(),
    });
    this.freeAtStart = this.machine.kernel.allocator.freeCount();
    if (isChecked) {
      this.checker = new Checker(this.machine.kernel, new Reference(design, new Map(), vdsoBytes()), options.check);
      this.machine.watch(this.checker);
    }
    for (const watcher of options.watchers ?? []) this.machine.watch(watcher);
    this.hart = newHart(options.engine ?? 'wasm', this.machine.hartMemory(isChecked ? 'all' : 'nothing'));
  }

  /** Runs `act`; a kernel that finds itself in an impossible state becomes a finding. @returns undefined then */
  guarded<Result>(act: () => Result): Result | undefined {
    try {
      return act();
    } catch (error) {
      if (!(error instanceof KernelBug) || this.checker === undefined) throw error;
      this.checker.kernelBug(error.message);
      return undefined;
    }
  }

  /** Looks at everything once more, ends every process, and looks for what has leaked. */
  finish(): LiveResult {
    const { machine, checker } = this;
    const { faults, assemblies, execs, forks } = machine.kernel.counts;
    this.guarded(() => {
      checker?.checkAll(machine.opCount);
      machine.shutDown();
      checker?.checkLeaks(machine.opCount);
    });
    const findings = checker?.findings ?? [];
    return {
      failure: headline(findings),
      findings,
      counts: { faults, assemblies, execs, forks },
      leakedFrames: this.freeAtStart - machine.kernel.allocator.freeCount(),
    };
  }
}

const newHart = (engine: EngineName, memory: HartMemory): Hart => (engine === 'wasm' ? new WasmHart(memory) : new Interpreter(memory));
