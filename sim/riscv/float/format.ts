/**
 * The two binary formats of F and D, and a float taken apart into whole numbers.
 *
 *     | sign (1) | exponent, biased (8 or 11) | fraction (23 or 52) |
 *
 * A finite float is `± significand × 2^exponent`; in this form zeros and subnormals are no special case. Payloads of NaNs
 * are not kept: RISC-V answers with the canonical NaN whatever came in.
 */
import type { FloatFormat } from '../semantics.ts';

export const INEXACT = 1;
export const UNDERFLOW = 2;
export const OVERFLOW = 4;
export const DIVIDE_BY_ZERO = 8;
export const INVALID = 16;

/** Rounding modes as the rm field has them: to nearest with ties to even, to zero, down, up, to nearest with ties away from zero. */
export const RNE = 0;
export const RTZ = 1;
export const RDN = 2;
export const RUP = 3;
export const RMM = 4;

/** A pattern and the flags that an operation raises, as fflags has them. */
export interface FloatResult {
  readonly bits: bigint;
  readonly flags: number;
}

export interface Format {
  /** Bits of a pattern. */
  readonly bits: number;
  /** Bits of a significand, the hidden one included. */
  readonly precision: number;
  readonly fractionBits: number;
  /** The exponent field of infinities and NaNs: all ones. */
  readonly fieldMax: number;
  /** Exponent of a subnormal's last bit: 2^exponentMin is the smallest positive float. */
  readonly exponentMin: number;
  readonly signBit: bigint;
  /** The bit that only a normal number's significand has: 2^fractionBits. */
  readonly hiddenBit: bigint;
  readonly infinity: bigint;
  readonly canonicalNan: bigint;
}

export const FORMATS: Readonly<Record<FloatFormat, Format>> = { s: formatOf(32, 8), d: formatOf(64, 11) };

export interface Unpacked {
  readonly kind: 'finite' | 'infinite' | 'quiet' | 'signalling';
  readonly isNegative: boolean;
  /** 0 unless finite. */
  readonly significand: bigint;
  readonly exponent: number;
}

/** Takes a pattern apart. Bits above the format's are ignored. */
export function unpack(format: Format, bits: bigint): Unpacked {
  const { fractionBits, fieldMax, exponentMin, hiddenBit } = format;
  const fraction = BigInt.asUintN(fractionBits, bits);
  const upper = Number(BigInt.asUintN(64, bits) >> BigInt(fractionBits));
  const field = upper & fieldMax;
  const isNegative = (upper & (fieldMax + 1)) !== 0;
  if (field === 0) return { kind: 'finite', isNegative, significand: fraction, exponent: exponentMin };
  if (field < fieldMax) return { kind: 'finite', isNegative, significand: fraction | hiddenBit, exponent: exponentMin + field - 1 };
  if (fraction === 0n) return { kind: 'infinite', isNegative, significand: 0n, exponent: 0 };
  const kind = fraction < hiddenBit / 2n ? 'signalling' : 'quiet';
  return { kind, isNegative, significand: 0n, exponent: 0 };
}

export const isNan = (value: Unpacked): boolean => value.kind === 'quiet' || value.kind === 'signalling';
export const isZero = (value: Unpacked): boolean => value.kind === 'finite' && value.significand === 0n;

/** A zero or an infinity with this sign, exact. */
export const signed = (format: Format, isNegative: boolean, magnitude: bigint): FloatResult => ({
  bits: isNegative ? format.signBit | magnitude : magnitude,
  flags: 0,
});

/** The answer to an operation that has none, such as 0 / 0. */
export const invalid = (format: Format): FloatResult => ({ bits: format.canonicalNan, flags: INVALID });

/** The answer if at least one operand is a NaN. */
export const nanOf = (format: Format, ...operands: readonly Unpacked[]): FloatResult => ({
  bits: format.canonicalNan,
  flags: operands.some((operand) => operand.kind === 'signalling') ? INVALID : 0,
});

function formatOf(bits: number, exponentBits: number): Format {
  const fractionBits = bits - exponentBits - 1;
  const fieldMax = 2 ** exponentBits - 1;
  const hiddenBit = 1n << BigInt(fractionBits);
  const infinity = BigInt(fieldMax) * hiddenBit;
  return {
    bits,
    precision: fractionBits + 1,
    fractionBits,
    fieldMax,
    exponentMin: 2 - 2 ** (exponentBits - 1) - fractionBits,
    signBit: 1n << BigInt(bits - 1),
    hiddenBit,
    infinity,
    canonicalNan: infinity | (hiddenBit / 2n),
  };
}
