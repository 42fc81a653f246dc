/** What the viewer shows of physical memory: the use of every frame, free lists, the page cache, and who holds one frame. */
import { floorTo, frameOfPte, hex, pfn, vaddrOf, type Kernel, type Pfn } from '../../kernel-model/index.ts';
import { describeProvenance } from '../finding.ts';
import { protOfEntry } from './page-pieces.ts';

export interface CachedPageView {
  readonly index: number;
  readonly frame: number;
  readonly refs: number;
  readonly isDirty: boolean;
}

export interface CachedFileView {
  readonly path: string;
  readonly pages: readonly CachedPageView[];
}

export interface HolderView {
  readonly text: string;
  /** Where a page-table entry maps it. */
  readonly pid?: number;
  readonly address?: number;
}

export interface FrameView {
  readonly frame: number;
  readonly use: string;
  readonly refs: number;
  readonly writePins: number;
  readonly holders: readonly HolderView[];
  readonly origins: readonly string[];
}

export interface FramesView {
  readonly total: number;
  /** By use the number of frames, `free` first. */
  readonly uses: Readonly<Record<string, number>>;
  /** Index into `useNames` of each frame up to the last that was ever in use. */
  readonly map: Uint8Array;
  /** References of the same frames, 255 for more. */
  readonly refs: Uint8Array;
  readonly useNames: readonly string[];
  /** Free blocks by order. */
  readonly freeBlocks: readonly number[];
  /** The frames of the two pools, newest last. */
  readonly singles: readonly number[];
  readonly zeroed: readonly number[];
  readonly cache: readonly CachedFileView[];
  readonly blocks: readonly { readonly path: string; readonly address: number; readonly frame: number; readonly populated: number }[];
  readonly selected: FrameView | undefined;
}

const USE_NAMES = ['free', 'single', 'zeroed', 'table', 'data', 'kernel'] as const;
const HOLDERS_MAX = 200;

export function viewFrames(kernel: Kernel, selected: number | undefined): FramesView {
  const { frames, allocator, cache } = kernel;
  const end = frames.touched.lastIndexOf(1) + 1;
  const map = Uint8Array.from({ length: end }, (_, frame) => USE_NAMES.indexOf(frames.useOf(pfn(frame))));
  const uses = Object.fromEntries(USE_NAMES.map((name) => [name, 0]));
  for (const use of map) uses[USE_NAMES[use]!]!++;
  uses['free']! += frames.count - end;
  const freeBlocks: number[] = [];
  allocator.eachFreeBlock((_block, order) => {
    freeBlocks[order] = (freeBlocks[order] ?? 0) + 1;
  });
  const [singles, zeroed] = allocator.pools();
  const files = new Map<string, CachedPageView[]>();
  cache.eachPage((file, index, { frame, dirty }) => {
    let pages = files.get(file.path);
    if (pages === undefined) files.set(file.path, (pages = []));
    pages.push({ index, frame, refs: frames.refs[frame]!, isDirty: dirty });
  });
  const blocks: { path: string; address: number; frame: number; populated: number }[] = [];
  cache.eachBlock(({ file, region, frame, populated }) => {
    blocks.push({
      path: file.path,
      address: vaddrOf(kernel.tables.firstPageOf(region)),
      frame,
      populated: populated.filter(Boolean).length,
    });
  });
  return {
    total: frames.count,
    uses,
    map,
    refs: Uint8Array.from({ length: end }, (_, frame) => Math.min(255, frames.refs[frame]!)),
    useNames: USE_NAMES,
    freeBlocks: Array.from(freeBlocks, (count: number | undefined) => count ?? 0),
    singles: [...singles],
    zeroed: [...zeroed],
    cache: [...files].map(([path, pages]) => ({ path, pages: pages.sort((a, b) => a.index - b.index) })),
    blocks,
    selected: selected === undefined || selected < 0 || selected >= frames.count ? undefined : viewFrame(kernel, pfn(selected)),
  };
}

function viewFrame(kernel: Kernel, frame: Pfn): FrameView {
  const { frames, provenance } = kernel;
  return {
    frame,
    use: frames.useOf(frame),
    refs: frames.refs[frame]!,
    writePins: frames.writePins[frame]!,
    holders: holdersOf(kernel, frame),
    origins: provenance
      .runsOf(frame)
      .slice(0, 20)
      .map(({ start, end, record }) => `${hex(start)}-${hex(end)}: ${describeProvenance(record, start)}`),
  };
}

function holdersOf(kernel: Kernel, frame: Pfn): readonly HolderView[] {
  const { hugePages } = kernel.parameters;
  const block = floorTo(frame, hugePages);
  const holders: HolderView[] = [];
  if (frame === kernel.vdsoFrame) holders.push({ text: 'the kernel: vDSO page' });
  kernel.cache.eachPage((file, index, page) => {
    if (page.frame === frame) holders.push({ text: `page cache: ${file.path}, page ${hex(index)}${page.dirty ? ', dirty' : ''}` });
  });
  kernel.cache.eachBlock(({ file, frame: first }) => {
    if (first === block) holders.push({ text: `huge-page cache: ${file.path}, page ${frame - first} of the block` });
  });
  for (const pin of kernel.pins.values())
    if (pin.frame === frame) holders.push({ text: `pin ${pin.id}${pin.writable ? ', may write' : ''}` });
  for (const space of kernel.spaces) {
    kernel.tables.eachTable(space.root, (table, level) => {
      if (table === frame) holders.push({ text: `page table of pid ${space.pid}, level ${level}` });
    });
    kernel.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
      const first = frameOfPte(entry);
      if (frame < first || frame >= first + (isHuge ? hugePages : 1)) return;
      const address = vaddrOf(page + frame - first);
      holders.push({
        text: `pid ${space.pid} at ${hex(address)}, ${protOfEntry(entry)}${isHuge ? ', huge leaf' : ''}`,
        pid: space.pid,
        address,
      });
    });
  }
  return holders.slice(0, HOLDERS_MAX);
}
