/**
 * Metamorphic properties: the same ops on a kernel that is tuned otherwise, or whose caches are warm, are observed alike.
 *
 * They need no reference: two runs are compared with each other. The base run has the header's parameters, but frames and
 * counts enough that tuning decides only how things are done, not who goes without.
 */
import { PAGE_BYTES, type Parameters } from '../kernel-model/index.ts';
import type { Digester } from '../sim/digest.ts';
import type { Op } from '../traces/op.ts';
import type { GeneratedTrace } from './generate.ts';
import { observe, type Observation } from './observation.ts';
import type { RunProperty } from './property.ts';

/** Where the mappings of a warm-up are said to be. */
const WARM_UP_START = 0x7800_0000_0000;
const WARM_UP_STEP = 2 ** 32;
/** Pages of one file that are warmed. */
const PAGES_MAX = 4096;

const PLENTY: Partial<Parameters> = { frames: 1024, refcountMax: 65535, provenance: false };

/** What a property varies; each variant is compared with the first. */
const TUNINGS: readonly { readonly name: string; readonly says: string; readonly variants: readonly Partial<Parameters>[] }[] = [
  {
    name: 'threshold',
    says: 'no byte and no outcome depends on the threshold of assembly',
    variants: [{ assembleThreshold: 600 }, { assembleThreshold: 0 }, { assembleThreshold: 1 }],
  },
  {
    name: 'prefault',
    says: 'no byte and no outcome depends on what exec maps ahead',
    variants: [{ prefaultPagesMax: 0 }, { prefaultPagesMax: 16 }],
  },
  {
    name: 'fault-around',
    says: 'no byte and no outcome depends on how many pages a fault maps',
    variants: [{ faultAroundPages: 1 }, { faultAroundPages: 16 }],
  },
  {
    name: 'huge-pages',
    says: 'no byte and no outcome depends on huge pages',
    variants: [{ anonymousHugePages: true }, { anonymousHugePages: false }, { anonymousHugePages: false, assembleThreshold: 600 }],
  },
  {
    name: 'template',
    says: 'an exec from a template is a fresh load',
    variants: [{ prefaultTemplates: false }, { prefaultTemplates: true }],
  },
  {
    name: 'profile',
    says: 'no byte and no outcome depends on the profile, the translations or the pools',
    variants: [
      { profile: 'fortress' },
      { profile: 'ludicrous', tlbEntries: 2, asids: 2 },
      { profile: 'performance', singlesMax: 1, zeroedMax: 4 },
    ],
  },
];

export const METAMORPHIC: readonly RunProperty[] = [
  ...TUNINGS.map(({ name, says, variants }) => ({
    name: `same-by-${name}`,
    says,
    violations: (trace: GeneratedTrace, digester: Digester) => {
      const [first, ...others] = variants.map((parameters) => observe(trace, digester, { ...PLENTY, ...parameters }));
      return others.flatMap((other, i) =>
        differences(first!, other, `${JSON.stringify(variants[0])} and ${JSON.stringify(variants[i + 1])}`),
      );
    },
  })),
  {
    name: 'same-by-temperature',
    says: 'no byte and no outcome depends on what is in the cache',
    violations: (trace, digester) => {
      // Only a program that begins with its exec does not see what ran before it.
      if (trace.ops[0]?.op !== 'exec') return [];
      const warm = warmUp(trace);
      const cold: Op[] = warm.map(({ pid }) => ({ pid, op: 'mark', name: 'cold' }));
      const [first, second] = [cold, warm].map((prefix) => observe({ ...trace, ops: [...prefix, ...trace.ops] }, digester, PLENTY));
      const behind = ({ ops, memory }: Observation): Observation => ({ ops: ops.slice(warm.length), memory });
      return differences(behind(first!), behind(second!), 'a cold cache and a warm one');
    },
  },
];

/** Ops that bring every page of every program into the cache, if they can; the addresses are followed to where the mappings are. */
function warmUp({ header: { files }, ops }: GeneratedTrace): readonly Op[] {
  const pid = ops[0]?.pid ?? 1;
  return files
    .filter(({ size }) => size > 0)
    .flatMap(({ path, size }, i): Op[] => {
      const start = WARM_UP_START + i * WARM_UP_STEP;
      const pages = Math.ceil(size / PAGE_BYTES);
      return [
        { pid, op: 'mmap', addr: 0, length: size, prot: 'r', flags: ['private'], path, offset: 0, result: start },
        { pid, op: 'touch', addr: start, access: 'r', pages: Math.min(pages, PAGES_MAX) },
        { pid, op: 'exec', path },
      ];
    });
}

/** The first difference of two observations, as far as both can be compared. */
function differences(first: Observation, second: Observation, between: string): readonly string[] {
  const count = Math.min(first.ops.length, second.ops.length);
  for (let i = 0; i < count; i++) if (first.ops[i] !== second.ops[i]) return [`op ${i} is observed differently with ${between}`];
  if (first.memory === undefined || second.memory === undefined) return [];
  for (const [where, digest] of first.memory)
    if (second.memory.get(where) !== digest) return [`memory of ${where} is different at the end with ${between}`];
  return first.memory.size === second.memory.size ? [] : [`there are more VMAs at the end with one of ${between}`];
}
