/**
 * A session: one trace on one kernel, of which any moment can be visited.
 *
 * `at` is how many ops have run. Going forward runs ops; going back restores the nearest checkpoint (checkpoints.ts) and runs from
 * there. A visit shows the same state on whichever way it was reached: a property test holds it.
 *
 * A checker goes along to keep the reference at the same moment. It compares nothing here but answers: a visit compares the bytes
 * that it shows, and findings are a run of their own (findings.ts).
 */
import { KernelBug, type Kernel, type KernelEvent } from '../../kernel-model/index.ts';
import type { SuppliedFiles } from '../../traces/content.ts';
import type { TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { Checker } from '../check/checker.ts';
import type { Machine } from '../machine.ts';
import { Reference } from '../reference/reference.ts';
import { filesOf, Replay } from '../replay.ts';
import type { Result } from '../trace-hart.ts';
import type { Watcher } from '../watcher.ts';
import { Checkpoints, type Checkpoint } from './checkpoints.ts';
import { SILENT_DIGESTER } from './silent-digester.ts';

export interface SessionOptions {
  /** Kernel instead of the header's. */
  readonly kernel?: string | undefined;
  readonly threshold?: number | undefined;
  readonly supplied?: SuppliedFiles | undefined;
}

const SMALL_STORE_BYTES = 16;

export class Session {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
  readonly kernelName: string;
  readonly machine: Machine;
  readonly reference: Reference;
  /** Ops that have run. */
  at = 0;
  /** What the last op answered; undefined at the start, and after going back to a checkpoint. */
  result: Result | undefined;
  /** What the kernel's own assertion says, and how many ops run before it does, once it was met; the run goes no further. */
  bug: { readonly at: number; readonly message: string } | undefined;
  /** The assertion has just failed: the state is that of half an op. */
  isBroken = false;
  /** Hears every event while it is set. */
  onEvent: ((event: KernelEvent) => void) | undefined;
  private checker: Checker;
  private readonly checkpoints: Checkpoints;

  /** @throws ReplayError, TraceError */
  constructor(header: TraceHeader, ops: readonly Op[], { kernel, threshold, supplied }: SessionOptions = {}) {
    this.header = header;
    this.ops = ops;
    const parameters = { provenance: true, ...(threshold === undefined ? {} : { assembleThreshold: threshold }) };
    const onEvent = (event: KernelEvent): void => this.onEvent?.(event);
    const replay = new Replay(header, { kernel, parameters, check: 'none', supplied, onEvent, digester: SILENT_DIGESTER });
    this.kernelName = replay.kernel.name;
    this.machine = replay.machine;
    const truth = filesOf(header, supplied).flatMap((file) => [file.path, ...file.links].map((path) => [path, file] as const));
    this.reference = new Reference(this.kernel.design, new Map(truth));
    this.checker = this.newChecker();
    this.machine.watch(this.toChecker());
    this.checkpoints = new Checkpoints(this.machine, this.reference, ops.length);
  }

  get kernel(): Kernel {
    return this.machine.kernel;
  }

  /** Runs one op. @returns false at the end of the trace, or where the kernel's own assertion failed */
  step(): boolean {
    if (this.at >= this.ops.length || this.isBroken) return false;
    try {
      this.result = this.machine.tick(this.ops[this.at]!, this.at);
    } catch (error) {
      if (!(error instanceof KernelBug)) throw error;
      this.bug = { at: this.at, message: error.message };
      this.isBroken = true;
      this.result = undefined;
      return false;
    }
    this.at++;
    this.checkpoints.pass(this.at);
    return true;
  }

  /** Goes to where `at` ops have run, or as far as the run goes. */
  seek(at: number): void {
    const target = Math.max(0, Math.min(at, this.ops.length));
    const from = this.checkpoints.before(target);
    if (target < this.at || from.at > this.at || this.isBroken) this.restore(from);
    while (this.at < target && this.step());
  }

  private restore(from: Checkpoint): void {
    this.checkpoints.restore(from);
    this.checker = this.newChecker();
    this.at = from.at;
    this.isBroken = false;
    this.result = undefined;
  }

  private newChecker(): Checker {
    return new Checker(this.kernel, this.reference, 'end');
  }

  /**
   * A machine keeps its watchers, a restored state needs a new checker: this passes on to the current one what changes the reference.
   * A few bytes go to the reference directly, which is faster than to work out the page around them first.
   */
  private toChecker(): Watcher {
    return {
      before: (op, index) => this.checker.before(op, index),
      store: (process, address, length, from, at) => {
        if (length > SMALL_STORE_BYTES) this.checker.store(process, address, length, from, at);
        else if (this.reference.has(process.pid)) this.reference.store(process.pid, address, from.subarray(at, at + length));
      },
      copyOut: (process, address, bytes) => this.checker.copyOut(process, address, bytes),
      after: (op, index, result) => this.checker.after(op, index, result),
    };
  }
}
