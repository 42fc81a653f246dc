/** The set of VMAs beside a map from every cell of a small address space to what lies there, and its list beside Kevlar's order. */
import { expect } from 'chai';
import fc from 'fast-check';
import { vaddr, type Vaddr } from '../../kernel-model/units.ts';
import { checkVmaSet, cutVma, describeVma, VmaSet, type Vma } from '../../kernel-model/vma.ts';
import { fileOf } from '../helpers/model.ts';
import { runs } from '../helpers/seed.ts';

/** Bounds are multiples of a quarter of a page, so that VMAs share pages. */
const CELL = 1024;
const CELLS = 64;
const FILE = fileOf('/f', 4096);

interface Step {
  readonly kind: 'add' | 'remove' | 'change' | 'shorten' | 'cutInTwo';
  readonly from: number;
  readonly length: number;
  readonly prot: number;
  readonly isFile: boolean;
}

const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'remove', 'change', 'shorten', 'cutInTwo'),
  from: fc.nat(CELLS - 1),
  length: fc.integer({ min: 1, max: 16 }),
  prot: fc.nat(7),
  isFile: fc.boolean(),
});

/** What a byte shows: its protection, and its file offset, or -1 for anonymous memory and behind the file part. */
interface Cell {
  readonly prot: number;
  readonly offset: number;
}

const at = (cell: number): Vaddr => vaddr(cell * CELL);

class Pair {
  readonly set = new VmaSet();
  readonly cells: (Cell | undefined)[] = new Array<Cell | undefined>(CELLS).fill(undefined);

  run({ kind, from, length, prot, isFile }: Step): void {
    const to = Math.min(CELLS, from + length);
    const [start, end] = [at(from), at(to)];
    const before = [...this.set.list];
    switch (kind) {
      case 'add': {
        const isFree = this.cells.slice(from, to).every((cell) => cell === undefined);
        expect(this.set.isFree(start, end)).to.equal(isFree);
        if (!isFree) return;
        // The file backs all but the last cell.
        const backing = isFile ? { file: FILE, offset: start + 4096, fileBytes: end - start - CELL } : undefined;
        this.set.add({ start, end, prot, role: 'mapping', shared: false, backing });
        for (let i = from; i < to; i++) this.cells[i] = { prot, offset: isFile && i < to - 1 ? at(i) + 4096 : -1 };
        expect(this.set.list.slice(0, -1)).to.deep.equal(before);
        break;
      }
      case 'remove':
        this.set.remove(start, end);
        this.cells.fill(undefined, from, to);
        this.expectOrder(before, (vma) => vma.end <= start || end <= vma.start);
        break;
      case 'change':
        this.set.changeRange(start, end, (vma) => ({ ...vma, prot }));
        for (let i = from; i < to; i++) this.cells[i] &&= { ...this.cells[i]!, prot };
        this.expectOrder(before, (vma) => vma.end <= start || end <= vma.start);
        this.expectInPlace(before, (vma) => start <= vma.start && vma.end <= end);
        break;
      case 'shorten':
        this.replaceAt(from, (vma) => [cutVma(vma, vma.start, vaddr(Math.max(vma.start + CELL, vma.end - CELL)))]);
        break;
      case 'cutInTwo':
        this.replaceAt(from, (vma) =>
          vma.end - vma.start < 2 * CELL
            ? [vma]
            : [cutVma(vma, vma.start, vaddr(vma.start + CELL)), cutVma(vma, vaddr(vma.start + CELL), vma.end)],
        );
        break;
    }
  }

  private replaceAt(cell: number, piecesOf: (vma: Vma) => readonly Vma[]): void {
    const old = this.set.containing(at(cell));
    if (old === undefined) return;
    const pieces = piecesOf(old);
    const place = this.set.list.indexOf(old);
    this.set.replace(old, pieces);
    const kept = pieces.at(-1)!.end;
    this.cells.fill(undefined, kept / CELL, old.end / CELL);
    if (pieces.length === 1) expect(this.set.list[place]).to.equal(pieces[0]);
    else expect(this.set.list.slice(-pieces.length)).to.deep.equal(pieces);
  }

  /** VMAs that were left alone keep their order and stand before the pieces of those that were cut. */
  private expectOrder(before: readonly Vma[], isUntouched: (vma: Vma) => boolean): void {
    const untouched = before.filter(isUntouched);
    expect(this.set.list.filter((vma) => before.includes(vma))).to.deep.equal(untouched.filter((vma) => this.set.list.includes(vma)));
    expect(this.set.list).to.include.members(untouched);
    const cut = this.set.list.findIndex((vma) => !before.some((old) => old.start === vma.start && old.end === vma.end));
    if (cut >= 0) expect(this.set.list.slice(cut).some((vma) => untouched.includes(vma))).to.equal(false);
  }

  /** VMAs that a change covers whole stay where they stand among those that are left. */
  private expectInPlace(before: readonly Vma[], isWhole: (vma: Vma) => boolean): void {
    const bounds = (vma: Vma): string => `${vma.start}-${vma.end}`;
    const places = this.set.list.map(bounds);
    const order = before.filter((vma) => isWhole(vma) || places.includes(bounds(vma))).map(bounds);
    expect(places.filter((place) => order.includes(place))).to.deep.equal(order);
  }

