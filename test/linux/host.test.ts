/**
 * The kernel of this machine: mm-host reproduces what was recorded, and generated sequences agree with model and reference.
 *
 * Skipped, with the reason, where the machine lacks what it takes; the recording is only reproduced by the kernel that made it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { buildHost, HostLacks, runOnHost } from '../../scripts/host-program.ts';
import { linuxCompare } from '../../scripts/linux-compare.ts';
import { formatRecording, parseRecordings } from '../../traces/sequences/sequence.ts';
import { runs, seed } from '../helpers/seed.ts';

const FILE = 'test/linux/mm-sequences.jsonl.gz';
const RECORDED_ON = /^6\.18\./;

describe('the kernel of this machine', () => {
  let program: string;
  let folder: string;

  before(function () {
    folder = mkdtempSync(join(tmpdir(), 'mm-host-'));
    try {
      program = buildHost(folder);
    } catch (error) {
      if (!(error instanceof HostLacks)) throw error;
      console.log(`skipped: ${error.message}`);
      this.skip();
    }
  });

  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('gives the recorded answers again (every 10th sequence)', function () {
    if (process.arch !== 'x64' || !RECORDED_ON.test(release())) {
      console.log(`skipped: the sequences were recorded on Linux 6.18 x86-64, this is ${release()} ${process.arch}`);
      this.skip();
    }
    const all = [...parseRecordings(gunzipSync(readFileSync(FILE)).toString().split('\n'), FILE)].filter(({ id }) => id % 10 === 0);
    for (const [i, again] of [...runOnHost(program, all)].entries()) expect(formatRecording(again)).to.deep.equal(formatRecording(all[i]!));
  });

  it('agrees with model and reference on generated sequences', async () => {
    const lines: string[] = [];
    const code = await linuxCompare(['--seed', seed, '--sequences', String(runs(20))], (line) => lines.push(line));
    expect(code, lines.join('\n')).to.equal(0);
  });

  it('is asked only for sequences that it can be asked for', () => {
    expect(() => [...runOnHost(program, [{ id: 0, mode: 'small', ops: [] }])]).not.to.throw();
    expect([...runOnHost(program, [{ id: 0, mode: 'small', ops: [] }])]).to.deep.equal([{ id: 0, mode: 'small', ops: [], results: [] }]);
  });
});
