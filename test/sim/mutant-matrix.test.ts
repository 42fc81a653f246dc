/** Hunts for mutants: on the regressions, where it is known what each finds, and what a table says of them. */
import { expect } from 'chai';
import { DEFAULT_PARAMETERS, designOf, MUTANTS, type Mutant } from '../../kernel-model/index.ts';
import { LINUX_MUTANT_SCENES, SCENES, traceOf } from '../../scripts/write-regressions.ts';
import { createDigester } from '../../sim/digest.ts';
import { huntMutant, huntRight, type Hunt, type HuntOptions } from '../../sim/mutant-matrix.ts';
import { whyUnseen, type Unseen } from '../../sim/mutant-unseen.ts';
import {
  hasSurvived,
  killersOf,
  matrixLines,
  median,
  rightLines,
  survivorLines,
  type MutantRow,
  type UnseenMutant,
} from '../../sim/mutant-report.ts';
import { finished } from '../helpers/hunts.ts';
import { named } from '../helpers/model.ts';

const TRACES = SCENES.map((scene) => traceOf(scene));
const QUIET = traceOf({ ...SCENES[0]!, ops: 'p1 mmap 0x0 4096 rw private,anonymous' });
const base: HuntOptions = {
  kernel: named('kevlar'),
  runsMax: TRACES.length,
  check: 'every',
  digester: await createDigester(),
  trace: (i) => TRACES[i]!,
};

const mutantOf = (id: string): Mutant => MUTANTS.find((mutant) => mutant.id === id)!;

const unseenOf = (id: string, kernel: string): Unseen | undefined => whyUnseen(mutantOf(id), designOf(named(kernel), DEFAULT_PARAMETERS));
const notHunted = (id: string, kernel: string): UnseenMutant => ({ mutant: mutantOf(id), unseen: unseenOf(id, kernel)! });

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
    const { killedBy, first, runs, asked } = finished(huntRight(base));
    expect([killedBy, first, runs, asked]).to.deep.equal([undefined, undefined, TRACES.length, 0]);
  });

  it('begins with the kernel that it is given', () => {
    const linux = { ...base, kernel: named('linux'), runsMax: 1 };
    for (const scene of LINUX_MUTANT_SCENES) {
      const trace = traceOf(scene, 'linux');
      expect(hunted(scene.id, { ...linux, trace: () => trace }).killedBy?.id, scene.id).to.equal(scene.expect.id);
      expect(finished(huntRight({ ...linux, trace: () => trace })).first, scene.id).to.equal(undefined);
    }
  });

  it('counts the runs in which the rule is asked', () => {
    const forks = TRACES[SCENES.findIndex(({ id }) => id === 'fork-makes-shared-private')]!;
    const trace = (i: number): (typeof TRACES)[number] => (i % 3 === 0 ? forks : QUIET);
    expect(hunted('refcount-wraps', { trace, runsMax: 7 })).to.include({ runs: 7, asked: 3 });
    expect(hunted('store-error-panics', { trace, runsMax: 7 })).to.include({ runs: 7, asked: 0 });
    expect(hunted('no-teardown', { trace })).to.include({ runs: 1, asked: 1 });
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
    expect(survivor).to.deep.equal({ killedBy: undefined, first: undefined, runs: 7, asked: 0, ops: 0, elapsedMs: 0 });
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
  const alive: Hunt = { killedBy: undefined, first: undefined, runs: 40, asked: 3, ops: 0, elapsedMs: 1500 };
  const row = (hunts: readonly Hunt[], id = 'no-teardown', kernel = 'kevlar'): MutantRow => ({
    mutant: mutantOf(id),
    hunts,
    unseen: unseenOf(id, kernel),
    shortest: 1,
  });

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
    expect(survivorLines('kevlar', [row([dead])], [])).to.deep.equal([]);
    const unasked = { ...alive, asked: 0 };
    expect(survivorLines('kevlar', [row([dead, alive]), row([unasked])], [notHunted('refresh-grants-write', 'kevlar')])).to.deep.equal([
      '',
      'Survivors',
      '  no-teardown: nothing found in 40 runs of 1 seed',
      '  no-teardown: nothing found in 40 runs of 1 seed; its rule was never asked',
      '  refresh-grants-write: not hunted, needs two CPUs: on one no entry lags behind its VMA, so no fault refreshes one',
    ]);
    const other = { ...alive, first: { finding: { ...dead.killedBy!, id: 'kernel-bug' }, run: 3 } };
    expect(survivorLines('kevlar', [row([other])], [])[2]).to.include('only kernel-bug found');
    expect(survivorLines('kevlar', [row([alive], 'region-zero-not-assembled')], [])[2]).to.include('costs speed only');
  });

  it('has a table of those whose rule the kernel never asks', () => {
    const lines = survivorLines('linux', [], [notHunted('heap-by-vma-index', 'linux'), notHunted('fault-around-crosses-region', 'linux')]);
    expect(lines.slice(0, 2)).to.deep.equal(['', 'Survivors']);
    expect(lines[2]).to.match(/^ {2}fault-around-crosses-region: not hunted, only maps more ahead/);
    expect(lines.slice(3, 5)).to.deep.equal(['', 'Not hunted: linux never asks the rule']);
    expect(lines[5]).to.match(/^ {2}heap-by-vma-index heapVma no VMA is the heap/);
    const [, , insisted] = survivorLines('linux', [row([alive], 'heap-by-vma-index', 'linux')], []);
    expect(insisted).to.match(/^ {2}heap-by-vma-index: heapVma is never asked: no VMA is the heap/);
  });

  it('cries when the right kernel fails', () => {
    expect(rightLines('linux', [alive, alive])[1]).to.equal('linux holds: 80 runs, no false alarm');
    expect(rightLines('kevlar', [alive, dead]).join('\n')).to.match(/FALSE ALARMS on kevlar\n {2}seed 2, run 1, op 0: refcount-exact: /);
  });
});
