/** The arbitraries: traces shrink by our own shrinker, wherever they come from. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fileImages, kernelParameters, traces } from '../../properties/arbitraries.ts';
import { generateTrace, type GeneratedTrace } from '../../properties/generate.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { checkHeader, DEFAULT_LIMITS } from '../../traces/header.ts';

const digester = await createDigester();
const shrinkBy = { digester, check: 'changes' as const };

const shows = ({ header, ops }: GeneratedTrace, id: string): boolean =>
  replay({ header, ops }, { digester, check: 'changes' }).findings.some((finding) => finding.id === id);

describe('traces', () => {
  it('can be made again from the seed in their header', () => {
    for (const trace of fc.sample(traces(), 20)) expect(generateTrace(trace.header.seed!)).to.deep.equal(trace);
  });

  it('shrink to a few ops when a replay fails', () => {
    const arbitrary = traces({ kernel: 'kevlar+fork-skips-flush', shrinkBy });
    const { counterexample } = fc.check(
      fc.property(arbitrary, (trace) => !shows(trace, 'tlb-justified')),
      { numRuns: 500 },
    );
    expect(counterexample![0].ops).to.have.length.within(1, 4);
  });

  it('shrink without a replay that fails, by what the property says', () => {
    const forks = ({ ops }: GeneratedTrace): number => ops.filter(({ op }) => op === 'fork').length;
    const { counterexample } = fc.check(
      fc.property(traces({ shrinkBy }), (trace) => forks(trace) < 2),
      { numRuns: 500 },
    );
    expect(counterexample![0].ops.map(({ op }) => op)).to.deep.equal(['fork', 'fork']);
  });

  it('shrink a trace of another origin that is given as an example', async () => {
    const recorded = await readTrace('traces/reconstructed/exec-127-tail.jsonl');
    const { header, ops } = recorded;
    const example = { header: { ...header, kernel: { ...header.kernel, name: 'kevlar+caches-partial-pages' } }, ops };
    const { counterexample, numRuns } = fc.check(
      fc.property(traces({ shrinkBy }), (trace) => !shows(trace, 'cache-truth')),
      { examples: [[example]], numRuns: 5 },
    );
    expect(numRuns).to.equal(1);
    expect(counterexample![0].ops.length).to.be.below(ops.length).and.at.most(2);
  });
});

describe('fileImages and kernelParameters', () => {
  it('give headers that are accepted', () => {
    const headers = fileImages().chain((files) => kernelParameters(files).map((kernel) => ({ files, kernel })));
    fc.assert(
      fc.property(headers, ({ files, kernel }) => {
        checkHeader({ faultline: 1, kernel: { name: 'kevlar', ...kernel }, files: [...files] }, { file: 'drawn', line: 1 }, DEFAULT_LIMITS);
      }),
    );
  });
});
