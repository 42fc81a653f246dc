/** The TLB beside a map of what was entered and not flushed since: it may forget, but never invent. */
import { expect } from 'chai';
import fc from 'fast-check';
import { PhysicalMemory } from '../../kernel-model/physical-memory.ts';
import { PTE_EXEC, PTE_READ, PTE_WRITE } from '../../kernel-model/pte.ts';
import { Tlb, TLB_ENTRY_BYTES } from '../../kernel-model/tlb.ts';
import { asid, pfn, vpn } from '../../kernel-model/units.ts';
import { runs } from '../helpers/seed.ts';

const FRAMES = 64;
const RIGHTS = [PTE_READ, PTE_WRITE, PTE_EXEC];
/** Pages that share slots, far apart and next to each other. */
const PAGES = [0, 1, 2, 7, 8, 9, 16, 2 ** 20, 2 ** 20 + 1, 2 ** 35 - 2, 2 ** 35 - 1];
const ASIDS = [1, 2, 4095];

interface Step {
  readonly kind: 'fill' | 'flushPage' | 'flushRange' | 'flushAsid' | 'flushAll';
  readonly cpu: number;
  readonly tag: number;
  readonly page: number;
  readonly frame: number;
  readonly rights: number;
  readonly count: number;
}

const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('fill', 'fill', 'fill', 'fill', 'flushPage', 'flushRange', 'flushAsid', 'flushAll'),
  cpu: fc.nat(1),
  tag: fc.constantFrom(...ASIDS),
  page: fc.constantFrom(...PAGES),
  frame: fc.integer({ min: 1, max: FRAMES - 1 }),
  rights: fc.constantFrom(PTE_READ, PTE_READ | PTE_WRITE, PTE_READ | PTE_EXEC, PTE_READ | PTE_WRITE | PTE_EXEC),
  count: fc.integer({ min: 1, max: 20 }),
});

interface Known {
  readonly tag: number;
  readonly page: number;
  readonly frame: number;
  readonly rights: number;
}

/** The TLBs of two CPUs in one memory, and what each may still know. */
class Pair {
  readonly memory: PhysicalMemory;
  readonly tlbs: readonly Tlb[];
  readonly known: readonly Map<string, Known>[] = [new Map(), new Map()];

  constructor(entries: number) {
    const bytes = entries * TLB_ENTRY_BYTES;
    this.memory = new PhysicalMemory(FRAMES, 2 * bytes, 0, 'balanced');
    this.tlbs = [0, 1].map((i) => new Tlb(this.memory, i * bytes, entries));
  }

  run({ kind, cpu, tag, page, frame, rights, count }: Step): void {
    const [tlb, known] = [this.tlbs[cpu]!, this.known[cpu]!];
    const forget = (isGone: (one: Known) => boolean): void => {
      for (const [key, one] of [...known]) if (isGone(one)) known.delete(key);
    };
    switch (kind) {
      case 'fill':
        tlb.fill(asid(tag), vpn(page), pfn(frame), rights);
        known.set(`${tag} ${page}`, { tag, page, frame, rights });
        for (const right of RIGHTS)
          expect(this.looksUp(cpu, tag, page, right), 'what was just entered').to.equal((rights & right) === 0 ? -1 : frame);
        break;
      case 'flushPage':
        tlb.flushPage(asid(tag), vpn(page));
        forget((one) => one.tag === tag && one.page === page);
        break;
      case 'flushRange':
        tlb.flushRange(asid(tag), vpn(page), count);
        forget((one) => one.tag === tag && page <= one.page && one.page < page + count);
        break;
      case 'flushAsid':
        tlb.flushAsid(asid(tag));
        forget((one) => one.tag === tag);
        break;
      case 'flushAll':
        tlb.flushAll();
        known.clear();
        break;
    }
  }

  /** The frame that a look-up answers, or -1. */
  looksUp(cpu: number, tag: number, page: number, right: number): number {
    const at = this.tlbs[cpu]!.lookup(asid(tag), vpn(page), right);
    return at < 0 ? -1 : (at - this.memory.byteOf(pfn(0))) / 4096;
  }

  check(): void {
    for (const [cpu, known] of this.known.entries()) {
      for (const tag of ASIDS) {
        for (const page of PAGES) {
          for (const right of RIGHTS) {
            const frame = this.looksUp(cpu, tag, page, right);
            if (frame < 0) continue;
            expect(known.get(`${tag} ${page}`), `asid ${tag} page ${page}`).to.include({ frame });
            expect(known.get(`${tag} ${page}`)!.rights & right).to.equal(right);
          }
        }
      }
      this.tlbs[cpu]!.each(({ asid: tag, vpn: page, frame, rights }) =>
        expect(known.get(`${tag} ${page}`)).to.deep.equal({ tag, page, frame, rights }),
      );
    }
  }
}

describe('Tlb', () => {
  for (const entries of [2, 8, 64]) {
    it(`answers with what was entered last and not flushed, or not at all (${entries} entries, 2 CPUs)`, () => {
      fc.assert(
        fc.property(fc.array(someStep, { maxLength: 40 }), (steps) => {
          const pair = new Pair(entries);
          for (const step of steps) {
            pair.run(step);
            pair.check();
          }
        }),
        { numRuns: runs(60) },
      );
    });
  }

  it('is empty at first, and keeps translations of pages that share no slot', () => {
    const { tlbs, memory } = new Pair(8);
    tlbs[0]!.each(() => expect.fail('a translation'));
    for (let page = 0; page < 8; page++) tlbs[0]!.fill(asid(1), vpn(page), pfn(page + 1), PTE_READ);
    for (let page = 0; page < 8; page++) expect(tlbs[0]!.lookup(asid(1), vpn(page), PTE_READ)).to.equal(memory.byteOf(pfn(page + 1)));
    expect(tlbs[1]!.lookup(asid(1), vpn(0), PTE_READ)).to.equal(-1);
    expect(tlbs[0]!.lookup(asid(2), vpn(0), PTE_READ)).to.equal(-1);
  });
});
