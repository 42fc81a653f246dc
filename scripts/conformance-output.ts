/** What linux-replay and linux-compare have in common: flags, the report, and the traces of differences. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../sim/cli/exit-code.ts';
import type { Agreement } from '../sim/conformance/agreement.ts';
import { ALLOWED } from '../sim/conformance/allowed.ts';
import { FIELDS, type Difference, type Field } from '../sim/conformance/compare.ts';
import { traceOfDifference } from '../sim/conformance/difference-trace.ts';
import { agreementLines, differenceLines } from '../sim/conformance/text.ts';
import { ReplayError } from '../sim/replay.ts';
import { TraceError } from '../traces/format-error.ts';
import { formatSequenceOp } from '../traces/sequences/op-text.ts';
import { formatSequence, type Recording } from '../traces/sequences/sequence.ts';
import { traceText } from './import-recordings.ts';

/** A wrong flag: the user's mistake. */
export class FlagError extends Error {}

/** @throws FlagError unless the text is a whole number from 0 */
export function wholeNumber(text: string, flag: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new FlagError(`--${flag} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

/** @throws FlagError for a word that names no field */
export function fieldsOf(text: string | undefined): readonly Field[] {
  if (text === undefined) return FIELDS;
  return text.split(',').map((word) => {
    const field = FIELDS.find((name) => name === word);
    if (field === undefined) throw new FlagError(`--field ${JSON.stringify(word)}: name some of ${FIELDS.join(', ')}, with commas between`);
    return field;
  });
}

export interface Problem {
  readonly sequence: number;
  readonly message: string;
}

export interface Report {
  readonly agreement: Agreement;
  /** Sequences on which the model broke. */
  readonly problems: readonly Problem[];
  readonly names: readonly [string, string];
  readonly shown: number;
  readonly fields: readonly Field[];
}

export function reportLines({ agreement, problems, names, shown, fields }: Report): string[] {
  const differences = agreement.differences.filter(({ field }) => fields.includes(field));
  const more = differences.length - shown;
  return [
    `${agreement.sequences} sequences of ${agreement.ops} ops: ${names.join(' and ')} agree in`,
    ...agreementLines(agreement),
    ...problems.slice(0, shown).map(({ sequence, message }) => `sequence ${sequence}: the model broke: ${message}`),
    ...differences.slice(0, shown).flatMap((difference) => ['', ...differenceLines(difference, names)]),
    ...(more > 0 ? ['', `${more} more: --show ${differences.length}`] : []),
  ];
}

/** The report as one JSON document. */
export function reportDocument({ agreement, problems, names, fields }: Report): unknown {
  const { sequences, ops, allowed } = agreement;
  const differences = agreement.differences
    .filter(({ field }) => fields.includes(field))
    .map(({ op, ...difference }) => ({ ...difference, op: formatSequenceOp(op) }));
  const allowances = ALLOWED.map(({ id, reason }) => ({ id, reason, ops: allowed[id] ?? 0 }));
  return { sequences, ops, compared: names, fields: agreement.fields, problems, differences, allowed: allowances };
}

/** Writes the sequence of a difference, cut behind it, as a trace and as a text of ops. @returns the trace's path */
export function writeDifference(folder: string, real: Recording, difference: Difference): string {
  mkdirSync(folder, { recursive: true });
  const name = join(folder, `sequence-${difference.sequence}-${difference.field}`);
  writeFileSync(`${name}.jsonl`, traceText(traceOfDifference(real, difference)));
  writeFileSync(`${name}.txt`, formatSequence({ ...real, ops: real.ops.slice(0, difference.index + 1) }));
  return `${name}.jsonl`;
}

/** Runs a script's main function. Wrong flags and files are the user's; everything else is a defect and keeps its stack. */
export async function runScript(main: (args: readonly string[], print: (line: string) => void) => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2), console.log);
  } catch (error) {
    const isUsers = error instanceof FlagError || error instanceof TraceError || error instanceof ReplayError;
    if (!isUsers && !String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')) throw error;
    console.error((error as Error).message);
    process.exitCode = EXIT.usage;
  }
}
