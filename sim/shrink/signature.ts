/**
 * Signatures: when two failures are the same failure.
 *
 * A signature is the kind, the id and the kind of place, told in words: which sort of VMA, what backs the byte, what the
 * wrong byte was made of and by which step it came. Never a pid, an address, an index or a count: those are what a
 * shrinker changes.
 */
import type { Finding } from '../finding.ts';
import type { Op } from '../../traces/op.ts';

/** One failure, without the numbers. */
export interface Signature {
  readonly kind: Finding['kind'];
  readonly id: string;
  /** The kind of place, in words. */
  readonly place: string;
}

/** `reference zero-gap (pad, zero, from file by assembly)`. */
export const signatureText = ({ kind, id, place }: Signature): string => `${kind} ${id}${place === '' ? '' : ` (${place})`}`;

export const isSameSignature = (a: Signature, b: Signature): boolean => a.kind === b.kind && a.id === b.id && a.place === b.place;

/** The signature of a finding; `op` is the op at which it was made, if there was one. */
export function signatureOfFinding(finding: Finding, op: Op | undefined): Signature {
  const { kind, id } = finding;
  return { kind, id, place: placeOf(finding, op) };
}

function placeOf(finding: Finding, op: Op | undefined): string {
  if (finding.kind === 'outcome') return outcomePlace(finding, op);
  if (finding.byte !== undefined) return bytePlace(finding.byte);
  if (finding.id === 'kernel-bug') return wordsOf(finding.message);
  if (finding.id === 'fault-progress') return op === undefined ? '' : op.op === 'touch' ? `touch ${op.access}` : op.op;
  return placesNamedIn(finding.message);
}

function outcomePlace({ expected, actual }: Finding, op: Op | undefined): string {
  const name = op === undefined ? 'end' : op.op === 'touch' ? `touch ${op.access}` : op.op;
  return `${name}, ${answerKind(actual)} for ${answerKind(expected)}`;
}

/** The name of an errno or a signal as it is; numbers are all alike. */
function answerKind(answer: number | string | undefined): string {
  return typeof answer === 'string' && /^[A-Z]+$/.test(answer) ? answer : 'success';
}

function bytePlace({ vma, backing, provenance }: NonNullable<Finding['byte']>): string {
  const what = typeof backing === 'string' ? backing : 'file';
  const origin = provenance === undefined ? '' : `, from ${provenance.origin.kind}`;
  const last = provenance?.hops.at(-1);
  return `${roleIn(vma)}, ${what}${origin}${last === undefined ? '' : ` by ${last.why}`}`;
}

/** The role that a VMA's description ends with: `pad`, `heap`, `stack`; `file` for one with a path. */
function roleIn(vma: string | undefined): string {
  if (vma === undefined) return 'no VMA';
  const last = vma.slice(vma.lastIndexOf(' ') + 1);
  return /^[a-z]+$/.test(last) ? last : 'file';
}

const PLACES = /\b(?:pad|heap|stack|segment|mapping|vDSO|vdso|table|data|kernel|single|zeroed|no VMA|huge leaf)\b/g;

/** The kinds of places that a message names, each once, in order. */
const placesNamedIn = (message: string): string => [...new Set(message.match(PLACES) ?? [])].join(', ');

/** A message without its numbers and paths. */
const wordsOf = (message: string): string =>
  message
    .replace(/\{.*\}$/s, '')
    .replace(/0x[0-9a-f]+|\d+|\/\S+/g, '#')
    .trim();
