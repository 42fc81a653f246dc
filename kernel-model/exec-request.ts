/** What an exec is asked for, and the plan that a design makes of it. */
import type { Image } from './elf.ts';
import type { File } from './file.ts';
import type { Vaddr } from './units.ts';
import type { Vma } from './vma.ts';

export interface LoadedImage {
  readonly file: File;
  readonly image: Image;
}

export interface ExecRequest {
  readonly program: LoadedImage;
  readonly interpreter: LoadedImage | undefined;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** The 16 bytes behind AT_RANDOM. */
  readonly random: Uint8Array;
}

export interface ExecPlan {
  /** On kevlar in its list order; index 0 is the stack, 1 the heap, which is empty. */
  readonly vmas: readonly Vma[];
  readonly heapStart: Vaddr;
  /** The heap must end before this address. */
  readonly heapLimit: Vaddr;
  readonly placementNext: Vaddr;
  readonly entry: Vaddr;
  readonly stackPointer: Vaddr;
  /** The pages at the top of the stack that exec fills, ascending, contiguous up to the stack's end. */
  readonly stackPages: readonly { readonly address: Vaddr; readonly bytes: Uint8Array }[];
  /** Ranges within one page that exec fills with zeros, where a file is mapped. */
  readonly zeroed: readonly { readonly start: Vaddr; readonly end: Vaddr }[];
}
