/**
 * The memory and process calls of RISC-V Linux: number in a7, arguments in a0 to a5, result or negated errno in a0.
 *
 * A call that takes strings (execve) or a file descriptor (mmap) finds them in `attached`: a trace hart has no strings in
 * memory. Numbers are those of asm-generic/unistd.h, flags those of asm-generic/mman.h.
 */
import {
  brk,
  exec,
  exit,
  fork,
  madvise,
  mincore,
  mmap,
  mprotect,
  mremap,
  msync,
  munmap,
  pid,
  vfork,
  type Advice,
  type Cpu,
  type Errno,
  type Kernel,
  type Operation,
  type Process,
} from '../kernel-model/index.ts';
import { ADVICE, adviceOf, NR } from '../traces/riscv-linux-calls.ts';
import { encodeResult } from './errno.ts';

export const MAP = { SHARED: 0x01, PRIVATE: 0x02, FIXED: 0x10, ANONYMOUS: 0x20, POPULATE: 0x8000, FIXED_NOREPLACE: 0x10_0000 } as const;
export const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;
export const CLONE = { VM: 0x100, VFORK: 0x4000, SIGCHLD: 17 } as const;
export const adviceNumber = (advice: Advice): number => [...ADVICE].find(([, name]) => name === advice)![0];

/** What a program's call refers to by pointer or descriptor. */
export interface Attached {
  readonly path?: string | undefined;
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

type Handler = (k: Kernel, cpu: Cpu, process: Process, args: (i: number) => number, attached: Attached) => Operation<number | Errno>;

const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [
    NR.exitGroup,
    function* (k, _cpu, process, arg, { signal }) {
      yield* exit(k, process, arg(0), signal);
      return 0;
    },
  ],
  [NR.brk, (k, _cpu, process, arg) => brk(k, process, arg(0))],
  [NR.munmap, (k, _cpu, process, arg) => munmap(k, process, arg(0), arg(1))],
  [
    NR.mremap,
    function* (k, _cpu, process, arg) {
      const flags = arg(3);
      if ((flags & MREMAP.DONTUNMAP) !== 0) return 'EINVAL';
      const request = { address: arg(0), oldBytes: arg(1), newBytes: arg(2), newAddress: arg(4) };
      return yield* mremap(k, process, { ...request, mayMove: (flags & MREMAP.MAYMOVE) !== 0, fixed: (flags & MREMAP.FIXED) !== 0 });
    },
  ],
  [
    NR.clone,
    function* (k, _cpu, process, arg, { child = 0 }) {
      return (arg(0) & CLONE.VFORK) !== 0 ? vfork(k, process, pid(child)) : yield* fork(k, process, pid(child));
    },
  ],
  [NR.execve, (k, _cpu, process, _arg, { path = '', argv = [], env = [] }) => exec(k, process, path, argv, env)],
  [NR.mmap, mmapCall],
  [NR.mprotect, (k, _cpu, process, arg) => mprotect(k, process, arg(0), arg(1), arg(2) & 7)],
  [NR.msync, (k, _cpu, process, arg) => msync(k, process, arg(0), arg(1))],
  [
    NR.mincore,
    function* (k, _cpu, process, arg) {
      return mincore(k, process, arg(0), arg(1));
    },
  ],
  [
    NR.madvise,
    function* (k, _cpu, process, arg) {
      const advice = adviceOf(arg(2));
      return advice === undefined ? 'EINVAL' : yield* madvise(k, process, arg(0), arg(1), advice);
    },
  ],
]);

function mmapCall(k: Kernel, cpu: Cpu, process: Process, arg: (i: number) => number, { path }: Attached): Operation<number | Errno> {
  const flags = arg(3);
  return mmap(k, cpu, process, {
    address: arg(0),
    lengthBytes: arg(1),
    prot: arg(2) & 7,
    shared: (flags & MAP.SHARED) !== 0,
    fixed: (flags & (MAP.FIXED | MAP.FIXED_NOREPLACE)) !== 0,
    noreplace: (flags & MAP.FIXED_NOREPLACE) !== 0,
    populate: (flags & MAP.POPULATE) !== 0,
    path: (flags & MAP.ANONYMOUS) !== 0 ? undefined : (path ?? ''),
    offset: arg(5),
  });
}

/** Carries out a system call. @returns what a0 holds afterwards; -ENOSYS for a number that is not in the table */
export function* ecall(k: Kernel, cpu: Cpu, process: Process, call: Ecall): Operation<number> {
  const handler = HANDLERS.get(call.number);
  if (handler === undefined) return encodeResult('ENOSYS');
  return encodeResult(yield* handler(k, cpu, process, (i) => call.args[i] ?? 0, call.attached));
}
