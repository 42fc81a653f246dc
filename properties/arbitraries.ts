/**
 * fast-check arbitraries: whole traces, and the parts they are made of.
 *
 * A trace is drawn as a seed and made from it, so each value can be made again from its header. Traces shrink by our own
 * shrinker, which knows what ops depend on: first comes what it makes of the trace, all at once, then the trace with ops left
 * out, for properties that a replay does not see. No context is needed, so a recorded or imported trace can be an example
 * and is shrunk like a generated one.
 */
import fc from 'fast-check';
import type { FileSpec, KernelSpec } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { CheckMode } from '../sim/check/checker.ts';
import type { Digester } from '../sim/digest.ts';
import { createPrng, type Stream } from '../sim/prng.ts';
import { ShrinkError, shrinkTrace } from '../sim/shrink/shrink.ts';
import { drawHugePages, drawParameters } from './configuration.ts';
import { generateTrace, type GeneratedTrace, type GenerateOptions } from './generate.ts';
import { drawFiles } from './images.ts';
import { drawMask, LAYOUT_CLASSES } from './swarm.ts';

export interface TraceArbitraryOptions extends GenerateOptions {
  /** Shrink by replaying. Without it traces only lose ops. */
  readonly shrinkBy?: { readonly digester: Digester; readonly check: CheckMode; readonly replaysMax?: number };
}

/** Whole traces. */
export const traces = (options: TraceArbitraryOptions = {}): fc.Arbitrary<GeneratedTrace> => new TraceArbitrary(options);

/** File sets with VMA layouts of every class: `/a` and `/b` are programs, `/ld` a loader, `/m` and `/n` can change. */
export const fileImages = (hugePages = 4): fc.Arbitrary<readonly FileSpec[]> =>
  drawn((draw) => drawFiles(draw, { layouts: new Set(LAYOUT_CLASSES.filter(() => draw.chance(0.5))), hugePages }));

/** Parameters made small, and thresholds around the counts of these files. */
export const kernelParameters = (files: readonly FileSpec[] = []): fc.Arbitrary<Omit<KernelSpec, 'name'>> =>
  drawn((draw) => drawParameters(draw, drawMask(draw, { isSwarm: true, hasFaults: true }), drawHugePages(draw), files));

/** What a function draws from a stream, as an arbitrary that does not shrink. */
const drawn = <T>(make: (draw: Stream) => T): fc.Arbitrary<T> => seeds.map((seed) => make(createPrng(seed).stream('drawn')));

/** Seeds of runs, as text. */
const seeds: fc.Arbitrary<string> = fc.noShrink(fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff))).map(seedText);

function seedText([high, low]: readonly [number, number]): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** What has been tried of a value's shrinking. */
type Context = { readonly isOurs: true; readonly chunk: number } | undefined;

class TraceArbitrary extends fc.Arbitrary<GeneratedTrace> {
  private readonly options: TraceArbitraryOptions;

  constructor(options: TraceArbitraryOptions) {
    super();
    this.options = options;
  }

  override generate(random: fc.Random): fc.Value<GeneratedTrace> {
    const word = (): number => random.nextInt(0, 0xffff_ffff);
    return new fc.Value(generateTrace(seedText([word(), word()]), this.options), undefined);
  }

  /** Any trace will do, wherever it comes from. */
  override canShrinkWithoutContext(value: unknown): value is GeneratedTrace {
    return typeof value === 'object' && value !== null && 'header' in value && 'ops' in value;
  }

  override shrink(trace: GeneratedTrace, context: Context): fc.Stream<fc.Value<GeneratedTrace>> {
    return fc.stream(this.candidates(trace, context));
  }

  private *candidates(trace: GeneratedTrace, context: Context): IterableIterator<fc.Value<GeneratedTrace>> {
    const smallest = context === undefined ? this.smallest(trace) : undefined;
    if (smallest !== undefined) yield new fc.Value(smallest, { isOurs: true, chunk: 1 });
    const first = Math.min(context?.chunk ?? Infinity, Math.ceil(trace.ops.length / 2));
    for (let chunk = first; chunk >= 1; chunk = chunk === 1 ? 0 : Math.ceil(chunk / 2)) {
      for (const ops of withoutChunks(trace.ops, chunk)) yield new fc.Value({ ...trace, ops }, { isOurs: true, chunk });
    }
  }

  /** What our own shrinker makes of a trace that fails a replay. */
  private smallest(trace: GeneratedTrace): GeneratedTrace | undefined {
    const { shrinkBy } = this.options;
    if (shrinkBy === undefined) return undefined;
    try {
      return shrinkTrace(trace, shrinkBy).trace;
    } catch (error) {
      if (error instanceof ShrinkError) return undefined;
      throw error;
    }
  }
}

/** The ops without `length` of them in a row, from the back. */
function* withoutChunks(ops: readonly Op[], length: number): Generator<readonly Op[]> {
  for (let end = ops.length; end > 0; end -= length) yield [...ops.slice(0, Math.max(0, end - length)), ...ops.slice(end)];
}
