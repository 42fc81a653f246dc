/**
 * The end of a process, and of its address space: every entry gives its reference back, then the tables go.
 */
import type { AddressSpace } from './address-space.ts';
import { releaseUnmappedObjects } from './cache-fill.ts';
import type { Kernel, Operation, Process } from './kernel.ts';
import { frameOfPte, isLeaf } from './pte.ts';
import { reportCrash } from './signal.ts';
import { pfn, pid, type Pfn } from './units.ts';

const INIT = pid(1);
/** Added to the signal's number in the status of a process that a signal ended, as Kevlar does. */
const BY_SIGNAL = 128;

/** Ends a process with an exit code, or by a signal number; its children go to process 1. */
export function* exit(k: Kernel, process: Process, status: number, signal: number | undefined): Operation<void> {
  const bySignal = signal !== undefined;
  if (bySignal) reportCrash(k, process, signal);
  k.emit({ type: 'process_exit', pid: process.pid, status: bySignal ? BY_SIGNAL + signal : status, by_signal: bySignal });
  k.processes.delete(process.pid);
  for (const other of k.processes.values()) if (other.parent === process.pid) other.parent = INIT;
  for (const cpu of k.cpus) if (cpu.pid === process.pid) cpu.pid = undefined;
  yield* leaveSpace(k, process.space);
}

/** One process less uses the space; the last one drops it. */
export function* leaveSpace(k: Kernel, space: AddressSpace): Operation<void> {
  space.owners--;
  if (space.owners === 0) yield* dropSpace(k, space);
}

/** Takes an address space apart. Translations go first, because a frame may only be given back when nobody can reach it. */
export function* dropSpace(k: Kernel, space: AddressSpace): Operation<void> {
  k.spaces.delete(space);
  if (k.isAsidCurrent(space)) {
    yield 'shootdown.sent';
    for (const cpu of k.cpus) cpu.tlb.flushAsid(space.asid);
  }
  for (const pin of [...k.pins.values()]) if (pin.space === space) unpin(k, pin.id);
  const frames = k.rules.teardown() ? takeApart(k, space) : 0;
  k.emit({ type: 'space_dropped', asid: space.asid, frames });
  releaseUnmappedObjects(k);
}

/** Gives back everything that the tables of a space hold, and the tables. @returns how many references that were */
function takeApart(k: Kernel, space: AddressSpace): number {
  const held: Pfn[] = [];
  k.tables.eachEntry(space.root, (_page, entry, _slot, isHuge) => {
    const frame = frameOfPte(entry);
    if (!k.frames.exists(frame)) return;
    if (!isHuge) held.push(frame);
    else if (isLeaf(entry)) for (let i = 0; i < k.rules.hugeRefs(k.parameters.hugePages); i++) held.push(pfn(frame + i));
  });
  const tables: Pfn[] = [];
  k.tables.eachTable(space.root, (table) => tables.push(table));
  for (const frame of held) k.release(frame);
  for (const table of [...tables, ...space.deposits.values()]) k.release(table);
  space.deposits.clear();
  return held.length;
}

/** Gives up a pin. */
export function unpin(k: Kernel, id: number): void {
  const pin = k.pins.get(id);
  if (pin === undefined) return;
  k.pins.delete(id);
  if (pin.writable) k.frames.writePins[pin.frame]!--;
  k.release(pin.frame);
}
