/**
 * Which addresses of a process a recording accounts for, and which it does not.
 *
 * A recording tells of calls, not of what was there before: the program's segments if no layout is known, an interpreter, a vDSO. Pages
 * that were in use although nothing recorded maps them are collected by program image, and become mappings right after its exec.
 */
import type { SegmentSpec } from '../header.ts';

const PAGE_BYTES = 4096;
const STACK_BYTES_MAX = 8 * 2 ** 20;
/** The stack of x86-64 is above this; what is read but never written there is the vDSO or a library. */
const STACK_AREA = 0x7ff0_0000_0000;
/** A gap of so many pages is part of a mapping. */
const GAP_PAGES_MAX = 16;
/** More pages than this are not taken from one call. */
const CALL_PAGES_MAX = 65536;

export const floorToPage = (address: number): number => address - (address % PAGE_BYTES);
const ceilToPage = (address: number): number => floorToPage(address + PAGE_BYTES - 1);

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What is found out about one program image while its processes run. */
export class ImageUse {
  readonly segments: readonly SegmentSpec[];
  /** Index of its exec among the ops. */
  readonly execIndex: number;
  private readonly stackEndKnown: number | undefined;
  private readonly pages = new Set<number>();
  /** Pages that may be the stack's. */
  private readonly high = new Set<number>();
  private highestWritten = 0;
  /** Line that first used a page nothing accounts for. */
  line = 0;

  constructor(execIndex: number, segments: readonly SegmentSpec[], stackEnd: number | undefined) {
    this.execIndex = execIndex;
    this.segments = segments;
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

  /** The ranges that must have been mapped at exec. */
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

/** The address space of a process, as far as the recording says. */
export class KnownSpace {
  readonly image: ImageUse;
  private ranges: readonly Range[];
  private heap: Range | undefined;
  /** Pages that were looked up and found. */
  private readonly found = new Set<number>();

  constructor(image: ImageUse, stackEnd: number | undefined, ranges: readonly Range[] = [], heap?: Range) {
    this.image = image;
    const segments = image.segments.map(({ vaddr, memsz }) => ({ start: floorToPage(vaddr), end: ceilToPage(vaddr + memsz) }));
    const stack = stackEnd === undefined ? [] : [{ start: stackEnd - STACK_BYTES_MAX, end: stackEnd }];
    this.ranges = ranges.length > 0 ? ranges : [...segments, ...stack];
    this.heap = heap;
  }

  copy(): KnownSpace {
    return new KnownSpace(this.image, undefined, this.ranges, this.heap);
  }

  map(start: number, length: number): void {
    this.ranges = [...this.ranges, { start, end: ceilToPage(start + length) }];
  }

  moveHeapEnd(end: number): void {
    this.heap = { start: this.heap?.start ?? floorToPage(end), end };
    this.found.clear();
  }

  unmap(start: number, length: number): void {
    const end = ceilToPage(start + length);
    this.ranges = this.ranges.flatMap((range) =>
      range.end <= start || range.start >= end
        ? [range]
        : [
            { start: range.start, end: Math.max(range.start, start) },
            { start: Math.min(range.end, end), end: range.end },
          ].filter((part) => part.end > part.start),
    );
    this.found.clear();
  }

  /** A page was used. */
  use(address: number, isWrite: boolean, line: number): void {
    const page = floorToPage(address);
    if (this.found.has(page)) return;
    if (this.knows(page)) this.found.add(page);
    else this.image.note(page, isWrite, line);
  }

  /** A range was used, by a call that would have failed without it. */
  useRange(start: number, length: number, isWrite: boolean, line: number): void {
    const end = Math.min(start + length, start + CALL_PAGES_MAX * PAGE_BYTES);
    for (let page = floorToPage(start); page < end; page += PAGE_BYTES) this.use(page, isWrite, line);
  }

  private knows(page: number): boolean {
    if (this.heap !== undefined && this.heap.start <= page && page < this.heap.end) return true;
    return this.ranges.some(({ start, end }) => start <= page && page < end);
  }
}
