/**
 * A property held against random traces, for a test suite of one's own: it throws what a test runner shows.
 *
 * Run n of a seed is the trace that run n of `faultline fuzz --seed` is, so that either finds what the other finds. What fails
 * is shrunk: by replaying if a replay sees it, otherwise by leaving out ops.
 */
import fc from 'fast-check';
import { kernelNamed, type Mutant, type NamedKernel } from '../kernel-model/index.ts';
import { formatOp } from '../traces/notation.ts';
import { traces } from '../properties/arbitraries.ts';
import { generateTrace, type GeneratedTrace, type GenerateOptions } from '../properties/generate.ts';
import type { RunProperty } from '../properties/property.ts';
import { digester } from './digester.ts';

export interface HoldOptions extends Omit<GenerateOptions, 'kernel'> {
  /** The kernel: its name, or what `defineKernel` gave. */
  readonly kernel: string | NamedKernel;
  /** Random traces to run. Default 100. */
  readonly runs?: number;
  /** Where they come from. Default `1`. */
  readonly seed?: string;
  /** Traces to begin with, such as those that failed before. */
  readonly examples?: readonly GeneratedTrace[];
}

/** A property does not hold of a trace. */
export class PropertyError extends Error {
  override readonly name = 'PropertyError';
  readonly property: string;
  /** The smallest trace found; `encodeTrace` makes a file of it for the command line. */
  readonly trace: GeneratedTrace;
  readonly violations: readonly string[];

  constructor(property: RunProperty, trace: GeneratedTrace, where: string, violations: readonly string[]) {
    super(messageOf(property, trace, where, violations));
    this.property = property.name;
    this.trace = trace;
    this.violations = violations;
  }
}

const REPLAYS_MAX = 3000;

/**
 * Runs a property on random traces.
 *
 * @throws PropertyError with the smallest trace of which it does not hold
 */
export function assertHolds(property: RunProperty, options: HoldOptions): void {
  const { kernel, runs = 100, seed = '1', examples = [], ...draws } = options;
  const name = typeof kernel === 'string' ? kernel : kernel.name;
  for (const [i, { header, ops }] of examples.entries())
    check(property, { header: { ...header, kernel: { ...header.kernel, name } }, ops }, `example ${i}`);
  for (let run = 0; run < runs; run++)
    check(property, generateTrace(`${seed}/${run}`, { ...draws, kernel: name }), `run ${run} of seed ${JSON.stringify(seed)}`);
}

function check(property: RunProperty, trace: GeneratedTrace, where: string): void {
  if (property.violations(trace, digester).length === 0) return;
  const smallest = withFewestDecisions(property, smallestOf(property, trace));
  throw new PropertyError(property, smallest, where, property.violations(smallest, digester));
}

function smallestOf({ violations }: RunProperty, trace: GeneratedTrace): GeneratedTrace {
  const arbitrary = traces({ shrinkBy: { digester, check: 'changes', replaysMax: REPLAYS_MAX } });
  const holds = fc.property(arbitrary, (one) => violations(one, digester).length === 0);
  const { counterexample } = fc.check(holds, { examples: [[trace]], numRuns: 1 });
  return counterexample?.[0] ?? trace;
}

/** The same trace on the kernel without each decision that the failure does not need. */
function withFewestDecisions({ violations }: RunProperty, trace: GeneratedTrace): GeneratedTrace {
  let fewest = trace;
  for (const { id } of decisionsOf(trace)) {
    const { header, ops } = fewest;
    const less = { header: { ...header, kernel: { ...header.kernel, name: `${header.kernel.name}~${id}` } }, ops };
    if (violations(less, digester).length > 0) fewest = less;
  }
  return fewest;
}

function decisionsOf({ header }: GeneratedTrace): readonly Mutant[] {
  const kernel = kernelNamed(header.kernel.name);
  return typeof kernel === 'string' ? [] : kernel.mutants;
}

function messageOf({ name, says }: RunProperty, trace: GeneratedTrace, where: string, violations: readonly string[]): string {
  return [
    `${name}: ${says}`,
    `in ${where}, made small:`,
    ...trace.ops.map((op) => `  ${formatOp(op)}`),
    ...violations.map((violation) => `  ${violation}`),
    `on ${trace.header.kernel.name}`,
    ...decisionsOf(trace).map(({ id }) => `the decision to blame: ${id}`),
  ].join('\n');
}
