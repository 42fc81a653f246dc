/**
 * Decisions that kernels shipped and got wrong, each as one overridden rule.
 *
 * A mutant is a mixin, so any set of them can be switched on together; two that override one rule apply in order. The
 * rows lie in mutants/, by what they are about; mutants/unmodelled.ts says which documented bugs have none, and why. The
 * model does not know these files.
 */
import { ASSEMBLY_MUTANTS } from './mutants/assembly.ts';
import { CACHE_MUTANTS } from './mutants/cache.ts';
import { EXEC_MUTANTS } from './mutants/exec.ts';
import { FAILURE_MUTANTS } from './mutants/failures.ts';
import { FAULT_MUTANTS } from './mutants/fault.ts';
import { FRAME_MUTANTS } from './mutants/frames.ts';
import { RANGE_MUTANTS } from './mutants/ranges.ts';
import { SHARING_MUTANTS } from './mutants/sharing.ts';
import type { Mutant } from './mutants/mutant.ts';

export const MUTANTS: readonly Mutant[] = [
  ...CACHE_MUTANTS,
  ...FAULT_MUTANTS,
  ...SHARING_MUTANTS,
  ...RANGE_MUTANTS,
  ...ASSEMBLY_MUTANTS,
  ...EXEC_MUTANTS,
  ...FRAME_MUTANTS,
  ...FAILURE_MUTANTS,
];
