/**
 * Huge-page assembly: a 2 MiB block built at exec from cached 4 KiB pages, kept for the next exec of the file.
 *
 * Kevlar does it; on Linux's design it is an experiment (design `assembles`). Each design maps a huge leaf in its own way.
 *
 * A region becomes a candidate when a VMA of an immutable file reaches into it; the block belongs to the file that came
 * first. Once the region has `assembleThreshold` cached pages, each page that holds bytes of the file is copied from the
 * cache or read. The block is mapped by one huge leaf where one VMA covers it whole, else page by page, each page with
 * the protection of its VMAs. The cache keeps one reference of every sub-frame.
 */
import { immutableFileVmas, type AddressSpace } from './address-space.ts';
import { readInto } from './cache-fill.ts';
import type { File } from './file.ts';
import type { Kernel, Operation } from './kernel.ts';
import { mapPage, holdHuge, releaseHuge } from './mapping.ts';
import { partsForAssembly, protectionOfPage, type FilePart } from './page-content.ts';
import type { HugeBlock } from './page-cache.ts';
import { ceilTo, ceilToPage, floorTo, pfn, vaddrOf, vpn, PAGE_BYTES, type Pfn } from './units.ts';
import type { Vma } from './vma.ts';

/** What a design does in its own way. */
export interface Assembler {
  /** Maps a block, whose references are taken, by one huge leaf over a region without entry. @returns false without a table */
  readonly mapHuge: (k: Kernel, space: AddressSpace, region: number, block: Pfn, prot: number, why: string) => boolean;
  /** Looks at a new block, made from these VMAs, before anybody maps it. */
  readonly verify: (k: Kernel, space: AddressSpace, vmas: readonly Vma[], block: HugeBlock) => void;
}

/** A region that may be assembled, and the file that it is assembled for. */
interface Candidate {
  readonly region: number;
  readonly file: File;
  /** All VMAs of immutable files in the space, in list order. */
  readonly vmas: readonly Vma[];
}

/** Maps a block in each region that the file parts of `vmas` reach into, if there is one or it can be made. @returns false when out of frames for tables */
export function* assembleRegions(k: Kernel, space: AddressSpace, vmas: readonly Vma[], assembler: Assembler): Operation<boolean> {
  for (const candidate of regionsOf(k, vmas)) if (!(yield* assembleOrReuse(k, space, candidate, assembler))) return false;
  return true;
}

/** The regions that the file parts of VMAs reach into behind their first whole page, each with the file of the VMA that came first. */
function regionsOf(k: Kernel, vmas: readonly Vma[]): readonly Candidate[] {
  const hugeBytes = k.parameters.hugePages * PAGE_BYTES;
  const owners = new Map<number, File>();
  for (const vma of vmas) {
    const first = floorTo(ceilToPage(vma.start), hugeBytes) / hugeBytes;
    const last = ceilTo(Math.min(vma.end, vma.start + vma.backing!.fileBytes), hugeBytes) / hugeBytes;
    for (let region = first; region < last; region++) if (!owners.has(region)) owners.set(region, vma.backing!.file);
  }
  return [...owners].map(([region, file]) => ({ region, file, vmas }));
}

/** Maps the region's block, making it first if enough of the region is cached. */
function* assembleOrReuse(k: Kernel, space: AddressSpace, candidate: Candidate, assembler: Assembler): Operation<boolean> {
  const { region, file } = candidate;
  if (region === 0 && !k.rules.mayAssembleRegionZero()) return true;
  if (k.tables.entryAt(k.tables.regionSlot(space.root, region)) !== 0) return true;
  const key = k.rules.hugeBlockKey({ region, layout: layoutOf(k, candidate) });
  const known = k.cache.lookupBlock(file, key);
  if (known !== undefined) {
    k.emit({ type: 'huge_cache_hit', pid: space.pid, huge_base: baseOf(k, region), frame: known.frame });
    return mapBlock(k, space, known, assembler);
  }
  const cached = countCached(k, candidate);
  if (cached < k.parameters.assembleThreshold) return true;
  const frame = k.allocateHuge('data');
  if (frame === undefined) return true;
  const block = yield* assemble(k, space, candidate, frame, cached);
  assembler.verify(k, space, candidate.vmas, block);
  for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) k.frames.refs[frame + i] = 1;
  k.cache.insertBlock(key, block);
  return mapBlock(k, space, block, assembler);
}

const baseOf = (k: Kernel, region: number): number => vaddrOf(k.tables.firstPageOf(region));

/** Which file bytes lie where in the region: two execs may only share a block if this is equal. */
function layoutOf(k: Kernel, { region, vmas }: Candidate): string {
  const start = baseOf(k, region);
  const end = baseOf(k, region + 1);
  return vmas
    .filter((vma) => vma.start < end && start < vma.end)
    .map((vma) => `${vma.start}:${vma.end}:${vma.backing!.file.path}:${vma.backing!.offset}:${vma.backing!.fileBytes}`)
    .join(' ');
}

