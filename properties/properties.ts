/**
 * What must hold of every run, by name.
 *
 * Most properties are what the checker watches in one run with all checks: each owns the ids of the findings that break it,
 * and no id belongs to two. The others replay the trace more than once (metamorphic.ts, round-trip.ts). A property is a
 * function from a trace to sentences that say what does not hold; none knows a rule of the kernel.
 */
import { CHECK_MODES } from '../sim/check/checker.ts';
import type { Digester } from '../sim/digest.ts';
import type { Finding } from '../sim/finding.ts';
import { replay } from '../sim/replay.ts';
import type { GeneratedTrace } from './generate.ts';
import { METAMORPHIC } from './metamorphic.ts';
import type { FindingProperty, RunProperty } from './property.ts';
import { survivesRecording } from './round-trip.ts';

export const FINDING_PROPERTIES: readonly FindingProperty[] = [
  { name: 'loads', says: 'every load equals the reference', ids: ['content-ref'] },
  { name: 'outcomes', says: 'every errno and every signal equals the reference', ids: ['outcome-ref'] },
  { name: 'isolation', says: 'no process sees what another wrote', ids: ['fork-isolation', 'pin-coherent', 'exclusive-once'] },
  { name: 'progress', says: 'a permitted access succeeds within a bounded number of faults', ids: ['fault-progress'] },
  {
    name: 'zeros',
    says: 'gaps between VMAs, tails of files and fresh memory are zero',
    ids: ['zero-gap', 'eof-zero-tail', 'fresh-zero', 'zero-page-intact'],
  },
  { name: 'cache-truth', says: 'the page cache holds what the files hold', ids: ['cache-truth', 'cache-index-unique'] },
  { name: 'cache-alias', says: 'nobody can write to a cached page but through a shared mapping', ids: ['cache-no-writable-alias'] },
  { name: 'durability', says: 'what was synced is in the store', ids: ['dirty-durable'] },
  { name: 'rights', says: 'no entry and no translation grants more than the VMAs', ids: ['prot-subset', 'pte-backed', 'tlb-justified'] },
  { name: 'layout', says: 'VMAs are what the calls made of them', ids: ['vma-map-ref', 'vma-wellformed', 'region-disjoint'] },
  { name: 'refcounts', says: 'every reference count is exact', ids: ['refcount-exact', 'alloc-wellformed'] },
  { name: 'freed', says: 'nothing that is free can be reached', ids: ['freed-unreachable', 'metadata-live'] },
  { name: 'leaks', says: 'nothing is left when all have exited', ids: ['no-leak'] },
  { name: 'atomicity', says: 'a call that fails changes nothing', ids: ['error-atomic'] },
  { name: 'warm-exec', says: 'what an earlier exec mapped ahead a later one maps, too', ids: ['warm-exec-monotone'] },
  { name: 'sanity', says: 'the kernel’s own assertions hold', ids: ['kernel-bug'] },
];

/** The property that a finding breaks. */
export const propertyOf = ({ id }: Pick<Finding, 'id'>): FindingProperty | undefined =>
  FINDING_PROPERTIES.find(({ ids }) => ids.includes(id));

/** Everything that one run with all checks decides. */
export const holds: RunProperty = {
  name: 'holds',
  says: 'no wrong byte, no wrong outcome, no broken invariant, nothing leaked',
  violations: (trace, digester) => replay(trace, { digester, check: 'every' }).findings.map(sentenceOf),
};

export const sentenceOf = ({ id, op, message }: Finding): string => `${id} at op ${op}: ${message}`;

const isRepeatable: RunProperty = {
  name: 'repeatable',
  says: 'the same trace gives the same result, digest and all, every time',
  violations: (trace, digester) => {
    const [once, again] = [1, 2].map(() => JSON.stringify(replay(trace, { digester, check: 'changes' })));
    return once === again ? [] : [`two runs differ: ${once} and ${again}`];
  },
};

const isUnmovedByChecks: RunProperty = {
  name: 'checks-only-watch',
  says: 'the digest is the same whatever is checked',
  violations: (trace, digester) => {
    // Up to where a check would end the run.
    const { ops } = replay(trace, { digester, check: 'every' });
    const digests = CHECK_MODES.map((check) => replay(trace, { digester, check, until: ops }).digest);
    return new Set(digests).size === 1 ? [] : [`the digests differ by check mode: ${digests.join(', ')}`];
  },
};

export const RUN_PROPERTIES: readonly RunProperty[] = [holds, isRepeatable, isUnmovedByChecks, survivesRecording, ...METAMORPHIC];

/** What does not hold of a trace, by the name of a property of either sort. @throws RangeError for an unknown name */
export function violationsOf(name: string, trace: GeneratedTrace, digester: Digester): readonly string[] {
  const run = RUN_PROPERTIES.find((one) => one.name === name);
  if (run !== undefined) return run.violations(trace, digester);
  const finding = FINDING_PROPERTIES.find((one) => one.name === name);
  if (finding === undefined) throw new RangeError(`there is no property ${JSON.stringify(name)}`);
  return replay(trace, { digester, check: 'every' })
    .findings.filter(({ id }) => finding.ids.includes(id))
    .map(sentenceOf);
}
