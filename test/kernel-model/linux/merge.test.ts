/** Merging and splitting: what VMAs a space has, beside a map from every page to what was asked for it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { addVma, changePart } from '../../../kernel-model/linux/merge.ts';
import { checkLinuxVma, newVma, MAY_ALL, VM, type LinuxVmaOf } from '../../../kernel-model/linux/vma.ts';
import { drain } from '../../../kernel-model/kernel.ts';
import { vaddr, PAGE_BYTES } from '../../../kernel-model/units.ts';
import { checkVmaSet } from '../../../kernel-model/vma.ts';
import { fileOf } from '../../helpers/model.ts';
import { LinuxSpace, page } from '../../helpers/linux-space.ts';
import { runs } from '../../helpers/seed.ts';

const PAGES = 24;
const FILES = [fileOf('/f', 16), fileOf('/g', 16)];
const CHANGES = [0, VM.LOCKED, VM.HUGEPAGE, VM.LOCKED | VM.DONTDUMP];

/** What a page shows, however its VMA is cut. */
interface Cell {
  readonly prot: number;
  readonly flags: number;
  readonly file: number | undefined;
  /** Page of the file; for anonymous memory the page itself. */
  readonly offset: number;
  readonly description: number;
}

const someStep = fc.record({
  kind: fc.constantFrom('add', 'add', 'add', 'change', 'change', 'remove'),
  from: fc.nat(PAGES - 1),
  length: fc.integer({ min: 1, max: 8 }),
  prot: fc.constantFrom(1, 3),
  flags: fc.constantFrom(...CHANGES),
  file: fc.option(fc.nat(1), { nil: undefined, freq: 2 }),
  description: fc.nat(1),
});
type Step = Omit<typeof someStep extends fc.Arbitrary<infer T> ? T : never, 'prot'> & { readonly prot: number };

/** A space, and what each of its pages is. Nobody touches a page, so nothing but this decides what merges. */
class Pair {
  readonly space = new LinuxSpace();
  readonly cells: (Cell | undefined)[] = new Array<Cell | undefined>(PAGES).fill(undefined);

  run({ kind, from, length, prot, flags, file, description }: Step): void {
    const { space } = this.space.process;
    const to = Math.min(PAGES, from + length);
    const [start, end] = [vaddr(page(from)), vaddr(page(to))];
    if (kind === 'add') {
      space.vmas.remove(start, end);
      const pgoff = from + 3;
      const all = { start, end, prot, shared: false, flags: MAY_ALL | flags, role: 'mapping' as const };
      addVma(
        space,
        newVma({ ...all, file: file === undefined ? undefined : FILES[file], pgoff, description: file === undefined ? 0 : description }),
      );
      for (let i = from; i < to; i++)
        this.cells[i] = {
          prot,
          flags,
          file,
          offset: file === undefined ? page(i) / PAGE_BYTES : i + 3,
          description: file === undefined ? 0 : description,
        };
    } else if (kind === 'remove') {
      space.vmas.remove(start, end);
      this.cells.fill(undefined, from, to);
    } else this.change(from, to, prot, flags);
  }

  private change(from: number, to: number, prot: number, flags: number): void {
    const { space } = this.space.process;
    for (let at = page(from); at < page(to);) {
      const vma = space.vmas.overlapping(at, page(to))[0] as LinuxVmaOf | undefined;
      if (vma === undefined) break;
      const [start, end] = [vaddr(Math.max(at, vma.start)), vaddr(Math.min(vma.end, page(to)))];
      drain(changePart(this.space.kernel, space, vma, start, end, { prot, flags: MAY_ALL | flags }));
      at = end;
    }
    for (let i = from; i < to; i++) this.cells[i] &&= { ...this.cells[i]!, prot, flags };
  }

  cellOf(index: number): Cell | undefined {
    const vma = this.space.process.space.vmas.containing(page(index)) as LinuxVmaOf | undefined;
    if (vma === undefined) return undefined;
    const file = vma.backing === undefined ? undefined : FILES.indexOf(vma.backing.file);
    const offset = vma.linux.pgoff + (page(index) - vma.start) / PAGE_BYTES;
    return { prot: vma.prot, flags: vma.linux.flags & ~MAY_ALL, file, offset, description: vma.linux.description };
  }

