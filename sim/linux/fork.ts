/**
 * fork, vfork and the clone that posix_spawn uses: a new process that goes on where the parent is, with 0 as the answer.
 *
 * @see clone(2); the order of its arguments on riscv64 is flags, stack, parent_tid, tls, child_tid
 */
import { toErrno, type Errno } from './errno.ts';
import type { Linux } from './linux.ts';
import { copyRegisters, freshRegisters, type Process } from './process.ts';

const PID_MAX = 4_194_304;

export interface ForkRequest {
  /** The child lives in the parent's space until it execs or exits. */
  readonly sharesMemory: boolean;
  /** Stack pointer of the child; 0 for the parent's. */
  readonly stack: number;
  /** Thread pointer of the child; undefined for the parent's. */
  readonly tls: bigint | undefined;
  /** Where the child's pid is to be written in the child; 0 for nowhere. */
  readonly childTid: number;
}

/** Makes a child of the process that is on the CPU. */
export function forkProcess(linux: Linux, parent: Process, request: ForkRequest): Process | Errno {
  const pid = linux.nextPid;
  if (pid > PID_MAX) return 'EAGAIN';
  const made = linux.machine.perform({ pid: parent.pid, op: request.sharesMemory ? 'vfork' : 'fork', child: pid });
  if (typeof made === 'string') return toErrno(made);
  linux.nextPid++;
  const child: Process = {
    ...parent,
    pid,
    parent: parent.pid,
    fds: parent.fds.copy(),
    registers: freshRegisters(),
    limits: new Map(parent.limits),
    signals: { ...parent.signals, actions: new Map(parent.signals.actions), infos: new Map(), pending: 0n, maskAfterCall: undefined },
    call: undefined,
    restarts: false,
    borrowsSpace: request.sharesMemory,
    tidAddress: request.childTid,
    news: undefined,
    alarm: undefined,
    startedAt: linux.clock.now(),
    cpuNs: 0,
    childrenNs: 0,
    history: [],
  };
  if (child.exe !== undefined) child.exe.inode.runners++;
  if (request.sharesMemory && request.stack !== 0) child.signals.alternateStack = undefined;
  copyRegisters(linux.hart.registers, child.registers);
  const { x } = child.registers;
  child.registers.pc += 4n;
  x[10] = 0n;
  if (request.stack !== 0) x[2] = BigInt(request.stack);
  if (request.tls !== undefined) x[4] = request.tls;
  linux.processes.set(pid, child);
  return child;
}
