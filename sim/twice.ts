/**
 * Everything twice: two runs of one trace in lockstep, compared after each op.
 *
 * A run is a function of (trace, kernel, version). Where that is not so, the first op at which the runs part is named,
 * and what parted: an event and its field, or the answer, and which parts of the state. Events and answers are compared
 * after every op, the whole state every so many ops and at the end.
 */
import { digestParts, STATE_PARTS, type KernelEvent, type StatePart } from '../kernel-model/index.ts';
import { firstDifference } from '../traces/compare.ts';
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { Replay, type ReplayOptions, type ReplayResult } from './replay.ts';

/** The first event of an op that is not the same in both runs; `field` is empty if one run has no such event. */
export interface EventDifference {
  /** Which event of the op, from 0. */
  readonly index: number;
  readonly types: readonly [first: string | undefined, second: string | undefined];
  readonly field: string;
  readonly values: readonly [first: unknown, second: unknown];
}

export interface RunDifference {
  /** The first op after which the runs are known to differ. */
  readonly op: number;
  /** The last op after which they were known to be alike; -1 if that is the start. */
  readonly alikeAfter: number;
  readonly event: EventDifference | undefined;
  /** The op's answers, or the end of the run, differ although its events do not. */
  readonly isAnswer: boolean;
  /** Parts of the state that differ after the op. */
  readonly parts: readonly StatePart[];
}

/** Ops between two comparisons of the whole state. */
const OPS_BETWEEN_STATES = 1000;

/** Two runs under way. */
export class Twins {
  readonly first: Replay;
  readonly second: Replay;
  difference: RunDifference | undefined;
  private readonly options: ReplayOptions;
  private readonly opsBetweenStates: number;
  private events: readonly [KernelEvent[], KernelEvent[]] = [[], []];
  private index = 0;
  private alikeAfter = -1;

  /** @param opsBetweenStates - 1 compares the state after every op, and then each difference is found where it arises */
  constructor(header: TraceHeader, options: ReplayOptions, opsBetweenStates = OPS_BETWEEN_STATES) {
    this.options = options;
    this.opsBetweenStates = opsBetweenStates;
    const { onEvent, isOutOfTime } = options;
    // The clock is asked once for both: it may not be what they differ in.
    let isLate = false;
    this.first = new Replay(header, {
      ...options,
      isOutOfTime: isOutOfTime === undefined ? undefined : () => (isLate = isOutOfTime()),
      onEvent: (event, op) => {
        this.events[0].push(event);
        onEvent?.(event, op);
      },
    });
    this.second = new Replay(header, { ...options, isOutOfTime: () => isLate, onEvent: (event) => void this.events[1].push(event) });
  }

  /** Runs one op in both. @returns false when the run is over, or the two differ */
  step(op: Op): boolean {
    if (this.difference !== undefined) return false;
    this.events = [[], []];
    const goesOn = this.first.step(op);
    const otherGoesOn = this.second.step(op);
    if (this.first.chain() !== this.second.chain() || goesOn !== otherGoesOn) this.difference = this.describe();
    else if ((this.index + 1) % this.opsBetweenStates === 0) this.compareStates();
    this.index++;
    return goesOn && this.difference === undefined;
  }

  /** Ends both runs. @returns the first run's result */
  finish(): ReplayResult {
    if (this.difference === undefined && this.index > 0 && this.alikeAfter < this.index - 1) {
      this.index--;
      this.compareStates();
      this.index++;
    }
    this.events = [[], []];
    const result = this.first.finish();
    const other = this.second.finish();
    if (this.difference === undefined && firstDifference([comparable(result)], [comparable(other)]) !== undefined)
      this.difference = this.describe();
    return result;
  }

  private compareStates(): void {
    const parts = this.differingParts();
    if (parts.length > 0) this.difference = { op: this.index, alikeAfter: this.alikeAfter, event: undefined, isAnswer: false, parts };
    else this.alikeAfter = this.index;
  }

  private describe(): RunDifference {
    const event = this.eventDifference();
    return { op: this.index, alikeAfter: this.index - 1, event, isAnswer: event === undefined, parts: this.differingParts() };
  }

  private eventDifference(): EventDifference | undefined {
    const [ours, theirs] = this.events;
    const found = firstDifference(ours, theirs);
    if (found === undefined) return undefined;
    const { index, field, left, right } = found;
    return { index, field, types: [ours[index]?.type, theirs[index]?.type], values: [left, right] };
  }

  private differingParts(): readonly StatePart[] {
    const [ours, theirs] = [this.first, this.second].map((run) => digestParts(run.machine.kernel, () => this.options.digester.create()));
    return STATE_PARTS.filter((part) => ours![part] !== theirs![part]);
  }
}

/** What must be equal of two results: all but the findings' own objects. */
const comparable = ({ digest, verdict, ops, findings }: ReplayResult): object => ({ digest, verdict, ops, findings });

/** Runs a whole trace twice. */
export function runTwice(
  trace: { readonly header: TraceHeader; readonly ops: Iterable<Op> },
  options: ReplayOptions,
  opsBetweenStates?: number,
): { readonly result: ReplayResult; readonly difference: RunDifference | undefined } {
  const twins = new Twins(trace.header, options, opsBetweenStates);
  for (const op of trace.ops) if (!twins.step(op)) break;
  const result = twins.finish();
  return { result, difference: twins.difference };
}

/** A difference in one sentence without a full stop. */
export function describeRunDifference({ op, alikeAfter, event, isAnswer, parts }: RunDifference): string {
  const where = alikeAfter === op - 1 ? `at op ${op}` : `at some op from ${alikeAfter + 1} to ${op}`;
  const state = parts.length === 0 ? 'the state is the same' : `in the state: ${parts.join(', ')}`;
  const what = event === undefined ? (isAnswer ? 'the answers or the ends of the runs; ' : '') : `${describeEvent(event)}; `;
  return `the two runs differ ${where}: ${what}${state}`;
}

function describeEvent({ index, types: [first, second], field, values }: EventDifference): string {
  if (field === '' || field === 'type' || first !== second) return `event ${index} is ${first ?? 'none'} and ${second ?? 'none'}`;
  return `event ${index}, ${first!}, field ${field}: ${String(values[0])} and ${String(values[1])}`;
}
