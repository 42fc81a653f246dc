/**
 * The properties on random traces, on the correct kernel. This is the net under the model: a decision that is wrong there
 * shows here, if it shows at all.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { randomTrace } from '../properties/random-trace.ts';
import { holds, isRepeatable, isUnmovedByChecks, type Property } from '../properties/replay-properties.ts';
import { createDigester } from '../sim/digest.ts';
import { runs } from './helpers/seed.ts';

async function assertOf(property: Property, isFaulty: boolean, count: number): Promise<void> {
  const digester = await createDigester();
  fc.assert(
    fc.property(randomTrace(isFaulty), (trace) => {
      expect(property(trace, digester)).to.deep.equal([]);
    }),
    { numRuns: runs(count) },
  );
}

describe('kevlar on random traces', () => {
  it('holds', () => assertOf(holds, false, 300));
  it('holds while frames and stores fail', () => assertOf(holds, true, 300));
  it('gives the same result twice', () => assertOf(isRepeatable, true, 60));
  it('gives the same digest whatever is checked', () => assertOf(isUnmovedByChecks, true, 60));
});
