/**
 * Reading file pages into the page cache, and writing them back.
 *
 * Files outside the initramfs have one coherent cache: every mapping, read and write goes through the page that is
 * cached here. Behind the end of the file a page is zero. A page is write-protected in every mapping before it is
 * written back, so that the next store is noticed.
 */
import type { AddressSpace } from './address-space.ts';
import type { Errno } from './errors.ts';
import type { File } from './file.ts';
import type { Kernel, Operation } from './kernel.ts';
import { frameOfPte, isLeaf, PTE_WRITE } from './pte.ts';
import { ceilToPage, vpnOf, PAGE_BYTES, type Pfn, type Vpn } from './units.ts';

/** The frame of a file page, read in if needed. @returns ENOMEM without a frame, EIO when the store fails */
export function cachedPage(k: Kernel, file: File, index: number): Pfn | Errno {
  const cached = k.cache.lookup(file, index);
  if (cached !== undefined) return cached.frame;
  const frame = k.allocateZeroed('data');
  if (frame === undefined) return 'ENOMEM';
  if (readInto(k, file, index * PAGE_BYTES, frame, 0, file.extentOf(index)) !== undefined) {
    k.freeFrame(frame);
    return 'EIO';
  }
  k.frames.refs[frame] = 1;
  k.cache.insert(file, index, { frame, dirty: false });
  k.emit({ type: 'cache_insert', path: file.path, index, frame, bytes: file.extentOf(index) });
  return frame;
}

/** Is the file page in memory? A file lies in memory as far as it was ever written; a hole only once somebody touched it. */
export const isResident = (k: Kernel, file: File, index: number): boolean => k.cache.lookup(file, index) !== undefined || file.holds(index);

/** Reads file bytes into a frame; a short read is completed by reading on. @returns EIO when the store fails */
export function readInto(k: Kernel, file: File, offset: number, frame: Pfn, start: number, length: number): Errno | undefined {
  let done = 0;
  while (done < length) {
    const got = readStore(k, file, offset + done, length - done);
    if (got === 'EIO') return got;
    if (got.length === 0) break;
    k.memory.access.fill(frame, start + done, got);
    k.provenance.note(frame, start + done, start + done + got.length, { kind: 'file', path: file.path, offset: offset + done });
    const isShort = got.length < length - done;
    done += got.length;
    if (isShort && k.rules.shortRead() === 'takeAsWhole') break;
  }
  return undefined;
}

function readStore(k: Kernel, file: File, offset: number, length: number): Uint8Array | 'EIO' {
  const faults = k.storeFaults;
  if (storeFails(k)) return 'EIO';
  const bytes = file.read(offset, length);
  if (faults.shortReadAt === 0 || --faults.shortReadAt > 0) return bytes;
  const got = bytes.subarray(0, Math.max(1, bytes.length - faults.shortReadBytes));
  k.emit({ type: 'short_read', path: file.path, offset, wanted: length, got: got.length });
  return got;
}

/** Does the injected failure strike now? */
function storeFails(k: Kernel): boolean {
  if (k.storeFaults.errorAt === 0 || --k.storeFaults.errorAt > 0) return false;
  k.counts.storeErrors++;
  return true;
}

/** Every valid entry that maps a file page in a live space, with where it is. */
function eachMappingOf(
  k: Kernel,
  file: File,
  index: number,
  visit: (space: AddressSpace, page: Vpn, slot: number, shared: boolean) => void,
): void {
  for (const space of k.spaces) {
    for (const vma of space.vmas.ascending) {
      if (vma.backing?.file !== file) continue;
      const address = vma.start + index * PAGE_BYTES - vma.backing.offset;
      if (address < vma.start - PAGE_BYTES || address >= vma.end) continue;
      const page = vpnOf(Math.max(address, vma.start));
      const slot = k.tables.pageSlot(space.root, page);
      if (k.tables.entryAt(slot) !== 0) visit(space, page, slot, vma.shared);
    }
  }
}

