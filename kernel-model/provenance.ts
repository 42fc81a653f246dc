/**
 * Where the bytes of each frame came from.
 *
 * A frame has a list of records, and each of its bytes the number of the newest that covers it. A copy takes the records
 * of its source along and adds a hop, so the origin survives when the source frame is reused.
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
/** `recordOf` of a frame whose first record tells of every byte; shared, so never written. */
const WHOLE = new Uint8Array(PAGE_BYTES).fill(1);

/** Of one frame: its records, oldest first, and for each byte the number of the one that tells, counted from 1; 0 for none. */
interface History {
  records: ProvenanceRecord[];
  recordOf: Uint8Array;
}

/** Neighbouring bytes of a frame, half-open, that one record tells of. */
export interface ProvenanceRun {
  readonly start: number;
  readonly end: number;
  readonly record: ProvenanceRecord;
}

export type ProvenanceSnapshot = ReadonlyMap<Pfn, Readonly<History>>;

export class Provenance {
  readonly enabled: boolean;
  private readonly clock: Clock;
  private histories = new Map<Pfn, History>();

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
    append(this.historyOf(frame), { start, end, origin, event: this.clock.event, op: this.clock.op, hops: [] });
  }

  /** As `note` of a write. Programs store often: what a process writes to a frame between two events is one record. */
  noteWrite(frame: Pfn, start: number, end: number, pid: number): void {
    if (!this.enabled) return;
    const history = this.historyOf(frame);
    const last = history.records.at(-1);
    const { op, event } = this.clock;
    if (last?.origin.kind === 'write' && last.origin.pid === pid && last.op === op && last.event === event && last.hops.length === 0) {
      if (start < last.start || end > last.end) history.records[history.records.length - 1] = widened(last, start, end);
      if (history.recordOf !== WHOLE) history.recordOf.fill(history.records.length, start, end);
    } else append(history, { start, end, origin: { kind: 'write', pid }, event, op, hops: [] });
  }

  /** Bytes [start, end) of `to` were copied from the same place of `from`. */
  noteCopy(from: Pfn, to: Pfn, start: number, end: number, why: string): void {
    const source = this.histories.get(from);
    if (!this.enabled || source === undefined) return;
    const hop: Hop = { from, why, event: this.clock.event, op: this.clock.op };
    const target = this.historyOf(to);
    makeRoom(target);
    const numbers = source.records.map((record) => {
      const clipped = clip(record, start, end);
      return clipped === undefined ? 0 : target.records.push({ ...clipped, hops: [...clipped.hops.slice(-15), hop] });
    });
    for (let i = start; i < end; i++) {
      const number = source.recordOf[i]!;
      if (number > 0) target.recordOf[i] = numbers[number - 1]!;
    }
  }

  /** The newest record that covers byte `offset` of the frame. */
  of(frame: Pfn, offset: number): ProvenanceRecord | undefined {
    const history = this.histories.get(frame);
    return history?.records[history.recordOf[offset]! - 1];
  }

  /** The whole frame as runs of one record each, ascending; bytes that no record tells of are left out. */
  runsOf(frame: Pfn): readonly ProvenanceRun[] {
    const history = this.histories.get(frame);
    if (history === undefined) return [];
    const { records, recordOf } = history;
    if (recordOf === WHOLE) return [{ start: 0, end: PAGE_BYTES, record: records[0]! }];
    const runs: ProvenanceRun[] = [];
    for (let start = 0, end = 0; start < PAGE_BYTES; start = end) {
      for (end = start + 1; end < PAGE_BYTES && recordOf[end] === recordOf[start]; end++);
      const record = records[recordOf[start]! - 1];
      if (record !== undefined) runs.push({ start, end, record });
    }
    return runs;
  }

  snapshot(): ProvenanceSnapshot {
    return new Map([...this.histories].map(([frame, history]) => [frame, copyOf(history)]));
  }

  restore(histories: ProvenanceSnapshot): void {
    this.histories = new Map([...histories].map(([frame, history]) => [frame, copyOf(history)]));
  }

  private historyOf(frame: Pfn): History {
    let history = this.histories.get(frame);
    if (history === undefined) this.histories.set(frame, (history = { records: [], recordOf: new Uint8Array(PAGE_BYTES) }));
    return history;
  }
}
/** Makes `record` the one that tells of its bytes. */
function append(history: History, record: ProvenanceRecord): void {
  if (record.start === 0 && record.end === PAGE_BYTES) {
    history.records = [record];
    history.recordOf = WHOLE;
    return;
  }
  makeRoom(history);
  history.recordOf.fill(history.records.push(record), record.start, record.end);
}

/** Before something is added: drops the records that tell of no byte, and merges all others if there are still too many. */
function makeRoom(history: History): void {
  if (history.recordOf === WHOLE) history.recordOf = WHOLE.slice();
  if (history.records.length < RECORDS_MAX) return;
  const { records, recordOf } = history;
  const used = new Set(recordOf);
  const kept = records.filter((_, i) => used.has(i + 1));
  const isTooMany = kept.length >= RECORDS_MAX;
  const numbers = [0, ...records.map((record) => (isTooMany ? 1 : kept.indexOf(record) + 1))];
  for (let i = 0; i < PAGE_BYTES; i++) recordOf[i] = numbers[recordOf[i]!]!;
  history.records = isTooMany ? [{ ...kept.at(-1)!, start: 0, end: PAGE_BYTES, origin: { kind: 'unknown' }, hops: [] }] : kept;
}

/** `record` over [start, end) too. */
const widened = (record: ProvenanceRecord, start: number, end: number): ProvenanceRecord => {
  return { ...record, start: Math.min(record.start, start), end: Math.max(record.end, end) };
};

const copyOf = ({ records, recordOf }: Readonly<History>): History => {
  return { records: [...records], recordOf: recordOf === WHOLE ? WHOLE : recordOf.slice() };
};

function clip(record: ProvenanceRecord, start: number, end: number): ProvenanceRecord | undefined {
  const from = Math.max(record.start, start);
  const to = Math.min(record.end, end);
  if (from >= to) return undefined;
  const origin = record.origin.kind === 'file' ? { ...record.origin, offset: record.origin.offset + from - record.start } : record.origin;
  return { ...record, start: from, end: to, origin };
}
