/**
 * Floating point against the host's arithmetic, which rounds to nearest even, and against what IEEE 754 says of the other modes.
 * Every bit and flag is compared with qemu's in float-qemu.test.ts.
 */
import { expect } from 'chai';
import { floatOperation, type FloatResult } from '../../../sim/riscv/float.ts';
import type { FloatFormat, FloatOperator } from '../../../sim/riscv/semantics.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { floatOperand, integerOperand } from '../../helpers/qemu-operands.ts';
import { runs, seed } from '../../helpers/seed.ts';

const COUNT = 20_000;
const [RNE, RTZ, RDN, RUP, RMM] = [0, 1, 2, 3, 4];
const [NX, UF, OF, DZ, NV] = [1, 2, 4, 8, 16];
const NAN: Readonly<Record<FloatFormat, bigint>> = { s: 0x7fc0_0000n, d: 0x7ff8_0000_0000_0000n };
const FORMATS = ['s', 'd'] as const;

const view = new DataView(new ArrayBuffer(8));

function numberOf(format: FloatFormat, bits: bigint): number {
  view.setBigUint64(0, bits);
  return format === 's' ? view.getFloat32(4) : view.getFloat64(0);
}

function bitsOf(format: FloatFormat, value: number): bigint {
  if (Number.isNaN(value)) return NAN[format];
  if (format === 's') view.setFloat32(4, value);
  else view.setFloat64(0, value);
  return format === 's' ? BigInt(view.getUint32(4)) : view.getBigUint64(0);
}

function eachOf(name: string, visit: (stream: Stream) => void): void {
  const stream = createPrng(seed).stream(name);
  for (let i = 0; i < runs(COUNT); i++) visit(stream);
}

const hex = (bits: bigint): string => `0x${bits.toString(16)}`;
const hexOf = ({ bits, flags }: FloatResult): string => `${hex(bits)} flags ${flags}`;

// The host computes singles in double precision; for these five rounding twice is rounding once.
const HOST: Partial<Record<FloatOperator, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  sqrt: (a) => Math.sqrt(a),
};
const HOST_OPERATORS = Object.keys(HOST) as FloatOperator[];

