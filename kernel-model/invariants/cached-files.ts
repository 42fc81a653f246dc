/** The page cache against the files, and the files against what lies behind their ends. */
import type { Kernel } from '../kernel.ts';
import { frameOfPte, PTE_WRITE, rightsOfPte } from '../pte.ts';
import { hex, PAGE_BYTES, pfn, vaddrOf, type Pfn } from '../units.ts';
import { firstOverEntries, type Violation } from './violation.ts';

export function cacheTruth(k: Kernel): Violation | undefined {
  let violation: Violation | undefined;
  k.cache.eachPage((file, index, page) => {
    if (violation !== undefined || page.dirty || k.sharedObjects.has(file)) return;
    const at = k.memory.wordOf(page.frame);
    const stored = file.read(index * PAGE_BYTES, PAGE_BYTES);
    if (file.samePage(index, k.memory.words, at) || (!file.immutable && isTailStored(k, page.frame, file.extentOf(index), stored))) return;
    violation = {
      message: `the cached page ${index} of ${file.path} (frame ${hex(page.frame)}) differs from the file ${describeDifference(k, page.frame, stored)}`,
    };
  });
  return violation;
}

/** A shared mapping may store behind the end of the file without changing the file: then only the file's bytes count. */
function isTailStored(k: Kernel, frame: Pfn, extent: number, stored: Uint8Array): boolean {
  if (extent === PAGE_BYTES) return false;
  const page = k.memory.page(frame);
  for (let i = 0; i < extent; i++) if (page[i] !== stored[i]) return false;
  return true;
}

function describeDifference(k: Kernel, frame: Pfn, stored: Uint8Array): string {
  const page = k.memory.page(frame);
  for (let i = 0; i < PAGE_BYTES; i++) {
    const expected = stored[i] ?? 0;
    if (page[i] !== expected) return `at byte ${i}: ${hex(page[i]!)} instead of ${hex(expected)}`;
  }
  return 'nowhere';
}

export function cacheNoWritableAlias(k: Kernel): Violation | undefined {
  const cached = new Set<Pfn>([k.vdsoFrame]);
  const sharedBy = new Map<Pfn, string>();
  k.cache.eachPage((file, index, { frame }) => {
    cached.add(frame);
    sharedBy.set(frame, `${file.path} ${index}`);
  });
  k.cache.eachBlock(({ frame }) => {
    for (let i = 0; i < k.parameters.hugePages; i++) cached.add(pfn(frame + i));
  });
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    if ((rightsOfPte(entry) & PTE_WRITE) === 0) return undefined;
    for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) {
      const frame = pfn(frameOfPte(entry) + i);
      if (!cached.has(frame)) continue;
      const address = vaddrOf(page + i);
      const isShared = space.vmas
        .onPage(address)
        .some(
          (vma) =>
            vma.shared &&
            `${vma.backing!.file.path} ${Math.floor((vma.backing!.offset + address - vma.start) / PAGE_BYTES)}` === sharedBy.get(frame),
        );
      if (!isShared)
        return `page ${hex(address)} can write frame ${hex(frame)}, which the cache holds as ${sharedBy.get(frame) ?? 'part of a block'}`;
    }
    return undefined;
  });
}

export function cacheIndexUnique(k: Kernel): Violation | undefined {
  const owner = new Map<Pfn, string>();
  let violation: Violation | undefined;
  const claim = (frame: Pfn, name: string): void => {
    const other = owner.get(frame);
    if (other !== undefined) violation ??= { message: `frame ${hex(frame)} is cached as ${other} and as ${name}` };
    owner.set(frame, name);
  };
  k.cache.eachPage((file, index, { frame }) => {
    claim(frame, `${file.path} ${index}`);
  });
  k.cache.eachBlock(({ file, region, frame }) => {
    for (let i = 0; i < k.parameters.hugePages; i++) claim(pfn(frame + i), `${file.path} block ${region} page ${i}`);
  });
  return violation;
}

/** Bytes of the store behind the end of a file: write-back must not put any there. */
export function eofZeroTail(k: Kernel): Violation | undefined {
  for (const file of new Set(k.files.values())) {
    if (file.immutable || file.size % PAGE_BYTES === 0) continue;
    if (file.hasTail()) return { message: `the store of ${file.path} has bytes behind its end at ${file.size}` };
  }
  return undefined;
}
