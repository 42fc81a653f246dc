/**
 * What all importers read a recording into, before it becomes ops: who did what, in order, with the line that says so.
 *
 * Numbers of processes and addresses are the recording's. A call's number and arguments are asm-generic's, whatever the architecture
 * (see calls.ts). `Reader`s make these records of text; the builder makes a trace of them.
 */

/** A call as far as the recording knows it; an argument that it does not show is 0. */
export interface RecordedCall {
  /** asm-generic's name for it, or the recording's if that has none. */
  readonly name: string;
  /** asm-generic's number, -1 if that has none. */
  readonly nr: number;
  readonly args: readonly number[];
  /** Text of the path argument, or for mmap the path behind the descriptor. */
  readonly path?: string | undefined;
  readonly argv?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
}

interface Place {
  /** From 1. */
  readonly line: number;
  /** Number of the thread; a process has the number of its first. */
  readonly task: number;
}

export type RecordOf<Kind extends Recorded['kind']> = Extract<Recorded, { readonly kind: Kind }>;

export type Recorded = Place &
  (
    | { readonly kind: 'image'; readonly path?: string | undefined; readonly argv?: readonly string[]; readonly env?: readonly string[] }
    | { readonly kind: 'enter'; readonly call: RecordedCall }
    /** `call`, where given, is what is now known of the call; `nr` says which call returns. */
    | { readonly kind: 'return'; readonly nr: number; readonly result: number; readonly call?: RecordedCall | undefined }
    /** The first sign of a child; `parent` if the recording says who made it. */
    | { readonly kind: 'child'; readonly parent?: number | undefined }
    /** The program reached memory. `isPage`: only the page is known. `outcome`: what came of it, if the recording says so. */
    | {
        readonly kind: 'touch';
        readonly addr: number;
        readonly access: 'r' | 'w' | 'x';
        readonly isPage?: boolean;
        readonly outcome?: number | string | undefined;
      }
    /** The kernel reached user memory for a call. */
    | { readonly kind: 'copy'; readonly addr: number; readonly isWrite: boolean }
    /** There is a VMA. */
    | { readonly kind: 'vma'; readonly start: number; readonly end: number }
    | { readonly kind: 'death'; readonly status?: number | undefined; readonly signal?: string | undefined }
  );
