/**
 * What must be true of every state of one kernel, as named pure predicates.
 *
 * A structure's own check lies beside the structure; here is what spans several. Each predicate names the first
 * violation it finds, in a fixed order, or answers undefined. None changes anything, and the model never calls one.
 * Invariants that compare with the reference reader, or two moments of a run, are the checker's (sim/checker.ts).
 */
import type { AddressSpace } from './address-space.ts';
import { ceilToPage, floorToPage, hex, pfn, vaddrOf, PAGE_BYTES, type Pfn, type Vpn } from './units.ts';
import { checkAllocator } from './frame-allocator.ts';
import type { Kernel, Pin } from './kernel.ts';
import { exclusiveOnce, reservesMatch, zeroPageIntact } from './linux/page-invariants.ts';
import { checkLinuxVma } from './linux/vma.ts';
import { intersectProtection } from './page-content.ts';
import { checkPageTable } from './page-table.ts';
import type { Survey } from './survey.ts';
import { firstOver, firstOverEntries, type Invariant, type Violation } from './violation.ts';
import { frameOfPte, isLeaf, isValid, PTE_EXEC, PTE_READ, PTE_WRITE, rightsOfProt, rightsOfPte } from './pte.ts';
import { checkVmaSet, describeVma } from './vma.ts';

const rightsName = (rights: number): string =>
  (rights & PTE_READ ? 'r' : '-') + (rights & PTE_WRITE ? 'w' : '-') + (rights & PTE_EXEC ? 'x' : '-');

function vmaWellformed(k: Kernel): Violation | undefined {
  return firstOver(k, (space) => {
    const message = checkVmaSet(space.vmas);
    if (message !== undefined) return { message };
    if (k.design.name === 'linux') return linuxVmaWrong(space);
    if (k.design.segmentBounds !== 'page') return undefined;
    const ragged = space.vmas.ascending.find(
      (vma) => vma.role === 'segment' && (vma.start % PAGE_BYTES !== 0 || vma.end % PAGE_BYTES !== 0),
    );
    return ragged === undefined ? undefined : { message: `${describeVma(ragged)} is not page-aligned`, address: ragged.start };
  });
}

function linuxVmaWrong({ vmas }: AddressSpace): Violation | undefined {
  for (const vma of vmas.ascending) {
    const message = checkLinuxVma(vma);
    if (message !== undefined) return { message, address: vma.start };
  }
  return undefined;
}

/** Linux keeps no room for anything: a program may move its stack into the heap. */
function regionDisjoint(k: Kernel): Violation | undefined {
  if (k.design.name === 'linux') return undefined;
  return firstOver(k, (space) => {
    const { heapStart, heapEnd, vmas } = space;
    const inHeap = vmas.overlapping(heapStart, heapEnd).find((vma) => vma.role === 'segment' || vma.role === 'pad' || vma.role === 'stack');
    // Nothing reaches into an empty heap: a program may grow a mapping of its own over the place where it would begin.
    if (heapStart < heapEnd && inHeap !== undefined)
      return { message: `${describeVma(inHeap)} reaches into the heap ${hex(heapStart)}-${hex(heapEnd)}`, address: inHeap.start };
    const { placementNext, heapLimit } = space;
    if (heapStart <= placementNext && placementNext < heapLimit)
      return {
        message: `places for mappings are sought from ${hex(placementNext)} on, in the heap’s room ${hex(heapStart)}-${hex(heapLimit)}`,
        address: placementNext,
      };
    const overVdso = vmas.containing(k.design.vdso);
    return overVdso === undefined ? undefined : { message: `${describeVma(overVdso)} covers the vDSO`, address: overVdso.start };
  });
}

function metadataLive(k: Kernel): Violation | undefined {
  return (
    firstOver(k, (space) => {
      const message = checkPageTable(k.tables, k.frames, space.root);
      return message === undefined ? undefined : { message };
    }) ?? reservesMatch(k)
  );
}

function protSubset(k: Kernel): Violation | undefined {
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    if (!isValid(entry) || page === k.design.vdso / PAGE_BYTES) return undefined;
    const granted = rightsOfPte(entry);
    for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) {
      const onPage = space.vmas.onPage(vaddrOf(page + i));
      if (onPage.length === 0) continue;
      const allowed = rightsOfProt(intersectProtection(onPage));
      if ((granted & ~allowed) === 0) continue;
      return `the entry of page ${hex(vaddrOf(page + i))} grants ${rightsName(granted)}, its VMAs allow ${rightsName(allowed)}: ${onPage.map(describeVma).join(', ')}`;
    }
    return undefined;
  });
}

