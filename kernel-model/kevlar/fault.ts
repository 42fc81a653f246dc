/**
 * The page fault, in Kevlar's order: find the VMA, prepare the page, refuse or map it, or settle what the entry that is
 * already there means.
 *
 * The page is prepared before the entry is looked at, because reading a file may sleep. What turns out not to be needed
 * is given back (rule `unneededPage`). The page-cache insertion comes after the mapping.
 */
import { failed, resolvedFault, rightFor, unmappedFault, type FaultOutcome } from '../fault-outcome.ts';
import type { AddressSpace } from '../address-space.ts';
import { cachedPage, readInto } from '../cache-fill.ts';
import { type Signal } from '../errors.ts';
import { actionFor } from './fault-table.ts';
import type { File } from '../file.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { mapHuge, splitHuge } from '../mapping.ts';
import { allows, filePartsOf, protectionOfPage, vmaOfFault } from '../page-content.ts';
import { frameOfPte, isValid, leafPte, protName, rightsOfPte, PROT_NONE, PROT_WRITE, withoutWrite, type Access } from '../pte.ts';
import type { Rules } from '../rules.ts';
import { floorToPage, pfn, vaddrOf, vpn, vpnOf, PAGE_BYTES, type Pfn, type Vpn } from '../units.ts';
import { vmaType, type Vma } from '../vma.ts';

interface Fault {
  readonly space: AddressSpace;
  readonly address: number;
  readonly page: Vpn;
  readonly access: Access;
  readonly vma: Vma;
  readonly onPage: readonly Vma[];
  /** PROT bits of the page. */
  readonly prot: number;
}

/** A frame with the page's bytes, and one reference taken for the entry to come. */
interface Prepared {
  readonly frame: Pfn;
  /** The frame belongs to the page cache. */
  readonly isCached: boolean;
  /** Where to insert the frame into the cache once it is mapped. */
  readonly insert: { readonly file: File; readonly index: number; readonly bytes: number } | undefined;
}

/** Resolves a fault at `address`, or says which signal the access earns. */
export function* faultIn(k: Kernel, space: AddressSpace, address: number, access: Access): Operation<FaultOutcome> {
  k.counts.faults++;
  const onPage = space.vmas.onPage(address);
  const vma = vmaOfFault(k.rules, space.vmas.containing(address), onPage);
  if (vma === undefined) {
    k.emit(unmappedFault(space, address));
    return 'SIGSEGV';
  }
  const prot = protectionOfPage(k.rules, onPage, vma);
  const asked: Fault = { space, address, page: vpnOf(address), access, vma, onPage, prot };
  const answer = allows(prot, access) ? 'grant' : refusalOf(k, asked);
  const fault = answer === 'copy' ? { ...asked, prot: prot | PROT_WRITE } : asked;

  const prepared = preparePage(k, fault);
  if (answer === 'signal') {
    if (typeof prepared !== 'string') discard(k, prepared);
    return 'SIGSEGV';
  }
  if (typeof prepared === 'string') return prepared;
  k.emit(resolvedFault(space, address, vma));
  yield 'fault.page-prepared';

  const huge = yield* tryHugeAnonymous(k, fault, prepared);
  if (huge !== undefined) return huge;
  if (!(yield* splitHuge(k, space, fault.page))) return outOfFrames(k, prepared);
  const slot = k.tables.makePageSlot(space.root, fault.page, k.tableSource);
  if (slot < 0) return outOfFrames(k, prepared);
  const entry = k.tables.entryAt(slot);
  if (entry !== 0) {
    discard(k, prepared);
    return yield* settleEntry(k, fault, slot, entry);
  }
  mapPrepared(k, fault, prepared, slot);
  if (vma.backing === undefined) mapNeighbours(k, fault);
  return 'resolved';
}

/** What becomes of an access that the protection refuses; to memory without any rights always a signal. */
function refusalOf(k: Kernel, { space, page, access, vma, prot }: Fault): ReturnType<Rules['refusedAccess']> {
  if (prot === PROT_NONE) return 'signal';
  return k.rules.refusedAccess({ access, shared: vma.shared, isPresent: k.tables.entryOf(space.root, page) !== 0 });
}

// ---- Preparing the page.