  check(): void {
    expect(checkVmaSet(this.set)).to.equal(undefined);
    for (const [i, cell] of this.cells.entries()) {
      for (const address of [at(i), at(i + 1) - 1]) {
        const vma = this.set.containing(address);
        expect(vma === undefined ? undefined : this.cellOf(vma, i), `cell ${i}`).to.deep.equal(cell);
      }
    }
  }

  private cellOf(vma: Vma, cell: number): Cell {
    const skip = at(cell) - vma.start;
    const isBacked = vma.backing !== undefined && skip < vma.backing.fileBytes;
    return { prot: vma.prot, offset: isBacked ? vma.backing.offset + skip : -1 };
  }

  /** The cells that overlap pages or ranges, told without any search. */
  checkRanges(from: number, length: number): void {
    const to = Math.min(CELLS, from + length);
    const inside = this.set.list.filter((vma) => vma.start < at(to) && at(from) < vma.end).sort((a, b) => a.start - b.start);
    expect(this.set.overlapping(at(from), at(to))).to.deep.equal(inside);
    expect(this.set.isFree(at(from), at(to))).to.equal(inside.length === 0);
    const page = Math.floor(from / 4) * 4;
    expect(this.set.onPage(at(from))).to.deep.equal(this.set.ascending.filter((vma) => vma.start < at(page + 4) && at(page) < vma.end));
  }
}

describe('VmaSet', () => {
  it('shows at every byte what was put there last, and keeps its list in Kevlar’s order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(someStep, fc.nat(CELLS - 1), fc.integer({ min: 1, max: 12 })), { maxLength: 30 }), (steps) => {
        const pair = new Pair();
        for (const [step, from, length] of steps) {
          pair.run(step);
          pair.check();
          pair.checkRanges(from, length);
        }
      }),
      { numRuns: runs(120) },
    );
  });

  it('does not change when a copy of it does', () => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 12 }), fc.array(someStep, { maxLength: 12 }), (first, later) => {
        const pair = new Pair();
        for (const step of first) pair.run(step);
        const [list, ascending] = [[...pair.set.list], [...pair.set.ascending]];
        const copy = pair.set.copy();
        for (const step of later) pair.run(step);
        expect(copy.list).to.deep.equal(list);
        expect(copy.ascending).to.deep.equal(ascending);
      }),
      { numRuns: runs(40) },
    );
  });

  it('appends the left and the right rest of a VMA that is cut (munmap in the middle)', () => {
    const set = new VmaSet();
    const vma = (from: number, to: number): Vma => ({
      start: at(from),
      end: at(to),
      prot: 3,
      role: 'mapping',
      shared: false,
      backing: { file: FILE, offset: at(from), fileBytes: at(to - from) },
    });
    set.add(vma(0, 12));
    set.add(vma(12, 16));
    set.remove(at(4), at(8));
    expect(set.list).to.deep.equal([vma(12, 16), vma(0, 4), vma(8, 12)]);
  });
});

describe('cutVma', () => {
  it('moves the file offset along and cuts the file part', () => {
    const vma: Vma = {
      start: vaddr(0x1000),
      end: vaddr(0x5000),
      prot: 3,
      role: 'segment',
      shared: false,
      backing: { file: FILE, offset: 0x9000, fileBytes: 0x1800 },
    };
    const backing = (from: number, to: number): unknown => cutVma(vma, vaddr(from), vaddr(to)).backing;
    expect(backing(0x1000, 0x2000)).to.include({ offset: 0x9000, fileBytes: 0x1000 });
    expect(backing(0x2000, 0x5000)).to.include({ offset: 0xa000, fileBytes: 0x800 });
    expect(backing(0x3000, 0x5000)).to.include({ offset: 0xb000, fileBytes: 0 });
  });
});

describe('checkVmaSet', () => {
  const vma = (from: number, to: number, role: Vma['role'] = 'mapping'): Vma => ({
    start: at(from),
    end: at(to),
    prot: 3,
    role,
    shared: false,
    backing: undefined,
  });
  const check = (...vmas: readonly Vma[]): string | undefined => {
    const set = new VmaSet();
    for (const one of vmas) set.add(one);
    return checkVmaSet(set);
  };

  it('finds VMAs that overlap, and an empty one that is no heap', () => {
    expect(check(vma(0, 4), vma(4, 8), vma(8, 8, 'heap'))).to.equal(undefined);
    expect(check(vma(0, 4), vma(3, 8))).to.include('overlap');
    expect(check(vma(0, 4), vma(4, 4))).to.include('no heap');
  });
});

describe('describeVma', () => {
  it('says range, protection and backing in one line', () => {
    const backing = { file: FILE, offset: 0x11bbf0, fileBytes: 1 };
    expect(describeVma({ start: vaddr(0x51cbf0), end: vaddr(0x521bf8), prot: 3, role: 'segment', shared: false, backing })).to.equal(
      '0x51cbf0-0x521bf8 rw-p /f+0x11bbf0',
    );
    expect(describeVma({ start: vaddr(0x1000), end: vaddr(0x2000), prot: 0, role: 'heap', shared: true, backing: undefined })).to.equal(
      '0x1000-0x2000 ---s heap',
    );
  });
});
