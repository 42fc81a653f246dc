/**
 * The decoder: from bits to a row of the table and its operands, made from the rows.
 *
 * A word is looked up by the bits in which opcodes differ most, which leaves one or two rows to compare. What user level may not
 * do is illegal here already: reserved encodings and rounding modes, and control registers that a program does not have.
 */
import { mayAccess } from './csr.ts';
import { ROWS } from './isa/index.ts';
import { lowBits, type Row, type Slot } from './isa/row.ts';

/** A decoded instruction. Engines execute `base` with these operands; `row` is what stands in the program. */
export interface Instruction {
  readonly row: Row;
  readonly base: Row;
  /** The bits themselves, unsigned: 16 or 32. */
  readonly word: number;
  readonly bytes: 2 | 4;
  /** Register numbers; 0 where the instruction has no such operand. */
  readonly rd: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly rs3: number;
  /** The immediate as a signed 32-bit number, scaled and in place: lui's has its low 12 bits 0. Ordering bits: see isa/fields.ts. */
  readonly imm: number;
  /** Rounding mode 0 to 4, or 7: as frm says. 0 if the instruction has none. */
  readonly rm: number;
  readonly csr: number;
}

type Operands = { -readonly [key in keyof Instruction]: Instruction[key] };

const FULL = candidates(4, 2 ** 15, (word) => indexOfFull(word));
const COMPRESSED = candidates(2, 2 ** 8, (word) => indexOfCompressed(word));

/** opcode (6..2), funct3 (14..12) and funct7 (31..25) of a 32-bit instruction, side by side. */
function indexOfFull(word: number): number {
  return ((word >>> 2) & 0x1f) | ((word >>> 7) & 0xe0) | ((word >>> 17) & 0x7f00);
}

/** Quadrant (1..0) and bits 15..10 of a compressed one. */
function indexOfCompressed(word: number): number {
  return (word & 3) | ((word >>> 8) & 0xfc);
}

/** For each index the rows that may have it, in table order. */
function candidates(bytes: 2 | 4, count: number, indexOf: (word: number) => number): readonly (readonly Row[])[] {
  const table: Row[][] = Array.from({ length: count }, () => []);
  for (const row of ROWS) {
    if (row.bytes !== bytes) continue;
    const mask = indexOf(row.mask);
    const match = indexOf(row.match);
    for (let index = 0; index < count; index++) if ((index & mask) === match) table[index]!.push(row);
  }
  return table;
}

/**
 * Decodes the instruction that starts at bit 0 of `word`.
 *
 * @param word - 16 bits suffice for a compressed instruction, whose two lowest are not 11; the rest is ignored then
 * @returns undefined if a user program may not execute it
 */
export function decode(word: number): Instruction | undefined {
  const isCompressed = (word & 3) !== 3;
  const bits = isCompressed ? word & 0xffff : word;
  for (const row of isCompressed ? COMPRESSED[indexOfCompressed(bits)]! : FULL[indexOfFull(bits)]!) {
    if ((bits & row.mask) !== row.match) continue;
    const instruction = decodeAs(row, bits);
    if (instruction !== undefined) return instruction;
  }
  return undefined;
}

function decodeAs(row: Row, bits: number): Instruction | undefined {
  const found: Operands = {
    row,
    base: row.base ?? row,
    word: bits >>> 0,
    bytes: row.bytes,
    rd: 0,
    rs1: 0,
    rs2: 0,
    rs3: 0,
    imm: 0,
    rm: 0,
    csr: 0,
  };
  for (const slot of row.slots) {
    const value = operandOf(slot, bits);
    if (slot.except.includes(value)) return undefined;
    found[slot.operand] = value;
  }
  for (const [operand, value] of row.constants) found[operand] = value;
  return row.effect.do !== 'csr' || mayAccess(found.csr, writesCsr(found)) ? found : undefined;
}

/** The operand as its fields in these bits have it. */
export function operandOf(slot: Slot, bits: number): number {
  let value = 0;
  for (const { from, width, to } of slot.pieces) value |= ((bits >>> from) & lowBits(width)) << to;
  if (slot.signedBits > 0) value = (value << (32 - slot.signedBits)) >> (32 - slot.signedBits);
  return value + slot.offset;
}

/** Setting and clearing no bits (rs1 is x0, or the immediate 0) is reading only. */
export function writesCsr({ base, rs1, imm }: Instruction): boolean {
  const { effect } = base;
  if (effect.do !== 'csr') return false;
  return effect.rule === 'write' || (effect.value.op === 'imm' ? imm !== 0 : rs1 !== 0);
}
