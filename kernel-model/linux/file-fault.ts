/**
 * The first touch of a page of a file: the page cache's frame for readers and sharers, a copy for a private writer.
 *
 * A read also maps the pages around it that are in memory anyway: up to `faultAroundPages` of them, from the multiple of
 * that many below the page on, or from where the VMA begins. Behind the end of the file is nothing but SIGBUS, though a
 * read there still maps its neighbours. A page that a mapping may write is dirty from then on, so that no second fault is
 * needed to notice the first store: these files lie in memory.
 *
 * @see Linux mm/memory.c, do_fault and do_fault_around; mm/filemap.c, filemap_map_pages
 */
import type { AddressSpace } from '../address-space.ts';
import { cachedPage, isResident } from '../cache-fill.ts';
import { failed, type FaultOutcome } from '../fault-outcome.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { PROT_WRITE, withoutWrite } from '../pte.ts';
import { vaddrOf, vpn, vpnOf, PAGE_BYTES, type Vpn } from '../units.ts';
import type { Vma } from '../vma.ts';
import { expectPrivatePage, type Fault } from './access.ts';
import { claimFrames, fileIndexOf, setLeaf } from './leaf.ts';

/** Maps a page of a file that has no entry yet. */
export function* fileFault(k: Kernel, fault: Fault): Operation<FaultOutcome> {
  const { space, page, vma, access } = fault;
  if (access === 'store' && !vma.shared) return yield* privateCopy(k, fault);
  if (access !== 'store' && mapAround(k, fault)) return 'resolved';
  const outcome = mapCached(k, space, vma, page, 'fault');
  return outcome === 'behind the end' ? 'SIGBUS' : outcome === 'mapped' ? 'resolved' : failed(k, outcome);
}

/** Maps the cached page at `page`, which has no entry; the cache reads it in, or makes it, as needed. */
function mapCached(k: Kernel, space: AddressSpace, vma: Vma, page: Vpn, why: string): 'mapped' | 'behind the end' | 'ENOMEM' | 'EIO' {
  const { file } = vma.backing!;
  const index = fileIndexOf(vma, page);
  if (file.extentOf(index) === 0) return 'behind the end';
  const slot = k.tables.makePageSlot(space.root, page, k.tableSource);
  const frame = slot < 0 ? 'ENOMEM' : cachedPage(k, file, index);
  if (typeof frame === 'string') return frame === 'EIO' ? 'EIO' : 'ENOMEM';
  if (!k.hold(frame)) return 'ENOMEM';
  const mayWrite = vma.shared && (vma.prot & PROT_WRITE) !== 0;
  if (mayWrite) k.cache.setDirty(file, index, true);
  setLeaf(k, space, page, slot, frame, mayWrite ? vma.prot : withoutWrite(vma.prot), why);
  return 'mapped';
}

/** Maps what is in memory around the page. @returns whether the page itself is mapped now */
function mapAround(k: Kernel, { space, page, vma }: Fault): boolean {
  const { faultAroundPages } = k.parameters;
  if (faultAroundPages < 2) return false;
  const regionStart = k.tables.firstPageOf(k.tables.regionOf(page));
  const start = Math.max(page - ((page - regionStart) % faultAroundPages), vpnOf(vma.start));
  const end = k.rules.faultAroundEnd({
    wanted: start + faultAroundPages,
    vmaEnd: vpnOf(vma.end),
    regionEnd: regionStart + k.parameters.hugePages,
  });
  for (let near = vpn(start); near < end; near = vpn(near + 1)) {
    if (k.tables.entryAt(k.tables.pageSlot(space.root, near)) !== 0 || !isResident(k, vma.backing!.file, fileIndexOf(vma, near))) continue;
    if (mapCached(k, space, vma, near, near === page ? 'fault' : 'fault-around') !== 'mapped') break;
  }
  return k.tables.entryAt(k.tables.pageSlot(space.root, page)) !== 0;
}

/** A private store: the page is copied at once, and only this one. */
function* privateCopy(k: Kernel, fault: Fault): Operation<FaultOutcome> {
  const { space, page, vma, prot } = fault;
  expectPrivatePage(fault);
  const { file } = vma.backing!;
  const index = fileIndexOf(vma, page);
  if (file.extentOf(index) === 0) return 'SIGBUS';
  const cached = cachedPage(k, file, index);
  if (typeof cached === 'string') return failed(k, cached);
  const slot = k.tables.makePageSlot(space.root, page, k.tableSource);
  const frame = slot < 0 ? undefined : k.allocateFrame('data');
  if (frame === undefined) return failed(k, 'ENOMEM');
  k.memory.access.copy(cached, frame);
  k.provenance.noteCopy(cached, frame, 0, PAGE_BYTES, 'private copy');
  k.frames.refs[frame] = 1;
  claimFrames(k, frame, 1);
  yield 'fault.copied';
  k.emit({ type: 'cow_copy', pid: space.pid, vaddr: vaddrOf(page), from: cached, to: frame, refs: k.frames.refs[cached]! });
  setLeaf(k, space, page, slot, frame, prot, 'fault');
  return 'resolved';
}