function preparePage(k: Kernel, fault: Fault): Prepared | Signal {
  const { backing, shared, role } = fault.vma;
  if (backing !== undefined && role === 'mapping' && (shared || !backing.file.immutable)) return prepareCoherent(k, fault, backing.file);
  const pageStart = vaddrOf(fault.page);
  const isEverybody = k.rules.pageContent() === 'everyVma';
  const parts = filePartsOf(isEverybody ? fault.onPage : [fault.vma], pageStart);
  const whole = parts.length === 1 ? parts[0]! : undefined;

  if (whole !== undefined && whole.file.immutable && k.rules.faultMayUseCache(whole.fill)) {
    const cached = k.cache.lookup(whole.file, whole.index);
    if (cached !== undefined) {
      if (!k.hold(cached.frame)) return 'SIGKILL';
      k.emit({ type: 'cache_hit', pid: fault.space.pid, path: whole.file.path, index: whole.index, frame: cached.frame });
      return { frame: cached.frame, isCached: true, insert: undefined };
    }
  }
  const frame = k.allocateZeroed('data');
  if (frame === undefined) return failed(k, 'ENOMEM');
  k.frames.refs[frame] = 1;
  for (const part of parts) {
    if (readInto(k, part.file, part.fileOffset, frame, part.fill.start, part.fill.length) === undefined) continue;
    k.freeFrame(frame);
    return failed(k, 'EIO');
  }
  const isCacheable = whole !== undefined && whole.file.immutable && k.rules.mayCache(whole.fill);
  return {
    frame,
    isCached: false,
    insert: isCacheable ? { file: whole.file, index: whole.index, bytes: whole.fill.length } : undefined,
  };
}

/** A page of a file outside the initramfs: the cached frame itself, or for a private store a copy of it. */
function prepareCoherent(k: Kernel, { vma, page, access }: Fault, file: File): Prepared | Signal {
  const offset = vma.backing!.offset + Math.max(vaddrOf(page), vma.start) - vma.start;
  const index = Math.floor(offset / PAGE_BYTES);
  if (file.extentOf(index) === 0) return 'SIGBUS';
  const cached = cachedPage(k, file, index);
  if (typeof cached === 'string') return failed(k, cached);
  if (vma.shared || access !== 'store') return k.hold(cached) ? { frame: cached, isCached: true, insert: undefined } : 'SIGKILL';
  const frame = k.allocateFrame('data');
  if (frame === undefined) return failed(k, 'ENOMEM');
  k.memory.access.copy(cached, frame);
  k.provenance.noteCopy(cached, frame, 0, PAGE_BYTES, 'private copy');
  k.frames.refs[frame] = 1;
  return { frame, isCached: false, insert: undefined };
}

function discard(k: Kernel, prepared: Prepared): void {
  if (k.rules.unneededPage() === 'free') k.freeFrame(prepared.frame);
  else k.release(prepared.frame);
}

function outOfFrames(k: Kernel, prepared: Prepared): FaultOutcome {
  discard(k, prepared);
  return failed(k, 'ENOMEM');
}

// ---- Mapping it.

function mapPrepared(k: Kernel, { space, page, vma, prot, access }: Fault, prepared: Prepared, slot: number): void {
  const isCoherent = prepared.isCached && vma.role === 'mapping' && vma.backing?.file.immutable === false;
  const mayWrite = !isCoherent || (vma.shared && access === 'store');
  const granted = mayWrite ? prot : withoutWrite(prot);
  k.tables.setEntry(slot, leafPte(prepared.frame, granted));
  k.emit({
    type: 'page_mapped',
    pid: space.pid,
    vaddr: vaddrOf(page),
    frame: prepared.frame,
    prot: protName(granted),
    pages: 1,
    why: 'fault',
  });
  if (isCoherent && (granted & PROT_WRITE) !== 0) markDirty(k, vma, page);
  const { insert } = prepared;
  if (insert === undefined || k.cache.lookup(insert.file, insert.index) !== undefined) return;
  if (k.rules.cacheTakesReference() && !k.hold(prepared.frame)) return;
  k.cache.insert(insert.file, insert.index, { frame: prepared.frame, dirty: false });
  k.emit({ type: 'cache_insert', path: insert.file.path, index: insert.index, frame: prepared.frame, bytes: insert.bytes });
}

function markDirty(k: Kernel, vma: Vma, page: Vpn): void {
  const { file, offset } = vma.backing!;
  k.cache.setDirty(file, Math.floor((offset + vaddrOf(page) - vma.start) / PAGE_BYTES), true);
}

/** Maps a whole huge page at once, if the region lies in one anonymous VMA and has no entry. @returns undefined to go on */
function* tryHugeAnonymous(k: Kernel, { space, page, vma, prot }: Fault, prepared: Prepared): Operation<FaultOutcome | undefined> {
  if (!k.parameters.anonymousHugePages || vma.backing !== undefined || vma.shared) return undefined;
  const region = k.tables.regionOf(page);
  const first = k.tables.firstPageOf(region);
  const isInside = vma.start <= vaddrOf(first) && vaddrOf(first + k.parameters.hugePages) <= vma.end;
  if (!isInside || k.tables.entryAt(k.tables.regionSlot(space.root, region)) !== 0) return undefined;
  const block = k.allocateHuge('data');
  if (block === undefined) return undefined;
  for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) k.frames.refs[block + i] = 1;
  if (!mapHuge(k, space, first, block, prot, 'huge fault')) {
    for (let i = 0; i < k.parameters.hugePages; i++) k.freeFrame(pfn(block + i));
    return undefined;
  }
  discard(k, prepared);
  yield 'fault.copied';
  return 'resolved';
}

