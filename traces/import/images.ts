/**
 * Where the images of an exec lie in the trace, and where recorded addresses of them are there.
 *
 * A program is linked for its place. An interpreter is placed by the kernel that runs the trace, so its place is asked of the design of
 * the kernel that the trace names: on a kernel of another design it lies elsewhere, and the recording has to be imported for that one.
 */
import {
  ceilToPage,
  checkImage,
  DEFAULT_PARAMETERS,
  designOf,
  File,
  kernelNamed,
  MACHINE_RISCV,
  planExec,
  type Design,
  type Image,
} from '../../kernel-model/index.ts';
import type { SegmentSpec } from '../header.ts';
import { extentOf, flagBits, segmentsMoved, type ProgramLayout } from './layout.ts';
import type { Move, Range } from './range.ts';

/** What an exec loads, as the trace's files have it. */
export interface Loaded {
  readonly program: ProgramLayout;
  readonly interpreter?: ProgramLayout | undefined;
}

export interface PlacedImages {
  /** Of all images, at the trace's addresses. */
  readonly segments: readonly SegmentSpec[];
  /** The program's, then the interpreter's. */
  readonly moves: readonly [Move, ...Move[]];
  /** What the kernel places itself, at the trace's addresses. */
  readonly floating: Range | undefined;
}

const PROGRAM_HEADER_BYTES = 56;
const ELF_HEADER_BYTES = 64;
/** Behind AT_RANDOM. */
const RANDOM_BYTES = 16;

/** Places what an exec loads on the kernel of that name. */
export function placeImages({ program, interpreter }: Loaded, kernel: string): PlacedImages {
  const started = interpreter ?? program;
  const bias = started.type === 'dyn' ? biasOfStarted(program, interpreter, kernel) : 0;
  const move = moveOf(started, bias);
  return {
    segments: [...(interpreter === undefined ? [] : program.segments), ...segmentsMoved(started, bias)],
    moves: interpreter === undefined ? [move] : [moveOf(program, 0), move],
    floating: started.type === 'dyn' ? { start: move.start + move.delta, end: move.end + move.delta } : undefined,
  };
}

function moveOf(layout: ProgramLayout, bias: number): Move {
  const [low, high] = extentOf(layout);
  const start = layout.recordedAt ?? low;
  return { start, end: start + ceilToPage(high) - low, delta: low + bias - start };
}

/**
 * How far an exec moves the image that it starts, which is position-independent: exec ends at that image's entry.
 *
 * @returns 0 if the design cannot lay the images out: then exec fails
 */
function biasOfStarted(program: ProgramLayout, interpreter: ProgramLayout | undefined, kernel: string): number {
  const named = kernelNamed(kernel);
  if (typeof named === 'string') return 0;
  const design = designOf(named, { ...DEFAULT_PARAMETERS, ...named.parameters });
  if (!isLoadable(program, design) || (interpreter !== undefined && !isLoadable(interpreter, design))) return 0;
  const plan = planExec(design, {
    program: loaded(program),
    interpreter: interpreter === undefined ? undefined : loaded(interpreter),
    argv: [],
    env: [],
    random: new Uint8Array(RANDOM_BYTES),
  });
  return typeof plan === 'string' ? 0 : plan.entry - imageOf(interpreter ?? program).entry;
}

const isLoadable = (layout: ProgramLayout, { userEnd }: Design): boolean => checkImage(imageOf(layout), layout.size, userEnd) === undefined;

/** What a plan looks at are an image's headers alone, so its file is empty. */
const loaded = (layout: ProgramLayout): { readonly file: File; readonly image: Image } => ({
  file: new File('', [], new Uint8Array(0), true),
  image: imageOf(layout),
});

/** The image that exec reads from the headers of the trace's file. */
const imageOf = ({ type, entry = 0, segments }: ProgramLayout): Image => ({
  type,
  machine: MACHINE_RISCV,
  entry,
  phoff: ELF_HEADER_BYTES,
  phnum: segments.length,
  phentsize: PROGRAM_HEADER_BYTES,
  segments: segments.map((segment) => ({
    vaddr: segment.vaddr,
    offset: segment.offset,
    fileBytes: segment.filesz,
    memoryBytes: segment.memsz,
    flags: flagBits(segment),
  })),
  interp: undefined,
});
