/**
 * The operations of each design: what a program asks of the kernel, and what the kernel's callers ask on its behalf.
 *
 * Everything outside the model calls through `operationsOf`; a design's own files call each other by name.
 */
import type { DesignName } from './design.ts';
import type { Errno } from './errors.ts';
import { exit } from './exit.ts';
import type { Cpu, Kernel, Operation, Process } from './kernel.ts';
import * as kevlar from './kevlar/calls.ts';
import * as linux from './linux/calls.ts';
import { vfork } from './processes.ts';
import type { Advice, MmapRequest, MremapRequest } from './requests.ts';
import type { Pid, Vaddr } from './units.ts';

/** Addresses and lengths are bytes. A length of 2^64 stands for every one that rounds up to pages past 2^64, that is to 0. */
export interface Operations {
  mmap(k: Kernel, cpu: Cpu, process: Process, request: MmapRequest): Operation<Vaddr | Errno>;
  munmap(k: Kernel, process: Process, address: number, lengthBytes: number): Operation<0 | Errno>;
  /** `growsdown` is PROT_GROWSDOWN. */
  mprotect(k: Kernel, process: Process, address: number, lengthBytes: number, prot: number, growsdown?: boolean): Operation<0 | Errno>;
  mremap(k: Kernel, process: Process, request: MremapRequest): Operation<Vaddr | Errno>;
  brk(k: Kernel, process: Process, address: number): Operation<Vaddr>;
  madvise(k: Kernel, process: Process, address: number, lengthBytes: number, advice: Advice): Operation<0 | Errno>;
  /** `flags` are MS bits: ASYNC 1, INVALIDATE 2, SYNC 4. */
  msync(k: Kernel, process: Process, address: number, lengthBytes: number, flags: number): Operation<0 | Errno>;
  /** How many pages of the range are in memory. */
  mincore(k: Kernel, process: Process, address: number, lengthBytes: number): Operation<number | Errno>;
  mlock(k: Kernel, process: Process, address: number, lengthBytes: number): Operation<0 | Errno>;
  munlock(k: Kernel, process: Process, address: number, lengthBytes: number): Operation<0 | Errno>;
  fork(k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno>;
  vfork(k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno>;
  exec(k: Kernel, process: Process, path: string, argv: readonly string[], env: readonly string[]): Operation<0 | Errno>;
  exit(k: Kernel, process: Process, status: number, signal: number | undefined): Operation<void>;
}

/** vfork and exit take spaces apart and put them together; what is the design's own there, the steps they call know. */
const SHARED = { vfork, exit };
const KEVLAR: Operations = { ...SHARED, ...kevlar };
const LINUX: Operations = { ...SHARED, ...linux };

export const operationsOf = (design: DesignName): Operations => (design === 'linux' ? LINUX : KEVLAR);
