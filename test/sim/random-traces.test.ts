/**
 * Random traces on the correct kernel: no wrong byte, no wrong outcome, no broken invariant, nothing leaked.
 *
 * This is the net under the model; the properties proper, with mutants and shrinking, are built on the same arbitrary.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { runs } from '../helpers/seed.ts';
import { randomTrace } from '../helpers/random-trace.ts';

describe('kevlar on random traces', () => {
  for (const [isFaulty, what] of [
    [false, 'holds'],
    [true, 'holds while frames and stores fail'],
  ] as const) {
    it(what, async () => {
      const digester = await createDigester();
      fc.assert(
        fc.property(randomTrace(isFaulty), (trace) => {
          const { findings } = replay(trace, { digester, check: 'every' });
          expect(findings.map(({ id, op, message }) => `${id} at op ${op}: ${message}`)).to.deep.equal([]);
        }),
        { numRuns: runs(400) },
      );
    });
  }

  it('gives the same digest twice', async () => {
    const digester = await createDigester();
    fc.assert(
      fc.property(randomTrace(true), (trace) => {
        const [once, again] = [1, 2].map(() => replay(trace, { digester, check: 'changes' }));
        expect(again).to.deep.equal(once);
      }),
      { numRuns: runs(100) },
    );
  });

  it('gives the same digest whatever is checked', async () => {
    const digester = await createDigester();
    fc.assert(
      fc.property(randomTrace(true), (trace) => {
        const digests = (['none', 'end', 'changes', 'every'] as const).map((check) => replay(trace, { digester, check }).digest);
        expect(new Set(digests).size).to.equal(1);
      }),
      { numRuns: runs(100) },
    );
  });
});
