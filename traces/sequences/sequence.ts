/**
 * Sequences, with or without what a kernel answered, from text and to text.
 *
 * Two forms: a text of ops for people and for test/linux/mm-host.c, and result lines as JSON (result.ts). Either may come from a stranger:
 * every error names file, line and field.
 */
import { parseJson } from '../codec.ts';
import { show, TraceError, type Where } from '../format-error.ts';
import { compileSchema, requireRow } from '../schema-error.ts';
import { MODES, type Mode } from './arena.ts';
import { formatBare, formatSequenceOp, parseSequenceOp } from './op-text.ts';
import type { SequenceOp } from './op.ts';
import { BEGIN_SCHEMA, RESULT_SCHEMA, type BeginLine, type ResultLine, type StepResult } from './result.ts';

export interface Sequence {
  readonly id: number;
  readonly mode: Mode;
  readonly ops: readonly SequenceOp[];
}

/** A sequence and its answers; `results[i]` is of `ops[i]`. */
export interface Recording extends Sequence {
  readonly results: readonly StepResult[];
}

/** Ops of one sequence: bounds the work of a file. */
const OPS_MAX = 100_000;

// The text of ops.

export const formatSequence = ({ id, mode, ops }: Sequence): string => [`seq ${id} ${mode}`, ...ops.map(formatSequenceOp), ''].join('\n');

/** The sequences of a text; blank lines and what follows `#` are left out. @throws TraceError naming line and word */
export function parseSequences(text: string, file: string): Sequence[] {
  const sequences: { id: number; mode: Mode; ops: SequenceOp[] }[] = [];
  text.split(/\r?\n/).forEach((full, index) => {
    const line = full.replace(/#.*/, '').trim();
    const where = { file, line: index + 1 };
    if (line === '') return;
    if (/^seq(\s|$)/.test(line)) {
      sequences.push({ ...parseBegin(line, where), ops: [] });
      return;
    }
    const current = sequences.at(-1);
    if (current === undefined) throw new TraceError(where, 'seq', 'is missing (a sequence begins with a line such as seq 0 small)');
    if (current.ops.length === OPS_MAX) throw new TraceError(where, '', `a sequence has at most ${OPS_MAX} ops`);
    current.ops.push(parseSequenceOp(line, where));
  });
  return sequences;
}

function parseBegin(line: string, where: Where): { id: number; mode: Mode } {
  const [, id, word] = /^seq\s+(\d{1,15})\s+(\S+)$/.exec(line) ?? [];
  const mode = MODES.find((one) => one === word);
  if (id === undefined || mode === undefined)
    throw new TraceError(where, 'seq', `is ${show(line)}, but must be seq, a number and one of ${MODES.join(', ')}`);
  return { id: Number(id), mode };
}

// Result lines.

const BEGIN = compileSchema(BEGIN_SCHEMA);
const RESULT = compileSchema(RESULT_SCHEMA);

/** The recordings of a file's lines, in order; blank lines are left out. @throws TraceError naming line and field */
export function* parseRecordings(lines: Iterable<string>, file: string): Generator<Recording> {
  let current: OpenRecording | undefined;
  let number = 0;
  for (const line of lines) {
    const where = { file, line: ++number };
    if (line.trim() === '') continue;
    const value = parseJson(line, where);
    if (isBegin(value)) {
      if (current !== undefined) yield current;
      const { seq: id, mode } = requireRow(BEGIN, value, where) as BeginLine;
      current = { id, mode, ops: [], results: [] };
    } else if (current === undefined)
      throw new TraceError(where, 'seq', 'is missing (a sequence begins with a line such as {"seq":0,"mode":"small"})');
    else take(current, requireRow(RESULT, value, where) as ResultLine, where);
  }
  if (current !== undefined) yield current;
}

interface OpenRecording extends Recording {
  readonly ops: SequenceOp[];
  readonly results: StepResult[];
}

const isBegin = (value: unknown): boolean => typeof value === 'object' && value !== null && 'seq' in value;

function take(current: OpenRecording, { q, i, p, op, ...result }: ResultLine, where: Where): void {
  if (q !== current.id) throw new TraceError(where, 'q', `is ${q}, but the line stands in sequence ${current.id}`);
  if (i !== current.ops.length) throw new TraceError(where, 'i', `is ${i}, but the op is number ${current.ops.length} of its sequence`);
  if (i === OPS_MAX) throw new TraceError(where, 'i', `a sequence has at most ${OPS_MAX} ops`);
  if (op.startsWith('@')) throw new TraceError(where, 'op', 'names a process, which is said by p');
  current.ops.push({ ...parseSequenceOp(op, where), process: p });
  current.results.push(result);
}

/** The result lines of a recording, without line ends. */
export function formatRecording({ id, mode, ops, results }: Recording): string[] {
  const lines = ops.map((op, i) => JSON.stringify({ q: id, i, p: op.process, op: formatBare(op), ...results[i] }));
  return [JSON.stringify({ seq: id, mode }), ...lines];
}
