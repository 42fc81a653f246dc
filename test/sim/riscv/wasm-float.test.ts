/** Floats of the fast engine, which mostly are the host's, against the exact ones: same values, same flags, whatever was raised before. */
import { expect } from 'chai';
import { BASE_ROWS } from '../../../sim/riscv/isa/index.ts';
import type { Row } from '../../../sim/riscv/isa/row.ts';
import { Interpreter } from '../../../sim/riscv/interpreter.ts';
import type { Hart } from '../../../sim/riscv/hart.ts';
import { hartBytes, WasmHart } from '../../../sim/riscv/wasm/hart.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { FlatMemory } from '../../helpers/flat-memory.ts';
import { runs, seed } from '../../helpers/seed.ts';

const CODE = 0x1000;
const BOX = 0xffff_ffff_0000_0000n;
const [FRD, FRS1, FRS2, FRS3] = [10, 11, 12, 13];

const FLOAT_ROWS = BASE_ROWS.filter(({ name, effect }) => /^f(?!ence)/.test(name) && effect.do !== 'store' && !/^fl[wd]$/.test(name));

/** Doubles in all sizes, and such that sums cancel, products and quotients come out even, and results lie at the ends of the range. */
function double(random: Stream): number {
  const sign = random.pick([1, -1]);
  const small = 1 + random.int(64);
  switch (random.int(8)) {
    case 0:
      return random.pick([
        0,
        -0,
        Infinity,
        -Infinity,
        NaN,
        5e-324,
        2 ** -1022,
        2 ** -126,
        2 ** -149,
        2 ** 31,
        2 ** 32,
        2 ** 53,
        2 ** 63,
        2 ** 64,
      ]);
    case 1:
      return sign * small;
    case 2:
      return (sign * small) / 8;
    case 3:
      return sign * small * 2 ** (random.int(2098) - 1074);
    case 4:
      return sign * (1 + random.uint32() / 2 ** 32) * 2 ** (random.int(2098) - 1074);
    case 5:
      return sign * (random.uint32() * 2 ** 21 + random.int(2 ** 21));
    case 6:
      return sign * (1 + random.uint32() / 2 ** 32) * 2 ** (random.int(300) - 150);
    default:
      return sign * (1 + random.uint32() / 2 ** 32);
  }
}

const doubleBits = (value: number): bigint => new BigUint64Array(new Float64Array([value]).buffer)[0]!;
const singleBits = (value: number): bigint => BigInt(new Uint32Array(new Float32Array([value]).buffer)[0]!);

function pattern(random: Stream, isSingle: boolean): bigint {
  if (random.chance(0.05)) return (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  const value = double(random);
  return isSingle ? BOX | singleBits(value) : doubleBits(value);
}

/** The host's product, of singles its negative. */
function productOf(a: bigint, b: bigint, isSingle: boolean): bigint {
  const [x, y] = [a, b].map((bits) => (isSingle ? singleOf(bits) : doubleOf(bits))) as [number, number];
  return isSingle ? BOX | singleBits(-x * y) : doubleBits(x * y);
}

const doubleOf = (bits: bigint): number => new Float64Array(new BigUint64Array([bits]).buffer)[0]!;
const singleOf = (bits: bigint): number => new Float32Array(new BigUint64Array([bits]).buffer)[0]!;

function integer(random: Stream): bigint {
  const wide = (BigInt(random.uint32()) << 32n) | BigInt(random.uint32());
  return BigInt.asIntN(64, random.pick([wide, wide >> BigInt(random.int(64)), (1n << BigInt(random.int(64))) + BigInt(random.int(3) - 1)]));
}

function wordOf(row: Row, rm: number): number {
  const has = (operand: string): boolean => row.slots.some((slot) => slot.operand === operand);
  let word = row.match | (FRD << 7) | (FRS1 << 15);
  if (has('rs2')) word |= FRS2 << 20;
  if (has('rs3')) word |= FRS3 << 27;
  if (has('rm')) word |= rm << 12;
  return word >>> 0;
}

describe('floats of WasmHart', () => {
  const memory = new FlatMemory({ reservedBytes: hartBytes(64, 1) });
  const twin = new FlatMemory();
  const harts: readonly [Interpreter, WasmHart] = [new Interpreter(twin), new WasmHart(memory)];
  for (const one of [memory, twin]) one.map(CODE, 1, 'rx');

  for (const row of FLOAT_ROWS) {
    it(`${row.name} gives the exact value and flags`, () => {
      const random = createPrng(seed).stream(`float ${row.name}`);
      const isSingle = /\.s$/.test(row.name);
      for (let count = runs(1000); count > 0; count--) {
        const rm = random.pick([0, 7, 7, 7, 1, 2, 3, 4]);
        const word = wordOf(row, rm);
        for (const one of [memory, twin]) one.writeWords(CODE, [word]);
        const a = pattern(random, isSingle);
        // Neighbours, whose difference is small, and products and addends that nearly cancel.
        const b = random.chance(0.2) ? a ^ BigInt(random.int(4)) : pattern(random, isSingle);
        const c = random.chance(0.3)
          ? productOf(a, b, isSingle) ^ BigInt(random.int(8)) ^ (isSingle ? 0n : random.pick([0n, 1n]) << 63n)
          : pattern(random, isSingle);
        const fcsr = random.pick([0, 1, 1, 0x11, 0x21, 0x61, 0x40, 0xe1]);
        const x = integer(random);
        const after = harts.map((hart: Hart) => {
          hart.registers.pc = BigInt(CODE);
          hart.registers.fcsr = fcsr;
          hart.registers.x.set([0n, x], FRD);
          hart.registers.f.set([0n, a, b, c].map(signed), FRD);
          const stop = hart.run(1);
          return { stop, fcsr: hart.registers.fcsr, x: hart.registers.x[FRD], f: BigInt.asUintN(64, hart.registers.f[FRD]!) };
        });
        const inputs = `rm ${rm} fcsr ${fcsr} x ${x} a ${a.toString(16)} b ${b.toString(16)} c ${c.toString(16)}`;
        expect(after[1], inputs).to.deep.equal(after[0]);
      }
    });
  }
});

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
