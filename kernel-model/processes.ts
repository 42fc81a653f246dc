/** How processes come to be, whatever they share. */
import type { AddressSpace } from './address-space.ts';
import type { Errno } from './errors.ts';
import type { Kernel, Operation, Process } from './kernel.ts';
import { pid, type Pid } from './units.ts';

/** Makes process `childPid`, which uses the parent's space until it execs or exits. @returns EAGAIN if the pid is taken */
export function* vfork(k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno> {
  if (k.processes.has(childPid)) return 'EAGAIN';
  parent.space.owners++;
  addProcess(k, parent, childPid, parent.space).vforkParent = parent.pid;
  return childPid;
}

/** Adds a child that uses `space`. */
export function addProcess(k: Kernel, parent: Process, childPid: Pid, space: AddressSpace): Process {
  const child: Process = { pid: pid(childPid), parent: parent.pid, space, argv0: parent.argv0, faultAddress: 0, vforkParent: undefined };
  k.processes.set(childPid, child);
  k.counts.forks++;
  k.emit({ type: 'process_fork', parent_pid: parent.pid, child_pid: childPid });
  return child;
}
