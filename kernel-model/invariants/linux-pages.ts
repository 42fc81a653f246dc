/** What must be true of pages in every state of a kernel of the linux design; of Kevlar's there is nothing to say here. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { isExclusive } from '../linux/leaf.ts';
import { frameOfPte, isGuard, PTE_WRITE, rightsOfPte } from '../pte.ts';
import { hex, pfn, vaddrOf, type Pfn, type Vpn } from '../units.ts';
import { firstOver, firstOverEntries, type Violation } from './violation.ts';

/** The zero pages are zero, and no entry may change them. */
export function zeroPageIntact(k: Kernel): Violation | undefined {
  if (k.design.name !== 'linux') return undefined;
  const { zeroFrame, hugeZeroFrame } = k;
  const huge = hugeZeroFrame === undefined ? [] : Array.from({ length: k.parameters.hugePages }, (_, i) => pfn(hugeZeroFrame + i));
  const written = [zeroFrame, ...huge].find((frame) => !k.memory.isZero(frame));
  if (written !== undefined) return { message: `frame ${hex(written)} is a zero page and holds other bytes` };
  return firstOverEntries(k, (_space, page, entry) =>
    (rightsOfPte(entry) & PTE_WRITE) !== 0 && k.isZeroPage(frameOfPte(entry))
      ? `page ${hex(vaddrOf(page))} can write a zero page`
      : undefined,
  );
}

/** A frame marked as one page's own is mapped once, and whatever private memory may be written is so marked. */
export function exclusiveOnce(k: Kernel): Violation | undefined {
  if (k.design.name !== 'linux') return undefined;
  const mappedAt = new Map<Pfn, Vpn>();
  return firstOverEntries(k, (space, page, entry, isHuge) => {
    if (isGuard(entry)) return undefined;
    for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) {
      const frame = pfn(frameOfPte(entry) + i);
      const message = isExclusive(k, frame) ? secondMapping(mappedAt, frame, page + i) : writableShare(space, page + i, entry);
      if (message !== undefined) return message;
    }
    return undefined;
  });
}

function secondMapping(mappedAt: Map<Pfn, Vpn>, frame: Pfn, page: number): string | undefined {
  const first = mappedAt.get(frame);
  mappedAt.set(frame, page as Vpn);
  return first === undefined
    ? undefined
    : `frame ${hex(frame)} is one page's own, but ${hex(vaddrOf(first))} and ${hex(vaddrOf(page))} map it`;
}

function writableShare(space: AddressSpace, page: number, entry: number): string | undefined {
  if ((rightsOfPte(entry) & PTE_WRITE) === 0 || space.vmas.containing(vaddrOf(page))?.shared !== false) return undefined;
  return `page ${hex(vaddrOf(page))} is private and can be written, but its frame ${hex(frameOfPte(entry))} is not its own`;
}

/** Each huge leaf has an empty table in reserve, and nothing else has. */
export function reservesMatch(k: Kernel): Violation | undefined {
  return firstOver(k, (space) => {
    const regions = new Set<number>();
    k.tables.eachEntry(space.root, (page, _entry, _slot, isHuge) => {
      if (isHuge && k.design.name === 'linux') regions.add(k.tables.regionOf(page));
    });
    for (const [region, table] of space.deposits) {
      const address = vaddrOf(k.tables.firstPageOf(region));
      if (!regions.delete(region)) return { message: 'a table is in reserve for a region without a huge leaf', address };
      if (k.frames.useOf(table) !== 'table' || !k.memory.isZero(table))
        return { message: `the table in reserve, frame ${hex(table)}, is in use`, address };
    }
    const [without] = regions;
    return without === undefined
      ? undefined
      : { message: 'a huge leaf has no table in reserve', address: vaddrOf(k.tables.firstPageOf(without)) };
  });
}
