/**
 * From the trees of semantics.ts to WebAssembly: integer expressions.
 *
 * Values are i64 on the operand stack. A comparison is an i32 there until somebody wants its value. Memory and floats are the
 * scene's: the loop does them inline where it can, `slow` in full.
 */
import type { BinaryOperator, Expression, UnaryOperator } from '../semantics.ts';
import type { Row } from '../isa/row.ts';
import type { Layout } from './layout.ts';
import type { Code } from './module-writer.ts';
import { I64, type Plain } from './opcodes.ts';
import { IMM, rs2At, RS1, RS3 } from './slot.ts';

export type LoadNode = Extract<Expression, { op: 'load' }>;
export type FloatNode = Extract<Expression, { op: 'float' }>;

/** Where the code of one instruction stands. */
export interface Scene {
  readonly code: Code;
  readonly layout: Layout;
  readonly row: Row;
  /** Length of the instruction. */
  readonly bytes: 2 | 4;
  /** Pushes the byte address of its slot (i32). */
  readonly pushSlot: () => void;
  /** Pushes the address of the instruction. */
  readonly pushPc: () => void;
  readonly pushLoad: (scene: Scene, load: LoadNode) => void;
  readonly pushFloat: (scene: Scene, float: FloatNode) => void;
  /** A local to use within the instruction. */
  readonly temp: (type: number) => number;
  /** The local that has what memory held, in an atomic. */
  readonly old: number;
}

const CANONICAL_NAN_S = 0x7fc00000n;
const BOX = 0xffffffff00000000n;

// prettier-ignore
const COMPARISONS: Partial<Record<BinaryOperator, Plain>> = {
  eq: 'i64.eq', ne: 'i64.ne', lt: 'i64.lt_s', ltu: 'i64.lt_u', ge: 'i64.ge_s', geu: 'i64.ge_u',
};
/** WebAssembly takes shift counts modulo 64, as the trees do. */
// prettier-ignore
const DIRECT: Partial<Record<BinaryOperator, Plain>> = {
  add: 'i64.add', sub: 'i64.sub', and: 'i64.and', or: 'i64.or', xor: 'i64.xor',
  sll: 'i64.shl', srl: 'i64.shr_u', sra: 'i64.shr_s', mul: 'i64.mul',
};

/** Pushes the value (i64). */
export function pushValue(scene: Scene, node: Expression): void {
  const { code, layout } = scene;
  switch (node.op) {
    case 'x':
    case 'f':
      pushRegisterOffset(scene, node.field);
      code.access('i64.load', node.op === 'x' ? layout.x : layout.f);
      return;
    case 'imm':
      scene.pushSlot();
      code.access('i64.load32_s', IMM);
      return;
    case 'pc':
      scene.pushPc();
      return;
    case 'next':
      scene.pushPc();
      code.i64(scene.bytes).op('i64.add');
      return;
    case 'const':
      code.i64(node.value);
      return;
    case 'old':
      code.get(scene.old);
      return;
    case 'unary':
      pushUnary(scene, node.name, node.a);
      return;
    case 'binary':
      pushBinary(scene, node.name, node.a, node.b);
      return;
    case 'choose':
      pushValue(scene, node.yes);
      pushValue(scene, node.no);
      pushCondition(scene, node.condition);
      code.op('select');
      return;
    case 'load':
      scene.pushLoad(scene, node);
      return;
    case 'float':
      scene.pushFloat(scene, node);
      return;
  }
}

/** Pushes whether the value is not 0 (i32). */
export function pushCondition(scene: Scene, node: Expression): void {
  const comparison = node.op === 'binary' ? COMPARISONS[node.name] : undefined;
  if (node.op !== 'binary' || comparison === undefined) {
    pushValue(scene, node);
    scene.code.i64(0).op('i64.ne');
    return;
  }
  pushValue(scene, node.a);
  pushValue(scene, node.b);
  scene.code.op(comparison);
}

