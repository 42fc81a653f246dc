/**
 * A difference as a trace: the sequence up to the op that differs, each op with what the real kernel answered.
 *
 * It replays like any trace. If the answers are what differs, the replay says so itself (its verdict is `diverged`); of states the note says
 * what was found. Addresses that the real kernel chose are left out where the model chose the same, so nothing is followed.
 */
import type { Trace } from '../../traces/codec.ts';
import type { Op } from '../../traces/op.ts';
import { addressOf, parsePlace } from '../../traces/sequences/arena.ts';
import type { StepResult } from '../../traces/sequences/result.ts';
import type { Recording } from '../../traces/sequences/sequence.ts';
import { traceOfSequence } from '../../traces/sequences/to-trace.ts';
import { NOWHERE } from '../../traces/format-error.ts';
import type { Difference } from './compare.ts';
import { differenceLines } from './text.ts';

/** @param real - what the difference was found in; its ops after the difference do not matter */
export function traceOfDifference(real: Recording, difference: Difference): Trace {
  const note = differenceLines(difference, ['real kernel', 'model']).join('\n');
  return traceWithAnswers({ ...real, ops: real.ops.slice(0, difference.index + 1) }, note);
}

/** The trace of a sequence, each op with what the real kernel answered. */
export function traceWithAnswers(real: Recording, note: string): Trace {
  const { trace, steps } = traceOfSequence(real, note);
  const ops = [...trace.ops];
  for (const [i, { at }] of steps.entries()) {
    const result = at === undefined ? undefined : recordedResult(ops[at]!, real.results[i]);
    if (at !== undefined && result !== undefined) ops[at] = { ...ops[at], result } as Op;
  }
  return { header: trace.header, ops };
}

/** What the op's recording says in the trace's terms; undefined where the two count differently. */
function recordedResult(op: Op, result: StepResult | undefined): number | string | undefined {
  if (result === undefined) return undefined;
  if (result.sig !== undefined) return `SIG${result.sig}`;
  if (result.e !== undefined) return result.e;
  switch (op.op) {
    case 'touch':
      return 0;
    case 'mmap':
    case 'mremap':
    case 'brk':
      return typeof result.r === 'string' ? addressOf(parsePlace(result.r, NOWHERE, 'r')) : undefined;
    case 'fork':
      return op.child;
    case 'mincore':
      return undefined;
    default:
      return typeof result.r === 'number' ? result.r : undefined;
  }
}
