/**
 * The model against Linux 6.18: 400 recorded sequences of 40 ops, every field of every op.
 *
 * `npm run linux-replay -- test/linux/mm-sequences.jsonl.gz` prints the same as a table.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { AgreementCounter } from '../../sim/conformance/agreement.ts';
import { ALLOWED } from '../../sim/conformance/allowed.ts';
import { compareRecordings } from '../../sim/conformance/compare.ts';
import { differenceLines } from '../../sim/conformance/text.ts';
import { runOnModel } from '../../sim/conformance/run-model.ts';
import { createDigester } from '../../sim/digest.ts';
import { parseRecordings, type Recording } from '../../traces/sequences/sequence.ts';
import { onlyThoroughly } from '../helpers/seed.ts';

const FILE = 'test/linux/mm-sequences.jsonl.gz';
const NAMES = ['real kernel', 'model'] as const;

const recordings = (): Recording[] => [...parseRecordings(gunzipSync(readFileSync(FILE)).toString().split('\n'), FILE)];

describe('the linux design against Linux 6.18', () => {
  it('agrees with all 400 recorded sequences in every field of all 16,000 ops', async () => {
    const digester = await createDigester();
    const counter = new AgreementCounter();
    for (const real of recordings()) {
      const { recording, problem } = runOnModel(real, { digester });
      expect(problem).to.equal(undefined);
      counter.add(compareRecordings(real, recording));
    }
    const { ops, differences } = counter.total();
    expect(ops).to.equal(16_000);
    expect(differences.flatMap((difference) => differenceLines(difference, NAMES))).to.deep.equal([]);
  }).timeout(180_000);

  it('holds its invariants and agrees with the reference reader on the way (every 8th sequence)', async function () {
    onlyThoroughly(this);
    const digester = await createDigester();
    for (const real of recordings().filter(({ id, mode }) => id % 8 === 0 && mode !== 'huge'))
      expect(runOnModel(real, { digester, check: 'changes' }).problem, `sequence ${real.id}`).to.equal(undefined);
  }).timeout(180_000);

  it('needs no more than ten allowances, each with a reason', () => {
    expect(ALLOWED).to.have.length.at.most(10);
    for (const { id, reason } of ALLOWED) expect(reason, id).not.to.equal('');
  });

  it('notices a kernel with a wrong decision', async () => {
    const digester = await createDigester();
    const counter = new AgreementCounter();
    for (const real of recordings().slice(0, 40))
      counter.add(compareRecordings(real, runOnModel(real, { digester, kernel: 'linux+dontneed-does-nothing' }).recording));
    expect(counter.total().differences).not.to.deep.equal([]);
  });
});
