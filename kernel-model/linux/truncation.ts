/**
 * A file loses pages: behind its new end when it is truncated, in its middle when a hole is punched (MADV_REMOVE).
 *
 * Every mapping loses them too. Truncation takes even the private copies, and their bytes are lost; a hole leaves those.
 *
 * @see Linux mm/shmem.c, shmem_setattr and shmem_fallocate; mm/memory.c, unmap_mapping_range
 */
import { evictPage } from '../cache-fill.ts';
import type { File } from '../file.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { frameOfPte, isGuard } from '../pte.ts';
import { vaddrOf, vpn, vpnOf, PAGE_BYTES, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { isAnon } from './leaf.ts';
import { zapPages } from './zap.ts';

/** Takes the pages of a file from index `first` on out of every mapping, copies included. */
export function* unmapBehind(k: Kernel, file: File, first: number): Operation<void> {
  for (const space of k.spaces) {
    for (const vma of space.vmas.ascending) {
      if (vma.backing?.file !== file) continue;
      const [from, to] = pagesShowing(vma, first, Infinity);
      yield* zapPages(k, space, from, to);
    }
  }
}

/** Empties the pages [first, end) of a file, which keeps its size: they read as zero and take no memory. */
export function* punchHole(k: Kernel, file: File, first: number, end: number): Operation<void> {
  for (const space of k.spaces) {
    const pages: Vpn[] = [];
    for (const vma of space.vmas.ascending) {
      if (vma.backing?.file !== file) continue;
      k.tables.eachEntryIn(space.root, ...pagesShowing(vma, first, end), (page, entry) => {
        if (!isGuard(entry) && !isAnon(k, frameOfPte(entry))) pages.push(page);
      });
    }
    for (const page of pages) yield* zapPages(k, space, page, vpn(page + 1));
  }
  for (const [index] of k.cache.pagesOf(file)) if (first <= index && index < end) evictPage(k, file, index);
  file.punch(first, end);
}

/** The pages of a VMA that show the pages [first, end) of its file; an empty range if none does. */
function pagesShowing(vma: Vma, first: number, end: number): readonly [Vpn, Vpn] {
  const base = vma.start - vma.backing!.offset;
  const from = Math.max(vma.start, base + first * PAGE_BYTES);
  const to = Math.min(vma.end, base + end * PAGE_BYTES);
  return [vpnOf(Math.min(from, vma.end)), vpnOf(Math.max(to, vaddrOf(0)))];
}
