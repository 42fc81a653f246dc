/** Random instructions of a row of the table: fixed bits, and whatever else is legal. */
import fc from 'fast-check';
import { CSRS } from '../../sim/riscv/csr.ts';
import { decode, type Instruction } from '../../sim/riscv/decode.ts';
import type { Row } from '../../sim/riscv/isa/row.ts';

/** A word that decodes as `row`. */
export function wordOf(row: Row): fc.Arbitrary<number> {
  const isCsr = row.effect.do === 'csr';
  return fc
    .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(...CSRS))
    .map(([bits, csr]) => {
      const free = isCsr ? (bits & 0x000f_ffff) | (csr.number << 20) : bits;
      const word = (free & ~row.mask) | row.match;
      return row.bytes === 2 ? word & 0xffff : word >>> 0;
    })
    .filter((word) => decode(word)?.row === row);
}

/** Some of them, decoded. */
export function sampleOf(row: Row, count: number): Instruction[] {
  return fc.sample(wordOf(row), count).map((word) => decode(word)!);
}
