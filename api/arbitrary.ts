/** Random traces for fast-check, with faultline's shrinker behind them. */
import type fc from 'fast-check';
import type { NamedKernel } from '../kernel-model/index.ts';
import { traces as arbitraryTraces } from '../properties/arbitraries.ts';
import type { GeneratedTrace, GenerateOptions } from '../properties/generate.ts';
import type { CheckMode } from '../sim/check/checker.ts';
import { digester } from './digester.ts';

export interface TraceOptions extends Omit<GenerateOptions, 'kernel'> {
  /** The kernel that the traces name: its name, or what `defineKernel` gave. Default `kevlar`. */
  readonly kernel?: string | NamedKernel;
  /** When a shrink's replays compare and check. Default after `changes` of mappings. */
  readonly check?: CheckMode;
  /** Replays that shrinking may take. Default 3000. */
  readonly replaysMax?: number;
}

/**
 * Whole traces, as `fc.Arbitrary`.
 *
 * A trace that fails a replay shrinks by replaying; one that only fails your predicate loses ops. A trace from elsewhere can
 * be an example and is shrunk, too.
 */
export function traces({
  kernel = 'kevlar',
  check = 'changes',
  replaysMax = 3000,
  ...draws
}: TraceOptions = {}): fc.Arbitrary<GeneratedTrace> {
  const name = typeof kernel === 'string' ? kernel : kernel.name;
  return arbitraryTraces({ ...draws, kernel: name, shrinkBy: { digester, check, replaysMax } });
}
