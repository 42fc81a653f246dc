/**
 * What one run with all checks decides, on the correct kernel: this is the net under the model. The runs are made once, and
 * each property looks at what they found.
 */
import { expect } from 'chai';
import { INVARIANTS, MUTANTS } from '../../kernel-model/index.ts';
import { generateTrace, type GeneratedTrace } from '../../properties/generate.ts';
import { FINDING_PROPERTIES, propertyOf, sentenceOf } from '../../properties/properties.ts';
import { createDigester } from '../../sim/digest.ts';
import type { Finding } from '../../sim/finding.ts';
import { replay } from '../../sim/replay.ts';
import { shrinkTrace } from '../../sim/shrink/shrink.ts';
import { storeFailure } from '../helpers/failures.ts';
import { runs, seed } from '../helpers/seed.ts';

const digester = await createDigester();

interface Failed {
  readonly trace: GeneratedTrace;
  readonly finding: Finding;
}

/** Everything found in so many runs, `every` op checked in one of ten. */
function failuresOf(name: string, kernel: string, hasFaults: boolean, count: number): readonly Failed[] {
  return Array.from({ length: count }, (_, i) => i).flatMap((i) => {
    const trace = generateTrace(`${seed}/${name}/${i}`, { kernel, hasFaults });
    return replay(trace, { digester, check: i % 10 === 0 ? 'every' : 'changes' }).findings.map((finding) => ({ trace, finding }));
  });
}

for (const [name, kernel, hasFaults, count] of [
  ['kevlar', 'kevlar', false, 300],
  ['kevlar while frames and stores fail', 'kevlar', true, 300],
  ['linux', 'linux', false, 300],
  ['linux while frames and stores fail', 'linux', true, 300],
] as const) {
  describe(name, () => {
    let failures: readonly Failed[] = [];

    before(function () {
      this.timeout(0); // RUNS may make it long
      failures = failuresOf(name, kernel, hasFaults, runs(count));
    });

    for (const property of FINDING_PROPERTIES) {
      it(`${property.name}: ${property.says} (${runs(count)} runs)`, () => {
        const failed = failures.find(({ finding }) => property.ids.includes(finding.id));
        if (failed === undefined) return;
        const { kind, id } = failed.finding;
        const { trace } = shrinkTrace(failed.trace, { digester, check: 'every', wanted: `${kind} ${id}`, replaysMax: 3000 });
        const violations = replay(trace, { digester, check: 'every' }).findings.map(sentenceOf);
        throw storeFailure({ property: property.name, says: property.says, seed, trace, violations }, digester);
      });
    }
  });
}

describe('properties', () => {
  /** Ids of the checker's own. */
  const OF_THE_CHECKER = [
    ...['content-ref', 'zero-gap', 'fork-isolation', 'outcome-ref', 'fault-progress', 'kernel-bug'],
    ...['vma-map-ref', 'error-atomic', 'no-leak', 'dirty-durable', 'warm-exec-monotone'],
  ];

  it('own every finding, each exactly once', () => {
    const owned = FINDING_PROPERTIES.flatMap(({ ids }) => ids);
    expect([...owned].sort()).to.deep.equal([...OF_THE_CHECKER, ...INVARIANTS.map(({ id }) => id)].sort());
  });

  it('are each broken by some mutant, or it is said why not', () => {
    const broken = new Set(MUTANTS.flatMap(({ brokenBy }) => brokenBy).map((id) => propertyOf({ id })?.name));
    const unbroken = FINDING_PROPERTIES.map(({ name }) => name).filter((name) => !broken.has(name));
    // What a mutant of today leaves half done, a count or the layout tells first.
    expect(['atomicity']).to.include.members(unbroken);
  });
});
