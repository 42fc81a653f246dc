/**
 * Floats while NX is not set: the host's arithmetic once more, with a proof that the result is exact, so that it raises nothing.
 *
 * Programs that count in doubles (awk) never raise a flag, and would otherwise always go the long way. A sum is exact if the error
 * of the two-sum is 0. A product is exact if the significant bits of its factors, trailing zeros left out, fit together into
 * the format. A quotient or a root is, if the product that undoes it is exact and gives the operand back.
 */
import type { FloatFormat } from '../semantics.ts';
import { pushFloat, pushPattern, keepOrdinary, TRAITS } from './fast-float.ts';
import type { FloatNode, Scene } from './emit-expression.ts';
import type { Code, Label } from './module-writer.ts';

const PROVABLE = ['add', 'sub', 'mul', 'div', 'sqrt'] as const;
type Provable = (typeof PROVABLE)[number];

/** Whether `pushExact` knows the operation. */
export const isProvable = (name: string): name is Provable => (PROVABLE as readonly string[]).includes(name);

/** Pushes the pattern of the result, rounded to nearest even, if it is exact and ordinary; else goes to `otherwise`. */
export function pushExact(scene: Scene, { args, format }: FloatNode, name: Provable, otherwise: Label): void {
  const { code } = scene;
  const { type, prefix } = TRAITS[format];
  const [a, b, result] = [scene.temp(type), scene.temp(type), scene.temp(type)];
  pushFloat(scene, args[0]!, format);
  code.set(a);
  if (name !== 'sqrt') {
    pushFloat(scene, args[1]!, format);
    code.set(b);
  }
  code.get(a);
  if (name !== 'sqrt') code.get(b);
  code.op(`${prefix}.${name}`).set(result);
  if (name === 'add' || name === 'sub') {
    proveSum(scene, format, { a, b, sum: result, isDifference: name === 'sub' }, otherwise);
    return;
  }
  const zero = (local: number): Code => pushZero(code, format).get(local).op(`${prefix}.eq`);
  // A zero that comes from a zero is exact; the other operand may then be anything that does not make a NaN.
  zero(result).if();
  zero(a);
  if (name === 'mul') zero(b).op('i32.or');
  code.op('i32.eqz').brIf(otherwise).op('else');
  if (name === 'mul') proveProduct(scene, format, { a, b, product: result }, otherwise);
  else {
    const product = scene.temp(type);
    const factor = name === 'div' ? b : result;
    code.get(result).get(factor).op(`${prefix}.mul`).tee(product).get(a).op(`${prefix}.ne`).brIf(otherwise);
    proveProduct(scene, format, { a: result, b: factor, product }, otherwise);
    pushOrdinary(scene, format, result, otherwise);
  }
  code.op('end').get(result);
  pushPattern(code, format);
}

/** Knuth's two-sum: the rounding error of a sum, itself exact. An overflow on the way gives a NaN, which is not 0. */
function proveSum(
  scene: Scene,
  format: FloatFormat,
  { a, b, sum, isDifference }: { a: number; b: number; sum: number; isDifference: boolean },
  otherwise: Label,
): void {
  const { code } = scene;
  const { type, prefix } = TRAITS[format];
  const shadow = scene.temp(type);
  if (isDifference) code.get(b).op(`${prefix}.neg`).set(b);
  code.get(sum).get(a).op(`${prefix}.sub`).set(shadow);
  code.get(a).get(sum).get(shadow).op(`${prefix}.sub`, `${prefix}.sub`);
  code.get(b).get(shadow).op(`${prefix}.sub`, `${prefix}.add`);
  pushZero(code, format).op(`${prefix}.eq`, 'i32.eqz').brIf(otherwise).get(sum);
  pushPattern(code, format);
}

/** Goes to `otherwise` unless the product is exact and in the normal range. */
function proveProduct(scene: Scene, format: FloatFormat, locals: { a: number; b: number; product: number }, otherwise: Label): void {
  const { code } = scene;
  const { precision } = TRAITS[format];
  const hidden = 1n << BigInt(precision - 1);
  const trailingZeros = (local: number): void => {
    code.get(local);
    pushPattern(code, format);
    code
      .i64(hidden - 1n)
      .op('i64.and')
      .i64(hidden)
      .op('i64.or', 'i64.ctz');
  };
  trailingZeros(locals.a);
  trailingZeros(locals.b);
  code.op('i64.add').i64(precision).op('i64.lt_u').brIf(otherwise);
  pushOrdinary(scene, format, locals.product, otherwise);
}

/** Goes to `otherwise` unless the float is in the normal range, and not at its lower end. */
function pushOrdinary(scene: Scene, format: FloatFormat, local: number, otherwise: Label): void {
  scene.code.get(local);
  pushPattern(scene.code, format);
  keepOrdinary(scene, format, { low: 2, otherwise });
  scene.code.op('drop');
}

function pushZero(code: Code, format: FloatFormat): Code {
  return format === 's' ? code.f32(0) : code.f64(0);
}
