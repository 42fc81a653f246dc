/**
 * What processes execute: an exec op each, the space that it makes, and what has to be there although the recording does not say so.
 *
 * Which pages those are, and where an x86-64 stack ended, is known only at the end of the recording; `finish` puts them in.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import type { FileSpec } from '../header.ts';
import type { Op, OpOf } from '../op.ts';
import { TraceFiles, type Layouts } from './files.ts';
import { imagesOf } from './images.ts';
import type { OpList } from './op-list.ts';
import type { Range } from './range.ts';
import type { ReportBook } from './report.ts';
import { KnownSpace } from './space.ts';
import { StandIns } from './stand-ins.ts';

export interface ProgramOptions {
  readonly layouts: Layouts;
  /** End of the recorded stack; else it is taken from the addresses used. */
  readonly stackEnd?: number | undefined;
  /** A page that is there from every exec on, whatever is recorded: qemu-riscv64's signal trampoline. */
  readonly trampoline?: number | undefined;
  /** Maps what was used and nothing recorded accounts for, and files whose path is known. */
  readonly fillsGaps: boolean;
}

const STAND_INS =
  'mappings right after an exec, of zeros, for pages that were used and that nothing recorded maps: ' +
  'of a program, an interpreter or a stack that no --binary or --stack tells of, or of the kernel';

/** Stands for the path of a program that the recording does not name. */
export const UNKNOWN_PROGRAM = '/unknown';

export class Programs {
  private readonly options: ProgramOptions;
  private readonly ops: OpList;
  private readonly book: ReportBook;
  private readonly files: TraceFiles;
  /** By the index of their exec among the ops. */
  private readonly standIns = new Map<number, StandIns>();
  private entry: number | undefined;

  constructor(options: ProgramOptions, ops: OpList, book: ReportBook) {
    this.options = options;
    this.ops = ops;
    this.book = book;
    this.files = new TraceFiles(options.layouts, book);
  }

  /** Path of a program whose own is not recorded. */
  get unnamed(): string {
    return this.options.layouts.other?.path ?? UNKNOWN_PROGRAM;
  }

  /** The process executes the program. @returns its new space */
  execute(pid: number, path: string, args: Pick<OpOf<'exec'>, 'argv' | 'env'> = {}): KnownSpace {
    const { stackEnd, trampoline } = this.options;
    const standIns = new StandIns(stackEnd);
    this.standIns.set(this.ops.length, standIns);
    const images = imagesOf(this.files.execute(path));
    const space = KnownSpace.ofExec(images, standIns, stackEnd);
    this.ops.push({ pid, op: 'exec', path, ...args, ...(stackEnd === undefined ? {} : { stack: stackEnd }), ...images.bases });
    if (trampoline === undefined) return space;
    space.map(trampoline, PAGE_BYTES);
    this.ops.push(anonymousMapping(pid, 'rx', { start: trampoline, end: trampoline + PAGE_BYTES }));
    return space;
  }

  /** Code ran here; the first such place stands for an entry that no layout says. */
  noteFetch(address: number): void {
    this.entry ??= address;
  }

  /** The file to map for a mapping that is asked of it; undefined if it has to be anonymous. */
  fileToMap(path: string | undefined, offset: number, length: number): string | undefined {
    return this.options.fillsGaps && path !== undefined && this.files.mapFile(path, offset, length) ? path : undefined;
  }

  /** A mapping of a file is anonymous. */
  noteLostFile(line: number): void {
    if (this.options.fillsGaps) this.book.assume('a mapping of a file is anonymous memory: the recording does not hold the file', line);
  }

  finish(): { readonly files: FileSpec[]; readonly ops: readonly Op[] } {
    const ops = this.options.fillsGaps ? this.withGapsFilled() : this.ops.all;
    return { files: this.files.finish(this.entry), ops };
  }

  /** The ops, with mappings after each exec for what it must have had, and the ends of stacks that are known only now. */
  private withGapsFilled(): readonly Op[] {
    return this.ops.all.flatMap((op, index) => {
      const standIns = this.standIns.get(index);
      if (standIns === undefined || op.op !== 'exec') return [op];
      const stack = standIns.stackEnd();
      const ranges = standIns.ranges();
      if (ranges.length > 0) this.book.assume(STAND_INS, standIns.line);
      return [stack === undefined ? op : { ...op, stack }, ...ranges.map((range) => anonymousMapping(op.pid, 'rwx', range))];
    });
  }
}

const anonymousMapping = (pid: number, prot: 'rx' | 'rwx', { start, end }: Range): Op => ({
  pid,
  op: 'mmap',
  addr: 0,
  length: end - start,
  prot,
  flags: ['private', 'anonymous'],
  result: start,
});