/** Writes one dirty page back. @returns EIO when the store fails; the page stays dirty then */
function* writeBack(k: Kernel, file: File, index: number): Operation<Errno | undefined> {
  const page = k.cache.lookup(file, index);
  if (page?.dirty !== true) return undefined;
  yield* writeProtect(k, file, index, page.frame);
  yield 'writeBack.protected';
  const bytes = k.rules.writeBackBytes(file.extentOf(index));
  if (storeFails(k)) {
    k.emit({ type: 'write_back', path: file.path, index, bytes: 0, error: 'EIO' });
    if (k.rules.failedWriteBack() === 'clean') k.cache.setDirty(file, index, false);
    return 'EIO';
  }
  file.write(index * PAGE_BYTES, k.memory.page(page.frame).slice(0, bytes));
  dropTail(k, file, index, page.frame);
  k.emit({ type: 'write_back', path: file.path, index, bytes });
  yield 'writeBack.stored';
  k.cache.setDirty(file, index, false);
  return undefined;
}

/** What was stored behind the end of the file goes with its write-back, as in Linux: the store never learns of it. */
function dropTail(k: Kernel, file: File, index: number, frame: Pfn): void {
  const extent = file.extentOf(index);
  if (
    !k.memory
      .page(frame)
      .subarray(extent)
      .some((byte) => byte !== 0)
  )
    return;
  k.memory.access.fill(frame, extent, new Uint8Array(PAGE_BYTES - extent));
  k.provenance.note(frame, extent, PAGE_BYTES, { kind: 'zero' });
}

function* writeProtect(k: Kernel, file: File, index: number, frame: Pfn): Operation<void> {
  const changed: [AddressSpace, Vpn][] = [];
  eachMappingOf(k, file, index, (space, page, slot) => {
    const entry = k.tables.entryAt(slot);
    if (!isLeaf(entry) || frameOfPte(entry) !== frame || (entry & PTE_WRITE) === 0) return;
    k.tables.setEntry(slot, entry & ~PTE_WRITE);
    changed.push([space, page]);
  });
  for (const [space, page] of changed) yield* k.flush(space, page, 1);
}

/** Writes back every dirty page of a file, or of a range of page indexes. @returns the first error; all pages are tried */
export function* writeBackAll(k: Kernel, file: File, from = 0, to = Infinity): Operation<Errno | undefined> {
  let error: Errno | undefined;
  const dirty = k.cache.pagesOf(file).filter(([index, page]) => page.dirty && from <= index && index < to);
  for (const [index] of dirty) error = (yield* writeBack(k, file, index)) ?? error;
  return error;
}

/** Drops a page of the cache that nobody maps. */
export function evictPage(k: Kernel, file: File, index: number): void {
  const page = k.cache.lookup(file, index);
  if (page === undefined) return;
  k.cache.remove(file, index);
  k.emit({ type: 'cache_evict', path: file.path, index, frame: page.frame });
  k.release(page.frame);
}

/** Gives back the pages of shared anonymous objects that no VMA maps any more. */
export function releaseUnmappedObjects(k: Kernel): void {
  if (k.sharedObjects.size === 0) return;
  const mapped = new Set([...k.spaces].flatMap((space) => space.vmas.ascending.map((vma) => vma.backing?.file)));
  for (const object of [...k.sharedObjects]) {
    if (mapped.has(object)) continue;
    for (const [index] of k.cache.pagesOf(object)) evictPage(k, object, index);
    k.sharedObjects.delete(object);
  }
}

/** The pages of a space that have an entry and show bytes of the file from page `fromIndex` on. */
export function pagesShowing(k: Kernel, space: AddressSpace, file: File, fromIndex: number): readonly Vpn[] {
  const pages: Vpn[] = [];
  for (const vma of space.vmas.ascending) {
    if (vma.backing?.file !== file) continue;
    const first = Math.max(vma.start, vma.start + fromIndex * PAGE_BYTES - vma.backing.offset);
    k.tables.eachPageIn(space.root, vpnOf(first), vpnOf(ceilToPage(vma.end)), (page) => pages.push(page));
  }
  return pages;
}
