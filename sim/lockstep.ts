/**
 * Two kernels on one trace, op by op, up to the first op after which their states differ.
 *
 * Answers are compared after every op, whole states every so many: the digest of a state is long work. When a stretch is found in which
 * they part, it is run again, from the start and with a comparison after each of its ops.
 */
import { digestParts, STATE_PARTS, type StatePart } from '../kernel-model/index.ts';
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { Replay, type ReplayOptions } from './replay.ts';
import { stateDifferences, type StateDifference } from './state-difference.ts';
import type { Result } from './trace-hart.ts';

export interface LockstepDifference {
  /** After which the states differ. */
  readonly op: number;
  /** The op itself. */
  readonly what: Op;
  /** The op's answers, if they differ too. */
  readonly answers: readonly [a: Result | undefined, b: Result | undefined] | undefined;
  readonly parts: readonly StatePart[];
  readonly fields: readonly StateDifference[];
}

export interface LockstepOptions extends Pick<ReplayOptions, 'digester' | 'parameters' | 'supplied'> {
  readonly kernels: readonly [a: string, b: string];
  /** Parts of the state that count. */
  readonly parts: readonly StatePart[];
  /** Fields told of each part. */
  readonly fieldsMax: number;
  /** Heard often; throws to stop. */
  readonly onProgress?: ((ops: number) => void) | undefined;
}

export interface LockstepResult {
  readonly ops: number;
  readonly difference: LockstepDifference | undefined;
}

const OPS_BETWEEN_STATES = 512;

/** @throws ReplayError if a kernel or a parameter does not exist */
export function runLockstep(
  trace: { readonly header: TraceHeader; readonly ops: readonly Op[] },
  options: LockstepOptions,
): LockstepResult {
  const coarse = new Pair(trace.header, options);
  let alike = 0;
  for (const [index, op] of trace.ops.entries()) {
    const isGoing = coarse.step(op);
    const isDue = (index + 1) % OPS_BETWEEN_STATES === 0 || index === trace.ops.length - 1;
    if (coarse.answers !== undefined || !isGoing || (isDue && coarse.differingParts().length > 0))
      return { ops: index + 1, difference: firstIn(trace, options, alike, index + 1) };
    if (isDue) alike = index + 1;
  }
  return { ops: trace.ops.length, difference: undefined };
}

/** The first op in [from, end) after which the kernels differ. */
function firstIn(
  trace: { readonly header: TraceHeader; readonly ops: readonly Op[] },
  options: LockstepOptions,
  from: number,
  end: number,
): LockstepDifference | undefined {
  const pair = new Pair(trace.header, options);
  for (let index = 0; index < end; index++) {
    const isGoing = pair.step(trace.ops[index]!);
    if (index < from) continue;
    const parts = pair.differingParts();
    if (parts.length === 0 && pair.answers === undefined && isGoing) continue;
    const fields = stateDifferences(pair.a.machine.kernel, pair.b.machine.kernel, parts, options.fieldsMax);
    return { op: index, what: trace.ops[index]!, answers: pair.answers, parts, fields };
  }
  return undefined;
}

/** Two replays under way. */
class Pair {
  readonly a: Replay;
  readonly b: Replay;
  /** Of the last op, if they differ. */
  answers: readonly [Result | undefined, Result | undefined] | undefined;
  private readonly options: LockstepOptions;
  private results: [Result | undefined, Result | undefined] = [undefined, undefined];
  private count = 0;

  constructor(header: TraceHeader, options: LockstepOptions) {
    this.options = options;
    const { digester, parameters, supplied, kernels } = options;
    const start = (kernel: string): Replay => new Replay(header, { digester, parameters, supplied, kernel, check: 'none' });
    [this.a, this.b] = [start(kernels[0]), start(kernels[1])];
    this.a.machine.watch({ after: (_op, _index, result) => void (this.results[0] = result) });
    this.b.machine.watch({ after: (_op, _index, result) => void (this.results[1] = result) });
  }

  /** @returns false when a kernel could not go on */
  step(op: Op): boolean {
    this.options.onProgress?.(++this.count);
    this.results = [undefined, undefined];
    const goesOn = this.a.step(op);
    const otherGoesOn = this.b.step(op);
    this.answers = this.results[0] === this.results[1] ? undefined : [this.results[0], this.results[1]];
    return goesOn && otherGoesOn;
  }

  differingParts(): StatePart[] {
    const [a, b] = [this.a, this.b].map((run) => digestParts(run.machine.kernel, () => this.options.digester.create()));
    return STATE_PARTS.filter((part) => this.options.parts.includes(part) && a![part] !== b![part]);
  }
}
