/**
 * Floats in the loop: the host's own arithmetic, where it provably gives RISC-V's value and flags; else the exact way (slow.ts).
 *
 * WebAssembly rounds to nearest even and tells no flags. Flags are sticky, so once NX is set only the others matter, and those
 * show in the result: NV gives a NaN, DZ and OF an infinity, UF a result below the normal range or at its lower end. What may
 * raise nothing but NX when NX is not set yet is left to the exact way, which finds out; after the first inexact operation
 * nearly everything is ordinary. A sum is exact whenever it is small, so sums have no lower bound.
 */
import type { Expression, FloatFormat, FloatOperator } from '../semantics.ts';
import { pushRegisterOffset, pushValue, type FloatNode, type Scene } from './emit-expression.ts';
import type { Code, Label } from './module-writer.ts';
import { F32, F64, I64, type Plain } from './opcodes.ts';

export interface FloatChoice {
  /** The instruction rounds towards zero; otherwise to nearest even, by itself or if frm says so. */
  readonly isTruncating: boolean;
  /** Where to go if the case is not ordinary. */
  readonly otherwise: Label;
}

/** Bits of fcsr: the rounding mode, 0 if to nearest even, and the flag of inexact results. */
export const FRM = 0xe0;
export const NX = 1;

interface FormatTraits {
  readonly type: number;
  readonly prefix: 'f32' | 'f64';
  /** Bits of the significand, the hidden one included; and of the exponent. */
  readonly precision: number;
  readonly exponentMax: number;
}

export const TRAITS: Readonly<Record<FloatFormat, FormatTraits>> = {
  s: { type: F32, prefix: 'f32', precision: 24, exponentMax: 0xff },
  d: { type: F64, prefix: 'f64', precision: 53, exponentMax: 0x7ff },
};

/** Pushes the result's pattern, or the integer (i64). */
export function pushFloatInline(scene: Scene, node: FloatNode, choice: FloatChoice): void {
  const { name, format, args } = node;
  const hasRm = scene.row.slots.some(({ operand }) => operand === 'rm');
  if (hasRm && !choice.isTruncating) pushFcsr(scene).i32(FRM).op('i32.and').brIf(choice.otherwise);
  switch (name) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'sqrt':
      pushFcsr(scene).i32(NX).op('i32.and', 'i32.eqz').brIf(choice.otherwise);
      for (const arg of args) pushFloat(scene, arg, format);
      scene.code.op(`${TRAITS[format].prefix}.${name}`);
      pushPattern(scene.code, format);
      keepOrdinary(scene, format, { low: name === 'add' || name === 'sub' ? 0 : 2, otherwise: choice.otherwise });
      return;
    case 'min':
    case 'max':
    case 'eq':
    case 'lt':
    case 'le':
      pushComparison(scene, node, name, choice.otherwise);
      return;
    case 'toW':
    case 'toWu':
    case 'toL':
    case 'toLu':
      pushInteger(scene, node, name, choice);
      return;
    case 'fromW':
    case 'fromWu':
    case 'fromL':
    case 'fromLu':
      pushFromInteger(scene, node, name, choice.otherwise);
      return;
    case 'fromS':
      pushWidened(scene, args[0]!, choice.otherwise);
      return;
    case 'fromD':
      pushNarrowed(scene, args[0]!, choice.otherwise);
      return;
    case 'fma':
    case 'class':
      return; // handlers.ts sends them to `slow`
  }
}

export function pushFcsr({ code, layout }: Scene): Code {
  return code.i32(0).access('i32.load', layout.fcsr);
}

/** Pushes an operand as a float. */
export function pushFloat(scene: Scene, node: Expression, format: FloatFormat): void {
  const { code, layout } = scene;
  if (format === 's') {
    pushValue(scene, node);
    code.op('i32.wrap_i64', 'f32.reinterpret_i32');
  } else if (node.op === 'f') {
    pushRegisterOffset(scene, node.field);
    code.access('f64.load', layout.f);
  } else {
    pushValue(scene, node);
    code.op('f64.reinterpret_i64');
  }
}

/** From a float on the stack to its pattern. */
export function pushPattern(code: Code, format: FloatFormat): void {
  if (format === 's') code.op('i32.reinterpret_f32', 'i64.extend_i32_u');
  else code.op('i64.reinterpret_f64');
}

/** Leaves the pattern on the stack if its exponent field is `low` or more, and not that of infinities and NaNs. */
export function keepOrdinary(scene: Scene, format: FloatFormat, { low, otherwise }: { low: number; otherwise: Label }): void {
  const { code } = scene;
  const { precision, exponentMax } = TRAITS[format];
  const pattern = scene.temp(I64);
  code.tee(pattern).get(pattern);
  code
    .i64(precision - 1)
    .op('i64.shr_u')
    .i64(exponentMax)
    .op('i64.and')
    .i64(low)
    .op('i64.sub');
  code
    .i64(exponentMax - low)
    .op('i64.ge_u')
    .brIf(otherwise);
}

