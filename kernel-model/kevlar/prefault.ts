/**
 * What exec maps ahead of any fault: assembled blocks, cached file pages, and small anonymous areas.
 *
 * Pass 1 assembles or reuses a block for each region that the file's VMAs reach (../assembly.ts). Pass 2 maps the cached
 * pages that lie whole inside a VMA. What the first prefault of a file mapped is remembered as a template and replayed
 * while the page cache has not changed. All of it is shared frames, so nothing is mapped writable.
 */
import { immutableFileVmas, type AddressSpace } from '../address-space.ts';
import { assembleRegions, type Assembler } from '../assembly.ts';
import type { File } from '../file.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { holdHuge, mapHuge, mapPage, releaseHuge } from '../mapping.ts';
import { filePartsOf, isAlone, protectionOfPage } from '../page-content.ts';
import { frameOfPte, isLeaf } from '../pte.ts';
import type { TemplatePage } from '../template.ts';
import { ceilToPage, pfn, vaddrOf, vpn, vpnOf, PAGE_BYTES, type Vpn } from '../units.ts';
import { verifyHugePageAssembly } from './verifiers.ts';
import type { Vma } from '../vma.ts';

const ASSEMBLER: Assembler = {
  mapHuge: (k, space, region, block, prot, why) => mapHuge(k, space, k.tables.firstPageOf(region), block, prot, why),
  verify: (k, space, vmas, block) => {
    if (k.parameters.verify) verifyHugePageAssembly(k, space, vmas, block);
  },
};

/** Passes 1 and 2. With an empty cache there is nothing to do, and no block is looked for. @returns false when out of frames */
export function* prefaultCachedPages(k: Kernel, space: AddressSpace, program: File): Operation<boolean> {
  if (k.cache.size === 0) return true;
  const replayed = replayTemplate(k, space, program);
  if (replayed !== 'none') return replayed === 'done';
  const vmas = immutableFileVmas(space);
  if (!(yield* assembleRegions(k, space, vmas, ASSEMBLER))) return false;
  for (const vma of vmas) if (!mapCachedPages(k, space, vma)) return false;
  recordTemplate(k, space, program);
  return true;
}

function mapCachedPages(k: Kernel, space: AddressSpace, vma: Vma): boolean {
  const { fileBytes } = vma.backing!;
  for (let address = ceilToPage(vma.start); address + PAGE_BYTES <= vma.end && address - vma.start < fileBytes;) {
    const page = vpnOf(address);
    if (k.tables.hugeLeafOf(space.root, page) !== 0) {
      address = vaddrOf(k.tables.firstPageOf(k.tables.regionOf(page) + 1));
      continue;
    }
    if (!mapCachedPage(k, space, vma, page)) return false;
    address = vaddrOf(page + 1);
  }
  return true;
}

/** Maps one page from the cache if it is there, may be used, and the page has no entry yet. @returns false when out of tables */
function mapCachedPage(k: Kernel, space: AddressSpace, vma: Vma, page: Vpn): boolean {
  const part = filePartsOf([vma], vaddrOf(page))[0];
  if (part === undefined || !k.rules.prefaultMayUseCache(part.fill)) return true;
  const cached = k.cache.lookup(part.file, part.index);
  if (cached === undefined || k.tables.entryOf(space.root, page) !== 0 || !k.hold(cached.frame)) return true;
  if (mapPage(k, space, page, cached.frame, k.rules.prefaultProtection(vma.prot), 'prefault')) return true;
  k.release(cached.frame);
  return false;
}

// ---- Small anonymous areas.

/** Populates anonymous VMAs, and the parts of file VMAs behind their file, of 1 to `prefaultPagesMax` whole pages. */
export function prefaultSmallAnonymous(k: Kernel, space: AddressSpace): boolean {
  for (const vma of space.vmas.list) {
    if (vma.prot === 0 || vma.shared) continue;
    const zeroFrom = vma.backing === undefined ? vma.start : vma.start + vma.backing.fileBytes;
    const first = vpnOf(ceilToPage(zeroFrom));
    const count = Math.floor((vma.end - (vma.backing === undefined ? zeroFrom : vaddrOf(first))) / PAGE_BYTES);
    if (count < 1 || count > k.parameters.prefaultPagesMax) continue;
    for (let page = first; vaddrOf(page + 1) <= vma.end; page = vpn(page + 1)) {
      if (!mapZeroPage(k, space, vma, page)) return false;
    }
  }
  return true;
}

function mapZeroPage(k: Kernel, space: AddressSpace, vma: Vma, page: Vpn): boolean {
  if (k.tables.entryOf(space.root, page) !== 0) return true;
  const onPage = space.vmas.onPage(vaddrOf(page));
  if (!isAlone(onPage, vaddrOf(page)) && k.rules.pageContent() === 'everyVma') return true;
  const frame = k.allocateZeroed('data');
  if (frame === undefined) return false;
  k.frames.refs[frame] = 1;
  if (mapPage(k, space, page, frame, protectionOfPage(k.rules, onPage, vma), 'small anonymous')) return true;
  k.release(frame);
  return false;
}

// ---- Templates.

/** @returns `none` if there is no template to use */
function replayTemplate(k: Kernel, space: AddressSpace, program: File): 'none' | 'done' | 'outOfFrames' {
  if (!k.parameters.prefaultTemplates) return 'none';
  const template = k.templates.get(program);
  if (template === undefined || template.prefaulted.length === 0) return 'none';
  if (!k.rules.templateIsCurrent({ recorded: template.generation, now: k.cache.generation })) return 'none';
  for (const entry of template.prefaulted) if (!replayPage(k, space, entry)) return 'outOfFrames';
  k.emit({ type: 'template_replayed', pid: space.pid, path: program.path, pages: template.prefaulted.length });
  return 'done';
}

function replayPage(k: Kernel, space: AddressSpace, { page, frame, prot, isHuge }: TemplatePage): boolean {
  if (k.tables.entryOf(space.root, page) !== 0) return true;
  const granted = k.rules.templateProtection(prot);
  if (!isHuge) {
    if (!k.hold(frame)) return true;
    if (mapPage(k, space, page, frame, granted, 'template')) return true;
    k.release(frame);
    return false;
  }
  if (!holdHuge(k, frame)) return true;
  if (mapHuge(k, space, page, frame, granted, 'template')) return true;
  releaseHuge(k, frame);
  return false;
}

/** Remembers what the two passes mapped of the program's file. */
function recordTemplate(k: Kernel, space: AddressSpace, program: File): void {
  const template = k.templates.get(program);
  if (!k.parameters.prefaultTemplates || template === undefined) return;
  const prefaulted: TemplatePage[] = [];
  k.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
    if (!isLeaf(entry)) return;
    const onPage = space.vmas.onPage(vaddrOf(page));
    const vma = onPage.find((one) => one.role !== 'pad') ?? onPage[0];
    if (vma === undefined) return;
    prefaulted.push({ page, frame: pfn(frameOfPte(entry)), prot: protectionOfPage(k.rules, onPage, vma), isHuge });
  });
  k.templates.set(program, { ...template, prefaulted, generation: k.cache.generation });
}
