/**
 * Layouts of programs: what a recording does not hold and an ELF file does. A layout is numbers and names, never the file's bytes.
 *
 * A program that is linked for a fixed address stays there, unless the import links it for another. Of a position-independent one, and of an
 * interpreter, the user says where the recording has it.
 */
import { floorToPage, hex, isPageAligned, PAGE_BYTES, parseElf, type Image } from '../../kernel-model/index.ts';
import type { FileSpec, SegmentSpec } from '../header.ts';

export interface ProgramLayout {
  /** Bytes of the file. */
  readonly size: number;
  readonly type: 'exec' | 'dyn';
  /** At the file's own addresses. */
  readonly segments: readonly SegmentSpec[];
  readonly entry?: number | undefined;
  /** Path of its interpreter. */
  readonly interp?: string | undefined;
  /** Seed of the bytes that stand for the program's. */
  readonly seed: string;
  /** Address at which the recording has its lowest page; else it is the file's. */
  readonly recordedAt?: number | undefined;
  /** Address for which the trace has a program linked that the file has linked for another: that of its lowest page. */
  readonly home?: number | undefined;
}

const INTERPRETER_PATH_MAX = 255;
/** What the bits of a program header's flags are called. */
const FLAGS = ['none', 'x', 'w', 'wx', 'r', 'rx', 'rw', 'rwx'] as const;

/**
 * The layout of an ELF file.
 *
 * @param recordedAt - where the recording has a position-independent program
 * @returns what is wrong, as a text, if it has none
 */
export function layoutOfElf(bytes: Uint8Array, name: string, recordedAt: number | undefined): ProgramLayout | string {
  const image = parseElf(bytes.subarray(0, PAGE_BYTES), bytes.length);
  if ('message' in image) return `${image.field}: ${image.message}`;
  const isFixed = image.type === 'exec';
  if (!isFixed && recordedAt === undefined)
    return 'is position-independent: say where the recording has it, as FILE@0xBASE, the address of its first line in /proc/PID/maps';
  if (recordedAt !== undefined && !isPageAligned(recordedAt)) return `${hex(recordedAt)} is not the start of a page`;
  const interp = interpreterOf(image, bytes);
  return {
    size: bytes.length,
    type: image.type,
    segments: image.segments.map(({ vaddr, offset, fileBytes, memoryBytes, flags }) => ({
      vaddr,
      offset,
      filesz: fileBytes,
      memsz: memoryBytes,
      flags: FLAGS[flags]!,
    })),
    entry: image.entry,
    ...(interp === undefined ? {} : { interp }),
    seed: name,
    ...(isFixed ? {} : { recordedAt }),
  };
}

/** The path in PT_INTERP, up to its NUL; undefined if there is none. */
function interpreterOf({ interp }: Image, bytes: Uint8Array): string | undefined {
  if (interp === undefined) return undefined;
  const name = bytes.subarray(interp.offset, interp.offset + Math.min(interp.lengthBytes, INTERPRETER_PATH_MAX));
  const path = new TextDecoder().decode(name).replace(/\0.*$/s, '');
  return path === '' ? undefined : path;
}

/** Stands for a program of which nothing is known but its path. */
export const UNKNOWN_LAYOUT: ProgramLayout = {
  size: PAGE_BYTES,
  type: 'exec',
  segments: [{ vaddr: 0x10000, offset: 0, filesz: PAGE_BYTES, memsz: PAGE_BYTES, flags: 'rx' }],
  seed: 'unknown',
};

/** First page and end of what an image has in memory, at the file's addresses. */
export function extentOf({ segments }: ProgramLayout): readonly [low: number, high: number] {
  const low = Math.min(...segments.map(({ vaddr }) => vaddr));
  return [floorToPage(low), Math.max(...segments.map(({ vaddr, memsz }) => vaddr + memsz))];
}

/** The program as the trace has it: linked for its home, if it has one. */
export function linkedAtHome(layout: ProgramLayout): ProgramLayout {
  const [low] = extentOf(layout);
  const { home, entry, ...rest } = layout;
  if (home === undefined) return layout;
  return {
    ...rest,
    segments: segmentsMoved(layout, home - low),
    ...(entry === undefined ? {} : { entry: entry + home - low }),
    recordedAt: low,
  };
}

/** The segments, so many bytes further up. */
export const segmentsMoved = ({ segments }: ProgramLayout, delta: number): SegmentSpec[] =>
  segments.map((segment) => ({ ...segment, vaddr: segment.vaddr + delta }));

/** The file of a program or an interpreter; `links` are its further paths. */
export function programFile(path: string, links: readonly string[], layout: ProgramLayout, entry = layout.entry): FileSpec {
  return {
    path,
    links: [...links],
    size: layout.size,
    immutable: true,
    type: layout.type,
    ...(entry === undefined ? {} : { entry }),
    ...(layout.interp === undefined ? {} : { interp: layout.interp }),
    segments: [...layout.segments],
    content: { seed: layout.seed },
  };
}
