/** Each difference from a real kernel that was found and mended: its trace holds, its sequence agrees in every field, and the files are fresh. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { foundRecordings, fileOf, sequenceOf } from '../../scripts/write-linux-regressions.ts';
import { LINUX_SCENES } from '../../scripts/regressions/linux.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { AgreementCounter } from '../../sim/conformance/agreement.ts';
import { auditRecording } from '../../sim/conformance/audit.ts';
import { compareRecordings } from '../../sim/conformance/compare.ts';
import { runOnModel } from '../../sim/conformance/run-model.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';

const FOLDER = 'traces/regressions/linux';

describe('a difference from a real kernel that was mended', () => {
  const found = foundRecordings();

  for (const [i, scene] of LINUX_SCENES.entries()) {
    it(`stays mended: ${scene.id}`, async () => {
      const real = found[i]!;
      expect(real.ops).to.deep.equal(sequenceOf(scene, i).ops);
      const digester = await createDigester();
      const { recording, problem } = runOnModel(real, { digester });
      expect(problem).to.equal(undefined);
      expect(new AgreementCounter().add(compareRecordings(real, recording))).to.deep.equal([]);
      expect(auditRecording(real)).to.deep.equal([]);
    });

    it(`replays as its trace says: ${scene.id}`, async () => {
      const path = `${FOLDER}/${scene.id}.jsonl`;
      expect(readFileSync(path, 'utf8')).to.equal(fileOf(scene, found[i]!).text);
      const result = replay(await readTrace(path), { digester: await createDigester(), check: 'every' });
      expect(result.findings).to.deep.equal([]);
      expect(result.expectation).to.equal('met');
    });
  }

  it('has a trace for each scene and no other', () => {
    expect(readdirSync(FOLDER).sort()).to.deep.equal(LINUX_SCENES.map(({ id }) => `${id}.jsonl`).sort());
  });
});
