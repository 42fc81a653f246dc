/** Every trace within a bound: nothing found is a proof within it. */
import { expect } from 'chai';
import { SMALL_SCOPE, smallScopeTraces } from '../../properties/small-scope.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { runs } from '../helpers/seed.ts';

const digester = await createDigester();

/** Without more RUNS the data ends in one way only. */
const scope = runs(1) > 1 ? SMALL_SCOPE : { ...SMALL_SCOPE, dataEnds: SMALL_SCOPE.dataEnds.slice(0, 1) };

describe('every trace of four ops on two segments', function () {
  this.timeout(0);

  it('holds on kevlar', function () {
    let cases = 0;
    let assembled = 0;
    for (const trace of smallScopeTraces(scope)) {
      const { findings, assemblies } = replay(trace, { digester, check: 'changes' });
      expect(findings, JSON.stringify(trace)).to.deep.equal([]);
      cases++;
      if (assemblies > 0) assembled++;
    }
    this.test!.title += ` (${cases} cases, ${assembled} with a huge page assembled)`;
    expect(assembled).to.be.above(100);
  });

  it('holds on linux, where nothing is assembled', function () {
    let cases = 0;
    for (const trace of smallScopeTraces({ ...scope, thresholds: [0] }, 'linux')) {
      const { findings } = replay(trace, { digester, check: 'changes' });
      expect(findings, JSON.stringify(trace)).to.deep.equal([]);
      cases++;
    }
    this.test!.title += ` (${cases} cases)`;
  });

  for (const mutant of ['assembly-copies-whole-page', 'caches-partial-pages', 'first-toucher-fills-page', 'fork-skips-flush']) {
    it(`does not hold with ${mutant}`, () => {
      const isCaught = [...smallScopeTraces({ ...scope, thresholds: [0] })].some(
        (trace) => replay(trace, { digester, check: 'changes', kernel: `kevlar+${mutant}` }).findings.length > 0,
      );
      expect(isCaught).to.equal(true);
    });
  }
});
