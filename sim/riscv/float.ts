/**
 * IEEE 754 arithmetic as RISC-V's F and D ask for it: exact, every rounding mode, every flag, the canonical NaN.
 *
 * It uses integers only, so it depends on no host: the interpreter leans on it always, the WebAssembly engine where the
 * host's floats would differ. The files behind it: format.ts takes floats apart, arithmetic.ts, compare.ts and convert.ts
 * find exact results, round.ts makes floats of them.
 *
 * @see The RISC-V Instruction Set Manual, Volume I, chapters "F" (version 2.2) and "D" (2.2)
 */
import { add, div, fma, mul, sqrt, sub } from './float/arithmetic.ts';
import { classOf, eq, le, lt, max, min } from './float/compare.ts';
import { fromFloat, fromInteger, toInteger, type IntegerFormat } from './float/convert.ts';
import { FORMATS, type FloatResult, type Format } from './float/format.ts';
import type { FloatFormat, FloatOperator } from './semantics.ts';

export type { FloatResult } from './float/format.ts';

/**
 * One operation on patterns.
 *
 * Floats are patterns of `format` (single precision in the low 32 bits, not boxed); what `fromS` and `fromD` convert is of
 * the format they name. Integers are 64-bit patterns. Results are unsigned patterns; comparisons give 1 or 0, `toW` and
 * `toWu` a word sign-extended to 64 bits, as fcvt.w and fcvt.wu leave it in a register.
 *
 * @param args - one to three patterns, signed or unsigned, as many as the operator takes
 * @param rm - 0 to 4, RNE RTZ RDN RUP RMM; without meaning where nothing is rounded
 * @returns the pattern and the flags raised: NX 1, UF 2, OF 4, DZ 8, NV 16
 */
export function floatOperation(name: FloatOperator, format: FloatFormat, args: readonly bigint[], rm: number): FloatResult {
  return OPERATIONS[name](FORMATS[format], args[0]!, args[1] ?? 0n, args[2] ?? 0n, rm);
}

type Operation = (format: Format, a: bigint, b: bigint, c: bigint, rm: number) => FloatResult;

const W: IntegerFormat = { bits: 32, isSigned: true };
const WU: IntegerFormat = { bits: 32, isSigned: false };
const L: IntegerFormat = { bits: 64, isSigned: true };
const LU: IntegerFormat = { bits: 64, isSigned: false };

const OPERATIONS: Readonly<Record<FloatOperator, Operation>> = {
  add: (format, a, b, _c, rm) => add(format, a, b, rm),
  sub: (format, a, b, _c, rm) => sub(format, a, b, rm),
  mul: (format, a, b, _c, rm) => mul(format, a, b, rm),
  div: (format, a, b, _c, rm) => div(format, a, b, rm),
  sqrt: (format, a, _b, _c, rm) => sqrt(format, a, rm),
  fma: (format, a, b, c, rm) => fma(format, a, b, c, rm),
  min: (format, a, b) => min(format, a, b),
  max: (format, a, b) => max(format, a, b),
  eq: (format, a, b) => eq(format, a, b),
  lt: (format, a, b) => lt(format, a, b),
  le: (format, a, b) => le(format, a, b),
  class: (format, a) => classOf(format, a),
  toW: (format, a, _b, _c, rm) => toInteger(format, a, rm, W),
  toWu: (format, a, _b, _c, rm) => toInteger(format, a, rm, WU),
  toL: (format, a, _b, _c, rm) => toInteger(format, a, rm, L),
  toLu: (format, a, _b, _c, rm) => toInteger(format, a, rm, LU),
  fromW: (format, a, _b, _c, rm) => fromInteger(format, a, rm, W),
  fromWu: (format, a, _b, _c, rm) => fromInteger(format, a, rm, WU),
  fromL: (format, a, _b, _c, rm) => fromInteger(format, a, rm, L),
  fromLu: (format, a, _b, _c, rm) => fromInteger(format, a, rm, LU),
  fromS: (format, a, _b, _c, rm) => fromFloat(format, a, rm, 's'),
  fromD: (format, a, _b, _c, rm) => fromFloat(format, a, rm, 'd'),
};
