/**
 * Where recorded addresses of a process are in the trace.
 *
 * Images of an exec lie elsewhere there, and a heap that begins close behind its program moves along. All other addresses stay as
 * recorded: a replay follows mappings and stacks itself.
 */
import { ceilToPage } from '../../kernel-model/index.ts';
import type { Move } from './range.ts';

/** How far from its program a heap may begin: x86-64's ASLR and qemu-user keep it within this. */
const HEAP_GAP_BYTES = 32 * 2 ** 20;

export class AddressMap {
  /** The program and its heap. */
  private program: Move;
  private readonly others: readonly Move[];
  private isHeapAlong: boolean;

  constructor([program, ...others]: readonly [Move, ...Move[]], isHeapAlong = false) {
    this.program = program;
    this.others = others;
    this.isHeapAlong = isHeapAlong;
  }

  copy(): AddressMap {
    return new AddressMap([this.program, ...this.others], this.isHeapAlong);
  }

  here(recorded: number): number {
    const move = [this.program, ...this.others].find(({ start, end }) => start <= recorded && recorded < end);
    return recorded + (move?.delta ?? 0);
  }

  /** The same of an end of the heap, which may be one that the kernel refuses; 0 asks for the end and stays. */
  heapEndHere(recorded: number): number {
    return this.isHeapAlong && recorded !== 0 ? recorded + this.program.delta : this.here(recorded);
  }

  /** The recorded heap ends here now. */
  noteHeapEnd(recorded: number): void {
    const { start, end } = this.program;
    this.isHeapAlong ||= start < recorded && recorded <= end + HEAP_GAP_BYTES;
    if (this.isHeapAlong) this.program = { ...this.program, end: Math.max(end, ceilToPage(recorded)) };
  }
}
