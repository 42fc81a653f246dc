/** Page tables beside a map from page to frame and protection: every page, with every size of a huge page. */
import { expect } from 'chai';
import fc from 'fast-check';
import { FrameAllocator } from '../../kernel-model/frame-allocator.ts';
import { FrameTable } from '../../kernel-model/frame-table.ts';
import { checkPageTable, PageTables, userEnd } from '../../kernel-model/page-table.ts';
import { PhysicalMemory } from '../../kernel-model/physical-memory.ts';
import { frameOfPte, isLeaf, leafPte, PTE_VALID } from '../../kernel-model/pte.ts';
import { pfn, vpn, USER_END, type Pfn } from '../../kernel-model/units.ts';
import { runs } from '../helpers/seed.ts';

const FRAMES = 2048;
/** Regions near and far, so that tables of every level are shared and not shared. */
const REGIONS = [0, 1, 2, 511, 512, 513, 2 ** 18 - 1, 2 ** 18, 2 ** 27 - 1];

interface Step {
  readonly kind: 'map' | 'mapHuge' | 'clear' | 'split' | 'protect';
  readonly region: number;
  readonly index: number;
  readonly frame: number;
  readonly prot: number;
}

const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('map', 'map', 'mapHuge', 'clear', 'split', 'protect'),
  region: fc.constantFrom(...REGIONS),
  index: fc.nat(511),
  frame: fc.nat(255),
  prot: fc.nat(7),
});

/** A tree, and the entries that it should hold by page. */
class Pair {
  readonly tables: PageTables;
  readonly frames = new FrameTable(FRAMES, 100);
  readonly root: Pfn;
  readonly expected = new Map<number, number>();
  /** Regions that one huge leaf maps. */
  readonly huge = new Set<number>();
  private readonly allocator: FrameAllocator;
  private readonly memory: PhysicalMemory;
  /** Frames for data, aligned to the largest huge page. */
  private readonly data: Pfn;

  constructor(hugePages: number) {
    this.memory = new PhysicalMemory(FRAMES, 0, 0, 'balanced');
    this.allocator = new FrameAllocator(this.frames, 16, 0);
    this.tables = new PageTables(this.memory, this.frames, hugePages);
    this.data = this.allocator.take(9, 'data')!;
    this.root = this.source()!;
  }

  private readonly source = (): Pfn | undefined => {
    const frame = this.allocator.takeSingle('table');
    if (frame !== undefined) this.memory.access.zero(frame);
    return frame;
  };

  run({ kind, region, index, frame, prot }: Step): void {
    const { tables, root, expected } = this;
    const page = vpn(region * tables.hugePages + (index % tables.hugePages));
    const slot = tables.pageSlot(root, page);
    switch (kind) {
      case 'map':
        if (this.huge.has(region)) return;
        expected.set(page, leafPte(pfn(this.data + frame), prot));
        tables.setEntry(tables.makePageSlot(root, page, this.source), expected.get(page)!);
        break;
      case 'mapHuge': {
        const leaf = leafPte(this.data, 1 | prot);
        const at = tables.makeRegionSlot(root, region, this.source);
        if (tables.entryAt(at) !== 0) return;
        tables.setEntry(at, leaf);
        this.huge.add(region);
        for (let i = 0; i < tables.hugePages; i++) expected.set(region * tables.hugePages + i, leaf + i * 1024);
        break;
      }
      case 'clear':
        if (this.huge.delete(region)) {
          tables.setEntry(tables.regionSlot(root, region), 0);
          for (let i = 0; i < tables.hugePages; i++) expected.delete(region * tables.hugePages + i);
        } else if (slot >= 0) {
          tables.setEntry(slot, 0);
          expected.delete(page);
        }
        break;
      case 'split':
        if (this.huge.delete(region)) tables.splitInto(this.source()!, tables.regionSlot(root, region));
        break;
      case 'protect':
        if (this.huge.has(region) || !expected.has(page)) return;
        expected.set(page, leafPte(frameOfPte(expected.get(page)!), prot));
        tables.setEntry(slot, expected.get(page)!);
        break;
    }
  }

  check(): void {
    const { tables, root, expected } = this;
    expect(checkPageTable(tables, this.frames, root)).to.equal(undefined);
    for (const region of REGIONS) {
      const first = region * tables.hugePages;
      for (const i of [0, 1, tables.hugePages - 1]) expect(tables.entryOf(root, vpn(first + i))).to.equal(expected.get(first + i) ?? 0);
      expect(tables.hugeLeafOf(root, vpn(first)) !== 0).to.equal(this.huge.has(region));
      if (this.huge.has(region)) expect(tables.pageSlot(root, vpn(first))).to.equal(-1);
    }
    const seen: [number, number][] = [];
    tables.eachEntry(root, (page, entry, slot, isHuge) => {
      expect(tables.entryAt(slot)).to.equal(entry);
      expect(isHuge).to.equal(this.huge.has(tables.regionOf(page)));
      for (let i = 0; i < (isHuge ? tables.hugePages : 1); i++) seen.push([page + i, entry + i * 1024]);
    });
    const entries = [...expected].filter(([, entry]) => entry !== 0).sort(([a], [b]) => a - b);
    expect(seen).to.deep.equal(entries);
  }
}

