/**
 * Following addresses: a recorded address becomes the one that this kernel chose for the same thing.
 *
 * A recording holds what another kernel answered, and where its execs put stack and images. Where ours has the same thing at another
 * address, the range is remembered and later ops that name an address in it are shifted. The newest range wins. How far a stack or a heap
 * will reach nobody knows: a stack has its room down to the heap, as far as no mapping or image has it, and a heap what is left.
 */
import { STACK_BYTES_MAX, type Op, type OpOf } from '../traces/op.ts';
import type { ExecPlaces, ImageRange } from './exec-places.ts';

interface Range {
  readonly start: number;
  readonly end: number;
  readonly delta: number;
}

/** A heap is followed this far from where it begins. */
const HEAP_BYTES = 2 ** 30;

export class Followed {
  /** Mappings and images. */
  private ranges: readonly Range[] = [];
  /** One, or none. */
  private stack: readonly Range[] = [];
  private heaps: readonly Range[] = [];

  /** After an exec: what was recorded of its places, and where they are here. */
  static afterExec({ stack, base, interpBase }: OpOf<'exec'>, actual: ExecPlaces): Followed {
    const followed = new Followed();
    if (stack !== undefined) followed.stack = [{ start: stack - STACK_BYTES_MAX, end: stack, delta: actual.stack - stack }];
    followed.addImage(base, actual.program);
    followed.addImage(interpBase, actual.interpreter);
    return followed;
  }

  /** The op with its addresses of the recording as they are here. */
  opHere(op: Op): Op {
    if (!('addr' in op)) return op;
    const addr = op.op === 'brk' ? this.heapEndHere(op.addr) : this.here(op.addr);
    if (op.op === 'mremap' && op.newAddr !== undefined) return { ...op, addr, newAddr: this.here(op.newAddr) };
    return addr === op.addr ? op : { ...op, addr };
  }

  /** What was recorded at [recorded, recorded + length) is at `actual` here. */
  note(recorded: number, length: number, actual: number): void {
    if (recorded !== actual || this.here(recorded) !== recorded) this.add(recorded, length, actual);
  }

  /** The heap that was recorded to end at `recorded` ends at `actual` here. */
  noteHeap(recorded: number, actual: number): void {
    const range = { start: recorded, end: recorded + HEAP_BYTES, delta: actual - recorded };
    if (recorded !== actual || this.heaps.length > 0) this.heaps = [range, ...this.heaps];
    this.stack = this.stack.map(({ start, end, delta }) => ({ start: recorded < end ? Math.max(start, recorded) : start, end, delta }));
  }

  copy(): Followed {
    const copy = new Followed();
    copy.ranges = this.ranges;
    copy.stack = this.stack;
    copy.heaps = this.heaps;
    return copy;
  }

  /** Where `address` of the recording is here. */
  private here(address: number): number {
    return address + (deltaAt(this.ranges, address) ?? deltaAt(this.stack, address) ?? deltaAt(this.heaps, address) ?? 0);
  }

  /** The same of an end that is asked for the heap: it may want room that the stack seems to have. */
  private heapEndHere(address: number): number {
    return address + (deltaAt(this.ranges, address) ?? deltaAt(this.heaps, address) ?? 0);
  }

  private addImage(base: number | undefined, actual: ImageRange | undefined): void {
    if (base !== undefined && actual !== undefined) this.add(base, actual.end - actual.start, actual.start);
  }

  /** The same, also of what stays where it was: a heap that is followed later must not reach into it. */
  private add(recorded: number, length: number, actual: number): void {
    this.ranges = [{ start: recorded, end: recorded + length, delta: actual - recorded }, ...this.ranges];
  }
}

/** How far an address is moved by the first range that has it; undefined if none has. */
function deltaAt(ranges: readonly Range[], address: number): number | undefined {
  for (const { start, end, delta } of ranges) if (start <= address && address < end) return delta;
  return undefined;
}
