/** Single instructions of the table with random operands, as code and states for state-driver.c. */
import type { Instruction } from '../../sim/riscv/decode.ts';
import type { Row } from '../../sim/riscv/isa/row.ts';
import type { Stream } from '../../sim/prng.ts';
import type { CodeImage } from './qemu-image.ts';
import { type Piece } from './qemu-image.ts';
import { floatRegister, integerOperand, uint64 } from './qemu-operands.ts';
import { F, FCSR, pointerBeside, POINTER, STATE_WORDS, WINDOW, WINDOW_BYTES, WINDOW_WORDS } from './qemu-states.ts';
import { memoryUseOf, randomInstruction, usageOf, type MemoryUse, type Operands, type Usage } from './qemu-words.ts';

/** Control registers whose value is the program's own; counters are compared elsewhere. */
const CSRS = [1, 2, 3];
const [RNE, RTZ, DYNAMIC] = [0, 1, 7] as const;
const TRIES_MAX = 1000;

/** One instruction, placed. */
export interface Sample {
  readonly instruction: Instruction;
  readonly usage: Usage;
  readonly memoryUse: MemoryUse | undefined;
  readonly pointer: number;
  readonly piece: Piece;
  /** Address to which it may jump. */
  readonly target: number | undefined;
}

/** @throws Error if no encoding of the row could be placed */
export function addSample(image: CodeImage, row: Row, stream: Stream): Sample {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const sample = trySample(image, row, stream);
    if (sample !== undefined) return sample;
  }
  throw new Error(`${row.name}: no place for it`);
}

function trySample(image: CodeImage, row: Row, stream: Stream): Sample | undefined {
  const instruction = randomInstruction(row, stream, givenOperands(row, stream));
  if (instruction === undefined) return undefined;
  const usage = usageOf(instruction);
  const memoryUse = memoryUseOf(instruction);
  const isIndirect = instruction.base.name === 'jalr';
  if ((memoryUse !== undefined || isIndirect) && instruction.rs1 === 0) return undefined;
  const pointer = pointerBeside(new Set([...usage.xRead, usage.xWritten ?? 0]));
  if (pointer === undefined) return undefined;
  const offset = jumpOffset(instruction, stream);
  const piece = image.add([instruction], offset === undefined ? { pointer } : { pointer, target: offset });
  if (piece === undefined) return undefined;
  return { instruction, usage, memoryUse, pointer, piece, target: offset === undefined ? undefined : piece.start + offset };
}

/** Registers often the same, rounding modes often those that compilers write, control registers that exist. */
function givenOperands(row: Row, stream: Stream): Operands {
  const operands = row.slots.map(({ operand }) => operand);
  const given: Operands = {};
  if (row.effect.do === 'csr') given.csr = stream.pick(CSRS);
  if (operands.includes('rm') && stream.chance(0.6)) given.rm = stream.pick([RNE, RTZ, DYNAMIC]);
  if (operands.includes('rd') && operands.includes('rs1') && row.bytes === 4 && stream.chance(0.2)) {
    const register = stream.int(32);
    given.rd = register;
    if (operands.includes('rs2') && stream.chance(0.5)) given.rs2 = register;
    else given.rs1 = register;
  }
  return given;
}

function jumpOffset(instruction: Instruction, stream: Stream): number | undefined {
  const { effect } = instruction.base;
  if (effect.do === 'branch') return instruction.imm;
  if (effect.do !== 'jump') return undefined;
  return instruction.base.name === 'jalr' ? 2 * (stream.int(0x8000) - 0x4000) : instruction.imm;
}

/** Random in every register, and operands that suit the instruction in those that it reads. */
export function sampleState(sample: Sample, background: BigUint64Array, stream: Stream): BigUint64Array {
  const { instruction, usage, memoryUse, pointer, piece, target } = sample;
  const state = background.slice();
  for (const register of usage.xRead) state[register] = integerOperand(stream);
  for (const { register, format } of usage.fRead) state[F + register] = floatRegister(stream, format);
  if (usage.xRead.length > 1 && stream.chance(0.1)) state[usage.xRead[1]!] = state[usage.xRead[0]!]!;
  if (usage.fRead.length > 1 && stream.chance(0.1))
    state[F + usage.fRead[1]!.register] = withSign(state[F + usage.fRead[0]!.register]!, usage, stream);
  if (memoryUse !== undefined) state[instruction.rs1] = BigInt.asUintN(64, BigInt(addressIn(memoryUse, stream) - memoryUse.offset));
  if (instruction.base.name === 'jalr') state[instruction.rs1] = BigInt(target! - instruction.imm + stream.int(2));
  state[0] = BigInt(piece.entry);
  state[POINTER] = BigInt(pointer);
  // Only where the instruction rounds by frm must frm be a mode. Often it is 0, as in programs, which engines are fast with.
  const frm = stream.chance(0.5) ? 0 : stream.int(instruction.rm === DYNAMIC ? 5 : 8);
  state[FCSR] = BigInt((frm << 5) | stream.int(32));
  return state;
}

/** The same float, or its negative. */
function withSign(pattern: bigint, { fRead }: Usage, stream: Stream): bigint {
  return pattern ^ (BigInt(stream.int(2)) << (fRead[0]!.format === 's' ? 31n : 63n));
}

/** Anywhere in the window; atomics are aligned. */
function addressIn({ bytes, isAtomic }: MemoryUse, stream: Stream): number {
  if (isAtomic) return WINDOW + bytes * stream.int(WINDOW_BYTES / bytes);
  return WINDOW + stream.int(WINDOW_BYTES - bytes + 1);
}

/** A state in which everything is random. */
export function randomState(stream: Stream): BigUint64Array {
  const state = new BigUint64Array(STATE_WORDS);
  for (let n = 0; n < 32; n++) {
    state[n] = integerOperand(stream);
    state[F + n] = floatRegister(stream, stream.pick(['s', 'd']));
  }
  for (let word = WINDOW_WORDS; word < FCSR; word++) state[word] = uint64(stream);
  return state;
}
