/**
 * Kernels by name: a design plus the decisions it gets wrong.
 *
 *     kevlar                        the design done right
 *     kevlar@m9.8.1                 a kernel that existed
 *     kevlar+no-teardown            one wrong decision
 *     kevlar@m9.8.1~no-teardown     all of that kernel's but one
 *     linux                         the design of Linux 6.18
 *     linux@assembly                the same with an experiment
 */
import { kevlarDesign, linuxDesign, type Design, type DesignName } from './design.ts';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutants/mutant.ts';
import type { Parameters } from './parameters.ts';
import { Rules } from './rules.ts';

export interface NamedKernel {
  readonly name: string;
  readonly says: string;
  /** `kevlar` unless said otherwise. */
  readonly design?: DesignName | undefined;
  readonly segmentBounds: Design['segmentBounds'];
  readonly mutants: readonly Mutant[];
  /** Parameters in which the kernel differs from the defaults. */
  readonly parameters: Partial<Parameters>;
  /** How the kernel changes the layout of its design. */
  readonly layout?: ((design: Design, parameters: Parameters) => Design) | undefined;
}

/** What was wrong, and asleep, in Kevlar when the post said that all was well. */
const ASLEEP_AT_M9_8_1 = [
  'caches-partial-pages',
  'fault-trusts-cached-page',
  'prefault-trusts-cached-page',
  'mprotect-grants-write',
  'refresh-grants-write',
  'prot-none-keeps-huge-leaf',
  'fixed-map-ignores-huge-leaf',
  'brk-ignores-huge-leaf',
  'dontneed-does-nothing',
  'heap-by-vma-index',
  'first-toucher-fills-page',
  'first-toucher-protects-page',
  'fault-looks-up-bytes',
  'assembly-fills-first-vma',
  'fault-around-crosses-region',
  'unneeded-page-freed',
  'refused-access-refreshed',
  'fork-skips-prot-none',
  'assembly-maps-beyond-vma',
  'assembly-fills-foreign-page',
  'region-zero-not-assembled',
  'huge-block-by-region',
  'prefault-grants-exec',
  'refcount-wraps',
  'no-teardown',
  'stack-executable',
  'vdso-refs-reset',
];

/** The kernel of that commit had no list of prefaulted pages yet. */
const AT_M9_8: Partial<Parameters> = { prefaultTemplates: false };

const mutantsOf = (ids: readonly string[]): readonly Mutant[] => ids.map((id) => MUTANTS.find((mutant) => mutant.id === id)!);

export const KERNELS: readonly NamedKernel[] = [
  { name: 'kevlar', says: 'the design done right: every invariant holds', segmentBounds: 'byte', mutants: [], parameters: {} },
  {
    name: 'kevlar@m9.8',
    says: 'assembly copies the whole cached page, and all that was asleep at the time',
    segmentBounds: 'byte',
    mutants: mutantsOf([...ASLEEP_AT_M9_8_1, 'assembly-copies-whole-page']),
    parameters: AT_M9_8,
  },
  {
    name: 'kevlar@m9.8-half',
    says: 'the fix between: copies only the file part, still trusts the cached frame',
    segmentBounds: 'byte',
    mutants: mutantsOf([...ASLEEP_AT_M9_8_1, 'assembly-trusts-cached-range']),
    parameters: AT_M9_8,
  },
  {
    name: 'kevlar@m9.8.1',
    says: 'commit bc4a42d: only whole pages come from the cache; the sleeping bugs remain',
    segmentBounds: 'byte',
    mutants: mutantsOf(ASLEEP_AT_M9_8_1),
    parameters: AT_M9_8,
  },
  {
    name: 'kevlar@719f0c0',
    says: 'VMAs page-aligned: the fixed bug is open again',
    segmentBounds: 'page',
    mutants: mutantsOf(ASLEEP_AT_M9_8_1),
    parameters: AT_M9_8,
  },
  {
    name: 'kevlar@66afd2e',
    says: 'VMAs page-aligned, and only full pages cached',
    segmentBounds: 'page',
    mutants: mutantsOf([...ASLEEP_AT_M9_8_1.filter((id) => id !== 'caches-partial-pages'), 'caches-full-pages-only']),
    parameters: AT_M9_8,
  },
  {
    name: 'linux',
    says: 'Linux 6.18 on x86-64: page-aligned VMAs that merge, top-down placement, transparent huge pages',
    design: 'linux',
    segmentBounds: 'page',
    mutants: [],
    parameters: {},
  },
  {
    name: 'linux@assembly',
    says: 'an experiment: Linux, whose exec assembles huge pages from cached pages as Kevlar’s does',
    design: 'linux',
    segmentBounds: 'page',
    mutants: [],
    parameters: {},
    layout: (design) => ({ ...design, assembles: true }),
  },
];

/** Kernels that users of this process defined; see own-kernel.ts. */
const OWN_KERNELS = new Map<string, NamedKernel>();

/** Makes a kernel's name known: `kernelNamed` finds it from now on. */
export function addKernel(kernel: NamedKernel): void {
  OWN_KERNELS.set(kernel.name, kernel);
}

/**
 * The kernel that `name` describes: a known one, with decisions added by `+id` and taken back by `~id`.
 *
 * @returns a message that says what is wrong with the name, and what there is instead
 */
export function kernelNamed(name: string): NamedKernel | string {
  const [base = '', ...changes] = name.split(/(?=[+~])/);
  const known = KERNELS.find((kernel) => kernel.name === base) ?? OWN_KERNELS.get(base);
  if (known === undefined) return `there is no kernel ${JSON.stringify(base)}; there is ${KERNELS.map((kernel) => kernel.name).join(', ')}`;
  let mutants = known.mutants;
  for (const change of changes) {
    const id = change.slice(1);
    const mutant = [...known.mutants, ...MUTANTS].find((one) => one.id === id);
    if (mutant === undefined) return `there is no wrong decision ${JSON.stringify(id)}; \`faultline kernels\` lists them`;
    if (change.startsWith('~') && !mutants.includes(mutant))
      return `${base} does not have ${JSON.stringify(id)}, so it cannot be taken back`;
    mutants = change.startsWith('+') ? [...mutants, mutant] : mutants.filter((one) => one !== mutant);
  }
  return changes.length === 0 ? known : { ...known, name, mutants };
}

/** The kernel that does right what another of the same design may do wrong: of the same layout too, if there is one. */
export function rightKernelFor({ design = 'kevlar', layout }: Pick<NamedKernel, 'design' | 'layout'>): NamedKernel {
  const right = KERNELS.filter((kernel) => (kernel.design ?? 'kevlar') === design && kernel.mutants.length === 0);
  return right.find((kernel) => kernel.layout === layout) ?? right[0]!;
}

/** The name of the right kernel with one wrong decision, and with what that needs to show. */
export const kernelWith = ({ id, needs }: Mutant): string => (needs === undefined ? `kevlar+${id}` : `kevlar+${needs}+${id}`);

/** The rules of a kernel: the right ones, with its mutants on top in order. */
export function rulesOf(kernel: NamedKernel): Rules {
  const RulesOfKernel = kernel.mutants.reduce((base, mutant) => mutant.apply(base), Rules);
  return new RulesOfKernel();
}

export function designOf({ design: name, segmentBounds, layout }: NamedKernel, parameters: Parameters): Design {
  const design = name === 'linux' ? linuxDesign(parameters.hugePages) : kevlarDesign(parameters.hugePages, segmentBounds);
  return layout === undefined ? design : layout(design, parameters);
}
