/**
 * What a run shows on a time line: processes as tracks, ops as slices, what the kernel did as instants, counters.
 *
 * A model has no clock: op n begins at n units of time and ends before n + 1, and the events of an op stand in order within it. So time
 * is the place in the trace, in both formats; a unit is a microsecond.
 */
import { hex, type KernelEvent } from '../../kernel-model/index.ts';
import { formatOp } from '../../traces/notation.ts';
import type { Op } from '../../traces/op.ts';
import type { Machine } from '../machine.ts';
import type { Result } from '../trace-hart.ts';

export type Value = number | string | boolean;

export interface Slice {
  readonly pid: number;
  readonly op: number;
  readonly name: string;
  /** In units. */
  readonly start: number;
  readonly length: number;
  readonly args: Readonly<Record<string, Value>>;
}

export interface Instant {
  readonly pid: number;
  readonly op: number;
  readonly name: string;
  readonly at: number;
  readonly args: Readonly<Record<string, Value>>;
}

export interface Sample {
  readonly name: CounterName;
  readonly at: number;
  readonly value: number;
}

export interface Track {
  readonly pid: number;
  readonly name: string;
}

export interface RunRecord {
  readonly kernel: string;
  readonly tracks: readonly Track[];
  readonly slices: readonly Slice[];
  readonly instants: readonly Instant[];
  readonly samples: readonly Sample[];
}

export const COUNTERS = ['cached pages', 'frames free', 'faults', 'processes'] as const;
export type CounterName = (typeof COUNTERS)[number];

/** Nanoseconds of a unit. */
export const UNIT_NS = 1000;
/** An op's part of its unit. */
const OP_LENGTH = 0.9;

/** Events that are shown; the others are the steps of these. */
const SHOWN: ReadonlySet<KernelEvent['type']> = new Set([
  'page_fault',
  'signal',
  'process_exec',
  'process_fork',
  'process_exit',
  'assembly_begin',
  'assembly_end',
  'huge_cache_hit',
  'huge_split',
  'cow_copy',
  'cow_reuse',
  'page_verify_fail',
  'huge_page_verify_fail',
  'frame_denied',
  'double_free',
  'refcount_refused',
  'refcount_underflow',
  'crash_report',
]);
/** Addresses among the fields, which people read in hex. */
const HEX_FIELDS: ReadonlySet<string> = new Set([
  'vaddr',
  'ip',
  'vma_start',
  'vma_end',
  'huge_base',
  'entry',
  'fault_addr',
  'frame',
  'from',
  'to',
]);

/** Collects a run: show it the events and then each op that ran. */
export class RunTimeline {
  private readonly tracks = new Map<number, string>();
  private readonly slices: Slice[] = [];
  private readonly instants: Instant[] = [];
  private readonly samples: Sample[] = [];
  private readonly last = new Map<CounterName, number>();
  private pending: KernelEvent[] = [];

  event(event: KernelEvent): void {
    if (SHOWN.has(event.type)) this.pending.push(event);
  }

  /** The op has run, and the events since the last one are its. */
  after(op: Op, index: number, result: Result | undefined, machine: Machine): void {
    if (!this.tracks.has(op.pid)) this.tracks.set(op.pid, `process ${op.pid}`);
    const args = {
      op: index,
      notation: formatOp(op),
      ...(result === undefined ? {} : { result: typeof result === 'number' ? hex(Math.max(0, result)) : result }),
    };
    this.slices.push({ pid: op.pid, op: index, name: op.op, start: index, length: OP_LENGTH, args });
    const step = OP_LENGTH / (this.pending.length + 1);
    this.pending.forEach((event, i) => {
      this.instant(event, op, index, index + step * (i + 1));
    });
    this.pending = [];
    this.count(machine, index);
  }

  finish(kernel: string): RunRecord {
    const tracks = [...this.tracks].map(([pid, name]) => ({ pid, name })).sort((a, b) => a.pid - b.pid);
    return { kernel, tracks, slices: this.slices, instants: this.instants, samples: this.samples };
  }

  private instant(event: KernelEvent, op: Op, index: number, at: number): void {
    const { type, ...fields } = event;
    const pid = 'pid' in fields ? fields.pid : op.pid;
    if (type === 'process_exec') this.tracks.set(pid, `process ${pid} ${(event as { readonly argv0: string }).argv0}`);
    else if (!this.tracks.has(pid)) this.tracks.set(pid, `process ${pid}`);
    const args: Record<string, Value> = {};
    for (const [name, value] of Object.entries(fields)) {
      if (typeof value === 'number' && HEX_FIELDS.has(name)) args[name] = hex(value);
      else if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') args[name] = value;
    }
    this.instants.push({ pid, op: index, name: type, at, args });
  }

  /** Counters that changed. */
  private count({ kernel }: Machine, index: number): void {
    const now: Readonly<Record<CounterName, number>> = {
      'cached pages': kernel.cache.size,
      'frames free': kernel.allocator.freeCount(),
      faults: kernel.counts.faults,
      processes: kernel.processes.size,
    };
    for (const name of COUNTERS) {
      if (this.last.get(name) === now[name]) continue;
      this.last.set(name, now[name]);
      this.samples.push({ name, at: index + OP_LENGTH, value: now[name] });
    }
  }
}
