/** What the viewer shows of one page: the bytes expected and found, and in words what should back them and where they came from. */
import { floorToPage, pfn, type Kernel } from '../../kernel-model/index.ts';
import type { Reference } from '../reference/reference.ts';
import { cachedFrames, differences, expectedPage, frameAt, piecesOf, spaceOf, type Piece, type Range } from './page-pieces.ts';

export interface BytesView {
  readonly start: number;
  readonly frame: number | undefined;
  /** As mapped; undefined if the page is not. */
  readonly actual: Uint8Array | undefined;
  /** By the reference; undefined where it has no say. */
  readonly expected: Uint8Array | undefined;
  readonly wrong: readonly Range[];
  readonly pieces: readonly Piece[];
}

/** The page of an address as a process sees it; undefined if there is no such process. */
export function viewBytes(kernel: Kernel, reference: Reference, pid: number, address: number): BytesView | undefined {
  const space = spaceOf(kernel, pid);
  if (space === undefined) return undefined;
  const start = floorToPage(address);
  const frame = frameAt(kernel, space, start);
  const actual = frame === undefined ? undefined : kernel.memory.page(pfn(frame)).slice();
  const expected = expectedPage(reference, pid, start);
  return {
    start,
    frame,
    actual,
    expected,
    wrong: actual === undefined || expected === undefined ? [] : differences(expected, actual),
    pieces: frame === undefined ? [] : piecesOf(kernel, space.vmas.onPage(start), frame, start, cachedFrames(kernel)),
  };
}
