/**
 * What happens to files besides mapping them: read, write, truncate, a size that changes from outside, reclaim, pins.
 *
 * All of it goes through the one page cache, so mappings and calls see the same bytes. Truncation zeroes the tail of
 * the last page and takes away whole pages behind it, copied ones included, as Linux does.
 */
import { cachedPage, evictPage, pagesShowing } from './cache-fill.ts';
import type { Errno } from './errors.ts';
import type { File } from './file.ts';
import type { Cpu, Kernel, Operation, Process } from './kernel.ts';
import { dropHugeZeroPage } from './linux/huge.ts';
import { unmapBehind } from './linux/truncation.ts';
import { unmapPages } from './mapping.ts';
import { reach, type Refusal } from './mmu.ts';
import { pfn, vpn, vpnOf, PAGE_BYTES } from './units.ts';

/** Reads file bytes through the cache, page by page. @returns how many there were, fewer at the end of the file */
export function readFile(
  k: Kernel,
  file: File,
  offset: number,
  lengthBytes: number,
  take: (offset: number, bytes: Uint8Array) => void,
): number | Errno {
  const wanted = Math.max(0, Math.min(lengthBytes, file.size - offset));
  for (let done = 0; done < wanted;) {
    const at = offset + done;
    const length = Math.min(wanted - done, PAGE_BYTES - (at % PAGE_BYTES));
    const source = pageBytes(k, file, Math.floor(at / PAGE_BYTES));
    if (typeof source === 'string') return done > 0 ? done : source;
    take(at, source.subarray(at % PAGE_BYTES, (at % PAGE_BYTES) + length));
    done += length;
  }
  return wanted;
}

/** A page of the file: from the cache if it is there; neither a file of the initramfs nor a hole is read into it by calls. */
function pageBytes(k: Kernel, file: File, index: number): Uint8Array | Errno {
  // Linux makes no page of a hole for a reader.
  if (k.cache.lookup(file, index) === undefined && (file.immutable || (k.design.name === 'linux' && !file.holds(index)))) {
    const page = new Uint8Array(PAGE_BYTES);
    page.set(file.read(index * PAGE_BYTES, PAGE_BYTES));
    return page;
  }
  const frame = cachedPage(k, file, index);
  return typeof frame === 'string' ? frame : k.memory.page(frame);
}

/** Does some process run the file? Then it cannot change. */
const isExecuted = (k: Kernel, file: File): boolean =>
  [...k.spaces].some((space) => space.vmas.ascending.some((vma) => vma.role === 'segment' && vma.backing?.file === file));

/** Writes file bytes into the cache and marks them dirty; the file grows as needed. @returns bytes written */
export function writeFile(k: Kernel, pid: number, file: File, offset: number, bytes: Uint8Array): number | Errno {
  if (file.immutable || isExecuted(k, file)) return 'ETXTBSY';
  for (let done = 0; done < bytes.length;) {
    const at = offset + done;
    const length = Math.min(bytes.length - done, PAGE_BYTES - (at % PAGE_BYTES));
    const index = Math.floor(at / PAGE_BYTES);
    const frame = cachedPage(k, file, index);
    if (typeof frame === 'string') return done > 0 ? done : frame;
    if (at + length > file.size) {
      prepareGrowth(k, file);
      setSize(k, file, at + length);
    }
    const start = at % PAGE_BYTES;
    k.memory.access.fill(frame, start, bytes.subarray(done, done + length));
    k.provenance.note(frame, start, start + length, { kind: 'write', pid });
    k.cache.setDirty(file, index, true);
    done += length;
  }
  return bytes.length;
}

/**
 * What a write of Linux does before it looks at its buffer: the page is there, and the file reaches up to `offset`. So it
 * stays if the buffer cannot be read.
 */
export function beginWrite(k: Kernel, file: File, offset: number): void {
  if (file.immutable || isExecuted(k, file) || typeof cachedPage(k, file, Math.floor(offset / PAGE_BYTES)) === 'string') return;
  if (offset <= file.size) return;
  prepareGrowth(k, file);
  setSize(k, file, offset);
}

function setSize(k: Kernel, file: File, size: number): void {
  k.emit({ type: 'file_resized', path: file.path, from: file.size, to: size });
  file.resize(size);
}

/** Sets the size of a file. @returns ETXTBSY for a file of the initramfs */
export function* truncate(k: Kernel, file: File, size: number): Operation<0 | Errno> {
  if (file.immutable || isExecuted(k, file)) return 'ETXTBSY';
  const oldSize = file.size;
  if (size > oldSize) prepareGrowth(k, file);
  else zeroTail(k, file, size);
  setSize(k, file, size);
  if (size < oldSize) yield* dropPagesBehind(k, file, Math.ceil(size / PAGE_BYTES));
  return 0;
}

