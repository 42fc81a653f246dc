/**
 * Programs for tests, without a compiler: lines for our own assembler, wrapped into the smallest ELF file that runs.
 *
 *     0x10000  text: the code, from file offset 0x1000 on, readable and executable
 *     0x20000  data: bytes if any, then zeros, readable and writable
 *
 * Beside instructions, lines may be `li reg,value` (any 64 bits) and `call number` (a system call); the rest is as in assemble.ts.
 */
import { assembleProgram } from '../../sim/riscv/assemble.ts';

/** Address of the first instruction. */
export const TEXT = 0x10000;
/** Address of the data; nothing is mapped between text and data. */
export const DATA = 0x20000;
const PAGE = 4096;
const TEXT_OFFSET = PAGE;

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
const FLAGS = { rw: 6, rx: 5, rwx: 7 } as const;

export interface TinyProgram {
  readonly source: string;
  /** First bytes of the data. */
  readonly data?: Uint8Array | string;
  /** Length of the data with its zeros; a page unless said otherwise. */
  readonly dataBytes?: number;
  /** Zeros between the start of the text and the code, which lies that much later. */
  readonly lead?: number;
  /** Rights of the text. */
  readonly textRights?: 'rx' | 'rwx';
  /** Bytes behind the code, at the next multiple of 16 (`constantsOf`). */
  readonly constants?: Uint8Array;
}

/** The program as an ELF file. @throws Error with the assembler's words if a line is no instruction */
export function tinyElf({ source, data = '', dataBytes = PAGE, lead = 0, textRights = 'rx', constants }: TinyProgram): Uint8Array {
  const code = assembled(source, TEXT + lead);
  const constantsAt = constantsOf(code.length + lead);
  const text = new Uint8Array(constants === undefined ? lead + code.length : constantsAt + constants.length);
  text.set(code, lead);
  if (constants !== undefined) text.set(constants, constantsAt);
  const initial = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  const dataOffset = TEXT_OFFSET + Math.ceil(text.length / PAGE) * PAGE;
  const file = new Uint8Array(dataOffset + initial.length);
  const view = new DataView(file.buffer);
  writeHeader(view, TEXT + lead, 2);
  writeSegment(view, 0, { flags: textRights, offset: TEXT_OFFSET, vaddr: TEXT, fileBytes: text.length, memoryBytes: text.length });
  const memoryBytes = Math.max(dataBytes, initial.length);
  writeSegment(view, 1, { flags: 'rw', offset: dataOffset, vaddr: DATA, fileBytes: initial.length, memoryBytes });
  file.set(text, TEXT_OFFSET);
  file.set(initial, dataOffset);
  return file;
}

/** Where constants lie behind so many bytes of text, counted from its start. */
export const constantsOf = (textBytes: number): number => Math.ceil(textBytes / 16) * 16;

/** The code of a source, as bytes. */
export function assembled(source: string, at: number): Uint8Array {
  const program = assembleProgram(source.split('\n').map(expand).join('\n'), BigInt(at));
  if ('problem' in program) throw new Error(program.problem);
  return Uint8Array.from(program.words.flatMap((word) => bytesOf(word, isFull(word) ? 4 : 2)));
}

const isFull = (word: number): boolean => (word & 3) === 3;
const bytesOf = (word: number, count: number): number[] => Array.from({ length: count }, (_, i) => (word >>> (8 * i)) & 0xff);

function writeHeader(view: DataView, entry: number, programHeaders: number): void {
  [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, programHeaders, true);
}

interface Segment {
  readonly flags: keyof typeof FLAGS;
  readonly offset: number;
  readonly vaddr: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

function writeSegment(view: DataView, index: number, { flags, offset, vaddr, fileBytes, memoryBytes }: Segment): void {
  const start = HEADER_BYTES + index * PROGRAM_HEADER_BYTES;
  view.setUint32(start, PT_LOAD, true);
  view.setUint32(start + 4, FLAGS[flags], true);
  const numbers = [offset, vaddr, vaddr, fileBytes, memoryBytes, PAGE];
  numbers.forEach((number, i) => view.setBigUint64(start + 8 + i * 8, BigInt(number), true));
}

/** A line with `li` or `call` as instructions. */
function expand(line: string): string {
  const [, labels, name, operands] = /^((?:\s*\w+:)*)\s*(li|call)\s+([^#]*)/.exec(line) ?? [];
  if (name === undefined) return line;
  if (name === 'call') return `${labels!} ${li('a7', BigInt(operands!.trim()))}\n ecall`;
  const [register, value] = operands!.split(',') as [string, string];
  return `${labels!} ${li(register.trim(), integer(value.trim()))}`;
}

/** Whole numbers, of either sign, decimal or hexadecimal. */
const integer = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));

/** Instructions that put a 64-bit pattern into a register. */
function li(register: string, value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  const low = BigInt.asIntN(12, signed);
  if (low === signed) return `addi ${register},zero,${low}`;
  if (BigInt.asIntN(32, signed) === signed) {
    const upper = BigInt.asUintN(20, (signed - low) >> 12n);
    return `lui ${register},0x${upper.toString(16)}\n addiw ${register},${register},${low}`;
  }
  return `${li(register, (signed - low) >> 12n)}\n slli ${register},${register},12\n addi ${register},${register},${low}`;
}
