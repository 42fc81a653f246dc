/**
 * Layouts of programs: what a recording does not hold and an ELF file does.
 *
 * A program that is linked for a fixed address stays there. A position-independent one has no place in a trace, so it becomes one that is
 * linked for `PIE_HOME`, and its recorded addresses move there: the user says where it was.
 */
import { parseElf } from '../../kernel-model/index.ts';
import type { FileSpec, SegmentSpec } from '../header.ts';

export interface ProgramLayout {
  /** Bytes of the file. */
  readonly size: number;
  readonly segments: readonly SegmentSpec[];
  readonly entry?: number | undefined;
  /** Seed of the bytes that stand for the program's. */
  readonly seed: string;
  /** Recorded addresses in [start, end) are `delta` further here. */
  readonly moved?: { readonly start: number; readonly end: number; readonly delta: number } | undefined;
}

/** Where a position-independent program lies in a trace. */
const PIE_HOME = 0x400000;
const PAGE_BYTES = 4096;
const FLAGS = ['none', 'x', 'w', 'wx', 'r', 'rx', 'rw', 'rwx'] as const;

/**
 * The layout of an ELF file.
 *
 * @param base - where the recording has a position-independent program
 * @returns what is wrong, as a text, if it has none
 */
export function layoutOfElf(bytes: Uint8Array, name: string, base: number | undefined): ProgramLayout | string {
  const image = parseElf(bytes.subarray(0, PAGE_BYTES), bytes.length);
  if ('message' in image) return `${image.field}: ${image.message}`;
  if (image.type === 'dyn' && base === undefined) return 'is position-independent: say where the recording has it, as FILE@0xBASE';
  const low = Math.min(...image.segments.map(({ vaddr }) => vaddr));
  const high = Math.max(...image.segments.map(({ vaddr, memoryBytes }) => vaddr + memoryBytes));
  const shift = image.type === 'dyn' ? PIE_HOME - (low - (low % PAGE_BYTES)) : 0;
  const start = (base ?? 0) + low - (low % PAGE_BYTES);
  return {
    size: bytes.length,
    segments: image.segments.map(({ vaddr, offset, fileBytes, memoryBytes, flags }) => ({
      vaddr: vaddr + shift,
      offset,
      filesz: fileBytes,
      memsz: memoryBytes,
      flags: FLAGS[flags]!,
    })),
    entry: image.entry + shift,
    seed: name,
    ...(image.type === 'dyn' ? { moved: { start, end: (base ?? 0) + high, delta: shift - (base ?? 0) } } : {}),
  };
}

/** Stands for a program of which nothing is known but its path. */
export const UNKNOWN_LAYOUT: ProgramLayout = {
  size: PAGE_BYTES,
  segments: [{ vaddr: 0x10000, offset: 0, filesz: PAGE_BYTES, memsz: PAGE_BYTES, flags: 'rx' }],
  seed: 'unknown',
};

/** The file of a program; `links` are its further paths. */
export function programFile(path: string, links: readonly string[], layout: ProgramLayout, entry = layout.entry): FileSpec {
  return {
    path,
    links: [...links],
    size: layout.size,
    immutable: true,
    type: 'exec',
    ...(entry === undefined ? {} : { entry }),
    segments: [...layout.segments],
    content: { seed: layout.seed },
  };
}