/** The size changes underneath; `gained` is what the store has behind the old end then, and the cached last page must follow. */
export function* resizeFromOutside(k: Kernel, file: File, size: number, gained: Uint8Array): Operation<0 | Errno> {
  const oldSize = file.size;
  const result = yield* truncate(k, file, size);
  if (result !== 0 || gained.length === 0) return result;
  file.write(oldSize, gained);
  const page = k.cache.lookup(file, Math.floor(oldSize / PAGE_BYTES));
  if (page === undefined || !k.rules.growthReachesCache()) return 0;
  const start = oldSize % PAGE_BYTES;
  k.memory.access.fill(page.frame, start, gained);
  k.provenance.note(page.frame, start, start + gained.length, { kind: 'file', path: file.path, offset: oldSize });
  return 0;
}

/** The tail behind the end may hold what a mapping stored there: a larger file reads zero, or shows it. */
function prepareGrowth(k: Kernel, file: File): void {
  if (k.design.showsTail) k.cache.setDirty(file, Math.floor(file.size / PAGE_BYTES), true);
  else zeroTail(k, file, file.size);
}

function zeroTail(k: Kernel, file: File, end: number): void {
  const start = end % PAGE_BYTES;
  const page = k.cache.lookup(file, Math.floor(end / PAGE_BYTES));
  if (start === 0 || page === undefined) return;
  k.memory.access.fill(page.frame, start, new Uint8Array(PAGE_BYTES - start));
  k.provenance.note(page.frame, start, PAGE_BYTES, { kind: 'zero' });
}

function* dropPagesBehind(k: Kernel, file: File, firstIndex: number): Operation<void> {
  if (k.design.name === 'linux') yield* unmapBehind(k, file, firstIndex);
  else yield* unmapEverywhere(k, file, firstIndex);
  for (const [index] of k.cache.pagesOf(file)) if (index >= firstIndex) evictPage(k, file, index);
}

function* unmapEverywhere(k: Kernel, file: File, firstIndex: number): Operation<void> {
  for (const space of k.spaces) {
    for (const page of pagesShowing(k, space, file, firstIndex)) yield* unmapPages(k, space, page, vpn(page + 1), true);
  }
}

/** Drops up to `pages` clean pages and blocks that nobody maps, in order of insertion. @returns how many frames */
export function reclaim(k: Kernel, pages: number): number {
  let freed = 0;
  const idle: [File, number][] = [];
  k.cache.eachPage((file, index, page) => {
    if (!page.dirty && !k.sharedObjects.has(file) && k.frames.refs[page.frame] === 1) idle.push([file, index]);
  });
  for (const [file, index] of idle.slice(0, pages)) {
    evictPage(k, file, index);
    freed++;
  }
  return freed + reclaimBlocks(k, pages - freed);
}

function reclaimBlocks(k: Kernel, frames: number): number {
  const { hugePages } = k.parameters;
  const idle: [File, string, number][] = [];
  k.cache.eachBlock((block, key) => {
    for (let i = 0; i < hugePages; i++) if (k.frames.refs[block.frame + i]! > 1) return;
    idle.push([block.file, key, block.frame]);
  });
  const taken = idle.slice(0, Math.floor(Math.max(0, frames) / hugePages));
  for (const [file, key, first] of taken) {
    k.cache.removeBlock(file, key);
    for (let i = 0; i < hugePages; i++) k.freeFrame(pfn(first + i));
  }
  return taken.length * hugePages;
}

/** Drops the whole cache; what is still mapped stays with its mappings. For the end of a run. */
export function dropCaches(k: Kernel): void {
  const pages: [File, number][] = [];
  k.cache.eachPage((file, index) => pages.push([file, index]));
  for (const [file, index] of pages) evictPage(k, file, index);
  const blocks: [File, string, number][] = [];
  k.cache.eachBlock((block, key) => blocks.push([block.file, key, block.frame]));
  for (const [file, key, first] of blocks) {
    k.cache.removeBlock(file, key);
    for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) k.release(pfn(first + i));
  }
  dropHugeZeroPage(k);
}

// ---- Pins.

/** Pins the frame of a page, as a device transfer does, so that it stays where it is. @returns EFAULT if it cannot be reached */
export function* pin(k: Kernel, cpu: Cpu, { space }: Process, id: number, address: number, writable: boolean): Operation<0 | Errno> {
  if (k.pins.has(id)) return 'EEXIST';
  const at: number | Refusal = yield* reach(k, cpu, space, address, writable ? 'store' : 'load');
  if (typeof at === 'string') return 'EFAULT';
  const frame = pfn(Math.floor((at - k.memory.frameBase) / PAGE_BYTES));
  if (!k.hold(frame)) return 'ENOMEM';
  if (writable) k.frames.writePins[frame]!++;
  k.pins.set(id, { id, frame, space, page: vpnOf(address), writable });
  return 0;
}
