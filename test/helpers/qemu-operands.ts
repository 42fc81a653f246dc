/** Operands for instructions: random ones, and those on which implementations differ. */
import type { FloatFormat } from '../../sim/riscv/semantics.ts';
import type { Stream } from '../../sim/prng.ts';

export const uint64 = (stream: Stream): bigint => (BigInt(stream.uint32()) << 32n) | BigInt(stream.uint32());

/** A 64-bit pattern: any, short, a power of two or its neighbour, or one bit away from such a one. */
export function integerOperand(stream: Stream): bigint {
  const near = (1n << BigInt(stream.int(64))) + BigInt(stream.int(3) - 1);
  switch (stream.int(5)) {
    case 0: return uint64(stream);
    case 1: return BigInt.asUintN(64, BigInt(stream.int(64) - 32));
    case 2: return BigInt.asUintN(64, -near);
    case 3: return BigInt.asUintN(64, BigInt.asIntN(1 + stream.int(64), uint64(stream)));
    default: return BigInt.asUintN(64, near);
  } // prettier-ignore
}

/** A float's pattern: a famous one, or of any exponent or one that matters, with a fraction of few ones or of many. */
export function floatOperand(stream: Stream, format: FloatFormat): bigint {
  const [fractionBits, fieldMax] = format === 's' ? [23, 0xff] : [52, 0x7ff];
  const sign = BigInt(stream.int(2)) << (format === 's' ? 31n : 63n);
  if (stream.chance(0.2)) return sign | famous(stream, BigInt(fieldMax) << BigInt(fractionBits));
  const field = BigInt(exponentField(stream, fieldMax, fractionBits));
  return sign | (field << BigInt(fractionBits)) | BigInt.asUintN(fractionBits, fraction(stream, fractionBits));
}

/** @param infinity - its pattern */
function famous(stream: Stream, infinity: bigint): bigint {
  const normal = infinity & -infinity;
  const one = (infinity >> 1n) & -normal;
  const nans = [infinity + 1n, infinity | (normal >> 1n)];
  return stream.pick([0n, 0n, 1n, normal - 1n, normal, one - 1n, one, infinity - 1n, infinity, ...nans]);
}

/** Corners of the field, its middle (numbers near 1, whose products and sums meet), and the reach of integers. */
function exponentField(stream: Stream, fieldMax: number, fractionBits: number): number {
  const bias = fieldMax >> 1;
  switch (stream.int(8)) {
    case 0: return stream.int(fieldMax + 1);
    case 1: return stream.pick([0, 0, 1, 2, fieldMax, fieldMax - 1, fieldMax - 2]);
    case 2: return bias + stream.int(66);
    case 3: return bias + stream.pick([-1, 0, 1]) * fractionBits + stream.int(5) - 2;
    case 4: return (bias >> 1) + stream.int(fractionBits + 4) - (fractionBits >> 1);
    case 5: return fieldMax - 1 - stream.int(fractionBits + 4);
    default: return bias + stream.int(9) - 4;
  } // prettier-ignore
}

function fraction(stream: Stream, bits: number): bigint {
  const one = 1n << BigInt(stream.int(bits));
  switch (stream.int(6)) {
    case 0: return 0n;
    case 1: return one;
    case 2: return -one;
    case 3: return one - 1n;
    case 4: return one + BigInt(stream.int(7) - 3);
    default: return uint64(stream);
  } // prettier-ignore
}

/** What a floating-point register may hold: a double, a boxed single, or a single that is not boxed properly. */
export function floatRegister(stream: Stream, format: FloatFormat): bigint {
  if (format === 'd') return floatOperand(stream, 'd');
  const upper = stream.chance(0.97) ? 0xffff_ffffn : BigInt(stream.uint32());
  return (upper << 32n) | floatOperand(stream, 's');
}
