/**
 * The interface between what executes on a CPU and the kernel: fetch, load, store, ecall.
 *
 * A hart (the trace hart here, machine code elsewhere) knows no kernel, and the kernel does not know which hart runs.
 */
import type { Refusal } from '../kernel-model/index.ts';
import type { Ecall } from './syscalls.ts';

export interface HartPort {
  /** Reads `width` bytes; they are compared with the reference if there is one. */
  load(address: number, width: number): Refusal | undefined;
  /** Stores bytes. */
  store(address: number, bytes: Uint8Array): Refusal | undefined;
  /** Reads an instruction of `width` bytes. */
  fetch(address: number, width: number): Refusal | undefined;
  /** Traps into the kernel. @returns register a0 */
  ecall(call: Ecall): number;
}
