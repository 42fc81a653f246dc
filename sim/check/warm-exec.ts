/**
 * `warm-exec-monotone`: the same program doing the same accesses must not fault more often than it did before.
 *
 * A life of a program is what a process does from an exec to its next exec or its end. It is compared with lives that had ended
 * when it began: what others warm later may come too late for it. Lives that fork are left out, because then faults depend on
 * when the others write. So is everything since the last time a frame was refused or the cache lost
 * a page: caches only promise to be warm as long as they are left alone.
 */
import type { KernelEvent } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Result } from '../trace-hart.ts';

interface Life {
  /** The program, its arguments and every op since, one after the other. */
  story: number;
  /** Faults in its address space so far. */
  faults: number;
  isComparable: boolean;
  readonly begunAt: number;
}

/** The fewest faults of all lives that had ended at a moment. */
interface Best {
  readonly endedAt: number;
  readonly faults: number;
}

/** A field is told with its name: a width of 2 is not two pages. */
function tellField(life: Life, name: string, value: string | number | readonly string[] | undefined): void {
  life.story = mix(life.story, name.charCodeAt(0) * 256 + name.length);
  if (typeof value === 'number') life.story = mix(life.story, value);
  else if (value !== undefined) for (const char of String(value)) life.story = mix(life.story, char.charCodeAt(0));
}

/** Says what is wrong when a life ends, or undefined. */
export class WarmExecs {
  private readonly lives = new Map<number, Life>();
  /** By child of a vfork that runs in the space of another process: whose. */
  private readonly guests = new Map<number, number>();
  /** By story: the bests in order of time, each of fewer faults than the one before. */
  private records = new Map<number, Best[]>();
  /** Faults of the life that the op is about, before it. */
  private faultsAtOp = 0;
  /** Ops so far. */
  private moment = 0;

  event(event: KernelEvent): void {
    if (event.type === 'page_fault') {
      const life = this.lives.get(event.pid);
      if (life !== undefined) life.faults++;
    }
    if (event.type !== 'cache_evict' && event.type !== 'frame_denied' && event.type !== 'refcount_refused' && event.type !== 'short_read')
      return;
    this.records = new Map();
    for (const life of this.lives.values()) life.isComparable = false;
  }

  before({ pid }: Op): void {
    this.faultsAtOp = this.lives.get(pid)?.faults ?? 0;
  }

  /** @returns a sentence if the op ended a life that faulted more than an equal one before */
  after(op: Op, result: Result): string | undefined {
    this.moment++;
    const isOver = (op.op === 'exec' && result === 0) || op.op === 'exit';
    const ended = isOver ? this.end(op.pid) : undefined;
    if (isOver) this.guests.delete(op.pid);
    if (op.op === 'exec' && result === 0) this.begin(op.pid, [op.path, ...(op.argv ?? []), '', ...(op.env ?? [])].join('\0'));
    else this.tell(op, result);
    if (op.op === 'vfork' && typeof result === 'number') this.guests.set(op.child, this.guests.get(op.pid) ?? op.pid);
    return ended;
  }

  /** Faults in a space count for the process that it was made for, also those that a guest takes there later. */
  private begin(pid: number, program: string): void {
    const life: Life = {
      story: 17,
      faults: 0,
      isComparable: ![...this.guests.values()].includes(pid),
      begunAt: this.moment,
    };
    for (let i = 0; i < program.length; i++) life.story = mix(life.story, program.charCodeAt(i));
    this.lives.set(pid, life);
  }

  private tell(op: Op, result: Result): void {
    const life = this.lives.get(op.pid);
    if (life === undefined) return;
    const text = op.op === 'touch' ? op.access : op.op;
    if (op.op === 'fork' || op.op === 'vfork' || op.op === 'pin' || op.op === 'write' || op.op === 'truncate' || op.op === 'resize')
      life.isComparable = false;
    for (let i = 0; i < text.length; i++) life.story = mix(life.story, text.charCodeAt(i));
    for (const [name, value] of Object.entries(op) as [string, Parameters<typeof tellField>[2]][])
      if (name !== 'pid' && name !== 'op') tellField(life, name, value);
    if (result !== 0) life.story = mix(life.story, typeof result === 'number' ? result : result.length);
  }

  private end(pid: number): string | undefined {
    const life = this.lives.get(pid);
    this.lives.delete(pid);
    if (life?.isComparable !== true) return undefined;
    // What the exec that ends a life faults in is no access of that life.
    const faults = this.faultsAtOp;
    const bests = this.records.get(life.story) ?? [];
    const fewest = bests.findLast(({ endedAt }) => endedAt <= life.begunAt)?.faults;
    if (faults < (bests.at(-1)?.faults ?? Infinity)) this.records.set(life.story, [...bests, { endedAt: this.moment, faults }]);
    if (fewest === undefined || faults <= fewest) return undefined;
    return `a program took ${faults} faults for the same accesses that took ${fewest} before`;
  }
}

/** Mixes a number of up to 53 bits into a 52-bit hash. */
function mix(hash: number, value: number): number {
  const low = Math.imul((hash >>> 0) ^ (value >>> 0), 0x9e3779b1) >>> 0;
  const high = Math.imul(Math.floor(hash / 2 ** 32) ^ (Math.floor(value / 2 ** 32) + low), 0x85ebca6b) >>> 12;
  return high * 2 ** 32 + low;
}
