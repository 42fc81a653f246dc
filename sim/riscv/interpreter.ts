/**
 * The reference engine: a hart that evaluates the table's expression trees, one instruction after the other.
 *
 * It is slow and plain on purpose; the WebAssembly engine is tested against it. Decoded instructions are kept by frame and offset,
 * and forgotten when anyone writes to the frame, or at fence.i. An instruction that lies in two pages is decoded each time.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import { decode, type Instruction } from './decode.ts';
import { compileEffect, roundsInvalidly, type Context, type Execute } from './evaluate.ts';
import type { Hart, HartMemory, Registers, Stop } from './hart.ts';
import { BASE_ROWS } from './isa/index.ts';
import { UserMemory } from './user-memory.ts';

const LIMIT: Stop = { why: 'limit' };
const HALVES = PAGE_BYTES / 2;

const EXECUTE: ReadonlyMap<Instruction['base'], Execute> = new Map(BASE_ROWS.map((row) => [row, compileEffect(row.effect)]));

/** An instruction and what executes it. */
interface Decoded {
  readonly instruction: Instruction;
  readonly execute: Execute;
}

/** Decoded instructions of a frame, by half-word. */
type DecodedFrame = (Decoded | undefined)[];

export class Interpreter implements Hart, Context {
  readonly registers: Registers = { x: new BigInt64Array(32), f: new BigInt64Array(32), pc: 0n, fcsr: 0 };
  readonly memory: UserMemory;
  retired = 0;
  next = 0n;
  stop: Stop | undefined;
  reservation: bigint | undefined;
  private readonly hartMemory: HartMemory;
  private readonly frames = new Map<number, DecodedFrame>();

  constructor(memory: HartMemory) {
    this.hartMemory = memory;
    this.memory = new UserMemory(memory, (frame) => this.forgetFrame(frame));
    memory.onCodeWritten = (frame) => this.forgetFrame(frame);
  }

  run(instructionsMax: number): Stop {
    this.memory.enter();
    this.registers.x[0] = 0n;
    this.registers.pc = BigInt.asUintN(64, this.registers.pc) & ~1n;
    for (let done = 0; done < instructionsMax; done++) {
      const stop = this.step();
      if (stop !== undefined) return stop;
    }
    return LIMIT;
  }

  switched(): void {
    this.reservation = undefined;
  }

  /** Executes the instruction at pc. @returns why that cannot be done; then nothing has changed */
  private step(): Stop | undefined {
    this.stop = undefined;
    const decoded = this.fetch(this.registers.pc);
    if (decoded !== undefined) this.execute(decoded);
    return this.stop;
  }

  private execute({ instruction, execute }: Decoded): void {
    const { registers } = this;
    if (roundsInvalidly(this, instruction)) {
      this.stop = illegal(instruction.word);
      return;
    }
    this.next = BigInt.asUintN(64, registers.pc + BigInt(instruction.bytes));
    execute(this, instruction);
    if (this.isStopped()) return;
    registers.pc = this.next;
    this.retired++;
  }

  private isStopped(): boolean {
    return this.stop !== undefined;
  }

  /** @returns undefined, and `stop` set, if there is no instruction */
  private fetch(pc: bigint): Decoded | undefined {
    const at = this.memory.place(pc, 'fetch');
    if (at < 0) {
      this.stop = this.memory.refused;
      return undefined;
    }
    const half = (at & (PAGE_BYTES - 1)) >> 1;
    const word = this.memory.halfAt(at);
    if (half === HALVES - 1 && isFull(word)) return this.fetchAcross(pc, word);
    const frame = this.frameOf(at);
    return (frame[half] ??= this.decode(isFull(word) ? word | (this.memory.halfAt(at + 2) << 16) : word));
  }

  private fetchAcross(pc: bigint, low: number): Decoded | undefined {
    const at = this.memory.place(pc + 2n, 'fetch');
    if (at >= 0) return this.decode(low | (this.memory.halfAt(at) << 16));
    this.stop = this.memory.refused;
    return undefined;
  }

  private decode(word: number): Decoded | undefined {
    const instruction = decode(word);
    if (instruction !== undefined) return { instruction, execute: EXECUTE.get(instruction.base)! };
    this.stop = illegal(word);
    return undefined;
  }

  /** The decoded instructions of the frame that holds a byte of linear memory. */
  private frameOf(at: number): DecodedFrame {
    const frame = this.memory.frameAt(at);
    let decoded = this.frames.get(frame);
    if (decoded === undefined) {
      decoded = new Array<Decoded | undefined>(HALVES).fill(undefined);
      this.frames.set(frame, decoded);
      this.memory.markCode(frame);
    }
    return decoded;
  }

  forgetCode(): void {
    for (const frame of [...this.frames.keys()]) this.forgetFrame(frame);
  }

  private forgetFrame(frame: number): void {
    this.frames.delete(frame);
    this.hartMemory.codeFrames[frame] = 0;
  }
}

const isFull = (half: number): boolean => (half & 3) === 3;

const illegal = (word: number): Stop => ({ why: 'illegal', word: word >>> 0 });
