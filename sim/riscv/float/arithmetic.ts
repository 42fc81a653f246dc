/**
 * Sum, product, quotient, square root and fused multiply-add: special operands first, then the exact result, rounded once.
 *
 * Sums and products are exact however far the exponents lie apart; an integer of four thousand bits costs less than the
 * reasoning that would avoid it.
 */
import { DIVIDE_BY_ZERO, RDN, invalid, isNan, isZero, nanOf, signed, unpack } from './format.ts';
import type { FloatResult, Format, Unpacked } from './format.ts';
import { bitLength, round, type Exact } from './round.ts';

export function add(format: Format, a: bigint, b: bigint, rm: number): FloatResult {
  return sum(format, unpack(format, a), unpack(format, b), rm);
}

export function sub(format: Format, a: bigint, b: bigint, rm: number): FloatResult {
  const subtrahend = unpack(format, b);
  return sum(format, unpack(format, a), { ...subtrahend, isNegative: !subtrahend.isNegative }, rm);
}

export function mul(format: Format, a: bigint, b: bigint, rm: number): FloatResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) return nanOf(format, x, y);
  if (isInvalidProduct(x, y)) return invalid(format);
  const exact = product(x, y);
  return exact.kind === 'infinite' ? signed(format, exact.isNegative, format.infinity) : round(format, exact, rm);
}

/** a × b + c, rounded once. */
export function fma(format: Format, a: bigint, b: bigint, c: bigint, rm: number): FloatResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  const addend = unpack(format, c);
  // Infinity times zero is invalid even if the addend is a quiet NaN.
  if (isInvalidProduct(x, y)) return invalid(format);
  if (isNan(x) || isNan(y) || isNan(addend)) return nanOf(format, x, y, addend);
  return sum(format, product(x, y), addend, rm);
}

export function div(format: Format, a: bigint, b: bigint, rm: number): FloatResult {
  const x = unpack(format, a);
  const y = unpack(format, b);
  if (isNan(x) || isNan(y)) return nanOf(format, x, y);
  const isNegative = x.isNegative !== y.isNegative;
  if (x.kind === 'infinite') return y.kind === 'infinite' ? invalid(format) : signed(format, isNegative, format.infinity);
  if (y.kind === 'infinite') return signed(format, isNegative, 0n);
  if (isZero(y)) return isZero(x) ? invalid(format) : { ...signed(format, isNegative, format.infinity), flags: DIVIDE_BY_ZERO };

  // So far to the left that the quotient has at least two bits more than the precision.
  const shift = Math.max(0, format.precision + 2 + bitLength(y.significand) - (isZero(x) ? 0 : bitLength(x.significand)));
  const dividend = x.significand << BigInt(shift);
  const quotient = dividend / y.significand;
  const isCut = quotient * y.significand !== dividend;
  return round(format, { isNegative, significand: withSticky(quotient, isCut), exponent: x.exponent - y.exponent - shift - 1 }, rm);
}

export function sqrt(format: Format, a: bigint, rm: number): FloatResult {
  const x = unpack(format, a);
  if (isNan(x)) return nanOf(format, x);
  if (isZero(x)) return signed(format, x.isNegative, 0n);
  if (x.isNegative) return invalid(format);
  if (x.kind === 'infinite') return signed(format, false, format.infinity);

  // Twice the precision and more, so that the root has enough bits; the exponent must be even to be halved.
  const wanted = Math.max(0, 2 * format.precision + 4 - bitLength(x.significand));
  const shift = wanted + (Math.abs(x.exponent - wanted) % 2);
  const radicand = x.significand << BigInt(shift);
  const root = floorOfRoot(radicand);
  const significand = withSticky(root, root * root !== radicand);
  return round(format, { isNegative: false, significand, exponent: (x.exponent - shift) / 2 - 1 }, rm);
}

/** One bit more, set if anything was cut. */
const withSticky = (value: bigint, isCut: boolean): bigint => value * 2n + (isCut ? 1n : 0n);

const isInvalidProduct = (x: Unpacked, y: Unpacked): boolean =>
  (x.kind === 'infinite' && isZero(y)) || (isZero(x) && y.kind === 'infinite');

/** The exact product of what is no NaN. */
const product = (x: Unpacked, y: Unpacked): Unpacked => ({
  kind: x.kind === 'infinite' || y.kind === 'infinite' ? 'infinite' : 'finite',
  isNegative: x.isNegative !== y.isNegative,
  significand: x.significand * y.significand,
  exponent: x.exponent + y.exponent,
});

function sum(format: Format, x: Unpacked, y: Unpacked, rm: number): FloatResult {
  if (isNan(x) || isNan(y)) return nanOf(format, x, y);
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    if (x.kind === y.kind && x.isNegative !== y.isNegative) return invalid(format);
    return signed(format, x.kind === 'infinite' ? x.isNegative : y.isNegative, format.infinity);
  }
  return round(format, exactSum(x, y, rm), rm);
}

/** The mode decides the sign of a zero that comes from opposite signs. */
function exactSum(x: Exact, y: Exact, rm: number): Exact {
  const exponent = Math.min(x.exponent, y.exponent);
  const a = x.significand << BigInt(x.exponent - exponent);
  const b = y.significand << BigInt(y.exponent - exponent);
  if (x.isNegative === y.isNegative) return { isNegative: x.isNegative, significand: a + b, exponent };
  if (a === b) return { isNegative: rm === RDN, significand: 0n, exponent };
  return a > b ? { isNegative: x.isNegative, significand: a - b, exponent } : { isNegative: y.isNegative, significand: b - a, exponent };
}

/** The greatest whole number whose square is at most `value`, by Newton's method from above. */
function floorOfRoot(value: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(value) / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
