/**
 * The shrinker: recorded runs, random traces on kernels with one and with two wrong decisions, budgets, and that a shrink
 * from a list of answers is the shrink.
 */
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { MUTANTS } from '../../../kernel-model/index.ts';
import { randomTrace } from '../../../properties/random-trace.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { Evaluator, type Candidate } from '../../../sim/shrink/evaluate.ts';
import { answerFrom, type Answer } from '../../../sim/shrink/question.ts';
import { evaluatorFor, ShrinkError, shrinkSteps, shrinkTrace, type ShrinkOptions, type ShrinkResult } from '../../../sim/shrink/shrink.ts';
import { signatureText } from '../../../sim/shrink/signature.ts';
import { parseNotation } from '../../../traces/notation.ts';
import { digester, headerOf } from '../../helpers/scene.ts';
import { runs, onlyThoroughly } from '../../helpers/seed.ts';

const OPTIONS: ShrinkOptions = { check: 'changes', digester };
const evaluator = new Evaluator(OPTIONS);
const THE_BUG = ['caches-partial-pages', 'assembly-copies-whole-page'];

const on = ({ header, ops }: Candidate, name: string): Candidate => ({ header: { ...header, kernel: { ...header.kernel, name } }, ops });
const stored = async (path: string): Promise<Candidate> =>
  on(await readTrace(join(import.meta.dirname, '../../../traces', path)), 'kevlar@m9.8');
/** Ops, each touched page counted as one. */
const stepsOf = ({ ops }: Candidate): number => ops.reduce((sum, op) => sum + (op.op === 'touch' ? (op.pages ?? 1) : 1), 0);

/** What must hold of every result. */
function expectSound(start: Candidate, result: ShrinkResult): void {
  const before = evaluator.evaluate(start).headline!;
  const after = evaluator.evaluate(result.trace);
  expect(signatureText(after.headline!)).to.equal(signatureText(before));
  const { kind, id, op } = after.headline!;
  expect(result.trace.header.expect).to.deep.equal({ verdict: 'failed', kind, id, op, digest: after.digest });
  expect(result.trace.ops.length).to.be.at.most(start.ops.length);
}

/** Random traces that fail on the kernel, with injected faults; other failures than of the kernel's decisions are left out. */
function failing(count: number, kernels: fc.Arbitrary<string>): Candidate[] {
  const drawn = fc.sample(fc.tuple(randomTrace(true), kernels), { numRuns: count * 20 });
  const found: Candidate[] = [];
  for (const [trace, name] of drawn) {
    if (found.length === count) break;
    const candidate = on(trace, name);
    if (evaluator.evaluate(candidate).headline !== undefined && evaluator.evaluate(on(trace, 'kevlar')).headline === undefined)
      found.push(candidate);
  }
  return found;
}

describe('shrinking a recorded run', () => {
  it('leaves ten ops or fewer and the decisions to blame', async () => {
    const start = await stored('reconstructed/busybox-102.jsonl.gz');
    const result = shrinkTrace(start, OPTIONS);
    expectSound(start, result);
    expect(result.trace.ops.length).to.be.at.most(10);
    expect(result.trace.header.kernel.assembleThreshold).to.equal(0);
    expect(result.rules).to.deep.equal(THE_BUG);
    expect(result.isComplete).to.equal(true);
  });

  it('stays near the threshold if that must stay', async function () {
    onlyThoroughly(this);
    const start = await stored('recorded/suite20-0x400000.jsonl.gz');
    const result = shrinkTrace(start, { ...OPTIONS, fixed: ['threshold'] });
    expectSound(start, result);
    const { name: _, ...parameters } = start.header.kernel;
    expect(result.trace.header.kernel).to.deep.include(parameters);
    expect(result.trace.header.files).to.deep.equal(start.header.files);
    // exec, 128 pages, exec.
    expect(stepsOf(result.trace)).to.be.within(130, 156);
    expect(result.rules).to.deep.equal(THE_BUG);
  });
}).timeout(120_000);

describe('shrinking a random trace', () => {
  it('keeps the signature, and says what is left and why (mutants)', () => {
    for (const { id } of fc.sample(fc.constantFrom(...MUTANTS), runs(8))) {
      for (const start of failing(1, fc.constant(`kevlar+${id}`))) {
        const result = shrinkTrace(start, OPTIONS);
        expectSound(start, result);
        expect(result.rules).to.deep.equal([id]);
        expect(result.certificate?.map(({ op }) => op)).to.deep.equal(result.trace.ops.map((_, i) => i));
      }
    }
  }).timeout(120_000);

  it('keeps the signature if there is another bug (two mutants)', () => {
    const ids = MUTANTS.map(({ id }) => id);
    const pairs = fc.uniqueArray(fc.constantFrom(...ids), { minLength: 2, maxLength: 2 }).map((pair) => `kevlar+${pair.join('+')}`);
    for (const start of failing(runs(10), pairs)) expectSound(start, shrinkTrace(start, OPTIONS));
  }).timeout(120_000);

  it('leaves no op that could go: the certificate is true', () => {
    for (const start of failing(runs(5), fc.constant('kevlar@m9.8.1'))) {
      const { trace, certificate, signature } = shrinkTrace(start, OPTIONS);
      for (const { op, without } of certificate!) {
        const { headline } = evaluator.evaluate({ header: trace.header, ops: trace.ops.filter((_, i) => i !== op) });
        expect(headline === undefined ? 'holds' : 'other').to.equal(without);
        expect(headline === undefined || signatureText(headline) !== signatureText(signature)).to.equal(true);
      }
    }
  });
});