/** Fault-around: maps zeroed frames at the pages behind an anonymous one, as far as the rule allows. */
function mapNeighbours(k: Kernel, { space, page, vma, prot, onPage }: Fault): void {
  if (vma.shared || (onPage.length > 1 && k.rules.pageContent() === 'everyVma')) return;
  const lastIsShared = vma.end % PAGE_BYTES !== 0 && k.rules.pageContent() === 'everyVma' && !isOnlyOne(space, vma);
  const end = k.rules.faultAroundEnd({
    wanted: page + k.parameters.faultAroundPages,
    vmaEnd: lastIsShared ? Math.floor(vma.end / PAGE_BYTES) : Math.ceil(vma.end / PAGE_BYTES),
    regionEnd: k.tables.firstPageOf(k.tables.regionOf(page) + 1),
  });
  for (let next = vpn(page + 1); next < end; next = vpn(next + 1)) {
    const slot = k.tables.makePageSlot(space.root, next, k.tableSource);
    if (slot < 0) return;
    if (k.tables.entryAt(slot) !== 0) continue;
    const frame = k.allocateZeroed('data');
    if (frame === undefined) return;
    k.frames.refs[frame] = 1;
    k.tables.setEntry(slot, leafPte(frame, prot));
    k.emit({ type: 'page_mapped', pid: space.pid, vaddr: vaddrOf(next), frame, prot: protName(prot), pages: 1, why: 'fault-around' });
  }
}

const isOnlyOne = (space: AddressSpace, vma: Vma): boolean => space.vmas.onPage(floorToPage(vma.end)).length === 1;

// ---- The page has an entry.

function* settleEntry(k: Kernel, fault: Fault, slot: number, entry: number): Operation<FaultOutcome> {
  const { space, page, vma, prot, access } = fault;
  const frame = frameOfPte(entry);
  if (!k.frames.exists(frame)) return 'SIGBUS';
  const others = k.othersOf(frame);
  const action = actionFor({
    allowed: allows(prot, access),
    valid: isValid(entry),
    granted: (rightsOfPte(entry) & rightFor(access)) !== 0,
    store: access === 'store',
    shared: vma.shared,
    sole: k.rules.mayReuseOnWrite({ others, readPins: k.readPinsOf(frame), type: vmaType(vma) }),
  });
  switch (action) {
    case 'retry':
      break;
    case 'refresh': {
      const mayWrite = vma.shared ? isDirtyShared(k, vma, page) : k.rules.mayGrantWrite({ others, why: 'refresh' });
      k.tables.setEntry(slot, leafPte(frame, mayWrite ? prot : withoutWrite(prot)));
      break;
    }
    case 'dirty':
      markDirty(k, vma, page);
      k.tables.setEntry(slot, leafPte(frame, prot));
      break;
    case 'reuse':
      if (!k.rules.reuseGrantsWrite()) break;
      k.tables.setEntry(slot, leafPte(frame, prot));
      k.emit({ type: 'cow_reuse', pid: space.pid, vaddr: vaddrOf(page), frame });
      break;
    case 'copy':
      return yield* copyOnWrite(k, fault, slot, frame);
  }
  yield* k.flush(space, page, 1);
  return 'resolved';
}

/** A shared page of a file may only be writable while it is marked dirty; shared anonymous memory has no store. */
function isDirtyShared(k: Kernel, vma: Vma, page: Vpn): boolean {
  const { file, offset } = vma.backing!;
  return k.cache.lookup(file, Math.floor((offset + vaddrOf(page) - vma.start) / PAGE_BYTES))?.dirty === true;
}

function* copyOnWrite(k: Kernel, { space, page, prot }: Fault, slot: number, from: Pfn): Operation<FaultOutcome> {
  const to = k.allocateFrame('data');
  if (to === undefined) return failed(k, 'ENOMEM');
  k.memory.access.copy(from, to);
  k.provenance.noteCopy(from, to, 0, PAGE_BYTES, 'copy on write');
  k.frames.refs[to] = 1;
  yield 'fault.copied';
  k.emit({ type: 'cow_copy', pid: space.pid, vaddr: vaddrOf(page), from, to, refs: k.frames.refs[from]! });
  k.tables.setEntry(slot, leafPte(to, prot));
  yield* k.flush(space, page, 1);
  k.release(from);
  return 'resolved';
}
