/** Comparisons, minimum and maximum, and what kind of float a pattern is. Nothing here rounds. */
import { INVALID, isNan, nanOf, unpack, type FloatResult, type Format, type Unpacked } from './format.ts';

/** 1 if equal. Quiet: only a signalling NaN is invalid. */
export function eq(format: Format, a: bigint, b: bigint): FloatResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  return isNan(x) || isNan(y) ? { bits: 0n, flags: nanOf(format, x, y).flags } : truth(order(format, a) === order(format, b));
}

/** 1 if less. Signalling: any NaN is invalid. */
export function lt(format: Format, a: bigint, b: bigint): FloatResult {
  return isUnordered(format, a, b) ? { bits: 0n, flags: INVALID } : truth(order(format, a) < order(format, b));
}

/** 1 if less or equal. Signalling: any NaN is invalid. */
export function le(format: Format, a: bigint, b: bigint): FloatResult {
  return isUnordered(format, a, b) ? { bits: 0n, flags: INVALID } : truth(order(format, a) <= order(format, b));
}

/** minimumNumber of IEEE 754-2019: a number rather than a NaN, and -0 below +0. A signalling NaN is invalid all the same. */
export function min(format: Format, a: bigint, b: bigint): FloatResult {
  return numberOf(format, a, b, isBelow(format, a, b) ? a : b);
}

/** maximumNumber; see `min`. */
export function max(format: Format, a: bigint, b: bigint): FloatResult {
  return numberOf(format, a, b, isBelow(format, a, b) ? b : a);
}

/** `chosen`, unless a NaN takes part. */
function numberOf(format: Format, a: bigint, b: bigint, chosen: bigint): FloatResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (!isNan(x) && !isNan(y)) return { bits: BigInt.asUintN(format.bits, chosen), flags: 0 };
  const answer = nanOf(format, x, y);
  if (isNan(x) && isNan(y)) return answer;
  return { bits: BigInt.asUintN(format.bits, isNan(x) ? b : a), flags: answer.flags };
}

/** fclass: one bit of ten. */
export function classOf(format: Format, a: bigint): FloatResult {
  const x = unpack(format, a);
  if (isNan(x)) return { bits: x.kind === 'signalling' ? 1n << 8n : 1n << 9n, flags: 0 };
  const size = sizeOf(format, x);
  return { bits: 1n << BigInt(x.isNegative ? 3 - size : 4 + size), flags: 0 };
}

/** 0 zero, 1 subnormal, 2 normal, 3 infinite. */
function sizeOf(format: Format, { kind, significand }: Unpacked): number {
  if (kind === 'infinite') return 3;
  if (significand === 0n) return 0;
  return significand < format.hiddenBit ? 1 : 2;
}

const truth = (isTrue: boolean): FloatResult => ({ bits: isTrue ? 1n : 0n, flags: 0 });

const isUnordered = (format: Format, a: bigint, b: bigint): boolean => isNan(unpack(format, a)) || isNan(unpack(format, b));

const isNegative = (format: Format, a: bigint): boolean => (a & format.signBit) !== 0n;

/** A whole number that orders floats as their values do; both zeros are 0. */
function order(format: Format, a: bigint): bigint {
  const magnitude = BigInt.asUintN(format.bits - 1, a);
  return isNegative(format, a) ? -magnitude : magnitude;
}

/** Less, or -0 beside +0. */
function isBelow(format: Format, a: bigint, b: bigint): boolean {
  const difference = order(format, a) - order(format, b);
  return difference < 0n || (difference === 0n && isNegative(format, a));
}
