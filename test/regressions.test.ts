/** The regressions: each trace of traces/regressions/ fails where it says on the kernel it names, and holds on `kevlar`. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { kernelWith, MUTANTS } from '../kernel-model/index.ts';
import { fileOf, SCENES, traceOf } from '../scripts/write-regressions.ts';
import { readTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { replay } from '../sim/replay.ts';

const FOLDER = new URL('../traces/regressions/', import.meta.url);
const names = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.jsonl'))
  .sort();
const idOf = (name: string): string => name.replace(/\.jsonl$/, '');
const digester = await createDigester();

/** Above these a trace is no longer small. */
const OPS_MAX = 8;
const FRAMES_MAX = 256;

describe('traces/regressions', () => {
  it('has a trace of each wrong decision, or says why not', () => {
    const wanted = MUTANTS.filter(({ unseen }) => unseen === undefined);
    expect(names).to.deep.equal(wanted.map(({ id }) => `${id}.jsonl`).sort());
  });

  it('is what scripts/write-regressions.ts writes', () => {
    for (const { name, text } of SCENES.map(fileOf)) expect(readFileSync(new URL(name, FOLDER), 'utf8'), name).to.equal(text);
    expect(SCENES.map(({ id }) => `${id}.jsonl`).sort()).to.deep.equal(names);
  });

  for (const name of names) {
    const id = idOf(name);
    const mutant = MUTANTS.find((one) => one.id === id);

    it(`${id} fails as it expects, by an invariant that the decision names`, async () => {
      const trace = await readTrace(new URL(name, FOLDER).pathname);
      const result = replay(trace, { digester, check: 'every' });
      expect(result.failure).to.include({ kind: trace.header.expect?.kind, id: trace.header.expect?.id, op: trace.header.expect?.op });
      expect(result.expectation).to.equal('met');
      expect(trace.header.kernel.name).to.equal(kernelWith(mutant!));
      expect(mutant?.brokenBy).to.include(result.failure?.id);
      expect(result.findings.map((finding) => finding.id)).to.include(mutant?.brokenBy[0]);
    });

    it(`${id} holds on kevlar, and is small`, async () => {
      const trace = await readTrace(new URL(name, FOLDER).pathname);
      const result = replay(trace, { digester, check: 'every', kernel: 'kevlar' });
      expect(result.findings).to.deep.equal([]);
      expect(result).to.include({ verdict: 'held', ops: trace.ops.length });
      expect(trace.ops.length).to.be.at.most(OPS_MAX);
      expect(trace.header.kernel.frames).to.be.at.most(FRAMES_MAX);
    });
  }

  it('has no op too many: without any one of them the expected failure is not found', () => {
    for (const scene of SCENES) {
      const { header, ops } = traceOf(scene);
      for (const index of ops.keys()) {
        const shorter = { header, ops: ops.filter((_, i) => i !== index) };
        const { findings } = replay(shorter, { digester, check: 'every' });
        const found = findings.filter(({ kind, id }) => kind === scene.expect.kind && id === scene.expect.id);
        expect(found, `${scene.id} without op ${index}`).to.deep.equal([]);
      }
    }
  });

  it('needs the decision: without it the others of the scene do not fail so', () => {
    for (const { id, needs } of MUTANTS.filter((one) => one.needs !== undefined)) {
      const scene = SCENES.find((one) => one.id === id)!;
      const { findings } = replay(traceOf(scene), { digester, check: 'every', kernel: `kevlar+${needs!}` });
      expect(findings.map((finding) => finding.id)).to.not.include(scene.expect.id);
    }
  });
});
