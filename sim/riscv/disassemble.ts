/**
 * The disassembler: an instruction in the words of `objdump -d -M no-aliases`.
 *
 * A tab stands between the name and its operands. Addresses are printed as `0x…`, as objdump does where it knows no symbol.
 */
import type { Instruction } from './decode.ts';
import { decode } from './decode.ts';
import { CSR_NAMES, F_NAMES, FENCE_TSO, fenceSet, isExact, isFloatRegister, isOrdered, ORDERINGS } from './isa/syntax.ts';
import { RM_NAMES, templateOf, X_NAMES, type Word } from './isa/syntax.ts';
import type { Row } from './isa/row.ts';

const DYNAMIC = 7;
const TEMPLATES = new Map<Row, string>();

/** @param pc - address of the instruction, to which jumps are relative */
export function disassemble(instruction: Instruction, pc: bigint): string {
  const { row, imm } = instruction;
  if (!canBeWritten(instruction)) return bytesOf(instruction.word, instruction.bytes);
  if (row.effect.do === 'nothing' && imm === FENCE_TSO) return 'fence.tso';
  const name = isOrdered(row) ? row.name + ORDERINGS[imm]! : row.name;
  const operands = template(instruction).replace(/[a-z]\w*/g, (word) => operandText(instruction, word as Word | 'sp', pc));
  return operands === '' ? name : `${name}\t${operands}`;
}

/** As `disassemble`, of bits that need not be an instruction. */
export function disassembleWord(word: number, pc: bigint): string {
  const instruction = decode(word);
  if (instruction !== undefined) return disassemble(instruction, pc);
  if ((word & 0xffff) === 0) return 'c.unimp';
  return (word & 3) === 3 ? bytesOf(word, 4) : bytesOf(word & 0xffff, 2);
}

const bytesOf = (word: number, bytes: 2 | 4): string => `.${bytes}byte\t0x${(word >>> 0).toString(16)}`;

/** Reserved bits that an instruction is executed with have no notation. */
function canBeWritten({ row, rd, rs1, imm, rm }: Instruction): boolean {
  if (row.effect.do === 'nothing') return rd === 0 && rs1 === 0 && (imm >> 8 === 0 || imm === FENCE_TSO);
  if (row.effect.do === 'fenceI') return rd === 0 && rs1 === 0 && imm === 0;
  return !isExact(row) || rm === 0;
}

/** The row's template, without a rounding mode that goes without saying. */
function template({ row, rm }: Instruction): string {
  let text = TEMPLATES.get(row);
  if (text === undefined) TEMPLATES.set(row, (text = templateOf(row)));
  return rm === (isExact(row) ? 0 : DYNAMIC) ? text.replace(',rm', '') : text;
}

function operandText(instruction: Instruction, word: Word | 'sp', pc: bigint): string {
  const { row, imm } = instruction;
  switch (word) {
    case 'sp':
      return 'sp';
    case 'rd':
    case 'rs1':
    case 'rs2':
    case 'rs3':
      return (isFloatRegister(row, word) ? F_NAMES : X_NAMES)[instruction[word]]!;
    case 'imm':
      return String(imm);
    case 'shift':
      return hex(imm);
    case 'upper':
      return hex(imm >>> 12);
    case 'target':
      return hex(BigInt.asUintN(64, pc + BigInt(imm)));
    case 'csr':
      return CSR_NAMES.get(instruction.csr)!;
    case 'rm':
      return RM_NAMES[instruction.rm]!;
    case 'pred':
      return fenceSet((imm >> 4) & 15);
    case 'succ':
      return fenceSet(imm & 15);
  }
}

const hex = (value: number | bigint): string => '0x' + value.toString(16);
