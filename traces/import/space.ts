/**
 * The address space of a process, as far as a recording accounts for it: the images of its exec, and what calls have mapped since.
 *
 * A recording tells of calls, not of what was there before. Pages that were in use although nothing recorded maps them go to the image's
 * stand-ins. Addresses are the trace's.
 */
import { ceilToPage, floorToPage, PAGE_BYTES } from '../../kernel-model/index.ts';
import type { SegmentSpec } from '../header.ts';
import { STACK_BYTES_MAX, type Op } from '../op.ts';
import { AddressMap } from './address-map.ts';
import type { Images } from './images.ts';
import type { Range } from './range.ts';
import type { StandIns } from './stand-ins.ts';

/** More pages than this are not taken from one call. */
const CALL_PAGES_MAX = 65536;

export class KnownSpace {
  /** Where recorded addresses are. */
  readonly addresses: AddressMap;
  private readonly images: Images;
  private readonly standIns: StandIns;
  private ranges: readonly Range[];
  private heap: Range | undefined;
  /** Pages that were looked up and found. */
  private readonly found = new Set<number>();

  private constructor(images: Images, addresses: AddressMap, standIns: StandIns, ranges: readonly Range[]) {
    this.images = images;
    this.addresses = addresses;
    this.standIns = standIns;
    this.ranges = ranges;
  }

  /** The space that an exec makes. */
  static ofExec(images: Images, standIns: StandIns, stackEnd: number | undefined): KnownSpace {
    const segments = images.segments.map(({ vaddr, memsz }) => ({ start: floorToPage(vaddr), end: ceilToPage(vaddr + memsz) }));
    const stack = stackEnd === undefined ? [] : [{ start: stackEnd - STACK_BYTES_MAX, end: stackEnd }];
    return new KnownSpace(images, new AddressMap(images.program), standIns, [...segments, ...stack]);
  }

  copy(): KnownSpace {
    const copy = new KnownSpace(this.images, this.addresses.copy(), this.standIns, this.ranges);
    copy.heap = this.heap;
    return copy;
  }

  /** Does something that the kernel places begin or end here? Then the pages on both sides may lie apart in a replay. */
  isBorder(address: number): boolean {
    return this.images.floating.some(({ start, end }) => address === start || address === end);
  }

  /** The first byte of a page that a segment has, one that allows the access if there is a choice; the page's start if none has any. */
  firstByteOf(page: number, access: 'r' | 'w' | 'x'): number {
    const here = this.images.segments.filter(({ vaddr, memsz }) => vaddr < page + PAGE_BYTES && vaddr + memsz > page);
    const allowed = here.filter(({ flags }: SegmentSpec) => flags.includes(access));
    const starts = (allowed.length > 0 ? allowed : here).map(({ vaddr }) => Math.max(vaddr, page));
    return starts.length === 0 ? page : Math.min(...starts);
  }

  map(start: number, length: number): void {
    this.ranges = [...this.ranges, { start, end: ceilToPage(start + length) }];
  }

  /** A page was used. */
  use(address: number, isWrite: boolean, line: number): void {
    const page = floorToPage(address);
    if (this.found.has(page)) return;
    if (this.knows(page)) this.found.add(page);
    else this.standIns.note(page, isWrite, line);
  }

  /** A range was used, by a call that would have failed without it. */
  useRange(start: number, length: number, isWrite: boolean, line: number): void {
    const end = Math.min(start + length, start + CALL_PAGES_MAX * PAGE_BYTES);
    for (let page: number = floorToPage(start); page < end; page += PAGE_BYTES) this.use(page, isWrite, line);
  }

  /** A call about memory has succeeded. */
  carryOut(op: Op, line: number): void {
    if (op.op === 'mmap' && typeof op.result === 'number') this.map(op.result, op.length);
    else if (op.op === 'mremap' && typeof op.result === 'number') {
      this.useRange(op.addr, op.length, true, line);
      this.unmap(op.addr, op.length);
      this.map(op.result, op.newLength);
    } else if (op.op === 'munmap') {
      this.useRange(op.addr, op.length, false, line);
      this.unmap(op.addr, op.length);
    } else if (op.op === 'brk' && typeof op.result === 'number') this.moveHeapEnd(op.result);
    else if ('length' in op && 'addr' in op) this.useRange(op.addr, op.length, false, line);
  }

  private moveHeapEnd(end: number): void {
    this.heap = { start: this.heap?.start ?? floorToPage(end), end };
    this.found.clear();
  }

  private unmap(start: number, length: number): void {
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

  private knows(page: number): boolean {
    if (this.heap !== undefined && this.heap.start <= page && page < this.heap.end) return true;
    return this.ranges.some(({ start, end }) => start <= page && page < end);
  }
}
