/**
 * Following addresses: a recorded address becomes the one that this kernel chose for the same thing.
 *
 * A recording holds what another kernel answered. Where ours answers another address (a mapping, the heap, the stack),
 * the range is remembered and later ops that name an address in it are shifted. The newest range wins; a heap or a stack, of which
 * nobody knows how far it will reach, has only what no mapping has.
 */
interface Range {
  readonly start: number;
  readonly end: number;
  readonly delta: number;
}

/** A heap or a stack is followed this far from where it begins. */
const OPEN_RANGE_BYTES = 2 ** 30;

export class Followed {
  private ranges: readonly Range[] = [];
  /** Heaps and stacks. */
  private open: readonly Range[] = [];

  /** Where `address` of the recording is here. */
  here(address: number): number {
    for (const { start, end, delta } of this.ranges) if (start <= address && address < end) return address + delta;
    for (const { start, end, delta } of this.open) if (start <= address && address < end) return address + delta;
    return address;
  }

  /** What was recorded at [recorded, recorded + length) is at `actual` here. */
  note(recorded: number, length: number, actual: number): void {
    if (recorded !== actual || this.here(recorded) !== recorded) {
      this.ranges = [{ start: recorded, end: recorded + length, delta: actual - recorded }, ...this.ranges];
    }
  }

  noteHeap(recorded: number, actual: number): void {
    this.noteOpen(recorded, actual);
  }

  /** The recorded stack ended at `recorded`, ours ends at `actual`. */
  noteStack(recorded: number, actual: number): void {
    this.noteOpen(recorded - OPEN_RANGE_BYTES, actual - OPEN_RANGE_BYTES);
  }

  private noteOpen(recorded: number, actual: number): void {
    const range = { start: recorded, end: recorded + OPEN_RANGE_BYTES, delta: actual - recorded };
    if (recorded !== actual || this.open.length > 0) this.open = [range, ...this.open];
  }

  copy(): Followed {
    const copy = new Followed();
    copy.ranges = this.ranges;
    copy.open = this.open;
    return copy;
  }
}
