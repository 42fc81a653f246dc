/**
 * The configuration of a failing trace, made simple: the threshold before all else, because it is why a trace is long.
 *
 * Behind some parameters length hides (a threshold of 128 pages, 65,535 references, 4,096 ids): they go down. The others
 * go to where they do nothing or to their defaults, which a header leaves out.
 */
import { DEFAULT_PARAMETERS } from '../../kernel-model/index.ts';
import type { KernelSpec } from '../../traces/header.ts';
import type { Candidate } from './evaluate.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

type Name = Exclude<keyof KernelSpec, 'name'>;

/** Values of each parameter, simplest first; undefined leaves it out. */
const SIMPLER: readonly (readonly [name: Name, values: readonly (number | string | undefined)[]])[] = [
  ['assembleThreshold', [0, 1, 2, 3, 4, 8, 16, 32, 64]],
  ['cpus', [undefined]],
  ['profile', [undefined]],
  ['hugePages', [2, 4, 8, 16, 32, 64, 128, 256]],
  ['frames', [64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]],
  ['refcountMax', [1, 2, 3, 4, 8, 16, 256, undefined]],
  ['asids', [2, 3, 4, 8, 16, 256, undefined]],
  ['faultAroundPages', [1, 2, 4, 8, undefined]],
  ['prefaultPagesMax', [0, 1, 2, 4, undefined]],
  ['singlesMax', [1, undefined]],
  ['zeroedMax', [undefined]],
  ['tlbEntries', [undefined]],
  ['faultsMax', [undefined]],
  ['initialProcess', [undefined]],
];

/** Parameters that are as simple as their default if they have it. */
const DEFAULT_IS_SIMPLE: ReadonlySet<Name> = new Set(['refcountMax', 'asids', 'faultAroundPages', 'prefaultPagesMax', 'singlesMax']);

/** Tries smaller thresholds on a trace that is still long. */
export function* shrinkThreshold(shrinker: Shrinker): Stepping<void> {
  yield* shrinker.first('configuration', simplerBy(shrinker.best, 'assembleThreshold'));
}

/** Makes every parameter as simple as it can be: all at once if possible, else one after the other. */
export function* shrinkConfiguration(shrinker: Shrinker): Stepping<void> {
  for (const [name] of SIMPLER) yield* shrinker.first('configuration', simplerBy(shrinker.best, name));
}

/** The candidate with each simpler value of one parameter. */
function simplerBy({ header, ops }: Candidate, name: Name): readonly Candidate[] {
  const values = SIMPLER.find(([other]) => other === name)![1];
  const now = header.kernel[name];
  if (now === undefined && (DEFAULT_IS_SIMPLE.has(name) || values.includes(undefined))) return [];
  const effective = now ?? DEFAULT_PARAMETERS[name as keyof typeof DEFAULT_PARAMETERS];
  const at = values.indexOf(now);
  const simpler = at >= 0 ? values.slice(0, at) : values;
  return simpler
    .filter((value) => typeof value !== 'number' || typeof effective !== 'number' || value < effective)
    .map((value) => ({ header: { ...header, kernel: withValue(header.kernel, name, value) }, ops }));
}

function withValue(kernel: KernelSpec, name: Name, value: number | string | undefined): KernelSpec {
  const { [name]: _, ...rest } = kernel;
  return value === undefined ? rest : { ...rest, [name]: value };
}