/** Drives a shrink by hand: the first answers are given, the others are worked out. @returns them all, and the result */
function drive(
  start: Candidate,
  given: readonly Answer[],
  answersMax = Infinity,
): { readonly answers: readonly Answer[]; readonly result: ShrinkResult } {
  const own = evaluatorFor(OPTIONS);
  const steps = shrinkSteps(start, OPTIONS, own);
  const answers: Answer[] = [];
  for (let step = steps.next(); ;) {
    if (step.done === true) return { answers, result: step.value };
    const { value } = step;
    if (value.kind === 'accepted' || value.kind === 'pause' || answers.length >= answersMax) step = steps.next();
    else {
      const answer =
        given[answers.length] ??
        answerFrom(
          value,
          value.candidates.map((one) => own.evaluate(one)),
        );
      answers.push(answer);
      step = steps.next(answer);
    }
  }
}

describe('a shrink', () => {
  const BUGGY = 'kevlar+dontneed-does-nothing';
  const scene = (kernel: string): Candidate => ({
    header: { ...headerOf(), kernel: { ...headerOf().kernel, name: kernel } },
    ops: parseNotation(`
      p1 exec /bin/program
      p1 fork p2
      p2 mmap 0x0 8192 rw private,anonymous
      p2 touch w 0xa00000000+2
      p1 touch r 0x10000
      p2 madvise 0xa00000000 4096 dontneed
      p2 touch r 0xa00000000
      p2 exit`),
  });

  it('is the same from any part of its answers (ten places)', () => {
    for (const start of failing(runs(1), fc.constant('kevlar@m9.8.1'))) {
      const { answers, result } = drive(start, []);
      for (let i = 0; i < 10; i++) {
        const resumed = drive(start, answers.slice(0, Math.floor((answers.length * i) / 10)));
        expect(resumed.result).to.deep.equal(result);
        expect(resumed.answers).to.deep.equal(answers);
      }
    }
  }).timeout(120_000);

  it('has a failing trace at every moment', () => {
    const start = scene(BUGGY);
    const { answers } = drive(start, []);
    for (let i = 0; i <= answers.length; i++) {
      const { result } = drive(start, answers, i);
      expectSound(start, result);
      expect(result.isComplete).to.equal(i === answers.length);
    }
  });

  it('ends when its replays are used up, and says so', () => {
    const result = shrinkTrace(scene(BUGGY), { ...OPTIONS, replaysMax: 3 });
    expectSound(scene(BUGGY), result);
    expect(result).to.include({ isComplete: false, certificate: undefined });
    expect(result.replays).to.be.within(1, 12);
  });

  it('ends when the time is up', () => {
    let looks = 0;
    const result = shrinkTrace(scene(BUGGY), { ...OPTIONS, isOutOfTime: () => ++looks > 30 });
    expectSound(scene(BUGGY), result);
    expect(result.isComplete).to.equal(false);
  });

  it('keeps a finding that the verdict does not name, if that is wanted', () => {
    const start = scene('kevlar+stack-executable+dontneed-does-nothing');
    const result = shrinkTrace(start, { ...OPTIONS, wanted: 'prot-subset' });
    expect(result.trace.ops).to.have.length(1);
    expect(result.rules).to.deep.equal(['stack-executable']);
    expect(evaluator.evaluate(result.trace).headline).to.include({ kind: 'invariant', id: 'prot-subset' });
    expect(() => shrinkTrace(start, { ...OPTIONS, wanted: 'no-leak' })).to.throw(ShrinkError, 'does not show no-leak');
  });

  it('files another failure that it meets on the way', () => {
    const start: Candidate = {
      header: { ...headerOf(), kernel: { ...headerOf().kernel, name: 'kevlar+dontneed-does-nothing+refused-access-refreshed' } },
      ops: parseNotation(`
        p1 mmap 0x200000 4096 r private,anonymous,fixed
        p1 mprotect 0x200000 4096 rw
        p1 touch w 0x200000
        p1 madvise 0x200000 4096 dontneed
        p1 touch r 0x200000`),
    };
    const { slipped, signature } = shrinkTrace(start, OPTIONS);
    expect(signature.id).to.equal('zero-gap');
    for (const other of slipped) expect(signatureText(evaluator.evaluate(other.trace).headline!)).to.equal(signatureText(other.signature));
    expect(slipped.map(({ signature: { id } }) => id)).to.include('fault-progress');
  });

  it('refuses a trace that does not fail', () => {
    expect(() => shrinkTrace(scene('kevlar'), OPTIONS)).to.throw(ShrinkError, 'does not fail');
  });
});
