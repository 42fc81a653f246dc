/**
 * The assembler: GNU syntax without pseudo-instructions, and small programs with labels.
 *
 * Operands are matched against the row's template (isa/syntax.ts). Whatever a field cannot hold is found by reading the encoded
 * operand back.
 */
import { decode, operandOf } from './decode.ts';
import type { Operand } from './isa/fields.ts';
import { ROWS } from './isa/index.ts';
import { lowBits, type Row, type Slot } from './isa/row.ts';
import { CSR_NAMES, F_NAMES, FENCE_TSO, fenceSet, isExact, isFloatRegister, isOrdered, ORDERINGS } from './isa/syntax.ts';
import { RM_NAMES, templateOf, X_NAMES, type Word } from './isa/syntax.ts';

/** Why a text is no instruction. */
export interface AssemblyProblem {
  readonly problem: string;
}

export interface Program {
  /** One number an instruction, of two or four bytes. */
  readonly words: readonly number[];
  readonly labels: ReadonlyMap<string, bigint>;
}

/** A row by one of its names, and what the name says of the immediate: aq and rl. */
interface Mnemonic {
  readonly row: Row;
  readonly template: string;
  readonly pattern: RegExp;
  readonly operands: Partial<Record<Operand, number>>;
}

const MNEMONICS: ReadonlyMap<string, Mnemonic> = new Map(ROWS.flatMap(mnemonicsOf));

function mnemonicsOf(row: Row): [string, Mnemonic][] {
  const template = templateOf(row);
  const mnemonic = { row, template, pattern: patternOf(template), operands: {} };
  if (isOrdered(row)) return ORDERINGS.map((suffix, imm) => [row.name + suffix, { ...mnemonic, operands: { imm } }]);
  if (row.effect.do !== 'nothing') return [[row.name, mnemonic]];
  const tso: Mnemonic = { row, template: '', pattern: /^$/, operands: { imm: FENCE_TSO } };
  return [
    [row.name, mnemonic],
    ['fence.tso', tso],
  ];
}

/** A template with a group for each word but `sp`; a rounding mode may be missing. */
function patternOf(template: string): RegExp {
  const source = template
    .replace(/[()]/g, '\\$&')
    .replace(/[a-z]\w*/g, (word) => (word === 'sp' ? 'sp' : '([-+\\w]+)'))
    .replace(template.endsWith(',rm') ? /,([^,]+)$/ : /$^/, '(?:,$1)?');
  return new RegExp(`^${source}$`);
}

/**
 * Assembles one instruction, such as `addi a0,a1,-1` or `fadd.s fa0,fa1,fa2,rtz`.
 *
 * @param at - address of the instruction; branches and jumps name their target by address
 * @returns the word, unsigned, of 16 or 32 bits
 */
export function assemble(text: string, at = 0n): number | AssemblyProblem {
  const [, name, rest] = /^\s*(\S+)\s*(.*)$/.exec(text) ?? [];
  const mnemonic = MNEMONICS.get(name ?? '');
  if (mnemonic === undefined) return { problem: `no such instruction: ${text}` };
  const { row, template, pattern } = mnemonic;
  const found = pattern.exec((rest ?? '').replace(/\s+/g, ''));
  if (found === null) return { problem: `operands are ${template || 'none'}: ${text}` };
  const operands: Partial<Record<Operand, number>> = { ...mnemonic.operands };
  for (const [i, word] of wordsOf(template).entries()) {
    const value = valueOf(row, word, found[i + 1], at);
    if (value === undefined || Number.isNaN(value)) return { problem: `${word} cannot be ${found[i + 1]!}: ${text}` };
    const operand = OPERAND_OF[word];
    operands[operand] = (operands[operand] ?? 0) | value;
  }
  return encode(row, operands) ?? { problem: `out of range: ${text}` };
}

const wordsOf = (template: string): Word[] => (template.match(/[a-z]\w*/g) ?? []).filter((word) => word !== 'sp') as Word[];

// prettier-ignore
const OPERAND_OF: Readonly<Record<Word, Operand>> = {
  rd: 'rd', rs1: 'rs1', rs2: 'rs2', rs3: 'rs3', rm: 'rm', csr: 'csr', imm: 'imm',
  shift: 'imm', upper: 'imm', target: 'imm', pred: 'imm', succ: 'imm',
};

