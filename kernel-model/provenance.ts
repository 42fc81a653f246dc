/**
 * Where the bytes of each frame came from.
 *
 * A frame's history is a list of records, each for a range of its bytes; the newest that covers a byte tells. A copy
 * takes the records of its source along and adds a hop, so the origin survives when the source frame is reused.
 * Nothing in the model reads this: it is what a report says of a wrong byte. It can be switched off for speed.
 */
import { PAGE_BYTES, type Pfn } from './units.ts';

export type Origin =
  | { readonly kind: 'zero' }
  | { readonly kind: 'file'; readonly path: string; /** File offset of the byte at `start`. */ readonly offset: number }
  | { readonly kind: 'write'; readonly pid: number }
  | { readonly kind: 'kernel'; readonly what: string }
  | { readonly kind: 'unknown' };

/** One copy on the way from the origin: out of which frame, at which event and op, and what for. */
export interface Hop {
  readonly from: Pfn;
  readonly why: string;
  readonly event: number;
  readonly op: number;
}

export interface ProvenanceRecord {
  /** Bytes of the frame, half-open. */
  readonly start: number;
  readonly end: number;
  readonly origin: Origin;
  readonly event: number;
  readonly op: number;
  /** Oldest copy first. */
  readonly hops: readonly Hop[];
}

/** Which request and which event the kernel is at; whoever drives the kernel sets `op`. */
export interface Clock {
  op: number;
  event: number;
}

/** A frame keeps at most this many records; older ones merge into `unknown`. */
const RECORDS_MAX = 64;

export class Provenance {
  readonly enabled: boolean;
  private readonly clock: Clock;
  private histories = new Map<Pfn, readonly ProvenanceRecord[]>();

  constructor(enabled: boolean, clock: Clock) {
    this.enabled = enabled;
    this.clock = clock;
  }

  /** The frame begins a new life; what it held before is forgotten. */
  forget(frame: Pfn): void {
    if (this.enabled) this.histories.delete(frame);
  }

  note(frame: Pfn, start: number, end: number, origin: Origin): void {
    if (!this.enabled || start >= end) return;
    this.append(frame, { start, end, origin, event: this.clock.event, op: this.clock.op, hops: [] });
  }

  /** Bytes [start, end) of `to` were copied from the same place of `from`. */
  noteCopy(from: Pfn, to: Pfn, start: number, end: number, why: string): void {
    if (!this.enabled) return;
    const hop: Hop = { from, why, event: this.clock.event, op: this.clock.op };
    for (const record of this.histories.get(from) ?? []) {
      const clipped = clip(record, start, end);
      if (clipped !== undefined) this.append(to, { ...clipped, hops: [...clipped.hops.slice(-15), hop] });
    }
  }

  /** The newest record that covers byte `offset` of the frame. */
  of(frame: Pfn, offset: number): ProvenanceRecord | undefined {
    return this.histories.get(frame)?.findLast((record) => record.start <= offset && offset < record.end);
  }

  snapshot(): ReadonlyMap<Pfn, readonly ProvenanceRecord[]> {
    return new Map(this.histories);
  }

  restore(histories: ReadonlyMap<Pfn, readonly ProvenanceRecord[]>): void {
    this.histories = new Map(histories);
  }

  private append(frame: Pfn, record: ProvenanceRecord): void {
    const history = (this.histories.get(frame) ?? []).filter((old) => old.start < record.start || old.end > record.end);
    if (history.length >= RECORDS_MAX)
      history.splice(0, history.length, { ...record, start: 0, end: PAGE_BYTES, origin: { kind: 'unknown' }, hops: [] });
    this.histories.set(frame, [...history, record]);
  }
}

function clip(record: ProvenanceRecord, start: number, end: number): ProvenanceRecord | undefined {
  const from = Math.max(record.start, start);
  const to = Math.min(record.end, end);
  if (from >= to) return undefined;
  const origin = record.origin.kind === 'file' ? { ...record.origin, offset: record.origin.offset + from - record.start } : record.origin;
  return { ...record, start: from, end: to, origin };
}