function pteBacked(k: Kernel): Violation | undefined {
  const cachedAs = new Map<Pfn, string>();
  k.cache.eachPage((file, index, { frame }) => cachedAs.set(frame, `${file.path} ${index}`));
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    if (page === k.design.vdso / PAGE_BYTES) return frameOfPte(entry) === k.vdsoFrame ? undefined : 'the vDSO page maps another frame';
    if (isHuge) return hugeBacked(k, space, page);
    const start = vaddrOf(page);
    const onPage = space.vmas.onPage(start);
    if (onPage.length === 0) return `page ${hex(start)} has an entry but no VMA`;
    const known = cachedAs.get(frameOfPte(entry));
    if (known === undefined) return undefined;
    const wanted = onPage.flatMap(({ backing, start: from }) =>
      backing === undefined ? [] : [`${backing.file.path} ${Math.floor((backing.offset + Math.max(start, from) - from) / PAGE_BYTES)}`],
    );
    return wanted.includes(known)
      ? undefined
      : `page ${hex(start)} maps the cached page "${known}", its VMAs back it by ${wanted.join(', ') || 'nothing'}`;
  });
}

function hugeBacked(k: Kernel, space: AddressSpace, page: Vpn): string | undefined {
  const [start, end] = [vaddrOf(page), vaddrOf(page + k.parameters.hugePages)];
  const vmas = space.vmas.overlapping(start, end);
  if (vmas.length === 1 && floorToPage(vmas[0]!.start) <= start && end <= ceilToPage(vmas[0]!.end)) return undefined;
  const what = vmas.length === 0 ? 'no VMA' : `${vmas.length} VMAs, of which none covers it whole`;
  return `a huge leaf maps ${hex(start)}-${hex(end)}, where there is ${what}`;
}

