/**
 * Where an exec has put what the kernel places: the stack, a position-independent program and an interpreter.
 *
 * The VMAs of the new space tell it, so it is what this kernel did, right or wrong. An image without a byte of its file in memory has no
 * place.
 */
import { ceilToPage, floorToPage, loadRequest, type File, type Image, type Kernel, type Process, type Vma } from '../kernel-model/index.ts';
import type { OpOf } from '../traces/op.ts';

/** First page of an image and the end of its last. */
export interface ImageRange {
  readonly start: number;
  readonly end: number;
}

export interface ExecPlaces {
  /** End of the stack. */
  readonly stack: number;
  /** Undefined for a program that is linked for its place. */
  readonly program: ImageRange | undefined;
  readonly interpreter: ImageRange | undefined;
}

/** The places after `process` has executed `path`, and before it did anything else. */
export function execPlaces({ files, design }: Kernel, { space }: Process, path: string): ExecPlaces {
  const request = loadRequest(files, design.userEnd, path, [], []);
  const { program, interpreter } = typeof request === 'string' ? {} : request;
  const placed = (image: Loaded | undefined): ImageRange | undefined => image && imageRange(space.vmas.ascending, image);
  return { stack: design.stackTop, program: program?.image.type === 'dyn' ? placed(program) : undefined, interpreter: placed(interpreter) };
}

/** The op without the places that it was recorded with. */
export function withoutPlaces({ stack: _stack, base: _base, interpBase: _interpBase, ...op }: OpOf<'exec'>): OpOf<'exec'> {
  return op;
}

/** The same with the places that it has got. */
export const withPlaces = (op: OpOf<'exec'>, { stack, program, interpreter }: ExecPlaces): OpOf<'exec'> => ({
  ...op,
  stack,
  ...(program === undefined ? {} : { base: program.start }),
  ...(interpreter === undefined ? {} : { interpBase: interpreter.start }),
});

interface Loaded {
  readonly file: File;
  readonly image: Image;
}

function imageRange(vmas: readonly Vma[], { file, image }: Loaded): ImageRange | undefined {
  const lowest = vmas.find(({ backing }) => backing?.file === file);
  if (lowest === undefined) return undefined;
  const segments = image.segments.filter(({ memoryBytes }) => memoryBytes > 0);
  const startOf = (some: Image['segments']): number => floorToPage(Math.min(...some.map(({ vaddr }) => vaddr)));
  const bias = floorToPage(lowest.start) - startOf(segments.filter(({ fileBytes }) => fileBytes > 0));
  const end = ceilToPage(Math.max(...segments.map(({ vaddr, memoryBytes }) => vaddr + memoryBytes)));
  return { start: bias + startOf(segments), end: bias + end };
}