/** Pages of the region whose start lies in a VMA's file part and whose file page is cached. */
function countCached(k: Kernel, { region, file, vmas }: Candidate): number {
  let count = 0;
  for (let i = 0; i < k.parameters.hugePages; i++) {
    const address = vaddrOf(k.tables.firstPageOf(region) + i);
    const vma = vmas.find((one) => one.backing!.file === file && one.start <= address && address < one.end);
    if (vma === undefined || address - vma.start >= vma.backing!.fileBytes) continue;
    if (k.cache.lookup(file, Math.floor((vma.backing!.offset + address - vma.start) / PAGE_BYTES)) !== undefined) count++;
  }
  return count;
}

/** The most cached pages of a region of this space: the greatest threshold at which it would be assembled now. For reports. */
export function mostCachedPages(k: Kernel, space: AddressSpace): number {
  if (!k.design.assembles) return 0;
  return Math.max(0, ...regionsOf(k, immutableFileVmas(space)).map((candidate) => countCached(k, candidate)));
}

function* assemble(k: Kernel, space: AddressSpace, candidate: Candidate, frame: Pfn, cached: number): Operation<HugeBlock> {
  const { region, file } = candidate;
  const pid = space.pid;
  const huge_base = baseOf(k, region);
  k.emit({ type: 'assembly_begin', pid, huge_base, cached, threshold: k.parameters.assembleThreshold, frame });
  const populated: boolean[] = [];
  for (let i = 0; i < k.parameters.hugePages; i++) {
    populated.push(fillSubPage(k, space, candidate, i, pfn(frame + i)));
    if (populated[i] === true) yield 'assembly.page-filled';
  }
  const block: HugeBlock = { file, region, frame, populated };
  k.counts.assemblies++;
  k.emit({ type: 'assembly_end', pid, huge_base, populated: populated.filter((is) => is).length });
  return block;
}

/** @returns true if the page holds bytes of the file */
function fillSubPage(k: Kernel, space: AddressSpace, { region, file, vmas }: Candidate, index: number, frame: Pfn): boolean {
  const pageStart = vaddrOf(k.tables.firstPageOf(region) + index);
  const parts = partsForAssembly(k.rules, vmas, file, pageStart);
  const done = parts.every((part) => fillFromPart(k, space, baseOf(k, region), index, part, frame));
  if (done) return parts.length > 0;
  k.memory.access.zero(frame);
  return false;
}

/** @returns false when the store failed */
function fillFromPart(k: Kernel, space: AddressSpace, huge_base: number, sub_page: number, part: FilePart, frame: Pfn): boolean {
  const { file, index, fileOffset, fill } = part;
  const cached = k.cache.lookup(file, index);
  const source = cached === undefined ? 'file' : k.rules.assemblySource(fill);
  const [start, end] = source === 'cachedPage' ? [0, PAGE_BYTES] : [fill.start, fill.start + fill.length];
  k.emit({ type: 'assembly_page', pid: space.pid, huge_base, sub_page, source, file_offset: fileOffset, start, end });
  if (cached === undefined || source === 'file') return readInto(k, file, fileOffset, frame, fill.start, fill.length) === undefined;
  k.memory.access.copyRange(cached.frame, frame, start, end);
  k.provenance.noteCopy(cached.frame, frame, start, end, 'assembly');
  return true;
}

/** Maps a block whose region has no entry yet. A mapping that has to share a full count is left to faults. */
function mapBlock(k: Kernel, space: AddressSpace, block: HugeBlock, assembler: Assembler): boolean {
  const first = k.tables.firstPageOf(block.region);
  const start = vaddrOf(first);
  const end = vaddrOf(first + k.parameters.hugePages);
  const vmas = space.vmas.overlapping(start, end);
  const isWhole = vmas.length === 1 && vmas[0]!.start <= start && end <= vmas[0]!.end && block.populated.every((is) => is);
  if (k.rules.assemblyMapping({ coveredByOneVma: isWhole }) === 'pages') return mapBlockPages(k, space, block);
  if (!holdHuge(k, block.frame)) return true;
  const prot = k.rules.prefaultProtection(vmas[0]?.prot ?? 0);
  if (assembler.mapHuge(k, space, block.region, block.frame, prot, 'assembly')) return true;
  releaseHuge(k, block.frame);
  return false;
}

function mapBlockPages(k: Kernel, space: AddressSpace, block: HugeBlock): boolean {
  const first = k.tables.firstPageOf(block.region);
  for (let i = 0; i < k.parameters.hugePages; i++) {
    const page = vpn(first + i);
    const onPage = space.vmas.onPage(vaddrOf(page));
    const vma = onPage.find((one) => one.backing?.file === block.file);
    if (block.populated[i] !== true || vma === undefined || k.tables.entryOf(space.root, page) !== 0) continue;
    const prot = k.rules.prefaultProtection(protectionOfPage(k.rules, onPage, vma));
    const frame = pfn(block.frame + i);
    if (prot === 0 || !k.hold(frame)) continue;
    if (mapPage(k, space, page, frame, prot, 'assembly')) continue;
    k.release(frame);
    return false;
  }
  return true;
}
