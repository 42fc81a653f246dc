/** How processes come to be, whatever they share. */
import type { AddressSpace } from './address-space.ts';
import type { Errno } from './errors.ts';
import { dropSpace } from './exit.ts';
import type { Kernel, Operation, Process } from './kernel.ts';
import { pid, type Pid } from './units.ts';

/** What a design copies of a space, in its own way. */
export interface Forker {
  readonly copyVmas: (k: Kernel, from: AddressSpace, to: AddressSpace) => void;
  /** Gives the child, whose VMAs are there, its entries. @returns false when a table, a copy or a count could not be had */
  readonly copyPages: (k: Kernel, from: AddressSpace, to: AddressSpace) => Operation<boolean>;
}

/** Makes process `childPid` a copy of `parent`. @returns ENOMEM when frames or counts run out, EAGAIN if the pid is taken */
export function* forkWith(k: Kernel, parent: Process, childPid: Pid, forker: Forker): Operation<Pid | Errno> {
  if (k.processes.has(childPid)) return 'EAGAIN';
  const space = k.createSpace(childPid);
  if (space === undefined) return 'ENOMEM';
  const from = parent.space;
  const { heapStart, heapEnd, heapLimit, placementNext } = from;
  Object.assign(space, { heapStart, heapEnd, heapLimit, placementNext });
  forker.copyVmas(k, from, space);
  const isComplete = yield* forker.copyPages(k, from, space);
  if (k.rules.forkFlushesParent()) for (const cpu of k.cpus) cpu.tlb.flushAsid(from.asid);
  if (!isComplete) {
    if (k.rules.failedCallUndoes('fork')) yield* dropSpace(k, space);
    else k.spaces.delete(space);
    return 'ENOMEM';
  }
  addProcess(k, parent, childPid, space);
  return childPid;
}

/** Makes process `childPid`, which uses the parent's space until it execs or exits. @returns EAGAIN if the pid is taken */
export function* vfork(k: Kernel, parent: Process, childPid: Pid): Operation<Pid | Errno> {
  if (k.processes.has(childPid)) return 'EAGAIN';
  parent.space.owners++;
  addProcess(k, parent, childPid, parent.space).vforkParent = parent.pid;
  return childPid;
}

/** Adds a child that uses `space`. */
function addProcess(k: Kernel, parent: Process, childPid: Pid, space: AddressSpace): Process {
  const child: Process = { pid: pid(childPid), parent: parent.pid, space, argv0: parent.argv0, faultAddress: 0, vforkParent: undefined };
  k.processes.set(childPid, child);
  k.counts.forks++;
  k.emit({ type: 'process_fork', parent_pid: parent.pid, child_pid: childPid });
  return child;
}