function cacheTruth(k: Kernel): Violation | undefined {
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

function cacheNoWritableAlias(k: Kernel): Violation | undefined {
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

function cacheIndexUnique(k: Kernel): Violation | undefined {
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

function refcountExact(k: Kernel, survey: Survey): Violation | undefined {
  const counts = survey.references;
  const { refs } = k.frames;
  for (let frame = 1; frame < counts.length; frame++) {
    if (counts[frame] !== refs[frame])
      return { message: `frame ${hex(frame)} (${k.frames.useOf(pfn(frame))}) counts ${refs[frame]!} references and has ${counts[frame]!}` };
  }
  return undefined;
}

function freedUnreachable(k: Kernel, survey: Survey): Violation | undefined {
  const counts = survey.references;
  for (let frame = 1; frame < counts.length; frame++) {
    if (counts[frame]! > 0 && k.frames.isUnused(pfn(frame)))
      return { message: `frame ${hex(frame)} is free but has ${counts[frame]!} references: ${whoReaches(k, pfn(frame))}` };
  }
  let violation: Violation | undefined;
  for (const cpu of k.cpus) {
    cpu.tlb.each((translation) => {
      if (k.frames.isUnused(translation.frame))
        violation ??= {
          message: `cpu ${cpu.id} still translates page ${hex(vaddrOf(translation.vpn))} to frame ${hex(translation.frame)}, which is free`,
          address: vaddrOf(translation.vpn),
        };
    });
  }
  return violation;
}

function whoReaches(k: Kernel, wanted: Pfn): string {
  let who = 'a table, a block or a pin';
  k.cache.eachPage((file, index, { frame }) => {
    if (frame === wanted) who = `page ${index} of ${file.path} in the cache`;
  });
  for (const space of k.spaces) {
    k.tables.eachEntry(space.root, (page, entry) => {
      if (frameOfPte(entry) === wanted) who = `pid ${space.pid} at ${hex(vaddrOf(page))}`;
    });
  }
  return who;
}

function tlbJustified(k: Kernel): Violation | undefined {
  const byAsid = new Map([...k.spaces].filter((space) => k.isAsidCurrent(space)).map((space) => [space.asid, space] as const));
  let violation: Violation | undefined;
  for (const cpu of k.cpus) {
    cpu.tlb.each(({ asid, vpn: page, frame, rights }) => {
      if (violation !== undefined) return;
      const space = byAsid.get(asid);
      const entry = space === undefined ? 0 : k.tables.entryOf(space.root, page);
      if (isLeaf(entry) && frameOfPte(entry) === frame && (rights & ~rightsOfPte(entry)) === 0) return;
      const has =
        space === undefined
          ? 'no live space has that asid'
          : entry === 0
            ? 'the page has no entry'
            : `the entry says frame ${hex(frameOfPte(entry))} ${rightsName(rightsOfPte(entry))}`;
      violation = {
        message: `cpu ${cpu.id} translates asid ${asid} page ${hex(vaddrOf(page))} to frame ${hex(frame)} ${rightsName(rights)}, but ${has}`,
        address: vaddrOf(page),
        ...(space === undefined ? {} : { pid: space.pid }),
      };
    });
  }
  return violation;
}

function allocWellformed(k: Kernel): Violation | undefined {
  const message = checkAllocator(k.frames, k.allocator);
  return message === undefined ? undefined : { message };
}

function freshZero(k: Kernel): Violation | undefined {
  const dirty = k.allocator.pools()[1].find((frame) => !k.memory.isZero(frame));
  return dirty === undefined ? undefined : { message: `frame ${hex(dirty)} lies in the zeroed pool and is not zero` };
}

function pinCoherent(k: Kernel): Violation | undefined {
  for (const pin of k.pins.values()) {
    if (!pin.writable) {
      const violation = whoWritesUnder(k, pin);
      if (violation !== undefined) return violation;
      continue;
    }
    if (pin.page === undefined) continue;
    const entry = k.tables.entryOf(pin.space.root, pin.page);
    if (entry === 0 || frameOfPte(entry) === pin.frame) continue;
    return {
      message: `pin ${pin.id} holds frame ${hex(pin.frame)}, but page ${hex(vaddrOf(pin.page))} maps frame ${hex(frameOfPte(entry))}`,
      pid: pin.space.pid,
      address: vaddrOf(pin.page),
    };
  }
  return undefined;
}

/** An entry of another space that can write a frame which a pin reads; shared mappings may. */
function whoWritesUnder(k: Kernel, pin: Pin): Violation | undefined {
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    const first = frameOfPte(entry);
    const isOther = space !== pin.space && first <= pin.frame && pin.frame < first + (isHuge ? k.parameters.hugePages : 1);
    if (!isOther || (rightsOfPte(entry) & PTE_WRITE) === 0) return undefined;
    const address = vaddrOf(page + pin.frame - first);
    if (space.vmas.onPage(address).some((vma) => vma.shared)) return undefined;
    return `page ${hex(address)} can write frame ${hex(pin.frame)}, which pin ${pin.id} of pid ${pin.space.pid} reads`;
  });
}

/** Bytes of the store behind the end of a file: write-back must not put any there. */
function eofZeroTail(k: Kernel): Violation | undefined {
  for (const file of new Set(k.files.values())) {
    if (file.immutable || file.size % PAGE_BYTES === 0) continue;
    if (file.hasTail()) return { message: `the store of ${file.path} has bytes behind its end at ${file.size}` };
  }
  return undefined;
}

/** All of them, in the order in which they are checked: what a report should name first stands first. */
export const INVARIANTS: readonly Invariant[] = [
  {
    id: 'metadata-live',
    statement:
      'Table pages reachable from a root are tables, and every entry names a frame that exists; each huge leaf of Linux has a table in reserve.',
    check: metadataLive,
  },
  {
    id: 'cache-no-writable-alias',
    statement: 'No entry gives write access to a frame of the cache, but for a shared mapping of that file page.',
    check: cacheNoWritableAlias,
  },
  {
    id: 'cache-truth',
    statement: 'Each clean cached page equals the file’s bytes over the file’s whole extent in it, zero behind.',
    check: cacheTruth,
  },
  { id: 'cache-index-unique', statement: 'No frame is cached under two names.', check: cacheIndexUnique },
  {
    id: 'freed-unreachable',
    statement: 'A free or pooled frame is reached by no entry, translation, cache slot, table or pin.',
    check: freedUnreachable,
  },
  {
    id: 'tlb-justified',
    statement: 'Each translation is backed by an entry with the same frame and at least its rights.',
    check: tlbJustified,
  },
  { id: 'prot-subset', statement: 'An entry grants no more than every VMA of its page that is no pad.', check: protSubset },
  {
    id: 'pte-backed',
    statement: 'Each entry lies inside a VMA, a huge one entirely inside one, and a cached frame is the VMA’s own file page.',
    check: pteBacked,
  },
  {
    id: 'vma-wellformed',
    statement: 'VMAs are in order, not empty, do not overlap, and are page-aligned where the design says so.',
    check: vmaWellformed,
  },
  {
    id: 'region-disjoint',
    statement: 'Heap, image, stack and vDSO are pairwise disjoint, and places for mappings are sought outside the heap’s room.',
    check: regionDisjoint,
  },
  {
    id: 'alloc-wellformed',
    statement: 'Every frame is in exactly one state; free blocks are aligned and disjoint.',
    check: allocWellformed,
  },
  { id: 'zero-page-intact', statement: 'The zero pages are zero, and no entry may write them (linux).', check: zeroPageIntact },
  {
    id: 'exclusive-once',
    statement: 'A frame marked as one page’s own is mapped once, and only such frames are writable in private memory (linux).',
    check: exclusiveOnce,
  },
  { id: 'fresh-zero', statement: 'Every frame of the zeroed pool is zero.', check: freshZero },
  {
    id: 'pin-coherent',
    statement: 'A frame that a pin writes is the one mapped where it was taken; one that a pin reads is written by no other space.',
    check: pinCoherent,
  },
  { id: 'eof-zero-tail', statement: 'The store of a file has no bytes behind the file’s end.', check: eofZeroTail },
  {
    id: 'refcount-exact',
    statement: 'A frame’s count equals its entries, cache references, pins and kernel references, per sub-frame.',
    check: refcountExact,
  },
];