const COMPARISON = { eq: 'eq', lt: 'lt', le: 'le' } as const;

/** Two numbers; NaNs are not ordinary. */
function pushComparison(scene: Scene, { args, format }: FloatNode, name: 'min' | 'max' | 'eq' | 'lt' | 'le', otherwise: Label): void {
  const { code } = scene;
  const { type, prefix } = TRAITS[format];
  const [a, b] = [scene.temp(type), scene.temp(type)];
  pushFloat(scene, args[0]!, format);
  code.tee(a).get(a).op(`${prefix}.ne`);
  pushFloat(scene, args[1]!, format);
  code.tee(b).get(b).op(`${prefix}.ne`, 'i32.or').brIf(otherwise);
  code.get(a).get(b);
  if (name === 'min' || name === 'max') {
    code.op(`${prefix}.${name}`);
    pushPattern(code, format);
  } else {
    code.op(`${prefix}.${COMPARISON[name]}`, 'i64.extend_i32_u');
  }
}

/** A float in range to an integer; if it has a fraction, only towards zero, and only if NX is set. */
function pushInteger(scene: Scene, node: FloatNode, name: 'toW' | 'toWu' | 'toL' | 'toLu', choice: FloatChoice): void {
  const { code } = scene;
  const { type, prefix } = TRAITS[node.format];
  const [a, integer] = [scene.temp(type), scene.temp(I64)];
  pushFloat(scene, node.args[0]!, node.format);
  code.tee(a).op(`${prefix}.abs`);
  if (prefix === 'f64') code.f64(2 ** 63);
  else code.f32(2 ** 63);
  code.op(`${prefix}.lt`, 'i32.eqz').brIf(choice.otherwise);
  code.get(a).saturate(`i64.trunc_sat_${prefix}_s`).tee(integer);
  code.op(`${prefix}.convert_i64_s`).get(a).op(`${prefix}.ne`);
  if (choice.isTruncating) pushFcsr(scene).i32(NX).op('i32.and', 'i32.eqz', 'i32.and');
  code.brIf(choice.otherwise);
  if (name === 'toW') code.get(integer).get(integer).op('i64.extend32_s', 'i64.ne').brIf(choice.otherwise);
  if (name === 'toWu') code.get(integer).i64(32).op('i64.shr_u').i64(0).op('i64.ne').brIf(choice.otherwise);
  if (name === 'toLu') code.get(integer).i64(0).op('i64.lt_s').brIf(choice.otherwise);
  code.get(integer);
}

/** An integer that the format can hold, or any if NX is set. */
function pushFromInteger(scene: Scene, { args, format }: FloatNode, name: FloatOperator, otherwise: Label): void {
  const { code } = scene;
  const { prefix, precision } = TRAITS[format];
  const integer = scene.temp(I64);
  const exact = 2n ** BigInt(precision);
  const isUnsigned = name === 'fromLu';
  pushValue(scene, args[0]!);
  code.tee(integer);
  code
    .i64(isUnsigned ? 0n : exact)
    .op('i64.add')
    .i64(isUnsigned ? exact : 2n * exact)
    .op('i64.gt_u');
  pushFcsr(scene).i32(NX).op('i32.and', 'i32.eqz', 'i32.and').brIf(otherwise);
  const convert: Plain = `${prefix}.convert_i64_${isUnsigned ? 'u' : 's'}`;
  code.get(integer).op(convert);
  pushPattern(code, format);
}

function pushWidened(scene: Scene, arg: Expression, otherwise: Label): void {
  const { code } = scene;
  const a = scene.temp(F32);
  pushFloat(scene, arg, 's');
  code.tee(a).get(a).op('f32.ne').brIf(otherwise).get(a).op('f64.promote_f32');
  pushPattern(code, 'd');
}

/** Exact, or rounded in the normal range with NX set. */
function pushNarrowed(scene: Scene, arg: Expression, otherwise: Label): void {
  const { code } = scene;
  const [a, pattern] = [scene.temp(F64), scene.temp(I64)];
  pushFloat(scene, arg, 'd');
  code.tee(a).op('f32.demote_f64');
  pushPattern(code, 's');
  code.tee(pattern).op('i32.wrap_i64', 'f32.reinterpret_i32', 'f64.promote_f32').get(a).op('f64.ne').if();
  pushFcsr(scene).i32(NX).op('i32.and', 'i32.eqz').brIf(otherwise);
  code.get(pattern);
  keepOrdinary(scene, 's', { low: 2, otherwise });
  code.op('drop', 'end').get(pattern);
}
