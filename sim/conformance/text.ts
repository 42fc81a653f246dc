/** Agreement and differences as lines of text. */
import { formatSequenceOp } from '../../traces/sequences/op-text.ts';
import type { Agreement } from './agreement.ts';
import { ALLOWED } from './allowed.ts';
import { FIELDS, type Difference, type Field } from './compare.ts';

const NAMES: Readonly<Record<Field, string>> = {
  outcome: 'outcome',
  byte: 'byte read',
  contents: 'page contents',
  vmaNormalised: 'VMAs, normalised',
  vmaRaw: 'VMAs, raw',
  presence: 'presence',
  mincore: 'mincore',
  faults: 'fault counts',
  brk: 'end of the heap',
};

/** A table: one row a field, in sequences and in ops. */
export function agreementLines({ fields, allowed }: Agreement): string[] {
  const rows = FIELDS.map((field) => {
    const { ops, opsSame, sequences, sequencesSame } = fields[field];
    return [NAMES[field], `${sequencesSame} of ${sequences}`, `${opsSame} of ${ops}`];
  });
  const table = [['', 'sequences', 'ops'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('   '));
  const taken = ALLOWED.filter(({ id }) => (allowed[id] ?? 0) > 0);
  return [...lines, ...taken.map(({ id, reason }) => `allowed: ${id}, ${allowed[id]} ops: ${reason}`)];
}

/** One difference: where, of what, and both values. */
export function differenceLines({ sequence, index, op, field, expected, actual }: Difference, names: readonly [string, string]): string[] {
  const width = Math.max(...names.map((name) => name.length));
  return [
    `sequence ${sequence}, op ${index}, ${NAMES[field]}: ${formatSequenceOp(op)}`,
    `  ${names[0].padEnd(width)}  ${expected}`,
    `  ${names[1].padEnd(width)}  ${actual}`,
  ];
}
