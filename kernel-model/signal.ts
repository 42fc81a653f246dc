/**
 * Signals that memory earns: the event that a refused access causes, and the report when a signal ends a process.
 *
 * What a process does about a signal is not decided here: it goes on, as with a handler, until it exits.
 */
import type { Signal } from './errors.ts';
import type { Kernel, Process } from './kernel.ts';
import { vmaType } from './vma.ts';

/** Linux's numbers. */
const NUMBERS: Readonly<Record<Signal, number>> = { SIGBUS: 7, SIGKILL: 9, SIGSEGV: 11 };
const NAMES = new Map<number, string>(Object.entries(NUMBERS).map(([name, number]) => [number, name]));

/** VMAs that a crash report lists at most, as in Kevlar. */
const REPORTED_VMAS_MAX = 64;

/** An access of the process at `address` was refused. */
export function raise(k: Kernel, process: Process, signal: Signal, address: number): void {
  process.faultAddress = address;
  k.emit({ type: 'signal', pid: process.pid, signal: NUMBERS[signal], signal_name: signal, action: 'refused access', ip: 0 });
}

/** What Kevlar prints of a process that a signal ends. Registers are the hart's business, so ip is 0. */
export function reportCrash(k: Kernel, process: Process, signal: number): void {
  k.emit({
    type: 'crash_report',
    pid: process.pid,
    signal,
    signal_name: NAMES.get(signal) ?? `signal ${signal}`,
    cmdline: process.argv0,
    fault_addr: process.faultAddress,
    ip: 0,
    vmas: process.space.vmas.list.slice(0, REPORTED_VMAS_MAX).map((vma) => ({
      start: vma.start,
      end: vma.end,
      type: vmaType(vma) === 'file' ? 'file' : 'anon',
    })),
  });
}
