/**
 * Replay: the trace interpreter. A trace's ops go in one by one; a verdict comes out.
 *
 * The run goes on past broken invariants (each is found once) and stops at the first failure that a program could
 * notice, unless told to keep going. A recorded answer that differs from ours is a divergence, reported and passed over;
 * addresses are followed and do not count.
 */
import {
  DEFAULT_PARAMETERS,
  designOf,
  File,
  KernelBug,
  kernelNamed,
  parameterProblem,
  rulesOf,
  type KernelEvent,
  type NamedKernel,
  type Parameters,
} from '../kernel-model/index.ts';
import { fileBytes, type SuppliedFiles } from '../traces/content.ts';
import type { KernelSpec, TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { Checker, type CheckMode } from './check/checker.ts';
import type { Digester } from './digest.ts';
import { headline, type Finding } from './finding.ts';
import { Machine } from './machine.ts';
import type { Watcher } from './watcher.ts';
import { MarkCounter, type CheckCounts } from './marks.ts';
import { Reference } from './reference/reference.ts';
import { RunDigest } from './run-digest.ts';
import type { Result } from './trace-hart.ts';

export interface ReplayOptions {
  /** Kernel instead of the header's: its name, or one of no name that `kernelNamed` knows. */
  readonly kernel?: string | NamedKernel | undefined;
  /** Parameters instead of the header's. */
  readonly parameters?: Partial<Parameters> | undefined;
  readonly check: CheckMode;
  /** Go on after a failure that a program could notice. */
  readonly keepGoing?: boolean | undefined;
  /** Stop before this op, counted from 0. */
  readonly until?: number | undefined;
  /** At most this many ops. */
  readonly opsMax?: number | undefined;
  /** Asked now and then; true ends the run with the verdict `limit`. */
  readonly isOutOfTime?: (() => boolean) | undefined;
  readonly onEvent?: ((event: KernelEvent, op: number) => void) | undefined;
  /** Contents of files that the header names by digest only. */
  readonly supplied?: SuppliedFiles | undefined;
  readonly digester: Digester;
}

export interface Divergence {
  readonly op: number;
  readonly name: string;
  readonly recorded: Result;
  readonly actual: Result;
}

export type Verdict = 'held' | 'failed' | 'diverged' | 'limit';

export interface ReplayResult {
  readonly verdict: Verdict;
  /** What the verdict names: what a program could notice comes before what only an invariant saw. */
  readonly failure: Finding | undefined;
  /** The first of each signature, in order of time. */
  readonly findings: readonly Finding[];
  readonly divergence: Divergence | undefined;
  readonly kernel: string;
  readonly threshold: number;
  readonly ops: number;
  readonly faults: number;
  readonly assemblies: number;
  readonly execs: number;
  /** Present if the trace has marks and anything was checked. */
  readonly checks: CheckCounts | undefined;
  /** What the header expected, and whether it came so. */
  readonly expectation: 'met' | 'notMet' | undefined;
  readonly digest: string;
}

/** A header or an option that cannot be run: the user's mistake. */
export class ReplayError extends Error {}

/** The kernel that is wanted, or else the header's. @throws ReplayError if nothing has its name */
export function kernelToRun({ name, module }: KernelSpec, wanted: string | NamedKernel = name): NamedKernel {
  const kernel = typeof wanted === 'string' ? kernelNamed(wanted) : wanted;
  if (typeof kernel !== 'string') return kernel;
  if (wanted !== name || module === undefined) throw new ReplayError(kernel);
  const what = `the trace's kernel ${JSON.stringify(name)} is from the module ${JSON.stringify(module)}`;
  throw new ReplayError(`${what}; modules that traces name are not loaded: if you trust it, pass it with --kernel`);
}

/** How often the clock is asked, in ops. */
const OPS_BETWEEN_LOOKS = 1024;

/** One replay under way: feed it ops, then ask for the result. */
export class Replay {
  readonly machine: Machine;
  readonly kernel: NamedKernel;
  readonly checker: Checker | undefined;
  /** What the checker compares with; undefined without checks. */
  readonly reference: Reference | undefined;
  private readonly header: TraceHeader;
  private readonly options: ReplayOptions;
  private readonly runDigest: RunDigest;
  private readonly marks = new MarkCounter();
  private index = 0;
  private divergence: Divergence | undefined;
  private isLimited = false;
  private bug: KernelBug | undefined;

  /** @throws ReplayError if the kernel or a parameter does not exist; TraceError if a file's content cannot be had */
  constructor(header: TraceHeader, options: ReplayOptions) {
    this.header = header;
    this.options = options;
    const kernel = kernelToRun(header.kernel, options.kernel);
    this.kernel = kernel;
    const parameters = parametersOf(header.kernel, kernel, { provenance: options.check !== 'none', ...options.parameters });
    const design = designOf(kernel, parameters);
    const files = filesOf(header, options.supplied);
    this.runDigest = new RunDigest(options.digester);
    const watchers: Watcher[] = [this.runDigest];
    const { onEvent } = options;
    if (onEvent !== undefined)
      watchers.push({
        event: (event) => {
          onEvent(event, this.index);
        },
      });
    // The checker must see the kernel that the machine makes, so it joins the watchers afterwards.
    this.machine = new Machine({ design, rules: rulesOf(kernel), parameters, files }, watchers);
    if (options.check === 'none') return;
    const truth = new Map(
      filesOf(header, options.supplied).flatMap((file) => [file.path, ...file.links].map((path) => [path, file] as const)),
    );
    this.reference = new Reference(design, truth);
    this.checker = new Checker(this.machine.kernel, this.reference, options.check);
    this.machine.watch(this.checker);
  }

  /** Runs one op. @returns false when the run is over */
  step(op: Op): boolean {
    if (this.isOver()) return false;
    if (this.isAtLimit()) {
      this.isLimited = true;
      return false;
    }
    try {
      const result = this.machine.tick(op, this.index);
      if (op.op !== 'touch' || op.result !== undefined) {
        this.noteDivergence(op, result);
        if (op.op === 'mark') this.marks.begin(op.name, op.counts ?? 'always', this.checker?.visible ?? 0);
      }
    } catch (error) {
      if (!(error instanceof KernelBug)) throw error;
      this.bug = error;
      this.checker?.kernelBug(error.message);
      return false;
    }
    this.index++;
    return !this.isOver();
  }

  /** The digest chain over all ops so far, 16 hex digits. */
  chain(): string {
    return this.runDigest.soFar();
  }

  /** Ends the run: the last checks, the digest, the verdict. */
  finish(): ReplayResult {
    const { kernel } = this.machine;
    const digest = this.runDigest.withState(kernel);
    const checks = this.checker === undefined ? undefined : this.marks.end(this.checker.visible);
    const counts = { ...kernel.counts };
    if (this.checker !== undefined && this.bug === undefined) this.checkTheEnd(this.checker);
    const findings = this.checker?.findings ?? [];
    const failure = headline(findings) ?? (this.bug === undefined ? undefined : kernelBugFinding(this.bug, this.index, counts.execs));
    const verdict = failure !== undefined ? 'failed' : this.isLimited ? 'limit' : this.divergence !== undefined ? 'diverged' : 'held';
    return {
      verdict,
      failure,
      findings,
      divergence: this.divergence,
      kernel: this.kernel.name,
      threshold: kernel.parameters.assembleThreshold,
      ops: this.index,
      faults: counts.faults,
      assemblies: counts.assemblies,
      execs: counts.execs,
      checks,
      expectation: this.compareExpectation(verdict, failure, digest),
      digest,
    };
  }

  /** Is there nothing more to run, whatever comes? */
  private isOver(): boolean {
    const { until, keepGoing } = this.options;
    if (this.bug !== undefined || this.isLimited) return true;
    if (until !== undefined && this.index >= until) return true;
    return this.checker !== undefined && this.checker.visible > 0 && keepGoing !== true;
  }

  /** Would one op more be one too many? */
  private isAtLimit(): boolean {
    const { opsMax, isOutOfTime } = this.options;
    const isTooLong = opsMax !== undefined && this.index >= opsMax;
    return isTooLong || (isOutOfTime !== undefined && this.index % OPS_BETWEEN_LOOKS === 0 && isOutOfTime());
  }

  private checkTheEnd(checker: Checker): void {
    try {
      checker.checkAll(this.index);
      if (this.options.until !== undefined || this.isLimited) return;
      this.machine.shutDown();
      checker.checkLeaks(this.index);
    } catch (error) {
      if (!(error instanceof KernelBug)) throw error;
      checker.kernelBug(error.message);
    }
  }

  private noteDivergence(op: Op, actual: Result): void {
    const recorded = op.result;
    if (recorded === undefined || this.divergence !== undefined || op.op === 'wait') return;
    const isAddress = (op.op === 'mmap' || op.op === 'mremap' || op.op === 'brk') && typeof recorded === typeof actual;
    if (!isAddress && recorded !== actual) this.divergence = { op: this.index, name: op.op, recorded, actual };
  }

  private compareExpectation(verdict: Verdict, failure: Finding | undefined, digest: string): 'met' | 'notMet' | undefined {
    const { expect } = this.header;
    if (expect === undefined) return undefined;
    const isMet =
      expect.verdict === verdict &&
      (expect.kind === undefined || expect.kind === failure?.kind) &&
      (expect.id === undefined || expect.id === failure?.id) &&
      (expect.op === undefined || expect.op === failure?.op) &&
      (expect.digest === undefined || expect.digest === digest);
    return isMet ? 'met' : 'notMet';
  }
}

/** Replays a whole trace. */
export function replay(trace: { readonly header: TraceHeader; readonly ops: Iterable<Op> }, options: ReplayOptions): ReplayResult {
  const run = new Replay(trace.header, options);
  for (const op of trace.ops) if (!run.step(op)) break;
  return run.finish();
}

/** What a kernel's own assertion says, when no checker is there to report it. */
const kernelBugFinding = (bug: KernelBug, op: number, execs: number): Finding => ({
  kind: 'invariant',
  id: 'kernel-bug',
  op,
  pid: undefined,
  address: undefined,
  expected: undefined,
  actual: undefined,
  message: bug.message,
  execs,
  byte: undefined,
});

/** The header's parameters over the kernel's over the defaults; options win. @throws ReplayError for one out of bounds */
function parametersOf(spec: KernelSpec, kernel: NamedKernel, overrides: Partial<Parameters> = {}): Parameters {
  const fromHeader = Object.fromEntries(Object.entries(spec).filter(([name]) => name in DEFAULT_PARAMETERS));
  const parameters = { ...DEFAULT_PARAMETERS, ...kernel.parameters, ...fromHeader, ...overrides };
  const problem = parameterProblem(parameters);
  if (problem !== undefined) throw new ReplayError(`parameter ${problem.name}: ${problem.message}`);
  return parameters;
}

/** The header's files, with new bytes each time: the kernel's and the reference's must not be the same. */
export function filesOf(header: TraceHeader, supplied: SuppliedFiles | undefined): readonly File[] {
  return header.files.map(
    (spec) => new File(spec.path, spec.links ?? [], fileBytes(spec, supplied), spec.immutable ?? spec.segments !== undefined),
  );
}
