/**
 * Imports a page-touch recording of one statically linked riscv64 program whose layout the caller knows: strictly, and byte for byte
 * the same each time. This is how the committed recordings were made.
 *
 * qemu maps a page above the stack through which signal handlers return; it is told as an mmap after each exec, because later touches
 * fall on it. A mapping of a file becomes an anonymous one, a signal frame is not seen, threads are refused.
 */
import type { Trace } from '../codec.ts';
import type { KernelSpec, SegmentSpec, TraceHeader } from '../header.ts';
import { TraceBuilder } from './builder.ts';
import type { ProgramLayout } from './layout.ts';
import { PluginReader } from './plugin.ts';

export interface PagetraceOptions {
  /** Name of the recording, for errors. */
  readonly file: string;
  /** Path of the program; every path that the recording execs is a link to it. */
  readonly path: string;
  /** Further paths of the program, besides those that the recording execs. */
  readonly links?: readonly string[];
  /** Bytes of the program file. */
  readonly size: number;
  readonly segments: readonly SegmentSpec[];
  /** Seed of the synthetic bytes that stand for the program's. */
  readonly seed: string;
  readonly kernel: KernelSpec;
  readonly source?: NonNullable<TraceHeader['source']>;
  /** Moves the program: the page of its lowest segment becomes this address, and the heap moves along. */
  readonly rebase?: number;
  /** Joins touches of one kind on consecutive pages into one op. */
  readonly compress: boolean;
  /** Names of the checks: the nth fork of the first process begins the nth. */
  readonly marks?: readonly string[];
}

/** The end of the stack under qemu-riscv64. */
export const QEMU_STACK_END = 0x4000801000;

/**
 * The recording as a trace; processes are numbered from 1 in the order of their first records.
 *
 * @throws TraceError naming the record (line) that is malformed or asks for what this importer does not know
 */
export function importPagetrace(records: Iterable<unknown>, options: PagetraceOptions): Trace {
  const { file, path, links, size, segments, seed, kernel, source, compress, marks, rebase } = options;
  const layout: ProgramLayout = { size, type: 'exec', segments, seed, ...(rebase === undefined ? {} : { home: rebase }) };
  const builder = new TraceBuilder({
    file,
    architecture: 'riscv64',
    layouts: { named: new Map(), other: { path, ...(links === undefined ? {} : { links }), layout } },
    kernel,
    source,
    stackEnd: QEMU_STACK_END,
    trampoline: QEMU_STACK_END,
    compress,
    marks,
    isStrict: true,
    fillsGaps: false,
  });
  const reader = new PluginReader(file, 'riscv64');
  for (const record of records) builder.add(reader.read(record));
  return builder.finish().trace;
}
