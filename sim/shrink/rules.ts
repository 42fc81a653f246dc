/**
 * The smallest set of wrong rules with which a trace still fails the same way: the decision to blame.
 *
 * First none at all, then fewer and fewer, until no single one can go: each that is left has its part in the failure.
 */
import { kernelNamed, rightKernelFor } from '../../kernel-model/index.ts';
import { KERNEL_NAME_LENGTH_MAX } from '../../traces/header.ts';
import type { Candidate } from './evaluate.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

/** Makes the kernel as right as it can be. A kernel that is no name's is left as it is. */
export function* shrinkRules(shrinker: Shrinker): Stepping<void> {
  const kernel = kernelNamed(shrinker.best.header.kernel.name);
  if (typeof kernel === 'string') return;
  const base = baseOf(kernel.name);
  let kept: readonly string[] = kernel.mutants.map(({ id }) => id);
  if (kept.length === 0) return;
  const keeps = function* (ids: readonly string[]): Stepping<boolean> {
    const fails = (yield* shrinker.first('rules', candidatesWith(shrinker.best, base, [ids]))) >= 0;
    if (fails) kept = ids;
    return fails;
  };
  if (yield* keeps([])) return;
  // From the last to the first, as many at a time as will go.
  for (let end = kept.length, size = kept.length >> 1; end > 0 && !shrinker.isOver;) {
    const count = Math.min(Math.max(size, 1), end);
    if (yield* keeps([...kept.slice(0, end - count), ...kept.slice(end)])) {
      end -= count;
      size = count * 2;
    } else if (count > 1) size = count >> 1;
    else {
      end--;
      size = 2;
    }
  }
}

/** The kernels' names in the order of preference: the right one of the design and more, or what the trace has and less. */
function candidatesWith(best: Candidate, base: string, sets: readonly (readonly string[])[]): Candidate[] {
  const own = new Set(rulesOfKernel(base));
  const kernel = kernelNamed(base);
  const right = typeof kernel === 'string' ? base : rightKernelFor(kernel).name;
  const fromRight = sets.map((ids) => `${right}${ids.map((id) => `+${id}`).join('')}`);
  const fromOwn = sets.map((ids) => {
    const less = [...own].filter((id) => !ids.includes(id)).map((id) => `~${id}`);
    const more = ids.filter((id) => !own.has(id)).map((id) => `+${id}`);
    return `${base}${less.join('')}${more.join('')}`;
  });
  const names = base === right ? fromRight : [...fromRight, ...fromOwn];
  return names
    .filter((name) => name.length <= KERNEL_NAME_LENGTH_MAX && name !== best.header.kernel.name && typeof kernelNamed(name) !== 'string')
    .map((name) => ({ header: { ...best.header, kernel: { ...best.header.kernel, name } }, ops: best.ops }));
}

/** `kevlar@m9.8` of `kevlar@m9.8+a~b`. */
const baseOf = (name: string): string => name.split(/[+~]/, 1)[0]!;

/** The wrong rules of a kernel by its name. */
export function rulesOfKernel(name: string): readonly string[] {
  const kernel = kernelNamed(name);
  return typeof kernel === 'string' ? [] : kernel.mutants.map(({ id }) => id);
}
