/**
 * The images of an exec: where they lie in the trace, and what exec says of it.
 *
 * A program that is linked for its place lies there. A position-independent program and an interpreter lie where the kernel puts them, so
 * the trace has them where the recording had them, and exec says where that was: a replay follows.
 */
import { ceilToPage } from '../../kernel-model/index.ts';
import type { SegmentSpec } from '../header.ts';
import type { OpOf } from '../op.ts';
import { extentOf, segmentsMoved, type ProgramLayout } from './layout.ts';
import type { Move, Range } from './range.ts';

/** What an exec loads, as the trace's files have it. */
export interface Loaded {
  readonly program: ProgramLayout;
  readonly interpreter?: ProgramLayout | undefined;
}

export interface Images {
  /** Of all images, at the trace's addresses. */
  readonly segments: readonly SegmentSpec[];
  /** The program, from where it was recorded to where it is linked. */
  readonly program: Move;
  /** What the kernel places. */
  readonly floating: readonly Range[];
  /** Where the recording had that, as exec says it. */
  readonly bases: Pick<OpOf<'exec'>, 'base' | 'interpBase'>;
}

export function imagesOf({ program, interpreter }: Loaded): Images {
  const images = interpreter === undefined ? [program] : [program, interpreter];
  const at = recordedRange(program);
  return {
    segments: images.flatMap(segmentsInTrace),
    program: { ...at, delta: isFloating(program) ? 0 : extentOf(program)[0] - at.start },
    floating: images.filter(isFloating).map(recordedRange),
    bases: {
      ...(isFloating(program) ? { base: at.start } : {}),
      ...(interpreter === undefined ? {} : { interpBase: recordedRange(interpreter).start }),
    },
  };
}

const isFloating = ({ type }: ProgramLayout): boolean => type === 'dyn';

/** Where the recording has an image, in whole pages. */
function recordedRange(layout: ProgramLayout): Range {
  const [low, high] = extentOf(layout);
  const start = layout.recordedAt ?? low;
  return { start, end: start + ceilToPage(high) - low };
}

const segmentsInTrace = (layout: ProgramLayout): readonly SegmentSpec[] =>
  isFloating(layout) ? segmentsMoved(layout, recordedRange(layout).start - extentOf(layout)[0]) : layout.segments;
