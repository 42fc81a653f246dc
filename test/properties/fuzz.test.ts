/** Campaigns: runs are functions of seed and number, and findings do not depend on who made which. */
import { expect } from 'chai';
import { MUTANTS } from '../../kernel-model/index.ts';
import { Campaign, runBatch, traceOfRun, type CampaignOptions } from '../../properties/fuzz.ts';
import { DIMENSIONS, summarizeFeatures } from '../../properties/state-coverage.ts';
import { generateTrace } from '../../properties/generate.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp } from '../../traces/codec.ts';
import { runs } from '../helpers/seed.ts';

const digester = await createDigester();
const campaign = (kernel: string): CampaignOptions => ({ kernel, seed: 'fuzz', check: 'changes' });

function runAll(options: CampaignOptions, cuts: readonly number[], isKeepingGoing: boolean): Campaign {
  const result = new Campaign(isKeepingGoing);
  for (let i = 1; i < cuts.length; i++) result.add(runBatch(options, { from: cuts[i - 1]!, to: cuts[i]! }, digester));
  return result;
}

describe('a campaign', () => {
  it('finds the same and covers the same in batches of any size', () => {
    const options = campaign('kevlar@m9.8.1');
    const [one, other] = [
      [0, 30],
      [0, 1, 8, 13, 30],
    ].map((cuts) => runAll(options, cuts, true));
    expect(other!.findings).to.deep.equal(one!.findings);
    expect([...other!.features].sort()).to.deep.equal([...one!.features].sort());
    expect(one!.findings.length).to.be.above(3);
  });

  it('has each signature once', () => {
    const { findings } = runAll(campaign('kevlar@m9.8'), [0, 40], true);
    expect(new Set(findings.map(({ signature }) => signature)).size).to.equal(findings.length);
  });

  it('ends with the first run that fails, unless told to go on', () => {
    const result = runAll(campaign('kevlar+fork-skips-flush'), [0, 20, 40, 60, 80, 100], false);
    expect(result.isOver).to.equal(true);
    expect(result.findings).to.have.length(1);
    expect(result.runs).to.equal(result.findings[0]!.run + 1);
  });

  it('finds nothing on the right kernel, and covers more with every run', () => {
    const options = campaign('kevlar');
    const few = runAll(options, [0, 10], true);
    const many = runAll(options, [0, 60], true);
    expect(many.findings).to.deep.equal([]);
    expect(many.features.size).to.be.above(few.features.size);
    for (const { met, of } of summarizeFeatures(many.features)) expect(met).to.be.within(1, of);
    expect(summarizeFeatures(many.features).map(({ name }) => name)).to.deep.equal(Object.keys(DIMENSIONS));
  });

  it('names the trace of a run by seed and number', () => {
    expect(traceOfRun(campaign('kevlar'), 7).header.seed).to.equal('fuzz/7');
  });
});

describe('a failure that was written down', () => {
  it(`replays with the digest that it had (${runs(100)} failures)`, function () {
    this.timeout(0);
    const where = { file: 'stored', line: 1 };
    let stored = 0;
    for (let i = 0; stored < runs(100); i++) {
      const { header, ops } = generateTrace(`stored/${i}`, { kernel: `kevlar+${MUTANTS[i % MUTANTS.length]!.id}` });
      const { failure, digest } = replay({ header, ops }, { digester, check: 'changes' });
      if (failure === undefined) continue;
      stored++;
      const { kind, id, op } = failure;
      const lines = [encodeHeader({ ...header, expect: { verdict: 'failed', kind, id, op, digest } }), ...ops.map(encodeOp)];
      const again = { header: decodeHeaderLine(lines[0]!, where), ops: lines.slice(1).map((line) => decodeOpLine(line, where)) };
      expect(replay(again, { digester, check: 'changes' }).expectation, `stored/${i}`).to.equal('met');
    }
  });
});
