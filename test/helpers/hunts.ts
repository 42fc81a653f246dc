/** Hunts for mutants, run to their end. */
import type { Hunt } from '../../sim/mutant-matrix.ts';

export function finished(hunt: Generator<number, Hunt>): Hunt {
  for (;;) {
    const step = hunt.next();
    if (step.done === true) return step.value;
  }
}
