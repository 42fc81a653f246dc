/**
 * Findings: what a run found wrong, each the first of its signature (kind and id).
 *
 * A wrong byte carries a report: what should back it, which frame holds it, and where the wrong bytes came from.
 */
import { hex, type Origin, type ProvenanceRecord } from '../kernel-model/index.ts';

export type FindingKind = 'invariant' | 'reference' | 'outcome';

/** Everything known of a wrong byte. */
export interface ByteReport {
  /** The VMA that contains the byte, in one line; undefined if none does. */
  readonly vma: string | undefined;
  /** What the byte should be made of. */
  readonly backing: 'written' | 'zero' | { readonly path: string; readonly offset: number };
  readonly frame: number | undefined;
  readonly offsetInPage: number;
  /** What put the byte there, if provenance was kept. */
  readonly provenance: ProvenanceRecord | undefined;
}

export interface Finding {
  readonly kind: FindingKind;
  readonly id: string;
  /** Index of the op, from 0; the number of ops for what is found at the end. */
  readonly op: number;
  readonly pid: number | undefined;
  readonly address: number | undefined;
  readonly expected: number | string | undefined;
  readonly actual: number | string | undefined;
  readonly message: string;
  /** Execs that had succeeded before. */
  readonly execs: number;
  readonly byte: ByteReport | undefined;
}

/** A program could notice: a wrong byte, errno or signal, or an access that never ends. */
export const isVisible = (finding: Finding): boolean =>
  finding.kind !== 'invariant' || finding.id === 'fault-progress' || finding.id === 'kernel-bug';

export const signatureOf = (finding: Pick<Finding, 'kind' | 'id'>): string => `${finding.kind} ${finding.id}`;

/** What a verdict names: the first finding that a program could notice, or else the first. */
export const headline = (findings: readonly Finding[]): Finding | undefined => findings.find(isVisible) ?? findings[0];

/** `file /bin/busybox at 0x11b000`, `zero fill`, `a store of pid 3`. */
function describeOrigin(origin: Origin, start: number, offset: number): string {
  switch (origin.kind) {
    case 'file':
      return `file ${origin.path} at ${hex(origin.offset + offset - start)}`;
    case 'zero':
      return 'zero fill';
    case 'write':
      return `a store of pid ${origin.pid}`;
    case 'kernel':
      return origin.what;
    case 'unknown':
      return 'an unknown source';
  }
}

/** Where the byte at `offset` of a frame came from, in one sentence without a full stop. */
export function describeProvenance(record: ProvenanceRecord, offset: number): string {
  const origin = describeOrigin(record.origin, record.start, offset);
  const first = `${origin} (op ${record.op})`;
  const hops = record.hops.map((hop) => `${hop.why} from frame ${hex(hop.from)} (op ${hop.op})`);
  return [first, ...hops].join(', then ');
}
