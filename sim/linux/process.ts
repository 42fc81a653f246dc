/**
 * A process: everything user-visible that is its own. Address spaces are the kernel model's business.
 *
 * Plain state, changed by the functions of fork, exec, exit, signals and the calls.
 */
import type { Registers } from '../riscv/hart.ts';
import type { FdTable } from './fs/fd-table.ts';
import type { Directory, RegularFile } from './fs/inode.ts';
import type { CallRecord, SuspendedCall } from './sleep.ts';

export interface SignalAction {
  /** Address of the handler, or SIG_DFL or SIG_IGN. */
  readonly handler: number;
  readonly flags: number;
  readonly mask: bigint;
}

/** What siginfo tells about one signal. */
export interface SignalInfo {
  readonly signal: number;
  /** si_code */
  readonly code: number;
  /** Who sent it, or which child it is about. */
  readonly pid?: number;
  /** Of a child: exit code or signal. */
  readonly status?: number;
  /** Of a fault. */
  readonly address?: bigint;
}

export interface AlternateStack {
  readonly address: number;
  readonly lengthBytes: number;
}

export interface Signals {
  readonly actions: Map<number, SignalAction>;
  mask: bigint;
  pending: bigint;
  readonly infos: Map<number, SignalInfo>;
  /** The mask to go back to when a call that changed it for its time (sigsuspend, ppoll) has ended. */
  maskAfterCall: bigint | undefined;
  alternateStack: AlternateStack | undefined;
}

/** Soft and hard limit; RLIM_INFINITY is 2^64 - 1. */
export type Limit = readonly [soft: bigint, hard: bigint];

export interface Process {
  readonly pid: number;
  parent: number;
  pgid: number;
  sid: number;
  /** Name as in PR_SET_NAME: at most 15 bytes. */
  comm: string;
  /** argv of the last exec, as texts. */
  args: readonly string[];
  exe: { readonly inode: RegularFile; readonly path: string } | undefined;
  root: Directory;
  cwd: Directory;
  umask: number;
  uid: number;
  gid: number;
  nice: number;
  fds: FdTable;
  /** Of a process that is not on the CPU; the hart has the others. */
  readonly registers: Registers;
  readonly signals: Signals;
  readonly limits: Map<number, Limit>;
  state: 'live' | 'stopped' | 'zombie';
  /** The call it sleeps in. */
  call: SuspendedCall | undefined;
  /** The call that was interrupted is to be made again, unless a handler says EINTR. */
  restarts: boolean;
  /** Lives in its parent's space until it execs or exits. */
  borrowsSpace: boolean;
  /** Where the child's pid is to be written when it first runs (CLONE_CHILD_SETTID). */
  tidAddress: number;
  /** As wait4 gives it, once it is a zombie. */
  exitStatus: number;
  /** A stop or a continuation that the parent has not been told. */
  news: 'stopped' | 'continued' | undefined;
  /** Signal that stopped it. */
  stopSignal: number;
  /** ITIMER_REAL, in nanoseconds of the clock. */
  alarm: { readonly at: number; readonly interval: number } | undefined;
  readonly startedAt: number;
  /** Nanoseconds on the CPU: its own, and of children that were waited for. */
  cpuNs: number;
  childrenNs: number;
  /** The latest calls, for crash reports. */
  readonly history: CallRecord[];
}

const RLIM_INFINITY = 2n ** 64n - 1n;
const RLIMIT_STACK = 3;
export const RLIMIT_NOFILE = 7;
const LIMITS = 16;

/** @param stackBytes - what a program's stack may grow to */
export const initialLimits = (stackBytes: number, filesMax: number): Map<number, Limit> =>
  new Map(
    Array.from({ length: LIMITS }, (_, i): [number, Limit] => [
      i,
      i === RLIMIT_STACK
        ? [BigInt(stackBytes), RLIM_INFINITY]
        : i === RLIMIT_NOFILE
          ? [BigInt(filesMax), BigInt(filesMax)]
          : [RLIM_INFINITY, RLIM_INFINITY],
    ]),
  );

export const freshRegisters = (): Registers => ({ x: new BigInt64Array(32), f: new BigInt64Array(32), pc: 0n, fcsr: 0 });

export function copyRegisters(from: Registers, to: Registers): void {
  to.x.set(from.x);
  to.f.set(from.f);
  to.pc = from.pc;
  to.fcsr = from.fcsr;
}

export const freshSignals = (): Signals => ({
  actions: new Map(),
  mask: 0n,
  pending: 0n,
  infos: new Map(),
  maskAfterCall: undefined,
  alternateStack: undefined,
});

/** Bytes of a process name, the closing NUL not counted. */
const COMM_BYTES_MAX = 15;
export const commOf = (name: string): string => name.slice(0, COMM_BYTES_MAX);
