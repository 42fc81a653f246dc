/** The instruction table by itself: no encoding is two instructions, and the encodings are as the manual has them. */
import { expect } from 'chai';
import { BASE_ROWS, ROWS } from '../../../sim/riscv/isa/index.ts';
import type { Row } from '../../../sim/riscv/isa/row.ts';

/** Pairs whose fixed bits leave words that fit both: a field of the second excludes what is the first's. */
const DECLARED = [
  'c.addi16sp/c.lui',
  'c.srli64/c.srli',
  'c.srai64/c.srai',
  'c.slli64/c.slli',
  'c.jr/c.mv',
  'c.ebreak/c.jalr',
  'c.ebreak/c.add',
  'c.jalr/c.add',
];

const overlap = (a: Row, b: Row): boolean => a.bytes === b.bytes && ((a.match ^ b.match) & a.mask & b.mask) === 0;

describe('instruction table', () => {
  it('has no overlap but those that are declared, the specific row first', () => {
    const found = ROWS.flatMap((a, i) => ROWS.slice(i + 1).flatMap((b) => (overlap(a, b) ? [`${a.name}/${b.name}`] : [])));
    expect(found).to.have.members(DECLARED);
  });

  it('has each name once', () => {
    expect(new Set(ROWS.map(({ name }) => name)).size).to.equal(ROWS.length);
  });

  it('gives each bit of a word to the fixed bits or to one field', () => {
    for (const row of ROWS) {
      const taken = new Map<number, string>();
      for (const { operand, pieces } of row.slots) {
        for (const { from, width } of pieces) {
          for (let bit = from; bit < from + width; bit++) {
            expect((row.mask >>> bit) & 1, `${row.name} bit ${bit}`).to.equal(0);
            const isShared = operand === 'rs1' && taken.get(bit) === 'rd';
            if (!isShared) expect(taken.get(bit), `${row.name} bit ${bit}`).to.equal(undefined);
            taken.set(bit, operand);
          }
        }
      }
      const fixed = Array.from({ length: row.bytes * 8 }, (_, bit) => bit).filter((bit) => (row.mask >>> bit) & 1).length;
      expect(taken.size + fixed, row.name).to.equal(row.bytes * 8);
    }
  });

  it('lets a compressed instruction stand for one of four bytes with the same effect', () => {
    for (const { name, base, bytes, effect } of ROWS) {
      expect(base !== undefined, name).to.equal(bytes === 2);
      if (base !== undefined) expect(BASE_ROWS).to.include(base);
      if (base !== undefined) expect(effect, name).to.equal(base.effect);
    }
  });

  it('is RV64GC: 52 rows of I, 1 and 6 of Zifencei and Zicsr, 13 of M, 22 of A, 30 of F, 32 of D, 39 of C', () => {
    expect(BASE_ROWS).to.have.length(52 + 1 + 6 + 13 + 22 + 30 + 32);
    expect(ROWS).to.have.length(BASE_ROWS.length + 39);
  });
});
