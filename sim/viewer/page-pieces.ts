/**
 * The bytes of a mapped page as pieces, each with where its bytes came from, and the bytes that are wrong.
 *
 * What a piece is follows from the frame's provenance: `cache` bytes lie in a frame of the page cache or were copied out of one by
 * assembly, `copy` was copied for one process, `file` was read for this page alone, `zero` was filled where a VMA has a byte, `gap`
 * where none has or only a pad. A piece names the ops that brought its bytes there: that is where a wrong byte leads.
 */
import {
  frameOfPte,
  hex,
  isValid,
  PAGE_BYTES,
  pfn,
  pid,
  protName,
  vpnOf,
  type AddressSpace,
  type Kernel,
  type Pfn,
  type ProvenanceRecord,
  type Vma,
} from '../../kernel-model/index.ts';
import { describeProvenance } from '../finding.ts';
import type { Reference } from '../reference/reference.ts';

export const SOURCES = ['cache', 'file', 'zero', 'gap', 'copy', 'written', 'kernel', 'unknown'] as const;
export type Source = (typeof SOURCES)[number];

/** Bytes of a page, half-open. */
export interface Piece {
  readonly start: number;
  readonly end: number;
  readonly source: Source;
  /** Where the bytes came from, in a sentence without a full stop. */
  readonly text: string;
  /** The ops that brought them here, the origin's first; the last one put them there. */
  readonly ops: readonly number[];
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Which frames the page cache holds, and of which file page. */
export type CachedFrames = ReadonlyMap<Pfn, string>;

export function cachedFrames(kernel: Kernel): CachedFrames {
  const frames = new Map<Pfn, string>();
  kernel.cache.eachPage((file, index, page) => frames.set(page.frame, `${file.path}, page ${hex(index)}`));
  return frames;
}

/** `rwx` form of what an entry allows; `---` for one that keeps its frame and allows nothing. */
export const protOfEntry = (entry: number): string => (isValid(entry) ? protName((entry >> 1) & 7) : '---');

/** The space of a process, or undefined if there is none. */
export const spaceOf = (kernel: Kernel, id: number): AddressSpace | undefined => kernel.processes.get(pid(id))?.space;

/** The frame that maps the page of an address, or undefined if none does. */
export function frameAt(kernel: Kernel, space: AddressSpace, address: number): Pfn | undefined {
  if (address >= kernel.design.userEnd) return undefined;
  const entry = kernel.tables.entryOf(space.root, vpnOf(address));
  const frame = frameOfPte(entry);
  return isValid(entry) && kernel.frames.exists(frame) ? frame : undefined;
}

/** The pieces of the page that starts at `start` and is mapped by `frame`, ascending. */
export function piecesOf(kernel: Kernel, vmas: readonly Vma[], frame: Pfn, start: number, cached: CachedFrames): readonly Piece[] {
  const covers = vmas.filter((vma) => vma.role !== 'pad').map((vma) => ({ start: vma.start - start, end: vma.end - start }));
  return kernel.provenance.runsOf(frame).flatMap((run) => {
    const source = sourceOf(run.record, cached.has(frame));
    const parts = source === 'zero' ? splitByCover(run, covers) : [{ start: run.start, end: run.end, isCovered: true }];
    return parts.map((part) => ({
      start: part.start,
      end: part.end,
      source: part.isCovered ? source : 'gap',
      text: describeProvenance(run.record, part.start) + (cached.has(frame) ? `; in the page cache as ${cached.get(frame)!}` : ''),
      ops: [run.record.op, ...run.record.hops.map((hop) => hop.op)],
    }));
  });
}

function sourceOf({ origin, hops }: ProvenanceRecord, isCached: boolean): Source {
  const hop = hops.at(-1);
  if (hop !== undefined) return hop.why === 'assembly' ? 'cache' : 'copy';
  if (origin.kind === 'write') return 'written';
  if (origin.kind === 'file') return isCached ? 'cache' : 'file';
  return origin.kind;
}

function splitByCover({ start, end }: Range, covers: readonly Range[]): (Range & { readonly isCovered: boolean })[] {
  const bounds = [start, ...covers.flatMap((cover) => [cover.start, cover.end]).filter((at) => start < at && at < end), end];
  const cuts = [...new Set(bounds)].sort((a, b) => a - b);
  return cuts.slice(1).map((to, i) => {
    const from = cuts[i]!;
    return { start: from, end: to, isCovered: covers.some((cover) => cover.start <= from && to <= cover.end) };
  });
}

/** The bytes that the page at `start` must show to a process, or undefined if the reference has no say there. */
export function expectedPage(reference: Reference, id: number, start: number): Uint8Array | undefined {
  if (!reference.has(id) || reference.onPage(id, start).length === 0) return undefined;
  return reference.page(id, start);
}

/** Where two pages differ, as ranges, ascending. */
export function differences(expected: Uint8Array, actual: Uint8Array): readonly Range[] {
  const ranges: Range[] = [];
  for (let start = 0, end = 0; start < PAGE_BYTES; start = end + 1) {
    while (start < PAGE_BYTES && expected[start] === actual[start]) start++;
    if (start === PAGE_BYTES) break;
    for (end = start + 1; end < PAGE_BYTES && expected[end] !== actual[end]; end++);
    ranges.push({ start, end });
  }
  return ranges;
}

/** The wrong bytes of a mapped page; none if it is not mapped. */
export function wrongBytes(kernel: Kernel, reference: Reference, id: number, start: number): readonly Range[] {
  const space = spaceOf(kernel, id);
  const frame = space === undefined ? undefined : frameAt(kernel, space, start);
  if (frame === undefined) return [];
  const expected = expectedPage(reference, id, start);
  return expected === undefined ? [] : differences(expected, kernel.memory.page(pfn(frame)));
}
