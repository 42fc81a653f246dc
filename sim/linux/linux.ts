/**
 * The small Linux: all of its state in one object. What happens to it is in functions, as with the kernel model.
 *
 * It stands on a machine, whose kernel has the address spaces and the page cache, and a hart, which runs the programs. There is
 * one CPU. Every call about memory and every copy of a user buffer is an op of the machine, made for the process that is on the
 * CPU.
 */
import { PAGE_BYTES, pid as pidOf, type Process as KernelProcess } from '../../kernel-model/index.ts';
import type { Machine } from '../machine.ts';
import type { Prng } from '../prng.ts';
import type { Hart } from '../riscv/hart.ts';
import type { Clock } from './clock.ts';
import type { CrashReport } from './crash-report.ts';
import type { Directory, Inode } from './fs/inode.ts';
import type { OpenFile, Stream } from './fs/stream.ts';
import type { FileTree } from './fs/tree.ts';
import type { HostInput } from './host-stream.ts';
import type { Process } from './process.ts';
import type { Programs } from './programs.ts';
import type { CallRecord } from './sleep.ts';
import type { Tty } from './tty.ts';

export interface Linux {
  readonly machine: Machine;
  readonly hart: Hart;
  readonly tree: FileTree;
  readonly clock: Clock;
  readonly prng: Prng;
  readonly programs: Programs;
  readonly processes: Map<number, Process>;
  hostname: string;
  /** The terminal, if standard input and output are one. */
  readonly tty: Tty | undefined;
  readonly input: HostInput;
  /** What /dev/console is. */
  readonly console: Stream;
  /** On the CPU. */
  current: Process | undefined;
  nextPid: number;
  /** Calls that answered ENOSYS, by name or number. */
  readonly unknownCalls: Map<string, number>;
  readonly crashes: CrashReport[];
  /** st_dev of what has no name in the tree: pipes, the host's streams. */
  readonly pipeDevice: number;
  /** Who holds flock's locks. */
  readonly locks: WeakMap<Inode, Map<OpenFile, 'shared' | 'exclusive'>>;
  /** Told of every call when it has its answer. */
  readonly onCall: ((pid: number, call: CallRecord) => void) | undefined;
  /** What `mount` shows, oldest first. */
  readonly mounts: Mount[];
}

/** A file system that covers a directory. */
export interface Mount {
  readonly source: string;
  readonly type: string;
  readonly covered: Directory;
  readonly root: Directory;
}

export const RELEASE = '6.1.0-faultline';
export const VERSION = '#1 faultline';
export const MACHINE = 'riscv64';

/** Notes a call that this system does not have. @returns ENOSYS */
export function notKnown(linux: Linux, name: string): 'ENOSYS' {
  linux.unknownCalls.set(name, (linux.unknownCalls.get(name) ?? 0) + 1);
  return 'ENOSYS';
}

/** Processes in order of their pids, zombies left out. */
export const living = (linux: Linux): Process[] => [...linux.processes.values()].filter(({ state }) => state !== 'zombie');

/** Does a process live in the group? */
export const groupExists = (linux: Linux, pgid: number): boolean => living(linux).some((process) => process.pgid === pgid);

/** The machine's memory, in bytes. */
export function freeMemory({ machine: { kernel } }: Linux): { readonly totalBytes: number; readonly freeBytes: number } {
  return { totalBytes: kernel.parameters.frames * PAGE_BYTES, freeBytes: kernel.allocator.freeCount() * PAGE_BYTES };
}

/** The kernel model's side of a process, as long as it lives. */
export const kernelProcess = ({ machine }: Linux, { pid }: Process): KernelProcess | undefined => machine.kernel.processes.get(pidOf(pid));