describe('PageTables', () => {
  for (const hugePages of [2, 4, 8, 64, 512]) {
    it(`holds what was mapped, split, changed and cleared, and shows it in order (${hugePages} pages a region)`, () => {
      fc.assert(
        fc.property(fc.array(someStep, { maxLength: 40 }), (steps) => {
          const pair = new Pair(hugePages);
          for (const [i, step] of steps.entries()) {
            pair.run(step);
            if (i % 8 === 7) pair.check();
          }
          pair.check();
        }),
        { numRuns: runs(12) },
      );
    });
  }

  it('shows every table once, parents first', () => {
    const pair = new Pair(4);
    for (const region of REGIONS) pair.run({ kind: 'map', region, index: 1, frame: 1, prot: 3 });
    const seen: [number, number][] = [];
    pair.tables.eachTable(pair.root, (table, level) => seen.push([table, level]));
    expect(seen[0]).to.deep.equal([pair.root, 3]);
    expect(new Set(seen.map(([table]) => table))).to.have.property('size', seen.length);
    expect(seen.filter(([, level]) => level === 0)).to.have.length(REGIONS.length);
    expect(seen.filter(([, level]) => level === 2)).to.have.length(3); // one for each 2^18 regions in use
    const levels = seen.map(([, level]) => level);
    for (const [i, level] of levels.entries()) if (i > 0) expect(level).to.be.at.least(levels[i - 1]! - 1);
  });

  it('makes no slot when no frame is left for a table', () => {
    const { tables, root } = new Pair(4);
    expect(tables.makePageSlot(root, vpn(5), () => undefined)).to.equal(-1);
    expect(tables.makeRegionSlot(root, 7, () => undefined)).to.equal(-1);
    expect([tables.entryOf(root, vpn(5)), tables.pageSlot(root, vpn(5)), tables.regionSlot(root, 1)]).to.deep.equal([0, -1, -1]);
  });

  it('ends a walk at an entry that names no frame or is no entry at all', () => {
    const pair = new Pair(4);
    pair.run({ kind: 'map', region: 1, index: 0, frame: 1, prot: 3 });
    const slot = pair.tables.regionSlot(pair.root, 1);
    for (const entry of [(FRAMES << 10) | PTE_VALID, (0x3fffff << 10) | PTE_VALID, PTE_VALID]) {
      pair.tables.setEntry(slot, entry);
      expect(pair.tables.entryOf(pair.root, vpn(4))).to.equal(0);
      pair.tables.eachEntry(pair.root, () => expect.fail('nothing is mapped'));
    }
  });
});

describe('userEnd', () => {
  it('is what four levels reach, and never past 2^47', () => {
    expect(userEnd(512)).to.equal(USER_END);
    expect(userEnd(4)).to.equal(2 ** 41);
  });
});

describe('checkPageTable', () => {
  it('finds a table that is none, a frame that does not exist, and a huge leaf that is not aligned', () => {
    const pair = new Pair(4);
    pair.run({ kind: 'map', region: 1, index: 2, frame: 1, prot: 3 });
    const slot = pair.tables.pageSlot(pair.root, vpn(6));
    const check = (): string | undefined => checkPageTable(pair.tables, pair.frames, pair.root);
    expect(check()).to.equal(undefined);
    pair.tables.setEntry(slot, leafPte(pfn(FRAMES), 3));
    expect(check()).to.include('does not exist');
    pair.tables.setEntry(slot, 0);
    pair.tables.setEntry(
      pair.tables.makeRegionSlot(pair.root, 2, () => undefined),
      leafPte(pfn(513), 3),
    );
    expect(check()).to.include('unaligned');
    pair.frames.setUse(pair.root, 'data');
    expect(check()).to.include('used as data');
  });
});

describe('leafPte', () => {
  it('keeps the frame, is readable whatever the protection grants, and is no leaf with PROT_NONE', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 22 - 1 }), fc.nat(7), (frame, prot) => {
        const entry = leafPte(pfn(frame), prot);
        expect(frameOfPte(entry)).to.equal(frame);
        expect(isLeaf(entry)).to.equal(prot !== 0);
      }),
    );
  });
});
