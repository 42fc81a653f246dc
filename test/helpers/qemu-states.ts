/**
 * States of a hart as test/riscv/state-driver.c has them, and what qemu makes of them.
 *
 *     words of 64 bits: | x0..x31 | f0..f31 | window (8) | fcsr | pointer | exit | exits (2) |
 *
 * x0's place has the address where the code begins; `pointer` is the register that the code leaves alone; `exit` becomes 0 or 1.
 */
import { compile, emulate } from './qemu.ts';

const SOURCES = ['state-driver.c', 'state-driver-run.S'].map((name) => new URL(`../riscv/${name}`, import.meta.url).pathname);

export const CODE = 0x1000_0000;
export const CODE_BYTES = 0x10_0000;
/** 64 bytes for loads and stores, half of them at the end of a page, half at the start of the next. */
export const WINDOW = 0x2000_0fe0;
export const WINDOW_BYTES = 64;

export const X = 0;
export const F = 32;
export const WINDOW_WORDS = 64;
export const FCSR = 72;
export const POINTER = 73;
export const EXIT = 74;
export const EXITS = 75;
export const STATE_WORDS = 77;

const HEADER_WORDS = 2;

/** The register through which code is entered and left. */
export const linkOf = (pointer: number): number => (pointer === 31 ? 30 : 31);

/** The last register of four that the code does not use. @returns undefined if it uses them all */
export const pointerBeside = (used: ReadonlySet<number>): number | undefined => [31, 30, 29, 28].find((register) => !used.has(register));

/** Executes each state's code under qemu. @param states - as many as fit; a copy is answered */
export function afterQemu(code: Uint8Array, states: BigUint64Array): BigUint64Array {
  const input = new Uint8Array(HEADER_WORDS * 8 + code.length + states.byteLength);
  input.set(new Uint8Array(BigUint64Array.of(BigInt(code.length), BigInt(states.length / STATE_WORDS)).buffer));
  input.set(code, HEADER_WORDS * 8);
  input.set(new Uint8Array(states.buffer, states.byteOffset, states.byteLength), HEADER_WORDS * 8 + code.length);
  driver ??= compile('state-driver', SOURCES);
  const { stdout, exitCode, signal } = emulate(driver, [], input);
  if (stdout.length !== states.byteLength) {
    throw new Error(`the driver wrote ${stdout.length} bytes of ${states.byteLength}: exit code ${exitCode}, signal ${signal}`);
  }
  return new BigUint64Array(stdout.slice().buffer);
}

let driver: string | undefined;

/** What differs between two states, a line each; empty if nothing does. */
export function differences(expected: BigUint64Array, found: BigUint64Array, names: readonly [string, string]): string[] {
  const lines: string[] = [];
  for (let word = 1; word < EXITS; word++) {
    if (expected[word] === found[word]) continue;
    lines.push(`${nameOf(word)}: ${names[0]} ${hex(expected[word]!)}, ${names[1]} ${hex(found[word]!)}`);
  }
  return lines;
}

export function nameOf(word: number): string {
  if (word < F) return `x${word}`;
  if (word < WINDOW_WORDS) return `f${word - F}`;
  if (word < FCSR) return `window+${(word - WINDOW_WORDS) * 8}`;
  return word === FCSR ? 'fcsr' : word === EXIT ? 'exit taken' : 'pointer';
}

export const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;
