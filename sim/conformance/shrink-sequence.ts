/**
 * Makes a sequence that two kernels disagree on short: leaves out ops, larger pieces first, as long as the same field still differs.
 *
 * What differs is asked of all candidates of one size at once, because asking a real kernel costs a process, not an op.
 */
import type { Sequence } from '../../traces/sequences/sequence.ts';

/** Which of the candidates still differ. */
export type Ask = (candidates: readonly Sequence[]) => readonly boolean[];

/** The shortest sequence found; no single op of it can be left out. The given one must differ. */
export function shrinkSequence(sequence: Sequence, ask: Ask): Sequence {
  let best = sequence;
  for (let size = Math.ceil(best.ops.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (;;) {
      const shorter = firstThatDiffers(best, size, ask);
      if (shorter === undefined) break;
      best = shorter;
    }
  }
  return best;
}

/** The first sequence without `size` ops in a row that still differs; from the end, where less depends on an op. */
function firstThatDiffers(sequence: Sequence, size: number, ask: Ask): Sequence | undefined {
  const candidates: Sequence[] = [];
  for (let end = sequence.ops.length; end > 0; end -= size) {
    const ops = sequence.ops.filter((_, index) => index < end - size || index >= end);
    if (ops.length > 0) candidates.push({ ...sequence, ops });
  }
  const at = ask(candidates).indexOf(true);
  return candidates[at];
}
