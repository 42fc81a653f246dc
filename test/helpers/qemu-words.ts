/** Machine code for tests: instructions of the table with random operands, and the few by which the tests get in and out. */
import { decode, type Instruction } from '../../sim/riscv/decode.ts';
import type { Operand } from '../../sim/riscv/isa/fields.ts';
import type { Row } from '../../sim/riscv/isa/row.ts';
import type { Effect, Expression, FloatFormat } from '../../sim/riscv/semantics.ts';
import type { Stream } from '../../sim/prng.ts';

export type Operands = Partial<Record<Operand, number>>;

const TRIES_MAX = 10_000;

/**
 * An instruction of this row: the given operands, and random ones elsewhere.
 *
 * @returns undefined if the row cannot have these operands, or no legal instruction was found
 */
export function randomInstruction(row: Row, stream: Stream, given: Operands = {}): Instruction | undefined {
  const [mask, match] = fixedBits(row, given);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const instruction = decode((stream.uint32() & ~mask) | match);
    if (instruction?.row !== row) continue;
    return Object.entries(given).every(([operand, value]) => instruction[operand as Operand] === value) ? instruction : undefined;
  }
  return undefined;
}

/** The row's fixed bits and those of the given operands. */
function fixedBits(row: Row, given: Operands): readonly [mask: number, match: number] {
  let { mask, match } = row;
  for (const { operand, pieces, offset } of row.slots) {
    const value = given[operand];
    if (value === undefined) continue;
    for (const { from, width, to } of pieces) {
      const bits = 2 ** width - 1;
      mask |= bits << from;
      match = (match & ~(bits << from)) | ((((value - offset) >> to) & bits) << from);
    }
  }
  return [mask, match];
}

/** What an instruction reads and writes, by what its row does. */
export interface Usage {
  readonly xRead: readonly number[];
  readonly fRead: readonly { readonly register: number; readonly format: FloatFormat }[];
  readonly xWritten: number | undefined;
  readonly fWritten: number | undefined;
}

export function usageOf(instruction: Instruction): Usage {
  const { effect } = instruction.base;
  const xRead: number[] = [];
  const fRead: { register: number; format: FloatFormat }[] = [];
  const visit = (expression: Expression, format: FloatFormat): void => {
    if (expression.op === 'x') xRead.push(instruction[expression.field]);
    else if (expression.op === 'f') fRead.push({ register: instruction[expression.field], format });
    else for (const part of partsOf(expression)) visit(part, expression.op === 'unary' && expression.name === 'unbox' ? 's' : 'd');
  };
  for (const expression of expressionsOf(effect)) visit(expression, 'd');
  if (effect.do === 'amo' || effect.do === 'lr' || effect.do === 'sc') xRead.push(instruction.rs1);
  if (effect.do === 'sc') xRead.push(instruction.rs2);
  const writesX = ['x', 'jump', 'amo', 'lr', 'sc', 'csr'].includes(effect.do);
  return {
    xRead,
    fRead,
    xWritten: writesX ? instruction.rd : undefined,
    fWritten: effect.do === 'f' ? instruction.rd : undefined,
  };
}

function expressionsOf(effect: Effect): readonly Expression[] {
  switch (effect.do) {
    case 'x':
    case 'f':
    case 'amo':
    case 'csr':
      return [effect.value];
    case 'store':
      return [effect.address, effect.value];
    case 'jump':
      return [effect.target];
    case 'branch':
      return [effect.condition];
    default:
      return [];
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.op) {
    case 'unary':
      return [expression.a];
    case 'binary':
      return [expression.a, expression.b];
    case 'choose':
      return [expression.condition, expression.yes, expression.no];
    case 'load':
      return [expression.address];
    case 'float':
      return expression.args;
    default:
      return [];
  }
}

/** Where an instruction reaches memory: `rs1 + offset`, and how many bytes. */
export interface MemoryUse {
  readonly bytes: number;
  readonly offset: number;
  readonly isAtomic: boolean;
}

export function memoryUseOf({ base: { effect }, imm }: Instruction): MemoryUse | undefined {
  if (effect.do === 'amo' || effect.do === 'lr' || effect.do === 'sc') return { bytes: effect.bytes, offset: 0, isAtomic: true };
  const bytes = accessBytes(effect);
  return bytes === undefined ? undefined : { bytes, offset: imm, isAtomic: false };
}

/** How many bytes a load or store reaches; undefined if it is neither. */
export function accessBytes(effect: Effect): number | undefined {
  return effect.do === 'store'
    ? effect.bytes
    : expressionsOf(effect)
        .map(loadedBytes)
        .find((bytes) => bytes !== undefined);
}

function loadedBytes(expression: Expression): number | undefined {
  if (expression.op === 'load') return expression.bytes;
  return partsOf(expression)
    .map(loadedBytes)
    .find((bytes) => bytes !== undefined);
}

// What leads into the code under test and out of it is encoded here, apart from the table that is tested.
export const ld = (rd: number, rs1: number, offset: number): number => (offset << 20) | (rs1 << 15) | (3 << 12) | (rd << 7) | 0x03;
export const sd = (rs2: number, rs1: number, offset: number): number =>
  ((offset >> 5) << 25) | (rs2 << 20) | (rs1 << 15) | (3 << 12) | ((offset & 31) << 7) | 0x23;
export const jr = (rs1: number): number => (rs1 << 15) | 0x67;
/** sc.w zero, zero, (rs1): whatever was reserved is so no more. */
export const clearReservation = (rs1: number): number => (3 << 27) | (rs1 << 15) | (2 << 12) | 0x2f;
export const EBREAK = 0x0010_0073;

/** As an assembler's listing: `fadd.s rd=3 rs1=4 rs2=5 rm=7 (0x…)`. */
export function describeInstruction({ row, word, ...operands }: Instruction): string {
  const parts = row.slots.map(({ operand }) => `${operand}=${operands[operand]}`);
  return [row.name, ...new Set(parts), `(0x${word.toString(16)})`].join(' ');
}
