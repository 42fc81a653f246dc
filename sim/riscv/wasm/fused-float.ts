/**
 * Fused multiply-add, rounded once, from arithmetic that rounds each time.
 *
 * A single product is exact in a double. Its sum with the addend is rounded to odd (the last bit is set if anything was lost), after
 * which rounding to single gives what rounding the exact sum would. For doubles the product is taken apart (Dekker), three sums keep
 * their errors (Knuth), and the last but one is rounded to odd: Boldo and Melquiond, "Emulation of FMA and Correctly Rounded
 * Sums: Proved Algorithms Using Rounding to Odd", 2008. That holds while nothing on the way overflows or underflows, so
 * exponents must lie in a window; what does not is the host's.
 */
import { keepOrdinary, NX, pushFcsr, pushFloat, pushPattern } from './fast-float.ts';
import type { FloatNode, Scene } from './emit-expression.ts';
import type { Code, Label } from './module-writer.ts';
import { F32, F64 } from './opcodes.ts';

/** Biased exponents of factors and product, half-open. */
const WINDOW_START = 512;
const WINDOW_END = 1536;
/** Veltkamp's constant: splits a double into two halves of 26 bits. */
const SPLITTER = 2 ** 27 + 1;

/** Pushes the pattern of a * b + c, rounded to nearest even, if that raises nothing that is not set; else goes to `otherwise`. */
export function pushFused(scene: Scene, { args, format }: FloatNode, otherwise: Label): void {
  const { code } = scene;
  const locals = args.map((arg) => {
    const local = scene.temp(F64);
    pushFloat(scene, arg, format);
    if (format === 's') code.op('f64.promote_f32');
    code.set(local);
    return local;
  });
  const [a, b, c] = locals as [number, number, number];
  if (format === 's') fuseSingles(scene, { a, b, c }, otherwise);
  else fuseDoubles(scene, { a, b, c }, otherwise);
  keepOrdinary(scene, format, { low: 2, otherwise });
}

interface Operands {
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

function fuseSingles(scene: Scene, { a, b, c }: Operands, otherwise: Label): void {
  const { code } = scene;
  const [product, sum, error, rounded] = [scene.temp(F64), scene.temp(F64), scene.temp(F64), scene.temp(F32)];
  code.get(a).get(b).op('f64.mul').set(product);
  sumWithError(scene, product, c, { sum, error });
  roundToOdd(scene, sum, error);
  code.get(sum).op('f32.demote_f64').set(rounded);
  needNxUnless(scene, otherwise, () => {
    code.get(error).f64(0).op('f64.eq').get(rounded).op('f64.promote_f32').get(sum).op('f64.eq', 'i32.and');
  });
  code.get(rounded);
  pushPattern(code, 's');
}

function fuseDoubles(scene: Scene, { a, b, c }: Operands, otherwise: Label): void {
  const { code } = scene;
  const temp = (): number => scene.temp(F64);
  const [product, productError] = [temp(), temp()];
  const [low, lowError, high, highError, rest, restError] = [temp(), temp(), temp(), temp(), temp(), temp()];
  code.get(a).get(b).op('f64.mul').set(product);
  for (const local of [a, b, product]) keepInWindow(code, local, otherwise);
  multiplicationError(scene, { a, b, product, error: productError });
  sumWithError(scene, c, productError, { sum: low, error: lowError });
  sumWithError(scene, product, low, { sum: high, error: highError });
  sumWithError(scene, lowError, highError, { sum: rest, error: restError });
  roundToOdd(scene, rest, restError);
  needNxUnless(scene, otherwise, () => code.get(rest).f64(0).op('f64.eq'));
  code.get(high).get(rest).op('f64.add');
  pushPattern(code, 'd');
}

/** Goes to `otherwise` if NX is not set and the result is not shown to be exact. */
function needNxUnless(scene: Scene, otherwise: Label, pushIsExact: () => void): void {
  pushIsExact();
  pushFcsr(scene).i32(NX).op('i32.and', 'i32.or', 'i32.eqz').brIf(otherwise);
}

function keepInWindow(code: Code, local: number, otherwise: Label): void {
  code.get(local).op('i64.reinterpret_f64').i64(52).op('i64.shr_u').i64(0x7ff).op('i64.and').i64(WINDOW_START).op('i64.sub');
  code
    .i64(WINDOW_END - WINDOW_START)
    .op('i64.ge_u')
    .brIf(otherwise);
}

/** Knuth's two-sum. */
function sumWithError(scene: Scene, a: number, b: number, { sum, error }: { sum: number; error: number }): void {
  const { code } = scene;
  const shadow = scene.temp(F64);
  code.get(a).get(b).op('f64.add').tee(sum).get(a).op('f64.sub').set(shadow);
  code.get(a).get(sum).get(shadow).op('f64.sub', 'f64.sub');
  code.get(b).get(shadow).op('f64.sub', 'f64.add').set(error);
}

/** Dekker's: what the product of doubles lost, by the products of their halves. */
function multiplicationError(scene: Scene, { a, b, product, error }: { a: number; b: number; product: number; error: number }): void {
  const { code } = scene;
  const split = (value: number): readonly [high: number, low: number] => {
    const [high, low, scaled] = [scene.temp(F64), scene.temp(F64), scene.temp(F64)];
    code.get(value).f64(SPLITTER).op('f64.mul').tee(scaled).get(scaled).get(value).op('f64.sub', 'f64.sub').set(high);
    code.get(value).get(high).op('f64.sub').set(low);
    return [high, low];
  };
  const [aHigh, aLow] = split(a);
  const [bHigh, bLow] = split(b);
  // aLow * bLow - (((product - aHigh * bHigh) - aLow * bHigh) - aHigh * bLow)
  code.get(aLow).get(bLow).op('f64.mul');
  code.get(product).get(aHigh).get(bHigh).op('f64.mul', 'f64.sub');
  code.get(aLow).get(bHigh).op('f64.mul', 'f64.sub');
  code.get(aHigh).get(bLow).op('f64.mul', 'f64.sub', 'f64.sub').set(error);
}

/** Moves `sum` to its neighbour with the odd significand, in the direction of what it lost, unless it lost nothing or is odd. */
function roundToOdd(scene: Scene, sum: number, error: number): void {
  const { code } = scene;
  code.get(error).f64(0).op('f64.ne').get(sum).op('i64.reinterpret_f64', 'i32.wrap_i64').i32(1).op('i32.and', 'i32.eqz', 'i32.and').if();
  code.get(sum).op('i64.reinterpret_f64').i64(1).i64(-1);
  code.get(error).f64(0).op('f64.gt').get(sum).f64(0).op('f64.gt', 'i32.eq', 'select', 'i64.add', 'f64.reinterpret_i64').set(sum).op('end');
}
