/** Conversions between floats and integers, and between the two formats. */
import { FORMATS, INEXACT, INVALID, isNan, nanOf, signed, unpack } from './format.ts';
import type { FloatResult, Format, Unpacked } from './format.ts';
import { round, roundedShift } from './round.ts';

export interface IntegerFormat {
  readonly bits: 32 | 64;
  readonly isSigned: boolean;
}

/**
 * The integer next to a float, rounded by `rm`, as a 64-bit pattern: words are sign-extended, unsigned ones too.
 *
 * What does not fit is invalid and gives the nearest integer that does; a NaN gives the greatest.
 */
export function toInteger(format: Format, a: bigint, rm: number, { bits, isSigned }: IntegerFormat): FloatResult {
  const x = unpack(format, a);
  const least = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
  const greatest = (1n << BigInt(isSigned ? bits - 1 : bits)) - 1n;
  const pattern = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(bits, value));

  if (x.kind !== 'finite') return { bits: pattern(x.isNegative && !isNan(x) ? least : greatest), flags: INVALID };
  const magnitude = roundedShift(x.significand, -x.exponent, x.isNegative, rm);
  const value = x.isNegative ? -magnitude : magnitude;
  if (value < least) return { bits: pattern(least), flags: INVALID };
  if (value > greatest) return { bits: pattern(greatest), flags: INVALID };
  return { bits: pattern(value), flags: isWhole(x) ? 0 : INEXACT };
}

const isWhole = ({ significand, exponent }: Unpacked): boolean => exponent >= 0 || BigInt.asUintN(-exponent, significand) === 0n;

/** The float next to an integer, of which the low `bits` bits count. */
export function fromInteger(format: Format, a: bigint, rm: number, { bits, isSigned }: IntegerFormat): FloatResult {
  const value = isSigned ? BigInt.asIntN(bits, a) : BigInt.asUintN(bits, a);
  const isNegative = value < 0n;
  return round(format, { isNegative, significand: isNegative ? -value : value, exponent: 0 }, rm);
}

/** The float next to a float of the other format. */
export function fromFloat(format: Format, a: bigint, rm: number, from: 's' | 'd'): FloatResult {
  const x = unpack(FORMATS[from], a);
  if (isNan(x)) return nanOf(format, x);
  return x.kind === 'infinite' ? signed(format, x.isNegative, format.infinity) : round(format, x, rm);
}
