/** Holds a property against random traces; what fails is shrunk, stored and told with the commands that run it again. */
import fc from 'fast-check';
import { traces, type TraceArbitraryOptions } from '../../properties/arbitraries.ts';
import type { GeneratedTrace } from '../../properties/generate.ts';
import type { RunProperty } from '../../properties/property.ts';
import type { Digester } from '../../sim/digest.ts';
import { storeFailure } from './failures.ts';
import { runs, seed } from './seed.ts';

export interface HoldOptions extends TraceArbitraryOptions {
  /** Cases, before RUNS scales them. */
  readonly count: number;
  /** Traces to begin with. */
  readonly examples?: readonly GeneratedTrace[];
  /** Where a failure is stored. */
  readonly folder?: string;
}

/** @throws PropertyFailure for the smallest trace for which the property does not hold */
export function assertHolds({ name, says, violations }: RunProperty, digester: Digester, options: HoldOptions): void {
  const { count, examples = [], folder, ...rest } = options;
  const arbitrary = traces({ shrinkBy: { digester, check: 'changes', replaysMax: 3000 }, ...rest });
  const property = fc.property(arbitrary, (trace) => violations(trace, digester).length === 0);
  const { counterexample } = fc.check(property, { numRuns: runs(count), examples: examples.map((one): [GeneratedTrace] => [one]) });
  if (counterexample === null) return;
  const [trace] = counterexample;
  throw storeFailure({ property: name, says, seed, trace, violations: violations(trace, digester) }, digester, folder);
}