/** @returns undefined or NaN if the text says nothing */
function valueOf(row: Row, word: Word, text: string | undefined, at: bigint): number | undefined {
  switch (word) {
    case 'rd':
    case 'rs1':
    case 'rs2':
    case 'rs3':
      return registerNumber(text!, isFloatRegister(row, word));
    case 'imm':
    case 'shift':
      return integer(text!);
    case 'upper':
      return upperOf(integer(text!));
    case 'target':
      return offsetTo(text!, at);
    case 'csr':
      return [...CSR_NAMES].find(([, name]) => name === text)?.[0];
    case 'rm':
      return text === undefined ? (isExact(row) ? 0 : DYNAMIC) : indexIn(RM_NAMES, text);
    case 'pred':
      return shiftLeft(indexIn(FENCE_SETS, text!), 4);
    case 'succ':
      return indexIn(FENCE_SETS, text!);
  }
}

const DYNAMIC = 7;
const FENCE_SETS = Array.from({ length: 16 }, (_, bits) => fenceSet(bits));

const shiftLeft = (value: number | undefined, bits: number): number | undefined => (value === undefined ? undefined : value << bits);

function indexIn(names: readonly (string | undefined)[], text: string): number | undefined {
  const index = names.indexOf(text);
  return index < 0 ? undefined : index;
}

/** By ABI name, or as x0 or f0. */
function registerNumber(text: string, isFloat: boolean): number | undefined {
  const plain = /^([xf])([12]?\d|3[01])$/.exec(text);
  if (plain !== null) return plain[1] === (isFloat ? 'f' : 'x') ? Number(plain[2]) : undefined;
  return indexIn(isFloat ? F_NAMES : X_NAMES, !isFloat && text === 'fp' ? 's0' : text);
}

/** Decimal or hexadecimal; NaN if it is neither. */
function integer(text: string): number {
  const [, sign, digits] = /^([-+]?)(\d+|0x[\da-f]+)$/i.exec(text) ?? [];
  return digits === undefined ? NaN : Number(digits) * (sign === '-' ? -1 : 1);
}

/** Twenty bits, to be written without a sign, at bit 12. */
const upperOf = (value: number): number => (value >= 0 && value < 2 ** 20 ? value << 12 : NaN);

function offsetTo(text: string, at: bigint): number {
  if (Number.isNaN(integer(text))) return NaN;
  const offset = BigInt.asIntN(64, BigInt(text) - at);
  return BigInt.asIntN(32, offset) === offset ? Number(offset) : NaN;
}

/** @returns undefined if a field cannot hold its operand */
function encode(row: Row, operands: Partial<Record<Operand, number>>): number | undefined {
  let word = row.match;
  for (const slot of row.slots) word |= slotBits(slot, operandFor(row, slot, operands));
  for (const slot of row.slots) if (operandOf(slot, word) !== operandFor(row, slot, operands)) return undefined;
  const unsigned = row.bytes === 4 ? word >>> 0 : word & 0xffff;
  return decode(unsigned)?.row === row ? unsigned : undefined;
}

/** Source and destination in one are written once. */
function operandFor(row: Row, { operand }: Slot, operands: Partial<Record<Operand, number>>): number {
  return operands[operand] ?? (operand === 'rs1' && row.bytes === 2 ? operands.rd : undefined) ?? 0;
}

function slotBits({ pieces, offset }: Slot, value: number): number {
  let bits = 0;
  for (const { from, width, to } of pieces) bits |= (((value - offset) >>> to) & lowBits(width)) << from;
  return bits;
}

/**
 * Assembles lines: an instruction each, behind any number of `label:`; `#` starts a comment.
 *
 * A label stands for its address wherever an operand may be an address.
 *
 * @param at - address of the first instruction
 */
export function assembleProgram(text: string, at = 0n): Program | AssemblyProblem {
  const labels = new Map<string, bigint>();
  const lines: { readonly text: string; readonly at: bigint }[] = [];
  let address = at;
  for (const line of text.split('\n')) {
    const [, marks, instruction] = /^((?:\s*\w+:)*)\s*([^#]*)/.exec(line)!;
    for (const [label] of marks!.matchAll(/\w+/g)) labels.set(label, address);
    if (instruction!.trim() === '') continue;
    lines.push({ text: instruction!.trim(), at: address });
    address += instruction!.startsWith('c.') ? 2n : 4n;
  }
  const words: number[] = [];
  for (const line of lines) {
    const word = assemble(withAddresses(line.text, labels), line.at);
    if (typeof word !== 'number') return word;
    words.push(word);
  }
  return { words, labels };
}

/** The last operand, if it is a label, as its address. */
const withAddresses = (text: string, labels: ReadonlyMap<string, bigint>): string =>
  text.replace(/(?<=[\s,])\w+$/, (word) => {
    const address = labels.get(word);
    return address === undefined ? word : `0x${BigInt.asUintN(64, address).toString(16)}`;
  });
