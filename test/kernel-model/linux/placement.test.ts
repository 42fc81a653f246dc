/** Placement beside a search that tries every page from the top down. */
import { expect } from 'chai';
import fc from 'fast-check';
import { findPlace, roundHint } from '../../../kernel-model/linux/placement.ts';
import { hex, PAGE_BYTES } from '../../../kernel-model/units.ts';
import { LinuxSpace, page } from '../../helpers/linux-space.ts';
import { runs } from '../../helpers/seed.ts';

/** Pages in view; all else below the top of the search is taken. */
const PAGES = 48;
const HUGE = 512;

/** A space in which only `pages` pages from BASE on are free. */
function closedSpace(pages: number): LinuxSpace {
  const space = new LinuxSpace();
  const { lowestAddress, userEnd } = space.kernel.design;
  for (const [from, to] of [
    [lowestAddress, page(0)],
    [page(pages), userEnd],
  ] as const)
    space.mmap({ address: from, lengthBytes: to - from, prot: 0, fixed: true, noreserve: true });
  return space;
}

const place = (space: LinuxSpace, pages: number, address = 0, isAnonymous = false): number | string =>
  findPlace(space.kernel, space.process.space, { address, length: pages * PAGE_BYTES, fixed: false, isAnonymous });

const someMaps = fc.array(fc.record({ at: fc.nat(PAGES - 1), length: fc.integer({ min: 1, max: 6 }) }), { maxLength: 12 });

describe('findPlace', () => {
  it('takes the top end of the highest gap that fits', () => {
    fc.assert(
      fc.property(someMaps, fc.integer({ min: 1, max: 12 }), (maps, pages) => {
        const space = closedSpace(PAGES);
        const taken = new Set<number>();
        for (const { at, length } of maps) {
          const to = Math.min(PAGES, at + length);
          space.map(at, to - at);
          for (let i = at; i < to; i++) taken.add(i);
        }
        const fits = (at: number): boolean => Array.from({ length: pages }, (_, i) => at + i).every((i) => !taken.has(i));
        let at = PAGES - pages;
        while (at >= 0 && !fits(at)) at--;
        expect(place(space, pages)).to.equal(at < 0 ? 'ENOMEM' : page(at));
      }),
      { numRuns: runs(120) },
    );
  });

  it('takes a hint whose range is free, and else goes where it would without', () => {
    fc.assert(
      fc.property(someMaps, fc.nat(PAGES - 1), fc.integer({ min: 1, max: 12 }), (maps, hint, pages) => {
        const space = closedSpace(PAGES);
        for (const { at, length } of maps) space.map(at, Math.min(PAGES - at, length));
        const isFree = space.process.space.vmas.isFree(page(hint), page(hint + pages));
        expect(place(space, pages, page(hint))).to.equal(isFree ? page(hint) : place(space, pages));
      }),
      { numRuns: runs(120) },
    );
  });

  it('puts anonymous memory of whole huge pages where huge pages fit, as high as they do', () => {
    const space = closedSpace(3 * HUGE);
    space.map(3 * HUGE - 1, 1);
    expect(place(space, HUGE, 0, true)).to.equal(page(HUGE));
    expect(place(space, HUGE, 0, false)).to.equal(page(2 * HUGE - 1));
    expect(place(space, HUGE + 1, 0, true)).to.equal(page(2 * HUGE - 2));
    // Without room to align in, any place will do.
    expect(place(space, 2 * HUGE, 0, true)).to.equal(page(HUGE - 1));
  });

  it('stays a guard gap below a VMA that grows downwards', () => {
    const space = closedSpace(300);
    space.map(299, 1, 'rw', { growsdown: true });
    expect(place(space, 3)).to.equal(page(299 - 256 - 3));
    expect(place(space, 3, page(295))).to.equal(page(299 - 256 - 3));
    expect(place(space, 44)).to.equal('ENOMEM');
  });

  it('looks for a lower gap inside the guard gap only where the first is too small anyway', () => {
    const space = closedSpace(300);
    space.map(299, 1, 'rw', { growsdown: true });
    space.map(296, 1);
    expect(place(space, 3)).to.equal(page(293));
    expect(place(space, 2)).to.equal(page(299 - 256 - 2));
  });

  it('searches from a third of the address space upwards when nothing is free below the stack', () => {
    const space = new LinuxSpace();
    const { lowestAddress, placementStart, userEnd } = space.kernel.design;
    space.mmap({ address: lowestAddress, lengthBytes: placementStart - lowestAddress, prot: 0, fixed: true, noreserve: true });
    expect(place(space, 1)).to.equal(placementStart);
    expect(place(space, (userEnd - placementStart) / PAGE_BYTES + 1)).to.equal('ENOMEM');
  });

  it('refuses fixed places outside of what a program may have', () => {
    const { kernel, process } = new LinuxSpace();
    const fixed = (address: number, length = PAGE_BYTES): string | number => {
      const found = findPlace(kernel, process.space, { address, length, fixed: true, isAnonymous: true });
      return typeof found === 'string' ? found : hex(found);
    };
    const { userEnd } = kernel.design;
    expect(fixed(0x1_0000)).to.equal('0x10000');
    expect(fixed(0xf000)).to.equal('EPERM');
    expect(fixed(0x1_0800)).to.equal('EINVAL');
    expect(fixed(userEnd - PAGE_BYTES)).to.equal(hex(userEnd - PAGE_BYTES));
    expect(fixed(userEnd)).to.equal('ENOMEM');
    expect(fixed(0x1_0000, userEnd)).to.equal('ENOMEM');
  });
});

describe('roundHint', () => {
  it('rounds down to a page, but not below the lowest address', () => {
    const { kernel } = new LinuxSpace();
    expect([0, 1, 0x1000, 0x1_0800, 0x12_3456].map((hint) => roundHint(kernel, hint))).to.deep.equal([0, 0, 0x1_0000, 0x1_0000, 0x12_3000]);
  });
});
