/**
 * Files, made simple: those that nobody names are dropped, and programs lose pages from the middle of their segments.
 *
 * What matters of a program is where its segments begin and end within a page, and which share one; so whole pages go,
 * what lies behind moves down, and the addresses of the ops move along.
 */
import { floorToPage, PAGE_BYTES } from '../../kernel-model/index.ts';
import type { FileSpec, SegmentSpec, TraceHeader } from '../../traces/header.ts';
import { elfHeaderBytes } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import type { Candidate } from './evaluate.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

/** Where the first segment of a small program lies. */
const BASE = 0x10000;
/** A heap and what is mapped near a program moves along with its segments as far as this. */
const NEAR_BYTES = 2 ** 28;
/** Steps on one file. */
const STEPS_MAX = 64;

export function* shrinkFiles(shrinker: Shrinker): Stepping<void> {
  yield* shrinker.first('image', [withFilesInUse(shrinker.best)]);
  for (let file = 0; file < shrinker.best.header.files.length; file++) {
    for (let step = 0; step < STEPS_MAX && !shrinker.isOver; step++) {
      if ((yield* shrinker.first('image', smallerBy(shrinker.best, file))) < 0) break;
    }
  }
}

/** Files under one name each, those without a user dropped. An interpreter is used by its program. */
function withFilesInUse({ header, ops }: Candidate): Candidate {
  const nameOf = new Map(header.files.flatMap(({ path, links = [] }) => [path, ...links].map((name) => [name, path] as const)));
  const renamed = ops.map((op) => ('path' in op ? { ...op, path: nameOf.get(op.path ?? '') ?? op.path } : op));
  const used = new Set(renamed.flatMap((op) => ('path' in op ? [op.path] : [])));
  const interpreters = new Set(header.files.flatMap(({ path, interp }) => (used.has(path) && interp !== undefined ? [interp] : [])));
  const files = header.files
    .filter(({ path, links = [] }) => used.has(path) || [path, ...links].some((name) => interpreters.has(name)))
    .map(({ links, ...file }) => (links?.some((name) => interpreters.has(name)) === true ? { ...file, links } : file));
  return { header: { ...header, files }, ops: renamed };
}

/** Smaller versions of one file, the smallest first. */
function smallerBy(best: Candidate, index: number): Candidate[] {
  const file = best.header.files[index]!;
  const segments = file.segments ?? [];
  if (!('seed' in file.content)) return [];
  const candidates: (Candidate | undefined)[] = [];
  if (file.patches !== undefined) candidates.push(withFile(best, index, withoutPatches(file)));
  if (segments.length === 0) {
    for (const size of [0, 1, PAGE_BYTES, PAGE_BYTES + 1, Math.floor(file.size / 2)])
      if (size < file.size) candidates.push(withFile(best, index, { ...file, size }));
    return existing(candidates);
  }
  if (segments.length > 1) for (let i = segments.length - 1; i >= 0; i--) candidates.push(withoutSegment(best, index, i));
  segments.forEach((segment, i) => {
    const whole = Math.floor(segment.filesz / PAGE_BYTES);
    for (const count of cuts(whole, best.header.kernel.hugePages ?? 512)) candidates.push(withoutPages(best, index, i, count));
    const zeros = segment.memsz - segment.filesz;
    for (const left of [0, zeros % PAGE_BYTES, PAGE_BYTES])
      if (left < zeros) candidates.push(withSegments(best, index, with_(segments, i, { ...segment, memsz: segment.filesz + left })));
  });
  const base = Math.min(...segments.map(({ vaddr }) => floorToPage(vaddr)));
  if (base > BASE && file.type !== 'dyn') candidates.push(moved(best, index, base - BASE));
  const first = floorToPage(Math.min(...segments.map(({ offset }) => offset)));
  for (const by of [first, first - PAGE_BYTES]) if (by > 0) candidates.push(movedInFile(best, index, by));
  return existing(candidates);
}

const existing = (candidates: readonly (Candidate | undefined)[]): Candidate[] => candidates.filter((one) => one !== undefined);

/** Numbers of pages to take out of a segment with so many whole ones, the largest first. */
function cuts(whole: number, hugePages: number): readonly number[] {
  const sizes = [whole, whole - 1, whole - 2];
  for (let size = Math.floor((whole - 1) / hugePages) * hugePages; size > 0; size = Math.floor(size / 2 / hugePages) * hugePages)
    sizes.push(size);
  for (let size = whole >> 1; size > 0; size >>= 1) sizes.push(size);
  return [...new Set(sizes)].filter((size) => size > 0).sort((a, b) => b - a);
}

const with_ = <T>(list: readonly T[], index: number, value: T): T[] => list.map((old, i) => (i === index ? value : old));

function withoutPatches({ patches: _, ...file }: FileSpec): FileSpec {
  return file;
}

function withFile({ header, ops }: Candidate, index: number, file: FileSpec): Candidate {
  return { header: { ...header, files: with_(header.files, index, file) }, ops };
}