describe('floatOperation', () => {
  for (const format of FORMATS) {
    it(`rounds to nearest even as the host does (${format})`, () =>
      eachOf(`float-host-${format}`, (stream) => {
        const name = stream.pick(HOST_OPERATORS);
        const args = [floatOperand(stream, format), floatOperand(stream, format)] as const;
        const value = HOST[name]!(numberOf(format, args[0]), numberOf(format, args[1]));
        const call = `${name}(${args.map(hex).join(', ')})`;
        expect(hex(floatOperation(name, format, args, RNE).bits), call).to.equal(hex(bitsOf(format, value)));
      }));

    it(`rounds up as it rounds down the negated, and by at most one place (${format})`, () =>
      eachOf(`float-directed-${format}`, (stream) => {
        const sign = format === 's' ? 1n << 31n : 1n << 63n;
        const [a, b, c] = [floatOperand(stream, format), floatOperand(stream, format), floatOperand(stream, format)];
        const down = floatOperation('fma', format, [a, b, c], RDN);
        const up = floatOperation('fma', format, [a, b, c], RUP);
        const mirrored = floatOperation('fma', format, [a ^ sign, b, c ^ sign], RDN);
        const call = `fma(${[a, b, c].map(hex).join(', ')})`;
        if (up.bits === NAN[format]) return;
        expect(hexOf(mirrored), call).to.equal(hexOf({ bits: up.bits ^ sign, flags: up.flags }));
        const order = (bits: bigint): bigint => ((bits & sign) === 0n ? bits : -(bits ^ sign));
        const isExact = (up.flags & NX) === 0;
        expect(order(up.bits) - order(down.bits), call).to.equal(isExact ? 0n : 1n);
        for (const rm of [RNE, RTZ, RMM]) {
          expect([hex(down.bits), hex(up.bits)], call).to.include(hex(floatOperation('fma', format, [a, b, c], rm).bits));
        }
      }));

    it(`reads integers as the host does (${format})`, () =>
      eachOf(`float-integer-${format}`, (stream) => {
        const value = BigInt.asIntN(64, integerOperand(stream));
        // Number() rounds 64 bits to 53; a single would be rounded twice, so it gets an integer that a double has.
        const integer = format === 's' ? BigInt.asIntN(52, value) : value;
        const { bits, flags } = floatOperation('fromL', format, [integer], RNE);
        expect(hex(bits), hex(BigInt.asUintN(64, value))).to.equal(hex(bitsOf(format, Number(integer))));
        expect(flags === 0).to.equal(BigInt(numberOf(format, bits)) === integer);
      }));

    it(`makes integers as the host's floor, ceil and trunc do (${format})`, () =>
      eachOf(`float-to-integer-${format}`, (stream) => {
        const a = floatOperand(stream, format);
        const value = numberOf(format, a);
        for (const [rm, toWhole] of [
          [RTZ, Math.trunc],
          [RDN, Math.floor],
          [RUP, Math.ceil],
        ] as const) {
          // prettier-ignore
          const whole = toWhole(value);
          const isInRange = whole >= -(2 ** 63) && whole < 2 ** 63;
          const { bits, flags } = floatOperation('toL', format, [a], rm);
          if (isInRange) expect(BigInt.asIntN(64, bits), hex(a)).to.equal(BigInt(whole));
          expect(flags, hex(a)).to.equal(!isInRange ? NV : whole === value ? 0 : NX);
        }
      }));
  }

  it('narrows as the host does, and widens what it narrowed to the same', () =>
    eachOf('float-formats', (stream) => {
      const a = floatOperand(stream, 'd');
      const narrow = floatOperation('fromD', 's', [a], RNE).bits;
      expect(hex(narrow), hex(a)).to.equal(hex(bitsOf('s', numberOf('d', a))));
      const wide = floatOperation('fromS', 'd', [narrow], RNE).bits;
      expect(hex(wide), hex(a)).to.equal(hex(bitsOf('d', numberOf('s', narrow))));
    }));

  const INF = 0x7ff0_0000_0000_0000n;
  const QUIET = 0xfff8_0000_0000_0123n;
  const SIGNALLING = 0x7ff0_0000_0000_0001n;
  const ZERO = 0n;
  const MINUS_ZERO = 1n << 63n;
  const ONE = 0x3ff0_0000_0000_0000n;
  const MAX = INF - 1n;
  const SMALLEST = 1n;
  const NORMAL = 0x0010_0000_0000_0000n;
  const BELOW_ONE = ONE - 1n;

  // prettier-ignore
  const FACTS: readonly (readonly [fact: string, name: FloatOperator, args: readonly bigint[], rm: number, bits: bigint, flags: number])[] = [
    ['a NaN is canonical, and quiet ones raise nothing',  'add',  [QUIET, ONE],            RNE, NAN.d,        0],
    ['a signalling NaN is invalid',                       'add',  [ONE, SIGNALLING],       RNE, NAN.d,        NV],
    ['infinity minus infinity is invalid',                'sub',  [INF, INF],              RNE, NAN.d,        NV],
    ['infinity times zero is invalid beside a quiet NaN', 'fma',  [INF, ZERO, QUIET],      RNE, NAN.d,        NV],
    ['one by zero divides by zero',                       'div',  [ONE, MINUS_ZERO],       RNE, INF | MINUS_ZERO, DZ],
    ['zero by zero is invalid',                           'div',  [ZERO, ZERO],            RNE, NAN.d,        NV],
    ['the root of -0 is -0',                              'sqrt', [MINUS_ZERO],            RNE, MINUS_ZERO,   0],
    ['the root of -1 is invalid',                         'sqrt', [ONE | MINUS_ZERO],      RNE, NAN.d,        NV],
    ['x - x is +0',                                       'sub',  [ONE, ONE],              RUP, ZERO,         0],
    ['x - x is -0 when rounding down',                    'sub',  [ONE, ONE],              RDN, MINUS_ZERO,   0],
    ['overflow is infinite to nearest',                   'add',  [MAX, MAX],              RNE, INF,          OF | NX],
    ['overflow stops at the greatest towards zero',       'add',  [MAX, MAX],              RTZ, MAX,          OF | NX],
    ['a subnormal that is exact does not underflow',      'mul',  [NORMAL, 0x3fe0n << 48n], RNE, NORMAL / 2n, 0],
    ['half the smallest goes to even',                    'mul',  [SMALLEST, 0x3fe0n << 48n], RNE, ZERO,      UF | NX],
    ['half the smallest goes away from zero',             'mul',  [SMALLEST, 0x3fe0n << 48n], RMM, SMALLEST,  UF | NX],
    ['tiny is what full precision leaves below the smallest normal', 'mul', [NORMAL, BELOW_ONE],               RUP, NORMAL, UF | NX],
    ['what full precision rounds to the smallest normal is not tiny', 'fma', [SMALLEST | MINUS_ZERO, BELOW_ONE / 2n, NORMAL], RUP, NORMAL, NX],
    ['min takes the number',                              'min',  [QUIET, ONE],            RNE, ONE,          0],
    ['min takes the number, and a signalling NaN is invalid', 'min', [ONE, SIGNALLING],    RNE, ONE,          NV],
    ['min of two NaNs is canonical',                      'min',  [QUIET, QUIET],          RNE, NAN.d,        0],
    ['-0 is below +0',                                    'max',  [MINUS_ZERO, ZERO],      RNE, ZERO,         0],
    ['eq is quiet',                                       'eq',   [QUIET, QUIET],          RNE, 0n,           0],
    ['le is signalling',                                  'le',   [QUIET, QUIET],          RNE, 0n,           NV],
    ['zeros are equal',                                   'eq',   [MINUS_ZERO, ZERO],      RNE, 1n,           0],
    ['a NaN becomes the greatest integer',                'toW',  [QUIET],                 RNE, 0x7fff_ffffn, NV],
    ['an unsigned word is sign-extended',                 'toWu', [INF],                   RNE, 0xffff_ffff_ffff_ffffn, NV],
    ['-1 is no unsigned integer',                         'toLu', [ONE | MINUS_ZERO],      RNE, 0n,           NV],
    ['what rounds to 0 is one',                           'toLu', [BELOW_ONE | MINUS_ZERO], RTZ, 0n,          NX],
    ['fclass knows a signalling NaN',                     'class', [SIGNALLING],           RNE, 1n << 8n,     0],
    ['fclass knows -infinity',                            'class', [INF | MINUS_ZERO],     RNE, 1n,           0],
  ];
  for (const [fact, name, args, rm, bits, flags] of FACTS) {
    it(fact, () => {
      expect(hexOf(floatOperation(name, 'd', args, rm))).to.equal(hexOf({ bits, flags }));
      const signedArgs = args.map((arg) => BigInt.asIntN(64, arg));
      expect(hexOf(floatOperation(name, 'd', signedArgs, rm)), 'signed patterns').to.equal(hexOf({ bits, flags }));
    });
  }
});
