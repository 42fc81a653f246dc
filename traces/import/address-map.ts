/**
 * Where recorded addresses of a process are in the trace.
 *
 * A program that the import links for another address lies elsewhere there, and a heap that begins close behind it moves along. All other
 * addresses stay as recorded: a replay follows what a kernel places.
 */
import { ceilToPage } from '../../kernel-model/index.ts';
import type { Move } from './range.ts';

/** How far from its program a heap may begin: x86-64's ASLR and qemu-user keep it within this. */
const HEAP_GAP_BYTES = 32 * 2 ** 20;

export class AddressMap {
  /** The program and its heap. */
  private program: Move;
  private isHeapAlong: boolean;

  constructor(program: Move, isHeapAlong = false) {
    this.program = program;
    this.isHeapAlong = isHeapAlong;
  }

  copy(): AddressMap {
    return new AddressMap(this.program, this.isHeapAlong);
  }

  here(recorded: number): number {
    const { start, end, delta } = this.program;
    return start <= recorded && recorded < end ? recorded + delta : recorded;
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
