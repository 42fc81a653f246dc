/**
 * Rounding, the one place where an exact number becomes a float. All before it is arithmetic on whole numbers.
 */
import { INEXACT, OVERFLOW, RDN, RMM, RNE, RTZ, RUP, UNDERFLOW, type FloatResult, type Format } from './format.ts';

/** The number `± significand × 2^exponent`. */
export interface Exact {
  readonly isNegative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

/**
 * The float for an exact number, with inexact, underflow and overflow as they come. A zero keeps its sign.
 *
 * A quotient or root that does not end may be cut two bits or more below the precision, if its last bit is then set for all
 * that was cut: no mode can tell the difference.
 */
export function round(format: Format, value: Exact, rm: number): FloatResult {
  const { isNegative, significand, exponent } = value;
  const sign = isNegative ? format.signBit : 0n;
  if (significand === 0n) return { bits: sign, flags: 0 };

  // Exponents of the result's last bit: if it had no lower bound, and as it is.
  const unbounded = exponent + bitLength(significand) - format.precision;
  const last = Math.max(unbounded, format.exponentMin);
  const shift = last - exponent;
  const kept = roundedShift(significand, shift, isNegative, rm);
  // Added, not or-ed: the hidden bit makes the exponent field one more, and so does a carry out of the fraction.
  const magnitude = (BigInt(last - format.exponentMin) << BigInt(format.fractionBits)) + kept;
  if (magnitude >= format.infinity) return overflow(format, isNegative, rm);

  if (shift <= 0 || BigInt.asUintN(shift, significand) === 0n) return { bits: sign | magnitude, flags: 0 };
  return { bits: sign | magnitude, flags: isTiny(format, value, unbounded, rm) ? UNDERFLOW | INEXACT : INEXACT };
}

/** `significand / 2^shift`, rounded to a whole number. */
export function roundedShift(significand: bigint, shift: number, isNegative: boolean, rm: number): bigint {
  if (shift <= 0) return significand << BigInt(-shift);
  const kept = significand >> BigInt(shift);
  const rest = BigInt.asUintN(shift, significand);
  return rest !== 0n && goesAway(kept, rest, shift, isNegative, rm) ? kept + 1n : kept;
}

/** Whether the magnitude `kept`, with `rest / 2^shift` behind it, is to grow by one. */
function goesAway(kept: bigint, rest: bigint, shift: number, isNegative: boolean, rm: number): boolean {
  switch (rm) {
    case RTZ: return false;
    case RDN: return isNegative;
    case RUP: return !isNegative;
  } // prettier-ignore
  const half = 1n << BigInt(shift - 1);
  return rest === half ? rm === RMM || (kept & 1n) === 1n : rest > half;
}

/** Tininess is detected after rounding: would the number, rounded to full precision, lie below the smallest normal? */
function isTiny(format: Format, { significand, exponent, isNegative }: Exact, unbounded: number, rm: number): boolean {
  if (unbounded >= format.exponentMin) return false;
  const rounded = roundedShift(significand, unbounded - exponent, isNegative, rm);
  return unbounded < format.exponentMin - 1 || rounded < 2n * format.hiddenBit;
}

function overflow(format: Format, isNegative: boolean, rm: number): FloatResult {
  const isInfinite = rm === RNE || rm === RMM || rm === (isNegative ? RDN : RUP);
  const magnitude = isInfinite ? format.infinity : format.infinity - 1n;
  return { bits: isNegative ? format.signBit | magnitude : magnitude, flags: OVERFLOW | INEXACT };
}

const CHUNK = 960;
const CHUNK_END = 1n << BigInt(CHUNK);
const host = new DataView(new ArrayBuffer(8));

/** The number of bits of a positive whole number. */
export function bitLength(value: bigint): number {
  let length = 1;
  let top = value;
  for (; top >= CHUNK_END; length += CHUNK) top >>= BigInt(CHUNK);
  // The host's exponent is right, or one too much if Number() rounded up to a power of two.
  host.setFloat64(0, Number(top));
  const exponent = (host.getUint16(0) >>> 4) - 1023;
  return length + exponent - (exponent > 52 && top >> BigInt(exponent) === 0n ? 1 : 0);
}
