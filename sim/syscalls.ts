/**
 * The memory and process calls of RISC-V Linux: number in a7, arguments in a0 to a5, result or negated errno in a0.
 *
 * A call that takes strings (execve) or a file descriptor (mmap) finds them in `attached`: a trace hart has no strings in
 * memory. Numbers are those of asm-generic/unistd.h, flags those of asm-generic/mman.h.
 */
import {
  operationsOf,
  pid,
  type Cpu,
  type Errno,
  type Kernel,
  type Operation,
  type Operations,
  type Process,
} from '../kernel-model/index.ts';
import type { OpOf } from '../traces/op.ts';
import { ADVICE, adviceOf, NR } from '../traces/riscv-linux-calls.ts';
import { encodeResult } from './errno.ts';

export const MAP = {
  SHARED: 0x01,
  PRIVATE: 0x02,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  GROWSDOWN: 0x100,
  LOCKED: 0x2000,
  NORESERVE: 0x4000,
  POPULATE: 0x8000,
  STACK: 0x2_0000,
  FIXED_NOREPLACE: 0x10_0000,
  /** A bit without a meaning. */
  UNKNOWN: 0x20_0000,
} as const;
export const PROT_GROWSDOWN = 0x0100_0000;
export const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;
export const CLONE = { VM: 0x100, VFORK: 0x4000, SIGCHLD: 17 } as const;
/** Number of an advice; of one without a number, one that no kernel knows. */
export const adviceNumber = (advice: OpOf<'madvise'>['advice']): number => [...ADVICE].find(([, name]) => name === advice)?.[0] ?? 99;

/** What a program's call refers to by pointer or descriptor. */
export interface Attached {
  readonly path?: string | undefined;
  /** Which of the file's open descriptions, and was it opened for reading only? */
  readonly description?: number | undefined;
  readonly readonly?: boolean | undefined;
  readonly argv?: readonly string[] | undefined;
  readonly env?: readonly string[] | undefined;
  /** The pid that a clone must give its child. */
  readonly child?: number | undefined;
  /** The signal that ends the process, instead of an exit code. */
  readonly signal?: number | undefined;
}

export interface Ecall {
  /** Register a7. */
  readonly number: number;
  /** Registers a0 to a5; missing ones are 0. */
  readonly args: readonly number[];
  readonly attached: Attached;
}

interface Caller {
  readonly k: Kernel;
  readonly cpu: Cpu;
  readonly process: Process;
  /** The operations of the kernel's design. */
  readonly on: Operations;
}

type Handler = (caller: Caller, args: (i: number) => number, attached: Attached) => Operation<number | Errno>;

const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [
    NR.exitGroup,
    function* ({ k, process, on }, arg, { signal }) {
      yield* on.exit(k, process, arg(0), signal);
      return 0;
    },
  ],
  [NR.brk, ({ k, process, on }, arg) => on.brk(k, process, arg(0))],
  [NR.munmap, ({ k, process, on }, arg) => on.munmap(k, process, arg(0), arg(1))],
  [NR.mremap, mremapCall],
  [
    NR.clone,
    ({ k, process, on }, arg, { child = 0 }) =>
      (arg(0) & CLONE.VFORK) !== 0 ? on.vfork(k, process, pid(child)) : on.fork(k, process, pid(child)),
  ],
  [NR.execve, ({ k, process, on }, _arg, { path = '', argv = [], env = [] }) => on.exec(k, process, path, argv, env)],
  [NR.mmap, mmapCall],
  [NR.mprotect, ({ k, process, on }, arg) => on.mprotect(k, process, arg(0), arg(1), arg(2) & 7, (arg(2) & PROT_GROWSDOWN) !== 0)],
  [NR.msync, ({ k, process, on }, arg) => on.msync(k, process, arg(0), arg(1), arg(2))],
  [NR.mincore, ({ k, process, on }, arg) => on.mincore(k, process, arg(0), arg(1))],
  [NR.mlock, ({ k, process, on }, arg) => on.mlock(k, process, arg(0), arg(1))],
  [NR.munlock, ({ k, process, on }, arg) => on.munlock(k, process, arg(0), arg(1))],
  [
    NR.madvise,
    function* ({ k, process, on }, arg) {
      const advice = adviceOf(arg(2));
      return advice === undefined ? 'EINVAL' : yield* on.madvise(k, process, arg(0), arg(1), advice);
    },
  ],
]);

function mremapCall({ k, process, on }: Caller, arg: (i: number) => number): Operation<number | Errno> {
  const flags = arg(3);
  return on.mremap(k, process, {
    address: arg(0),
    oldBytes: arg(1),
    newBytes: arg(2),
    newAddress: arg(4),
    mayMove: (flags & MREMAP.MAYMOVE) !== 0,
    fixed: (flags & MREMAP.FIXED) !== 0,
    dontUnmap: (flags & MREMAP.DONTUNMAP) !== 0,
  });
}

function mmapCall({ k, cpu, process, on }: Caller, arg: (i: number) => number, attached: Attached): Operation<number | Errno> {
  const flags = arg(3);
  return on.mmap(k, cpu, process, {
    address: arg(0),
    lengthBytes: arg(1),
    prot: arg(2) & 7,
    shared: (flags & MAP.SHARED) !== 0,
    private: (flags & MAP.PRIVATE) !== 0,
    fixed: (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0,
    noreplace: (flags & MAP.FIXED_NOREPLACE) !== 0,
    populate: (flags & MAP.POPULATE) !== 0,
    growsdown: (flags & MAP.GROWSDOWN) !== 0,
    locked: (flags & MAP.LOCKED) !== 0,
    noreserve: (flags & MAP.NORESERVE) !== 0,
    stack: (flags & MAP.STACK) !== 0,
    unknownFlag: (flags & MAP.UNKNOWN) !== 0,
    path: (flags & MAP.ANONYMOUS) !== 0 ? undefined : (attached.path ?? ''),
    offset: arg(5),
    description: attached.description,
    readonly: attached.readonly,
  });
}

/** Carries out a system call. @returns what a0 holds afterwards; -ENOSYS for a number that is not in the table */
export function* ecall(k: Kernel, cpu: Cpu, process: Process, call: Ecall): Operation<number> {
  const handler = HANDLERS.get(call.number);
  if (handler === undefined) return encodeResult('ENOSYS');
  const on = operationsOf(k.design.name);
  return encodeResult(yield* handler({ k, cpu, process, on }, (i) => call.args[i] ?? 0, call.attached));
}