/** Pushes 8 times the register's number (i32). */
export function pushRegisterOffset(scene: Scene, field: 'rs1' | 'rs2' | 'rs3'): void {
  scene.pushSlot();
  scene.code.access('i32.load8_u', field === 'rs1' ? RS1 : field === 'rs2' ? rs2At(scene.row) : RS3);
}

function pushUnary(scene: Scene, name: UnaryOperator, a: Expression): void {
  const { code } = scene;
  pushValue(scene, a);
  switch (name) {
    case 'sext32':
      code.op('i64.extend32_s');
      return;
    case 'zext32':
      code.i64(~BOX).op('i64.and');
      return;
    case 'box':
      code.i64(BOX).op('i64.or');
      return;
    case 'unbox': {
      const value = scene.temp(I64);
      code.tee(value).i64(~BOX).op('i64.and').i64(CANONICAL_NAN_S);
      code.get(value).i64(BOX).op('i64.ge_u', 'select');
      return;
    }
  }
}

function pushBinary(scene: Scene, name: BinaryOperator, a: Expression, b: Expression): void {
  const { code } = scene;
  const direct = DIRECT[name];
  if (COMPARISONS[name] !== undefined) {
    pushCondition(scene, { op: 'binary', name, a, b });
    code.op('i64.extend_i32_u');
    return;
  }
  pushValue(scene, a);
  pushValue(scene, b);
  if (direct !== undefined) {
    code.op(direct);
    return;
  }
  const left = scene.temp(I64);
  const right = scene.temp(I64);
  code.set(right).set(left);
  if (name === 'mulhu' || name === 'mulh' || name === 'mulhsu') pushHighProduct(scene, name, left, right);
  else pushQuotient(code, name, left, right);
}

/** Upper half of a product, from four products of 32-bit halves; a negative factor makes the unsigned result too large by the other. */
function pushHighProduct(scene: Scene, name: 'mulhu' | 'mulh' | 'mulhsu', a: number, b: number): void {
  const { code } = scene;
  const middle = scene.temp(I64);
  const low = (local: number): Code => code.get(local).i64(~BOX).op('i64.and');
  const high = (local: number): Code => code.get(local).i64(32).op('i64.shr_u');
  // middle = aHigh * bLow + (aLow * bLow >> 32), which cannot overflow.
  high(a);
  low(b).op('i64.mul');
  low(a);
  low(b).op('i64.mul').i64(32).op('i64.shr_u', 'i64.add').set(middle);
  // aHigh * bHigh + (middle >> 32) + (aLow * bHigh + middleLow >> 32)
  high(a);
  high(b).op('i64.mul');
  high(middle).op('i64.add');
  low(a);
  high(b).op('i64.mul');
  low(middle).op('i64.add').i64(32).op('i64.shr_u', 'i64.add');
  if (name !== 'mulhu') code.get(a).i64(63).op('i64.shr_s').get(b).op('i64.and', 'i64.sub');
  if (name === 'mulh') code.get(b).i64(63).op('i64.shr_s').get(a).op('i64.and', 'i64.sub');
}

/** Division as the manual has it: by zero gives -1 and the dividend, the one overflow gives the dividend and 0. */
function pushQuotient(code: Code, name: BinaryOperator, a: number, b: number): void {
  const isRemainder = name === 'rem' || name === 'remu';
  code.get(b).op('i64.eqz').if(I64);
  if (isRemainder) code.get(a);
  else code.i64(-1);
  code.op('else');
  if (name === 'divu' || name === 'remu') {
    code
      .get(a)
      .get(b)
      .op(name === 'divu' ? 'i64.div_u' : 'i64.rem_u', 'end');
    return;
  }
  if (name === 'rem') {
    // WebAssembly's remainder does not trap.
    code.get(a).get(b).op('i64.rem_s', 'end');
    return;
  }
  code.get(b).i64(-1).op('i64.eq').if(I64);
  code.i64(0).get(a).op('i64.sub', 'else').get(a).get(b).op('i64.div_s', 'end', 'end');
}