/** @returns undefined if no file can have these segments */
function withSegments(
  best: Candidate,
  index: number,
  segments: readonly SegmentSpec[],
  change: Partial<FileSpec> = {},
): Candidate | undefined {
  const old = best.header.files[index]!;
  const file: FileSpec = { ...old, ...change, segments: [...segments] };
  const fileEnd = Math.max(elfHeaderBytes(file), ...segments.map(({ offset, filesz }) => offset + filesz));
  const size = Math.min(file.size, fileEnd);
  const isPossible = segments.every(({ offset, filesz }) => offset + filesz <= size) && size >= elfHeaderBytes(file);
  const patches = file.patches?.filter(({ offset, hex }) => offset + hex.length / 2 <= size);
  return isPossible ? withFile(best, index, { ...file, size, ...(patches === undefined ? {} : { patches }) }) : undefined;
}

/** Without one segment and the ops within it. */
function withoutSegment(best: Candidate, index: number, at: number): Candidate | undefined {
  const segments = best.header.files[index]!.segments!;
  const { vaddr, memsz } = segments[at]!;
  const smaller = withSegments(
    best,
    index,
    segments.filter((_, i) => i !== at),
  );
  if (smaller === undefined) return undefined;
  return { ...smaller, ops: best.ops.filter((op) => !('addr' in op) || op.addr < vaddr || op.addr >= vaddr + memsz) };
}

/** Without `count` whole pages of a segment behind its first, or from its start if it has no more. */
function withoutPages(best: Candidate, index: number, at: number, count: number): Candidate | undefined {
  const file = best.header.files[index]!;
  const segments = file.segments!;
  const segment = segments[at]!;
  const bytes = count * PAGE_BYTES;
  const keep = segment.filesz - bytes >= PAGE_BYTES ? PAGE_BYTES : 0;
  const [from, fromOffset] = [segment.vaddr + keep, segment.offset + keep];
  const down = (place: number, start: number): number => (place < start ? place : place < start + bytes ? start : place - bytes);
  const shifted = segments.map((one, i) => {
    if (i === at) return { ...one, filesz: one.filesz - bytes, memsz: one.memsz - bytes };
    return {
      ...one,
      vaddr: one.vaddr > segment.vaddr ? one.vaddr - bytes : one.vaddr,
      offset: one.offset > segment.offset ? one.offset - bytes : one.offset,
    };
  });
  if (shifted[at]!.memsz === 0 || shifted.some(({ vaddr, offset }) => vaddr < 0 || offset < 0)) return undefined;
  const patches = file.patches
    ?.filter(({ offset }) => offset < fromOffset || offset >= fromOffset + bytes)
    .map((patch) => ({ ...patch, offset: down(patch.offset, fromOffset) }));
  const smaller = withSegments(best, index, shifted, {
    size: Math.max(file.size - bytes, 0),
    ...(file.entry === undefined ? {} : { entry: down(file.entry, from) }),
    ...(patches === undefined ? {} : { patches }),
  });
  if (smaller === undefined) return undefined;
  const offsets = best.ops.map((op) => mappedOffset(op, best.header, file, (offset) => down(offset, fromOffset)));
  return { ...smaller, ops: offsets.map((op) => movedOp(op, (address) => (isNear(address, file) ? down(address, from) : address))) };
}

/** An mmap of the file with its offset moved, in whole pages. */
function mappedOffset(op: Op, { files }: TraceHeader, file: FileSpec, move: (offset: number) => number): Op {
  if (op.op !== 'mmap' || op.path === undefined || op.offset === undefined) return op;
  const named = files.find(({ path, links = [] }) => path === op.path || links.includes(op.path!));
  return named === file ? { ...op, offset: floorToPage(move(op.offset)) } : op;
}

/** The program, and the ops near it, moved down. */
function moved(best: Candidate, index: number, by: number): Candidate | undefined {
  const file = best.header.files[index]!;
  const segments = file.segments!.map((segment) => ({ ...segment, vaddr: segment.vaddr - by }));
  const smaller = withSegments(best, index, segments, file.entry === undefined ? {} : { entry: Math.max(BASE, file.entry - by) });
  return smaller && { ...smaller, ops: best.ops.map((op) => movedOp(op, (address) => (isNear(address, file) ? address - by : address))) };
}

/** The same program with what its segments take from the file moved down in the file. */
function movedInFile(best: Candidate, index: number, by: number): Candidate | undefined {
  const file = best.header.files[index]!;
  const segments = file.segments!.map((segment) => ({ ...segment, offset: segment.offset - by }));
  const smaller = withSegments(best, index, segments, { size: file.size - by });
  const move = (offset: number): number => Math.max(0, offset - by);
  return smaller && { ...smaller, ops: best.ops.map((op) => mappedOffset(op, best.header, file, move)) };
}

function isNear(address: number, { segments = [] }: FileSpec): boolean {
  const start = Math.min(...segments.map(({ vaddr }) => vaddr));
  const end = Math.max(...segments.map(({ vaddr, memsz }) => vaddr + memsz));
  return floorToPage(start) <= address && address <= end + NEAR_BYTES;
}

/** An op whose addresses are moved; a touch of many pages keeps its first and its last. */
function movedOp(op: Op, move: (address: number) => number): Op {
  if (!('addr' in op)) return op;
  const addr = Math.max(0, move(op.addr));
  if (op.op !== 'touch' || op.pages === undefined) return { ...op, addr };
  const last = move(floorToPage(op.addr) + (op.pages - 1) * PAGE_BYTES);
  const pages = Math.max(1, (floorToPage(last) - floorToPage(addr)) / PAGE_BYTES + 1);
  const { pages: _, ...touch } = op;
  return pages === 1 ? { ...touch, addr } : { ...touch, addr, pages };
}
