/** How a system call is written: a function of the process and six numbers; one that may have to wait gives a generator. */
import type { Linux } from './linux.ts';
import type { Process } from './process.ts';
import type { Args, Outcome, Sleeping } from './sleep.ts';

export type Handler = (linux: Linux, process: Process, args: Args) => Outcome | Sleeping;

/** Rows of a table of calls: number, name, what it does. */
export type CallRow = readonly [number: number, name: string, handler: Handler];