  /** Would the pages on both sides of a boundary be one VMA, as nobody has touched them? */
  isOne(index: number): boolean {
    const [a, b] = [this.cells[index - 1], this.cells[index]];
    if (a === undefined || b === undefined) return false;
    return a.prot === b.prot && a.flags === b.flags && a.file === b.file && a.description === b.description && a.offset + 1 === b.offset;
  }
}

const someSteps = fc.array(someStep, { maxLength: 25 });
const boundsOf = ({ vmas }: LinuxSpace): readonly string[] => vmas.map(({ start, end }) => `${start}-${end}`);

describe('VMAs of linux that nobody has touched', () => {
  it('show at every page what was asked for it', () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        const pair = new Pair();
        for (const step of steps) pair.run(step);
        pair.cells.forEach((cell, i) => expect(pair.cellOf(i), `page ${i}`).to.deep.equal(cell));
      }),
      { numRuns: runs(150) },
    );
  });

  it('end exactly where the next page is of another kind', () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        const pair = new Pair();
        for (const step of steps) {
          pair.run(step);
          expect(checkVmaSet(pair.space.process.space.vmas)).to.equal(undefined);
          for (const vma of pair.space.vmas) expect(checkLinuxVma(vma)).to.equal(undefined);
          const ends = pair.space.vmas.map(({ end }) => end);
          for (let i = 1; i < PAGES; i++) if (ends.includes(vaddr(page(i)))) expect(pair.isOne(i), `page ${i}`).to.equal(false);
        }
      }),
      { numRuns: runs(150) },
    );
  });

  it('are the same again after a part was changed and changed back', () => {
    const part = fc.record({ from: fc.nat(PAGES - 1), length: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(someSteps, part, (steps, { from, length }) => {
        const pair = new Pair();
        for (const step of steps) pair.run(step);
        const before = boundsOf(pair.space);
        const cells = [...pair.cells];
        const change = { kind: 'change' as const, file: undefined, description: 0 };
        pair.run({ ...change, from, length, prot: 5, flags: VM.WIPEONFORK });
        for (let i = from; i < Math.min(PAGES, from + length); i++) {
          const { prot = 0, flags = 0 } = cells[i] ?? {};
          pair.run({ ...change, from: i, length: 1, prot, flags });
        }
        expect(boundsOf(pair.space)).to.deep.equal(before);
      }),
      { numRuns: runs(150) },
    );
  });
});

describe('what merges', () => {
  it('joins a map that fills a hole on both sides at once', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(4, 2);
    space.map(2, 2);
    expect(space.list).to.equal('0-6 rw-p');
  });

  it('joins file maps of contiguous offsets, of one open of the file only', () => {
    const space = new LinuxSpace();
    const file = (offset: number, description = 0) => ({ path: '/f', offset: offset * PAGE_BYTES, description });
    space.map(0, 1, 'r', file(0));
    space.map(1, 1, 'r', file(1));
    expect(space.list).to.equal('0-2 r--p /f+0');
    space.map(2, 1, 'r', file(3));
    space.map(3, 1, 'r', file(4, 1));
    expect(space.list).to.equal('0-2 r--p /f+0, 2-3 r--p /f+3, 3-4 r--p /f+4');
  });

  it('never joins two shared anonymous maps', () => {
    const space = new LinuxSpace();
    space.map(0, 1, 'rw', { shared: true });
    space.map(1, 1, 'rw', { shared: true });
    expect(space.vmas).to.have.length(2);
  });

  it('joins memory that lost its write right before it was touched with memory that never had it', () => {
    const space = new LinuxSpace();
    space.map(0, 1, 'r');
    space.map(1, 2);
    space.protect(1, 1, 'r');
    expect(space.list).to.equal('0-2 r--p, 2-3 rw-p');
    space.write(2);
    space.protect(2, 1, 'r');
    expect(space.list).to.equal('0-2 r--p, 2-3 r--p');
    expect([space.flagsAt(0), space.flagsAt(2)]).to.deep.equal(['', 'ac']);
  });

  it('spreads the guard flag, and no other', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.advise(0, 1, 'guardInstall');
    space.advise(0, 1, 'guardRemove');
    space.map(2, 2);
    expect([space.list, space.flagsAt(3)]).to.deep.equal(['0-4 rw-p', 'gu ac']);
    space.advise(1, 1, 'nohugepage');
    expect([space.list, space.flagsAt(0), space.flagsAt(1)]).to.deep.equal(['0-1 rw-p, 1-2 rw-p, 2-4 rw-p', 'gu ac', 'gu ac nh']);
  });
});
