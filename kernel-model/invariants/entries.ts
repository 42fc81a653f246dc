/** Page tables, their entries, and the translations made of them. */
import type { AddressSpace } from '../address-space.ts';
import type { Kernel } from '../kernel.ts';
import { intersectProtection } from '../page-content.ts';
import { checkPageTable } from '../page-table.ts';
import { frameOfPte, isLeaf, isValid, PTE_EXEC, PTE_READ, PTE_WRITE, rightsOfProt, rightsOfPte } from '../pte.ts';
import { ceilToPage, floorToPage, hex, PAGE_BYTES, vaddrOf, type Pfn, type Vpn } from '../units.ts';
import { describeVma } from '../vma.ts';
import { reservesMatch } from './linux-pages.ts';
import { firstOver, firstOverEntries, type Violation } from './violation.ts';

const rightsName = (rights: number): string =>
  (rights & PTE_READ ? 'r' : '-') + (rights & PTE_WRITE ? 'w' : '-') + (rights & PTE_EXEC ? 'x' : '-');

export function metadataLive(k: Kernel): Violation | undefined {
  return (
    firstOver(k, (space) => {
      const message = checkPageTable(k.tables, k.frames, space.root);
      return message === undefined ? undefined : { message };
    }) ?? reservesMatch(k)
  );
}

export function protSubset(k: Kernel): Violation | undefined {
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

export function pteBacked(k: Kernel): Violation | undefined {
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

export function tlbJustified(k: Kernel): Violation | undefined {
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
