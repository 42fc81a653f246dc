/**
 * How GNU tools write an instruction: one template a row, which the assembler matches and the disassembler fills in.
 *
 * 'rd,imm(rs1)' is punctuation, names of operands, and `sp` where the stack pointer is written although no field says so.
 * `shift`, `upper` and `target` are other ways to write an immediate: hexadecimal, without its low 12 bits, and as an address.
 */
import { CSRS } from '../csr.ts';
import type { Effect, Expression } from '../semantics.ts';
import type { Operand } from './fields.ts';
import type { Row } from './row.ts';

const STACK_POINTER = 2;

/** What a template's words stand for; also `sp`, which is only itself. */
export type Word = Operand | 'shift' | 'upper' | 'target' | 'pred' | 'succ';

/** The operands of a row as they are written; '' if it has none. A last `,rm` may be left out. */
export function templateOf(row: Row): string {
  const { effect } = row;
  switch (effect.do) {
    case 'amo':
    case 'sc':
      return 'rd,rs2,(rs1)';
    case 'lr':
      return 'rd,(rs1)';
    case 'csr':
      return effect.value.op === 'imm' ? 'rd,csr,imm' : 'rd,csr,rs1';
    case 'store':
      return `rs2,imm(${registerIn(row, 'rs1')})`;
    case 'nothing':
      return 'pred,succ';
    case 'trap':
    case 'fenceI':
      return '';
    case 'jump':
      return jumpTemplate(row);
    case 'branch':
    case 'x':
    case 'f':
      return findLoad(effect) ? `rd,imm(${registerIn(row, 'rs1')})` : listTemplate(row);
  }
}

function jumpTemplate(row: Row): string {
  if (has(row, 'rs1')) return row.base === undefined ? 'rd,imm(rs1)' : 'rs1';
  return row.base === undefined ? 'rd,target' : 'target';
}

/** Operands in the order of the manual, a register that is source and destination at once written once. */
function listTemplate(row: Row): string {
  const words: string[] = [];
  for (const operand of ['rd', 'rs1', 'rs2', 'rs3'] as const) {
    const register = registerIn(row, operand);
    const isAgain = operand === 'rs1' && isSourceAndDestination(row);
    if (register !== undefined && !isAgain) words.push(register);
  }
  if (has(row, 'imm')) words.push(immediateWord(row));
  if (has(row, 'rm')) words.push('rm');
  return words.join(',');
}

const has = (row: Row, operand: Operand): boolean => row.slots.some((slot) => slot.operand === operand);

/** The operand's name; 'sp' if it is always that; undefined if the row does not write it. */
function registerIn(row: Row, operand: Operand): string | undefined {
  if (has(row, operand)) return operand;
  return row.constants.some(([name, value]) => name === operand && value === STACK_POINTER) ? 'sp' : undefined;
}

function isSourceAndDestination(row: Row): boolean {
  const [rd, rs1] = (['rd', 'rs1'] as const).map((operand) => row.slots.find((slot) => slot.operand === operand));
  if (rd === undefined || rs1 === undefined) return registerIn(row, 'rd') === 'sp';
  return rd.pieces[0]!.from === rs1.pieces[0]!.from;
}

/** An immediate that stands alone is lui's or auipc's; shifts have theirs without a sign. */
function immediateWord({ effect }: Row): Word {
  if (effect.do === 'branch') return 'target';
  const value = effect.do === 'x' ? effect.value : undefined;
  if (value?.op === 'imm' || (value?.op === 'binary' && value.a.op === 'pc')) return 'upper';
  return value !== undefined && isShift(value) ? 'shift' : 'imm';
}

function isShift(e: Expression): boolean {
  if (e.op === 'unary') return isShift(e.a);
  return e.op === 'binary' && (e.name === 'sll' || e.name === 'srl' || e.name === 'sra');
}

const findLoad = (effect: Effect): boolean => 'value' in effect && contains(effect.value, (e) => e.op === 'load');

/** Whether the operand is a floating-point register. */
export function isFloatRegister({ effect }: Row, operand: 'rd' | 'rs1' | 'rs2' | 'rs3'): boolean {
  if (operand === 'rd') return effect.do === 'f';
  return 'value' in effect && contains(effect.value, (e) => e.op === 'f' && e.field === operand);
}

function contains(e: Expression, is: (e: Expression) => boolean): boolean {
  return is(e) || partsOf(e).some((part) => contains(part, is));
}

function partsOf(e: Expression): readonly Expression[] {
  switch (e.op) {
    case 'unary':
      return [e.a];
    case 'binary':
      return [e.a, e.b];
    case 'choose':
      return [e.condition, e.yes, e.no];
    case 'load':
      return [e.address];
    case 'float':
      return e.args;
    default:
      return [];
  }
}

/**
 * Whether the row is a conversion to double that never rounds: GNU writes it without a rounding mode, and only if that is 0.
 */
export function isExact({ effect }: Row): boolean {
  const value = effect.do === 'f' ? effect.value : undefined;
  return value?.op === 'float' && value.format === 'd' && ['fromW', 'fromWu', 'fromS'].includes(value.name);
}

export const X_NAMES = words('zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6');
export const F_NAMES = words(
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11',
);
/** By rm. 5 and 6 are reserved. */
export const RM_NAMES = ['rne', 'rtz', 'rdn', 'rup', 'rmm', undefined, undefined, 'dyn'] as const;
/** By aq and rl. */
export const ORDERINGS = ['', '.rl', '.aq', '.aqrl'] as const;
export const CSR_NAMES: ReadonlyMap<number, string> = new Map(CSRS.map(({ number, name }) => [number, name]));
/** fm, pred and succ of fence.tso. */
export const FENCE_TSO = 0x833;

/** Whether the row's immediate is aq and rl. */
export const isOrdered = ({ effect }: Row): boolean => effect.do === 'amo' || effect.do === 'lr' || effect.do === 'sc';

/** 'iorw' of a fence's four bits; objdump's word for none is unknown. */
export const fenceSet = (bits: number): string => ['i', 'o', 'r', 'w'].filter((_, i) => (bits & (8 >> i)) !== 0).join('') || 'unknown';

function words(text: string): readonly string[] {
  return text.split(' ');
}
