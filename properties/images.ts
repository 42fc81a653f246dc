/**
 * Random files: programs whose segments lie where kernels break, and files that change.
 *
 * A program's segments go upwards in memory and in the file, each file offset congruent to its address. Depending on the
 * layout classes they begin and end in mid-page, share a page of memory or only a page of the file, leave holes, cover
 * regions of huge pages wholly or but for a page, and end in zeros. A program may need a loader, so that several files lie
 * in one region.
 */
import type { FileSpec, SegmentSpec } from '../traces/header.ts';
import type { Stream } from '../sim/prng.ts';
import type { LayoutClass } from './swarm.ts';

const PAGE = 4096;

/** Where in a page things begin and end that are not aligned. */
const OFFSETS = [0, 1, 0x10, 0x1f0, 0xbf0, 0xc20, 0xff8, 0xfff] as const;

export interface ImageOptions {
  readonly layouts: ReadonlySet<LayoutClass>;
  readonly hugePages: number;
  /** Offsets that are no boundary in particular, instead of those that are. */
  readonly isUniform?: boolean;
}

/** The files of a run: programs `/a` and `/b`, with a loader `/ld` if the classes say so, and `/m` and `/n`, which can change. */
export function drawFiles(draw: Stream, options: ImageOptions): readonly FileSpec[] {
  const hasLoader = options.layouts.has('interpreter');
  const first = drawImage(draw, '/a', options);
  const second = drawImage(draw, '/b', options);
  const loader = hasLoader ? [{ ...drawImage(draw, '/ld', options), ...DYNAMIC }] : [];
  return [
    hasLoader && draw.chance(0.7) ? { ...first, ...DYNAMIC, interp: '/ld' } : first,
    hasLoader && draw.chance(0.3) ? { ...second, ...DYNAMIC } : second,
    ...loader,
    { path: '/m', size: draw.pick(SIZES), content: { seed: 'm' } },
    { path: '/n', size: draw.pick(SIZES), content: { seed: 'n' } },
  ].map(withRoomForHeaders);
}

const DYNAMIC = { type: 'dyn' } as const;
const SIZES = [0, 1, 100, 0xfff, 0x1000, 0x1001, 0x2345, 0x3000] as const;
const FLAGS: readonly SegmentSpec['flags'][] = ['rx', 'r', 'rw', 'rw', 'rwx'];
/** Base addresses of the first segment: region 0, and further up, at and beside the beginning of a region. */
const BASES = [0x1000, 0x1_0000, 0x1_0000, 0x1_0000, 0x1_1000, 0x1_3000] as const;

/** One program. */
function drawImage(draw: Stream, path: string, options: ImageOptions): FileSpec {
  const { layouts } = options;
  const segments: SegmentSpec[] = [];
  let vaddr: number = draw.pick(BASES) + (layouts.has('midPage') && draw.chance(0.3) ? drawOffset(draw, options) : 0);
  let fileEnd = 0;
  const count = 1 + draw.int(4);
  for (let i = 0; i < count; i++) {
    const offset = i === 0 ? 0 : nextOffset(draw, fileEnd, options);
    // The first segment begins with the file, where the headers lie.
    if (i === 0) vaddr -= vaddr % PAGE;
    else vaddr = nextAddress(draw, vaddr, offset % PAGE, options);
    const filesz = Math.max(i === 0 ? 0x400 : 1, drawFileBytes(draw, offset % PAGE, options));
    const memsz = filesz + drawZeroBytes(draw, options);
    segments.push({ vaddr, offset, filesz, memsz, flags: i === 0 ? 'rx' : draw.pick(FLAGS) });
    [vaddr, fileEnd] = [vaddr + memsz, offset + filesz];
  }
  return { path, size: fileEnd + (draw.chance(0.3) ? draw.pick([1, 0x800, PAGE]) : 0), segments, content: { seed: path } };
}

/** Where in the file a segment begins: behind the last one, in the same file page or not. */
function nextOffset(draw: Stream, fileEnd: number, options: ImageOptions): number {
  const { layouts } = options;
  if (layouts.has('sharedFilePage') && draw.chance(0.6)) return fileEnd + draw.pick([0, 0, 0x10, 0x200]);
  const nextPage = Math.ceil(fileEnd / PAGE) * PAGE;
  return layouts.has('midPage') && draw.chance(0.6) ? nextPage + drawOffset(draw, options) : nextPage;
}

/** Where a segment begins that lies `inPage` bytes into a page: in the page in which the last one ended, the next, or behind a hole. */
function nextAddress(draw: Stream, from: number, inPage: number, { layouts, hugePages }: ImageOptions): number {
  const samePage = Math.floor(from / PAGE) * PAGE + inPage;
  const nextPage = Math.ceil(from / PAGE) * PAGE + inPage;
  if (layouts.has('sharedPage') && samePage >= from && draw.chance(0.7)) return samePage;
  const region = hugePages * PAGE;
  if (layouts.has('hugeSegments') && draw.chance(0.4)) return Math.ceil(from / region) * region + inPage;
  return layouts.has('holes') && draw.chance(0.6) ? nextPage + draw.pick([1, 2, hugePages - 1, hugePages]) * PAGE : nextPage;
}

function drawFileBytes(draw: Stream, inPage: number, options: ImageOptions): number {
  const { layouts, hugePages } = options;
  const pages = layouts.has('hugeSegments') && draw.chance(0.6) ? draw.pick([hugePages - 1, hugePages, hugePages + 1]) : 1 + draw.int(3);
  // Where the file part ends: at a page's end, or in mid-page.
  const end = layouts.has('midPage') && draw.chance(0.7) ? pages * PAGE - PAGE + drawOffset(draw, options) : pages * PAGE;
  return end - inPage > 0 ? end - inPage : end - inPage + PAGE;
}

function drawZeroBytes(draw: Stream, { layouts, hugePages }: ImageOptions): number {
  if (!layouts.has('zeroTail') || draw.chance(0.4)) return 0;
  return draw.pick([1, 0x40, PAGE, 0x1410, 0x2345, hugePages * PAGE, hugePages * PAGE + 1]);
}

export const drawOffset = (draw: Stream, { isUniform }: Pick<ImageOptions, 'isUniform'>): number =>
  isUniform === true ? draw.int(PAGE) : draw.pick(OFFSETS);

/** The ELF headers of a small first segment still fit. */
function withRoomForHeaders(file: FileSpec): FileSpec {
  return file.segments === undefined ? file : { ...file, size: Math.max(file.size, 0x400) };
}
