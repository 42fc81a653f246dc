/**
 * A RISC-V hart and what it stands on. Two engines implement `Hart`: the readable interpreter and the WebAssembly one.
 *
 * A hart executes until something happens that it cannot decide; that is a `Stop`, a value. It knows no kernel: memory is what
 * `HartMemory` lets it reach. The instruction count is exact, and every stop is precise: the instruction at `pc` has had no effect
 * and is not counted.
 */
import type { Access, Refusal, WasmMemory } from '../../kernel-model/index.ts';

export type Stop =
  /** As many instructions as asked for have run. */
  | { readonly why: 'limit' }
  | { readonly why: 'ecall' }
  | { readonly why: 'breakpoint' }
  /** No instruction of the table, or one that user level may not use. `word` is 16 or 32 bits. */
  | { readonly why: 'illegal'; readonly word: number }
  /** Memory refused: a byte of the access at `address` (64 bits, unsigned) earns this signal. */
  | { readonly why: 'refused'; readonly access: Access; readonly address: bigint; readonly refusal: Refusal }
  /** An atomic that is not naturally aligned; SIGBUS on Linux. */
  | { readonly why: 'misaligned'; readonly access: Access; readonly address: bigint };

/** What a hart asks of the machine. Addresses below 2^53; the hart itself refuses what is above user space. */
export interface HartMemory {
  /** Linear memory: TLBs, the reserved area for harts, frames. */
  readonly wasm: WasmMemory;
  readonly bytes: Uint8Array;
  /** First byte address of the reserved area, and its length. */
  readonly reserved: number;
  readonly reservedBytes: number;
  /** Byte address of frame 0, and how many there are. */
  readonly frameBase: number;
  readonly frames: number;
  /** Byte address of this CPU's TLB, and its entries (a power of two). Layout: kernel-model/tlb.ts. */
  readonly tlb: number;
  readonly tlbEntries: number;
  /** First address that no program has. */
  readonly userEnd: number;
  /** One byte a frame: not 0 while the hart holds decoded instructions of it. Set by the hart; `onCodeWritten` is told before a kernel writes. */
  readonly codeFrames: Uint8Array;
  /** Called with a frame that `codeFrames` marks when anyone but the hart writes to it. */
  onCodeWritten: ((frame: number) => void) | undefined;
  /** Id of the running address space, as TLB entries carry it. */
  asid(): number;
  /** Byte address in linear memory of the byte at `address`, faulting as needed. Opens the TLB's fast path for this kind of access. */
  reach(address: number, access: Access): number | Refusal;
  /** The program has loaded (`isStore` false) or stored `bytes` bytes; they lie at byte address `at`. Only called if `isWatched`. */
  accessed(address: number, bytes: number, at: number, isStore: boolean): void;
  /** Which accesses a watcher wants to see. */
  readonly watched: 'nothing' | 'stores' | 'all';
}

/** Registers that a process has; copied by fork. */
export interface Registers {
  readonly x: BigInt64Array;
  /** Raw patterns, singles NaN-boxed. */
  readonly f: BigInt64Array;
  pc: bigint;
  /** frm and fflags. */
  fcsr: number;
}

export interface Hart {
  /** The running program's registers, live. `x[0]` is 0 whatever is written there. */
  readonly registers: Registers;
  /** Instructions retired since the hart was made: what cycle, time and instret show. */
  readonly retired: number;
  /** Runs at most `instructionsMax` (up to 2^31 - 1). */
  run(instructionsMax: number): Stop;
  /** Another address space or program is current now: reservation and translations held outside the TLB are void. */
  switched(): void;
}
