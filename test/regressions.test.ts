/** The regressions: each trace fails where it says on the kernel that it names, and holds on the right one of that design. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DEFAULT_PARAMETERS, designOf, kernelNamed, kernelWith, MUTANTS, type Mutant, type NamedKernel } from '../kernel-model/index.ts';
import { FILES, LINUX_MUTANT_SCENES, SCENES, traceOf } from '../scripts/write-regressions.ts';
import { readTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { whyUnseen } from '../sim/mutant-unseen.ts';
import { replay } from '../sim/replay.ts';

const FOLDER = new URL('../traces/regressions/', import.meta.url);
const digester = await createDigester();

/** Above these a trace is no longer small. */
const OPS_MAX = 8;
const FRAMES_MAX = 256;

const SETS = [
  { right: 'kevlar', folder: '', scenes: SCENES, nameOf: kernelWith },
  { right: 'linux', folder: 'linux-mutants/', scenes: LINUX_MUTANT_SCENES, nameOf: ({ id }: Mutant): string => `linux+${id}` },
] as const;

for (const { right, folder, scenes, nameOf } of SETS) {
  const names = readdirSync(new URL(folder, FOLDER)).filter((name) => name.endsWith('.jsonl'));
  const traceAt = (name: string): ReturnType<typeof readTrace> => readTrace(new URL(folder + name, FOLDER).pathname);

  describe(`traces/regressions/${folder}`, () => {
    it(`has a trace of each wrong decision that ${right} can show`, () => {
      const design = designOf(kernelNamed(right) as NamedKernel, DEFAULT_PARAMETERS);
      const wanted = MUTANTS.filter((mutant) => whyUnseen(mutant, design) === undefined);
      expect([...names].sort()).to.deep.equal(wanted.map(({ id }) => `${id}.jsonl`).sort());
    });

    for (const name of names) {
      const mutant = MUTANTS.find(({ id }) => `${id}.jsonl` === name)!;

      it(`${mutant.id} fails as it expects, by an invariant that the decision names`, async () => {
        const trace = await traceAt(name);
        const result = replay(trace, { digester, check: 'every' });
        expect(result.failure).to.include({ kind: trace.header.expect?.kind, id: trace.header.expect?.id, op: trace.header.expect?.op });
        expect(result.expectation).to.equal('met');
        expect(trace.header.kernel.name).to.equal(nameOf(mutant));
        expect(mutant.brokenBy).to.include(result.failure?.id);
        if (right === 'kevlar') expect(result.findings.map((finding) => finding.id)).to.include(mutant.brokenBy[0]);
      });

      it(`${mutant.id} holds on ${right}, and is small`, async () => {
        const trace = await traceAt(name);
        const result = replay(trace, { digester, check: 'every', kernel: right });
        expect(result.findings).to.deep.equal([]);
        expect(result).to.include({ verdict: 'held', ops: trace.ops.length });
        expect(trace.ops.length).to.be.at.most(OPS_MAX);
        expect(trace.header.kernel.frames).to.be.at.most(FRAMES_MAX);
      });
    }

    it('has no op too many: without any one of them the expected failure is not found', () => {
      for (const scene of scenes) {
        const { header, ops } = traceOf(scene, right);
        for (const index of ops.keys()) {
          const shorter = { header, ops: ops.filter((_, i) => i !== index) };
          const { findings } = replay(shorter, { digester, check: 'every' });
          const found = findings.filter(({ kind, id }) => kind === scene.expect.kind && id === scene.expect.id);
          expect(found, `${scene.id} without op ${index}`).to.deep.equal([]);
        }
      }
    });
  });
}

describe('the regressions', () => {
  it('are what scripts/write-regressions.ts writes', () => {
    for (const { path, text } of FILES) expect(readFileSync(new URL(path, FOLDER), 'utf8'), path).to.equal(text);
    expect(FILES).to.have.lengthOf(SCENES.length + LINUX_MUTANT_SCENES.length);
  });

  it('need the decision: without it the others of the scene do not fail so', () => {
    for (const { id, needs } of MUTANTS.filter((one) => one.needs !== undefined)) {
      const scene = SCENES.find((one) => one.id === id)!;
      const { findings } = replay(traceOf(scene), { digester, check: 'every', kernel: `kevlar+${needs!}` });
      expect(findings.map((finding) => finding.id)).to.not.include(scene.expect.id);
    }
  });
});
