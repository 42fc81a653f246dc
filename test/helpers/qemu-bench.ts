/** Our engines on the states of state-driver.c: what a hart makes of them, to be compared with what qemu made of them. */
import type { Hart, HartMemory, Stop } from '../../sim/riscv/hart.ts';
import { Interpreter } from '../../sim/riscv/interpreter.ts';
import { hartBytes, WasmHart } from '../../sim/riscv/wasm/hart.ts';
import { FlatMemory } from './flat-memory.ts';
import { CODE, CODE_BYTES, EXIT, F, FCSR, STATE_WORDS, WINDOW, WINDOW_BYTES, WINDOW_WORDS, X } from './qemu-states.ts';

export interface Engine {
  readonly name: string;
  readonly create: (memory: HartMemory) => Hart;
  readonly reservedBytes: number;
}

const PAGE_BYTES = 4096;
const FRAMES = CODE_BYTES / PAGE_BYTES + 2;
const TLB_ENTRIES = 512;

export const ENGINES: readonly Engine[] = [
  { name: 'interpreter', create: (memory) => new Interpreter(memory), reservedBytes: 0 },
  { name: 'WebAssembly engine', create: (memory) => new WasmHart(memory), reservedBytes: hartBytes(FRAMES) },
];

/** A hart and memory that has the code and the window, where the driver has them. */
export interface Bench {
  readonly hart: Hart;
  readonly window: BigUint64Array;
}

export function createBench(engine: Engine, code: Uint8Array): Bench {
  const memory = new FlatMemory({ frames: FRAMES, tlbEntries: TLB_ENTRIES, reservedBytes: engine.reservedBytes });
  memory.map(CODE, CODE_BYTES / PAGE_BYTES, 'rx');
  memory.map(WINDOW & -PAGE_BYTES, 2, 'rw');
  // Frames are handed out in order, so pages that are neighbours here are neighbours in linear memory.
  memory.bytes.set(code, placeOf(memory, CODE));
  const hart = engine.create(memory);
  return { hart, window: new BigUint64Array(memory.wasm.buffer, placeOf(memory, WINDOW), WINDOW_BYTES / 8) };
}

function placeOf(memory: FlatMemory, address: number): number {
  const at = memory.reach(address, 'load');
  if (typeof at !== 'number') throw new Error(`0x${address.toString(16)}: ${at}`);
  return at;
}

/** Where a state's code begins, and where the two ways out of it lead. */
export interface Way {
  readonly start: number;
  readonly exits: readonly number[];
}

/**
 * Runs `execute` on a state.
 *
 * @returns the state afterwards; its exit is 2 if the hart is at neither end
 */
export function afterHart({ hart, window }: Bench, state: BigUint64Array, way: Way, execute: (hart: Hart) => Stop): After {
  const { registers } = hart;
  const signed = new BigInt64Array(state.buffer, state.byteOffset, STATE_WORDS);
  registers.x.set(signed.subarray(X, X + 32));
  registers.f.set(signed.subarray(F, F + 32));
  registers.fcsr = Number(state[FCSR]);
  registers.pc = BigInt(way.start);
  window.set(state.subarray(WINDOW_WORDS, FCSR));
  hart.switched();

  const stop = execute(hart);
  const after = state.slice();
  const words = new BigInt64Array(after.buffer);
  words.set(registers.x, X);
  words.set(registers.f, F);
  after.set(window, WINDOW_WORDS);
  after[FCSR] = BigInt(registers.fcsr);
  const exit = way.exits.indexOf(Number(registers.pc));
  after[EXIT] = BigInt(exit < 0 ? 2 : exit);
  after[0] = state[0]!;
  return { state: after, stop };
}

export interface After {
  readonly state: BigUint64Array;
  readonly stop: Stop;
}

/** Whether two states are the same, but for the driver's own words. */
export function isSame(a: BigUint64Array, b: BigUint64Array): boolean {
  const left = new Uint32Array(a.buffer, a.byteOffset, (EXIT + 1) * 2);
  const right = new Uint32Array(b.buffer, b.byteOffset, (EXIT + 1) * 2);
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}
