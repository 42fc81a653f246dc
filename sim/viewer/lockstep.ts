/** Two sessions of one trace on different kernels, run together: the first op at which the kernels did different things is found on the way. */
import type { KernelEvent } from '../../kernel-model/index.ts';
import { firstDifference } from '../../traces/compare.ts';
import type { Session } from './session.ts';

/** Where two kernels part. */
export interface Parting {
  readonly op: number;
  /** The event or the answer that differs, in a sentence without a full stop. */
  readonly text: string;
}

export interface Partings {
  /** The first op in which the kernels did different things, frames and their numbers included. */
  readonly events: Parting | undefined;
  /** The first op that answered differently: a program could tell the kernels apart. */
  readonly answer: Parting | undefined;
}

export class Lockstep {
  private events: Parting | undefined;
  private answer: Parting | undefined;
  private readonly first: Session;
  private readonly second: Session;

  constructor(first: Session, second: Session) {
    this.first = first;
    this.second = second;
  }

  get partings(): Partings {
    return { events: this.events, answer: this.answer };
  }

  /** Runs one op in both. @returns false when the first cannot go on */
  step(): boolean {
    const { first, second } = this;
    const op = first.at;
    const seen: readonly [KernelEvent[], KernelEvent[]] = [[], []];
    if (this.events === undefined) {
      first.onEvent = (event) => void seen[0].push(event);
      second.onEvent = (event) => void seen[1].push(event);
    }
    const isAlong = second.bug === undefined || op <= second.bug.at;
    if (isAlong && (second.at !== op || second.isBroken)) second.seek(op);
    const goesOn = first.step();
    if (isAlong) second.step();
    first.onEvent = second.onEvent = undefined;
    this.events ??= this.eventParting(op, seen);
    if (this.answer === undefined && first.at === second.at && first.result !== second.result)
      this.answer = { op, text: `answers ${String(first.result)} and ${String(second.result)}` };
    return goesOn;
  }

  private eventParting(op: number, [ours, theirs]: readonly [readonly KernelEvent[], readonly KernelEvent[]]): Parting | undefined {
    const found = firstDifference(ours, theirs);
    if (found === undefined) return undefined;
    const types = [ours[found.index]?.type ?? 'no event', theirs[found.index]?.type ?? 'no event'] as const;
    if (types[0] !== types[1]) return { op, text: `event ${found.index} is ${types[0]} and ${types[1]}` };
    return { op, text: `event ${found.index}, ${types[0]}: ${found.field} is ${show(found.left)} and ${show(found.right)}` };
  }
}

const show = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
