/** Hunts for mutants: on the regressions, where it is known what each finds, and what a table says of them. */
import { expect } from 'chai';
import { MUTANTS, type Mutant } from '../../kernel-model/index.ts';
import { SCENES, traceOf } from '../../scripts/write-regressions.ts';
import { createDigester } from '../../sim/digest.ts';
import { huntMutant, huntRight, type Hunt, type HuntOptions } from '../../sim/mutant-matrix.ts';
import { hasSurvived, killersOf, matrixLines, median, rightLines, survivorLines } from '../../sim/mutant-report.ts';

const TRACES = SCENES.map(traceOf);
const QUIET = traceOf({ ...SCENES[0]!, ops: 'p1 mmap 0x0 4096 rw private,anonymous' });
const base = { runsMax: TRACES.length, check: 'every', digester: await createDigester(), trace: (i: number) => TRACES[i]! } as const;

const mutantOf = (id: string): Mutant => MUTANTS.find((mutant) => mutant.id === id)!;

function finished(hunt: Generator<number, Hunt>): Hunt {
  for (;;) {
    const step = hunt.next();
    if (step.done === true) return step.value;
  }
}

const hunted = (id: string, options: Partial<HuntOptions> = {}): Hunt => finished(huntMutant(mutantOf(id), { ...base, ...options }));

describe('a hunt', () => {
  it('ends at the trace of the mutant, by an invariant that it names', () => {
    for (const [index, { id }] of SCENES.entries()) {
      const { killedBy, runs, ops } = hunted(id, { runsMax: 1, trace: () => TRACES[index]! });
      expect(mutantOf(id).brokenBy, id).to.include(killedBy?.id);
      expect(runs, id).to.equal(1);
      expect(ops, id).to.be.within(1, TRACES[index]!.ops.length);
    }
  });

  it('finds nothing on the right kernel', () => {
    const { killedBy, first, runs } = finished(huntRight(base));
    expect([killedBy, first, runs]).to.deep.equal([undefined, undefined, TRACES.length]);
  });

  it('counts the runs up to the first trace that shows the mutant', () => {
    const trace = (i: number): (typeof TRACES)[number] => (i < 4 ? QUIET : traceOf(SCENES.find(({ id }) => id === 'no-teardown')!));
    const steps = [...huntMutant(mutantOf('no-teardown'), { ...base, trace })];
    expect(steps).to.deep.equal([]); // at the end of each run the process exits, and its space is not given back
    const { runs, killedBy } = hunted('fork-skips-flush', {
      trace: (i) => (i < 4 ? QUIET : TRACES[SCENES.findIndex(({ id }) => id === 'fork-skips-flush')]!),
    });
    expect([runs, killedBy?.id]).to.deep.equal([5, 'tlb-justified']);
  });

  it('gives up after its runs, or when its time is over', () => {
    const survivor = hunted('fork-skips-flush', { trace: () => QUIET, runsMax: 7 });
    expect(survivor).to.deep.equal({ killedBy: undefined, first: undefined, runs: 7, ops: 0, elapsedMs: 0 });
    let now = 0;
    const late = hunted('fork-skips-flush', { trace: () => QUIET, now: () => (now += 10), isOutOfTime: (elapsedMs) => elapsedMs > 25 });
    expect([late.killedBy, late.runs]).to.deep.equal([undefined, 2]);
  });

  it('does not count what the mutant that it needs shows alone', () => {
    const partial = TRACES[SCENES.findIndex(({ id }) => id === 'caches-partial-pages')]!;
    const { killedBy, first } = hunted('assembly-trusts-cached-range', { trace: () => partial, runsMax: 2 });
    expect([killedBy, first?.finding.id, first?.run]).to.deep.equal([undefined, 'cache-truth', 1]);
  });
});

describe('the kill matrix', () => {
  const dead = hunted('no-teardown', { runsMax: 1 });
  const alive: Hunt = { killedBy: undefined, first: undefined, runs: 40, ops: 0, elapsedMs: 1500 };
  const row = (hunts: readonly Hunt[], id = 'no-teardown') => ({ mutant: mutantOf(id), hunts, shortest: 1 });

  it('shows medians, killers by how often, and the seeds that found it', () => {
    const lines = matrixLines([row([alive, { ...dead, elapsedMs: 20 }, { ...dead, elapsedMs: 30 }])]);
    expect(lines[1]).to.match(/^no-teardown +refcount-exact +2\/3 +1 +0\.03 +1\.50 +1 +teardown$/);
    expect(killersOf([dead, { ...dead, killedBy: { ...dead.killedBy!, id: 'no-leak' } }, dead])).to.deep.equal([
      'refcount-exact',
      'no-leak',
    ]);
    expect([median([]), median([3]), median([4, 1]), median([5, 1, 3])]).to.deep.equal([0, 3, 1, 3]);
  });

  it('names who survived, and why if that is known', () => {
    expect(hasSurvived(row([dead]))).to.equal(false);
    expect(survivorLines([row([dead])], [])).to.deep.equal([]);
    expect(survivorLines([row([dead, alive])], [mutantOf('refresh-grants-write')]).join('\n')).to.equal(
      '\nSurvivors\n  no-teardown: nothing found in 40 runs of 1 seed\n' +
        '  refresh-grants-write: not hunted, needs two CPUs: on one no entry lags behind its VMA, so no fault refreshes one',
    );
    const other = { ...alive, first: { finding: { ...dead.killedBy!, id: 'kernel-bug' }, run: 3 } };
    expect(survivorLines([row([other])], [])[2]).to.include('only kernel-bug found');
    expect(survivorLines([row([alive], 'region-zero-not-assembled')], [])[2]).to.include('costs speed only');
  });

  it('cries when the right kernel fails', () => {
    expect(rightLines([alive, alive])[1]).to.equal('kevlar holds: 80 runs, no false alarm');
    expect(rightLines([alive, dead]).join('\n')).to.match(/FALSE ALARMS on kevlar\n {2}seed 2, run 1, op 0: refcount-exact: /);
  });
});
