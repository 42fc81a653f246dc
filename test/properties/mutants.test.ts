/** Wrong decisions on right kernels: which of them a kernel can make at all, and that random traces on linux find the others. */
import { expect } from 'chai';
import { DEFAULT_PARAMETERS, designOf, KERNELS, MUTANTS, type Mutant, type NamedKernel, type Rules } from '../../kernel-model/index.ts';
import { generateTrace } from '../../properties/generate.ts';
import { LINUX_MUTANT_SCENES, SCENES, traceOf } from '../../scripts/write-regressions.ts';
import { createDigester } from '../../sim/digest.ts';
import { RULE_NAMES } from '../../sim/explain/spy.ts';
import { huntMutant, huntRight, type Hunt, type HuntOptions } from '../../sim/mutant-matrix.ts';
import { whyUnseen, type Unseen } from '../../sim/mutant-unseen.ts';
import { replay } from '../../sim/replay.ts';
import { listenedTo } from '../../sim/rule-listener.ts';
import { finished } from '../helpers/hunts.ts';
import { named } from '../helpers/model.ts';
import { onlyThoroughly, runs } from '../helpers/seed.ts';

const digester = await createDigester();
const RIGHT_KERNELS = KERNELS.filter(({ mutants }) => mutants.length === 0);

const unseenOn =
  (kernel: NamedKernel): ((mutant: Mutant) => Unseen | undefined) =>
  (mutant) =>
    whyUnseen(mutant, designOf(kernel, DEFAULT_PARAMETERS));

/** The rules that a kernel asks in its regressions and in random traces. */
function askedRules(kernel: NamedKernel): ReadonlySet<keyof Rules> {
  const asked = new Set<keyof Rules>();
  const heard = listenedTo(kernel, RULE_NAMES, (rule) => asked.add(rule));
  const scenes = kernel.design === 'linux' ? LINUX_MUTANT_SCENES : SCENES;
  const random = Array.from({ length: runs(1000) }, (_, i) => generateTrace(`asked/${i}`, { kernel: kernel.name }));
  for (const trace of [...scenes.map((scene) => traceOf(scene)), ...random]) replay(trace, { digester, check: 'none', kernel: heard });
  return asked;
}

for (const kernel of RIGHT_KERNELS) {
  describe(`what ${kernel.name} decides`, () => {
    const whyUnseenHere = unseenOn(kernel);

    it('is asked for, unless it is said why not', () => {
      const asked = askedRules(kernel);
      for (const mutant of MUTANTS) {
        const unseen = whyUnseenHere(mutant);
        if (unseen?.isAsked === false) expect([...asked], mutant.id).to.not.include(mutant.rule);
        else if (unseen === undefined) expect([...asked], mutant.id).to.include(mutant.rule);
      }
    });

    it('may be wrong without harm where it is said why', () => {
      const harmless = MUTANTS.filter((mutant) => whyUnseenHere(mutant)?.isAsked === true);
      for (const { id } of harmless) {
        for (let i = 0; i < runs(60); i++) {
          const trace = generateTrace(`harmless/${i}`, { kernel: kernel.name });
          const { findings } = replay(trace, { digester, check: 'changes', kernel: `${kernel.name}+${id}` });
          expect(findings, `${id}, run ${i}`).to.deep.equal([]);
        }
      }
    });
  });
}

describe('the kill matrix on linux', () => {
  const kernel = named('linux');
  const options: HuntOptions = {
    kernel,
    trace: (i) => generateTrace(`matrix/${i}`, { kernel: 'linux' }),
    runsMax: 2000,
    check: 'changes',
    digester,
  };
  const hunted = MUTANTS.filter((mutant) => unseenOn(kernel)(mutant) === undefined);

  /** Hunts mutants, then the right kernel on all that they met. */
  function holdsFor(mutants: readonly Mutant[]): void {
    const hunts = mutants.map((mutant): readonly [Mutant, Hunt] => [mutant, finished(huntMutant(mutant, options))]);
    for (const [{ id, brokenBy }, { killedBy, asked }] of hunts) {
      expect(brokenBy, id).to.include(killedBy?.id);
      expect(asked, id).to.be.at.least(1);
    }
    const right = finished(huntRight({ ...options, runsMax: Math.max(...hunts.map(([, hunt]) => hunt.runs)) }));
    expect(right.killedBy).to.equal(undefined);
  }

  it('finds what needs a pin, a failure, a huge heap or a fork', () => {
    const quick = [
      'reuse-ignores-pins',
      'short-read-taken-as-whole',
      'failed-exec-keeps-half',
      'brk-ignores-huge-leaf',
      'fork-skips-flush',
    ];
    holdsFor(hunted.filter(({ id }) => quick.includes(id)));
  });

  it(`finds all ${hunted.length} mutants that it can show`, function () {
    onlyThoroughly(this);
    holdsFor(hunted);
  }).timeout(600_000);
});
