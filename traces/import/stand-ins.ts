/**
 * What must have been there at an exec although nothing recorded maps it: the program if its layout is not known, an interpreter, a vDSO.
 *
 * Such pages are collected by program image while its processes run, and become mappings right after its exec.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import { STACK_BYTES_MAX } from '../op.ts';
import type { Range } from './range.ts';

/** The stack of x86-64 is above this; what is read but never written there is the vDSO or a library. */
const STACK_AREA = 0x7ff0_0000_0000;
/** A gap of so many pages is part of a mapping. */
const GAP_PAGES_MAX = 16;

/** The stand-ins of one program image. */
export class StandIns {
  private readonly stackEndKnown: number | undefined;
  private readonly pages = new Set<number>();
  /** Pages that may be the stack's. */
  private readonly high = new Set<number>();
  private highestWritten = 0;
  /** Line that first used a page nothing accounts for. */
  line = 0;

  constructor(stackEnd: number | undefined) {
    this.stackEndKnown = stackEnd;
  }

  /** The page was in use, and nothing recorded maps it. */
  note(page: number, isWrite: boolean, line: number): void {
    if (this.stackEndKnown === undefined && page >= STACK_AREA) {
      this.high.add(page);
      if (isWrite) this.highestWritten = Math.max(this.highestWritten, page);
      return;
    }
    if (this.line === 0) this.line = line;
    this.pages.add(page);
  }

  /** End of the recorded stack: as told, or behind the highest page written where stacks are; undefined if there is none. */
  stackEnd(): number | undefined {
    return this.stackEndKnown ?? (this.highestWritten === 0 ? undefined : this.highestWritten + PAGE_BYTES);
  }

  /** The ranges that must have been mapped at exec, ascending. */
  ranges(): Range[] {
    const stackEnd = this.stackEnd() ?? 0;
    const others = [...this.high].filter((page) => page >= stackEnd || page < stackEnd - STACK_BYTES_MAX);
    const ranges: { start: number; end: number }[] = [];
    for (const page of [...this.pages, ...others].sort((a, b) => a - b)) {
      const last = ranges.at(-1);
      if (last !== undefined && page - last.end <= GAP_PAGES_MAX * PAGE_BYTES) last.end = Math.max(last.end, page + PAGE_BYTES);
      else ranges.push({ start: page, end: page + PAGE_BYTES });
    }
    return ranges;
  }
}
