/** Where bytes came from: the newest record of each byte, along copies, beside an array that has one record a byte. */
import { expect } from 'chai';
import fc from 'fast-check';
import { Provenance, type Clock, type Origin } from '../../kernel-model/provenance.ts';
import { pfn } from '../../kernel-model/units.ts';
import { runs } from '../helpers/seed.ts';

const PAGE = 4096;
const FRAMES = 4;

interface Step {
  readonly kind: 'note' | 'store' | 'copy' | 'forget';
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly length: number;
  readonly isFile: boolean;
}

const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('note', 'note', 'store', 'store', 'copy', 'copy', 'forget'),
  from: fc.nat(FRAMES - 1),
  to: fc.nat(FRAMES - 1),
  start: fc.nat(PAGE / 256 - 1).map((n) => n * 256),
  length: fc.integer({ min: 1, max: PAGE }),
  isFile: fc.boolean(),
});

/** What a byte of a frame came from, and over which frames. */
interface Cell {
  readonly text: string;
  readonly hops: readonly number[];
}

const textOf = (origin: Origin, offset: number): string =>
  origin.kind === 'file' ? `${origin.path} ${origin.offset + offset}` : origin.kind === 'write' ? `write ${origin.pid}` : origin.kind;

describe('Provenance', () => {
  it('names for each byte what wrote it last, and each copy on the way', () => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 20 }), (steps) => {
        const clock: Clock = { op: 0, event: 0 };
        const provenance = new Provenance(true, clock);
        const cells = Array.from({ length: FRAMES }, () => new Array<Cell | undefined>(PAGE).fill(undefined));
        for (const [i, { kind, from, to, start, length, isFile }] of steps.entries()) {
          // Three steps are of one op: its stores to a frame may be one record.
          const op = (clock.op = Math.floor(i / 3));
          const end = Math.min(PAGE, start + length);
          if (kind === 'note') {
            const origin: Origin = isFile ? { kind: 'file', path: `/f${op}`, offset: op * PAGE } : { kind: 'write', pid: op };
            provenance.note(pfn(to), start, end, origin);
            for (let i = start; i < end; i++) cells[to]![i] = { text: textOf(origin, i - start), hops: [] };
          } else if (kind === 'store') {
            provenance.noteWrite(pfn(to), start, end, op);
            cells[to]!.fill({ text: `write ${op}`, hops: [] }, start, end);
          } else if (kind === 'copy' && from !== to) {
            provenance.noteCopy(pfn(from), pfn(to), start, end, 'test');
            for (let i = start; i < end; i++) {
              const cell = cells[from]![i];
              if (cell !== undefined) cells[to]![i] = { ...cell, hops: [...cell.hops, from] };
            }
          } else if (kind === 'forget') {
            provenance.forget(pfn(to));
            cells[to]!.fill(undefined);
          }
        }
        for (const [frame, row] of cells.entries()) {
          for (let i = 0; i < PAGE; i += 128) {
            const record = provenance.of(pfn(frame), i);
            const found = record && { text: textOf(record.origin, i - record.start), hops: record.hops.map((hop) => hop.from) };
            expect(found, `frame ${frame} byte ${i}`).to.deep.equal(row[i]);
          }
        }
      }),
      { numRuns: runs(100) },
    );
  });

  it('says op and event of the origin and of each copy', () => {
    const clock: Clock = { op: 3, event: 30 };
    const provenance = new Provenance(true, clock);
    provenance.note(pfn(1), 0, PAGE, { kind: 'file', path: '/f', offset: 0x1000 });
    Object.assign(clock, { op: 5, event: 50 });
    provenance.noteCopy(pfn(1), pfn(2), 0x100, 0x200, 'assembly');
    expect(provenance.of(pfn(2), 0xff)).to.equal(undefined);
    expect(provenance.of(pfn(2), 0x180)).to.deep.equal({
      start: 0x100,
      end: 0x200,
      origin: { kind: 'file', path: '/f', offset: 0x1100 },
      op: 3,
      event: 30,
      hops: [{ from: 1, why: 'assembly', op: 5, event: 50 }],
    });
  });

  it('keeps the newest 16 copies of a long chain, and the origin', () => {
    const provenance = new Provenance(true, { op: 0, event: 0 });
    provenance.note(pfn(1), 0, PAGE, { kind: 'write', pid: 7 });
    for (let i = 1; i < 40; i++) provenance.noteCopy(pfn(i), pfn(i + 1), 0, PAGE, 'copy on write');
    const record = provenance.of(pfn(40), 0)!;
    expect(record.origin).to.deep.equal({ kind: 'write', pid: 7 });
    expect(record.hops.map(({ from }) => from)).to.deep.equal(Array.from({ length: 16 }, (_, i) => 24 + i));
  });

  it('gives up the oldest records of a frame that was written in too many places, never the newest', () => {
    const provenance = new Provenance(true, { op: 0, event: 0 });
    for (let i = 0; i < 200; i++) provenance.note(pfn(1), i * 8, i * 8 + 4, { kind: 'write', pid: i });
    expect(provenance.of(pfn(1), 199 * 8)!.origin).to.deep.equal({ kind: 'write', pid: 199 });
    expect(provenance.of(pfn(1), 0)!.origin).to.deep.equal({ kind: 'unknown' });
  });

  it('keeps nothing when it is off', () => {
    const provenance = new Provenance(false, { op: 0, event: 0 });
    provenance.note(pfn(1), 0, PAGE, { kind: 'zero' });
    expect(provenance.of(pfn(1), 0)).to.equal(undefined);
  });
});
