/** Counts agreement per field over many sequences, and keeps the first difference of each sequence and field. */
import { allowanceFor } from './allowed.ts';
import { FIELDS, type Comparison, type Difference, type Field } from './compare.ts';

export interface FieldCount {
  /** Ops that have the field in either recording, and those where it is equal or its difference allowed. */
  ops: number;
  opsSame: number;
  /** Sequences in which the field occurs, and those where it never differs. */
  sequences: number;
  sequencesSame: number;
}

export interface Agreement {
  readonly sequences: number;
  readonly ops: number;
  readonly fields: Readonly<Record<Field, FieldCount>>;
  /** In order of sequences, then ops: of each sequence the first of each field. */
  readonly differences: readonly Difference[];
  /** How many differences each row of the table of allowed ones took. */
  readonly allowed: Readonly<Record<string, number>>;
}

export class AgreementCounter {
  private sequences = 0;
  private ops = 0;
  private readonly fields = Object.fromEntries(
    FIELDS.map((field) => [field, { ops: 0, opsSame: 0, sequences: 0, sequencesSame: 0 }]),
  ) as Record<Field, FieldCount>;
  private readonly differences: Difference[] = [];
  private readonly allowed: Record<string, number> = {};

  /** Takes one sequence. @returns its first difference of each field, without those that are allowed */
  add(comparisons: readonly Comparison[]): readonly Difference[] {
    this.sequences++;
    this.ops += comparisons.length;
    const firsts = FIELDS.flatMap((field) => this.addField(field, comparisons)).sort((a, b) => a.index - b.index);
    this.differences.push(...firsts);
    return firsts;
  }

  total(): Agreement {
    const { sequences, ops, fields, differences, allowed } = this;
    return { sequences, ops, fields, differences, allowed };
  }

  /** Counts one field. @returns its first difference, if there is one */
  private addField(field: Field, comparisons: readonly Comparison[]): readonly Difference[] {
    const counts = this.fields[field];
    const outcomes = comparisons.flatMap((comparison) => comparison[field] ?? []);
    if (outcomes.length === 0) return [];
    const differences = outcomes.filter((outcome) => outcome !== 'same').filter((difference) => !this.isAllowed(difference));
    counts.ops += outcomes.length;
    counts.opsSame += outcomes.length - differences.length;
    counts.sequences++;
    if (differences.length === 0) counts.sequencesSame++;
    return differences.slice(0, 1);
  }

  private isAllowed(difference: Difference): boolean {
    const row = allowanceFor(difference);
    if (row !== undefined) this.allowed[row.id] = (this.allowed[row.id] ?? 0) + 1;
    return row !== undefined;
  }
}
