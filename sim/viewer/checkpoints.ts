/**
 * The moments of a session to go back to: machine and reference reader, evenly along the first run.
 *
 * They are thinned out when they take more memory than BYTES_MAX, so any run fits, and a long one that changes much is replayed further.
 */
import type { Machine } from '../machine.ts';
import type { Reference } from '../reference/reference.ts';
import { ownBytes, pack, unpack, type PackedSnapshot } from './packed-snapshot.ts';
import { copyReference, restoreReference, type ReferenceCopy } from './reference-copy.ts';

export interface Checkpoint {
  /** Ops that have run. */
  readonly at: number;
  readonly machine: PackedSnapshot;
  readonly reference: ReferenceCopy;
}

const COUNT_MAX = 64;
const BYTES_MAX = 400 * 2 ** 20;
const OPS_BETWEEN_MIN = 1000;

export class Checkpoints {
  private readonly machine: Machine;
  private readonly reference: Reference;
  private list: Checkpoint[] = [];
  private bytes = 0;
  private opsBetween: number;

  /** @param ops - how many the trace has */
  constructor(machine: Machine, reference: Reference, ops: number) {
    this.machine = machine;
    this.reference = reference;
    this.opsBetween = Math.max(OPS_BETWEEN_MIN, Math.ceil(ops / COUNT_MAX));
    this.add(0);
  }

  /** Keeps this moment, in which `at` ops have run, if it is later than the last one by enough. */
  pass(at: number): void {
    if (at - this.list.at(-1)!.at >= this.opsBetween) this.add(at);
  }

  /** The last one in which no more than `at` ops have run. */
  before(at: number): Checkpoint {
    return this.list.findLast((checkpoint) => checkpoint.at <= at)!;
  }

  restore({ machine, reference }: Checkpoint): void {
    this.machine.restore(unpack(machine));
    restoreReference(this.reference, reference);
  }

  private add(at: number): void {
    const machine = pack(this.machine.snapshot(), this.list.at(-1)?.machine);
    this.list.push({ at, machine, reference: copyReference(this.reference) });
    this.bytes += this.bytesOf(this.list.length - 1);
    while (this.list.length > 2 && this.bytes > BYTES_MAX) this.thinOut();
  }

  /** Drops every other checkpoint but the first. */
  private thinOut(): void {
    this.opsBetween *= 2;
    this.list = this.list.filter((_, i) => i % 2 === 0);
    this.bytes = this.list.reduce((sum, _, i) => sum + this.bytesOf(i), 0);
  }

  /** About how much memory a checkpoint takes beside the one before it. */
  private bytesOf(index: number): number {
    const { machine, reference } = this.list[index]!;
    return ownBytes(machine, this.list[index - 1]?.machine) + reference.bytes;
  }
}
