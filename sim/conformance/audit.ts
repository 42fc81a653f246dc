/**
 * Holds the reference reader against a recording of a sequence: does it agree with what the kernel answered and had in memory?
 *
 * Compared are outcomes with the codes of signals, bytes that were read, the contents of every page that was present, and the VMAs,
 * neighbours joined. Presence and fault counts are a kernel's own affair, of which the reference knows nothing.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import { ARENAS, type Arena } from '../../traces/sequences/arena.ts';
import type { SequenceOp } from '../../traces/sequences/op.ts';
import type { StepResult } from '../../traces/sequences/result.ts';
import { decodeRuns } from '../../traces/sequences/run-length.ts';
import type { Recording } from '../../traces/sequences/sequence.ts';
import { traceOfSequence } from '../../traces/sequences/to-trace.ts';
import { normaliseVmas, type Difference, type Field } from './compare.ts';
import { answerOf, Oracle } from './oracle.ts';
import { HashBook } from './page-hash.ts';

/** In what the reference and the recording differ; `expected` is the reference's. */
export function auditRecording(recording: Recording): Difference[] {
  const { trace, steps, setupOps } = traceOfSequence(recording);
  const audit = new Audit(recording, new Oracle(trace));
  for (const [index, op] of trace.ops.slice(0, setupOps).entries()) audit.setUp(op, index);
  for (const [index, step] of steps.slice(0, recording.results.length).entries()) {
    if (step.at !== undefined) audit.step(index, trace.ops[step.at]!, step.at);
    else audit.state(index);
  }
  return audit.differences;
}

class Audit {
  readonly differences: Difference[] = [];
  private readonly recording: Recording;
  private readonly arena: Arena;
  private readonly oracle: Oracle;
  private readonly hashes = new HashBook();

  constructor(recording: Recording, oracle: Oracle) {
    this.recording = recording;
    this.arena = ARENAS[recording.mode];
    this.oracle = oracle;
  }

  /** An op that makes the place in which sequences run; it cannot fail. */
  setUp(op: Op, at: number): void {
    this.oracle.step(op, op.op === 'mmap' ? op.addr : op.op === 'write' ? op.length : 0, at);
  }

  step(index: number, op: Op, at: number): void {
    const result = this.recording.results[index]!;
    const actual = answerOf(op, result);
    const { expected, code, byte } = this.oracle.step(op, actual, at);
    if (expected !== undefined) this.compare(index, 'outcome', outcomeText(expected, code), outcomeText(actual, result.code));
    const read = op.op === 'touch' ? result.r : result.b;
    if (byte !== undefined && read !== undefined) this.compare(index, 'byte', String(byte), String(read));
    this.state(index);
    if (op.op === 'fork' && typeof actual === 'number') this.hashes.fork(op.pid - 1, actual - 1);
  }

  /** The VMAs and the present pages of the process that ran an op. */
  state(index: number): void {
    const [op, result] = [this.opAt(index), this.recording.results[index]!];
    if (result.v === undefined || !this.oracle.reference.has(op.process + 1)) return;
    const [mine, theirs] = [this.oracle.rows(op.process + 1, this.arena), result.v].map((rows) => JSON.stringify(normaliseVmas(rows)));
    this.compare(index, 'vmaNormalised', mine!, theirs!);
    for (const [page, hash] of Object.entries(result.d ?? {})) this.hashes.note(op.process, Number(page), hash);
    for (const page of this.presentPages(op, result)) {
      const start = this.arena.start + page * PAGE_BYTES;
      const [expected, actual] = [this.oracle.pageHash(op.process + 1, start), this.hashes.hashOf(op.process, page)];
      if (expected !== actual) this.compare(index, 'contents', `page ${page} ${expected}`, `page ${page} ${actual}`);
    }
  }

  private presentPages({ process }: SequenceOp, { pg = '' }: StepResult): ReadonlySet<number> {
    const letters = decodeRuns(pg, this.arena.pages);
    const present = new Set([...letters.keys()].filter((page) => letters[page] !== '.' && letters[page] !== 's'));
    this.hashes.keep(process, present);
    return present;
  }

  private opAt(index: number): SequenceOp {
    return this.recording.ops[index]!;
  }

  private compare(index: number, field: Field, expected: string, actual: string): void {
    if (expected !== actual) this.differences.push({ sequence: this.recording.id, index, op: this.opAt(index), field, expected, actual });
  }
}

const outcomeText = (result: number | string, code: string | undefined): string =>
  code === undefined ? String(result) : `${result} ${code}`;
