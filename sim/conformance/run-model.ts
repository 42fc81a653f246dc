/**
 * Runs a sequence on the model and writes down what a recorder would: a recording to compare with a real one.
 *
 * The sequence runs as its trace, op by op through `Replay`, so what is compared is what any replay does. Watching changes nothing.
 */
import { pid, signalCode, type Process } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import { addressOf, ARENAS, formatPlace, placeOf } from '../../traces/sequences/arena.ts';
import type { SequenceOp } from '../../traces/sequences/op.ts';
import type { StepResult } from '../../traces/sequences/result.ts';
import type { Recording, Sequence } from '../../traces/sequences/sequence.ts';
import { traceOfSequence, type Step } from '../../traces/sequences/to-trace.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Digester } from '../digest.ts';
import { Replay } from '../replay.ts';
import type { Result } from '../trace-hart.ts';
import type { Watcher } from '../watcher.ts';
import { stateOf } from './observe.ts';
import { HashBook } from './page-hash.ts';

export interface ModelOptions {
  readonly digester: Digester;
  /** Kernel instead of `linux`. */
  readonly kernel?: string | undefined;
  /** What else is checked on the way: nothing, by default. */
  readonly check?: CheckMode | undefined;
}

export interface ModelRun {
  /** As far as the run came: all of the sequence, unless the model broke. */
  readonly recording: Recording;
  /** What the model said when it broke, or what the checker found first. */
  readonly problem: string | undefined;
}

/** Carries out a sequence on the model. */
export function runOnModel(sequence: Sequence, options: ModelOptions): ModelRun {
  const { trace, steps, setupOps } = traceOfSequence(sequence);
  const run = new ModelRecorder(sequence, new Replay(trace.header, replayOptions(options)));
  const results: StepResult[] = [];
  for (const op of trace.ops.slice(0, setupOps)) run.execute(op);
  for (const step of steps) {
    const result = run.record(step, trace.ops);
    if (result === undefined) break;
    results.push(result);
  }
  return { recording: { ...sequence, ops: sequence.ops.slice(0, results.length), results }, problem: run.problem() };
}

const replayOptions = ({ digester, kernel, check = 'none' }: ModelOptions) => ({ digester, kernel, check, keepGoing: true });

/** Drives the replay and looks at the model after each op. */
class ModelRecorder implements Watcher {
  private readonly sequence: Sequence;
  private readonly replay: Replay;
  private readonly hashes = new HashBook();
  /** What the last op answered, and the last byte that it loaded or read of a file. */
  private result: Result = 0;
  private byte = 0;

  constructor(sequence: Sequence, replay: Replay) {
    this.sequence = sequence;
    this.replay = replay;
    replay.machine.watch(this);
  }

  // ---- As a watcher.

  load(_process: Process, _address: number, _width: number, at: number): void {
    this.byte = this.replay.machine.kernel.memory.bytes[at]!;
  }

  read(_path: string, _offset: number, bytes: Uint8Array): void {
    this.byte = bytes[0] ?? 0;
  }

  after(_op: Op, _index: number, result: Result): void {
    this.result = result;
  }

  // ---- Recording.

  /** Runs an op of the trace. @returns false if the model broke */
  execute(op: Op): boolean {
    return this.replay.step(op);
  }

  /** The result line of a step; undefined if the model broke. */
  record(step: Step, ops: readonly Op[]): StepResult | undefined {
    if (step.at === undefined) return { ...step.answer, ...(step.isProcessThere ? this.state(step.op) : {}) };
    const { counts } = this.replay.machine.kernel;
    const faultsBefore = counts.faults;
    if (!this.execute(ops[step.at]!)) return undefined;
    const { op } = step;
    if (op.op === 'fork' && typeof this.result === 'number') this.hashes.fork(op.process, this.result - 1);
    const isAccess = op.op === 'r' || op.op === 'w';
    const faults: StepResult = isAccess ? { flt: [counts.faults - faultsBefore, 0] } : {};
    return { ...this.answer(op), ...faults, ...this.state(op) };
  }

  problem(): string | undefined {
    const { failure } = this.replay.finish();
    return failure?.message;
  }

  private state({ process }: SequenceOp): StepResult {
    const { kernel } = this.replay.machine;
    const space = kernel.processes.get(pid(process + 1))?.space;
    if (space === undefined) return {};
    const { mode } = this.sequence;
    return stateOf({ kernel, space, process, arena: ARENAS[mode], hasHeap: mode === 'brk' }, this.hashes);
  }

  private answer(op: SequenceOp): StepResult {
    const { result } = this;
    if (typeof result === 'string') return op.op === 'r' || op.op === 'w' ? this.signal(op, result) : { r: -1, e: result };
    switch (op.op) {
      case 'mmap':
      case 'mremap':
      case 'brk':
        return { r: formatPlace(placeOf(result, ARENAS[this.sequence.mode])) };
      case 'fork':
        return { r: `P${result - 1}` };
      case 'r':
        return { r: this.byte };
      case 'fread':
        return result === 0 ? { r: 0 } : { r: result, b: this.byte };
      // The trace's op counts pages; the letters of `mc` say which.
      case 'mincore':
        return { r: 0 };
      default:
        return { r: result };
    }
  }

  private signal(op: Extract<SequenceOp, { op: 'r' | 'w' }>, name: string): StepResult {
    const { kernel } = this.replay.machine;
    const { space } = kernel.processes.get(pid(op.process + 1))!;
    if (name !== 'SIGSEGV' && name !== 'SIGBUS') return { r: -1, e: name };
    const code = signalCode(kernel, space, addressOf(op.addr), op.op === 'r' ? 'load' : 'store');
    return { sig: name === 'SIGBUS' ? 'BUS' : 'SEGV', code };
  }
}
