/** Replay: limits, divergence, marks, expectations, and that a run is the same whenever it is run. */
import { expect } from 'chai';
import { DEFAULT_PARAMETERS, type KernelEvent } from '../../kernel-model/index.ts';
import { Replay, ReplayError } from '../../sim/replay.ts';
import type { KernelSpec } from '../../traces/header.ts';
import { parseNotation } from '../../traces/notation.ts';
import { digester, findingsOf, headerOf, kernelThat, play, type SceneOptions } from '../helpers/scene.ts';

const MAPPED = `
  p1 mmap 0x0 8192 rw private,anonymous
  p1 touch w 0xa00000000+2
  p1 touch r 0xa00000000+2`;
/** Each op that follows the first three is a visible failure on this kernel. */
const FORGETFUL = { kernel: 'kevlar+dontneed-does-nothing' };
const FAILING = `
  ${MAPPED}
  p1 madvise 0xa00000000 4096 dontneed
  p1 touch r 0xa00000000
  p1 madvise 0xa00001000 4096 dontneed
  p1 touch r 0xa00001000`;

describe('a verdict', () => {
  it('is held, with the counts of the run, if nothing fails', () => {
    const result = play(`p1 exec /bin/program\n${MAPPED}`);
    expect(result).to.include({
      verdict: 'held',
      failure: undefined,
      ops: 4,
      execs: 1,
      kernel: 'kevlar',
      threshold: 128,
      checks: undefined,
      expectation: undefined,
    });
    expect(result.faults).to.be.above(0);
    expect(result.digest).to.match(/^[0-9a-f]{16}$/);
  });

  it('is failed at the first failure that a program could notice, where the run ends', () => {
    const result = play(FAILING, FORGETFUL);
    expect(result).to.include({ verdict: 'failed', ops: 4 });
    expect(result.failure).to.include({ kind: 'reference', id: 'zero-gap', op: 3 });
  });

  it('names an earlier broken invariant only if a program could notice nothing', () => {
    const ops = `p1 mmap 0x0 16384 rw private,anonymous\np1 touch w 0xa00000000\np1 mprotect 0xa00000000 16384 none`;
    const kernel = { kernel: 'kevlar+prot-none-keeps-huge-leaf' };
    expect(play(ops, kernel).failure).to.include({ kind: 'invariant', id: 'prot-subset', op: 2 });
    const seen = play(`${ops}\np1 touch r 0xa00000000`, kernel);
    expect(findingsOf(seen)).to.deep.equal(['invariant prot-subset @2', 'outcome outcome-ref @3']);
    expect(seen.failure).to.include({ kind: 'outcome', id: 'outcome-ref', op: 3 });
  });

  it('is limit if ops are left when the limit is reached, by number or by time', () => {
    expect(play(MAPPED, { opsMax: 2 })).to.include({ verdict: 'limit', ops: 2 });
    expect(play(MAPPED, { opsMax: 0 })).to.include({ verdict: 'limit', ops: 0 });
    expect(play(MAPPED, { opsMax: 3 })).to.include({ verdict: 'held', ops: 3 });
    expect(play(MAPPED, { isOutOfTime: () => true })).to.include({ verdict: 'limit', ops: 0 });
    expect(play(MAPPED, { isOutOfTime: () => false })).to.include({ verdict: 'held', ops: 3 });
  });

  it('is failed although a limit was reached, if something failed before', () => {
    expect(play(FAILING, { ...FORGETFUL, keepGoing: true, opsMax: 5 })).to.include({ verdict: 'failed', ops: 5 });
  });

  it('is of the ops before `until`, without the checks of an end', () => {
    expect(play(FAILING, { ...FORGETFUL, until: 3 })).to.include({ verdict: 'held', ops: 3 });
    expect(play(FAILING, { ...FORGETFUL, until: 4 })).to.include({ verdict: 'failed', ops: 4 });
    const leaky: SceneOptions = { kernel: 'kevlar+no-teardown' };
    expect(findingsOf(play('p1 exec /bin/program', { ...leaky, until: 1 }))).to.deep.equal(['invariant refcount-exact @0']);
    expect(findingsOf(play('p1 exec /bin/program', leaky))).to.deep.equal(['invariant refcount-exact @0', 'invariant no-leak @1']);
  });
});

describe('keepGoing', () => {
  it('runs on past failures, finds each signature once, and the first is the verdict', () => {
    const result = play(FAILING, { ...FORGETFUL, keepGoing: true });
    expect(result.ops).to.equal(7);
    expect(findingsOf(result)).to.deep.equal(['reference zero-gap @3']);
  });

  it('counts checks: passed, failed, and those that do not count', () => {
    const ops = `
      p1 mark one
      ${MAPPED}
      p1 mark two
      p1 madvise 0xa00000000 4096 dontneed
      p1 mark three counts=never
      p1 touch r 0xa00000000
      p1 mark four counts=ifHeld
      p1 touch r 0xa00000000
      p1 mark five counts=ifHeld
      p1 mark six`;
    const quiet = { ...FORGETFUL, keepGoing: true, check: 'end' as const };
    expect(play(ops, quiet).checks).to.deep.equal({ passed: 4, failed: 0, skipped: 2, firstFailed: undefined });
    expect(play(ops, { keepGoing: true }).checks).to.deep.equal({ passed: 5, failed: 0, skipped: 1, firstFailed: undefined });
    const loud = play(ops.replace('p1 mark three counts=never', 'p1 mark three'), quiet);
    expect(loud.checks).to.deep.equal({ passed: 4, failed: 1, skipped: 1, firstFailed: 'three' });
  });
});

describe('a recorded result', () => {
  const divergenceOf = (ops: string, options: SceneOptions = {}) => play(ops, options).divergence;

  it('that differs is a divergence, the first of which is reported and does not end the run', () => {
    const result = play(`${MAPPED}\np1 munmap 0xa00000000 4096 = EINVAL\np1 fork p2 = 7\np1 touch r 0xa00001000`);
    expect(result).to.include({ verdict: 'diverged', ops: 6 });
    expect(result.divergence).to.deep.equal({ op: 3, name: 'munmap', recorded: 'EINVAL', actual: 0 });
  });

  it('that is an address is followed: later ops in that range move along', () => {
    const result = play(
      `
      p1 mmap 0x0 8192 rw private,anonymous = 0x7f0000000000
      p1 touch w 0x7f0000000800
      p1 touch r 0x7f0000001000
      p1 munmap 0x7f0000000000 8192 = 0`,
      { spec: { hugePages: 512 } },
    );
    expect(result).to.include({ verdict: 'held', divergence: undefined });
    expect(divergenceOf('p1 mmap 0x0 4096 rw private,anonymous = ENOMEM')).to.include({ recorded: 'ENOMEM', actual: 0xa_0000_0000 });
    expect(divergenceOf('p1 mmap 0x0 0 rw private,anonymous = 0x7f0000000000')).to.include({ actual: 'EINVAL' });
  });

  it('follows heap and stack, from fork to child, and no further than the next exec', () => {
    const result = play(
      `
      p1 exec /bin/program stack=0x400000800000
      p1 touch w 0x4000007ff000
      p1 brk 0x0 = 0x1a2000
      p1 brk 0x1a4000 = 0x1a4000
      p1 touch w 0x1a2000+2
      p1 fork p2 = 2
      p2 touch r 0x1a3000
      p2 exec /bin/program
      p2 touch r 0x1a3000`,
      { spec: { hugePages: 512 } },
    );
    expect(result).to.include({ verdict: 'held' });
    expect(result.faults).to.be.above(0);
    expect(play('p1 exec /bin/program stack=0x400000800000\np1 touch w 0x4000007ff000', { check: 'none' }).digest).to.not.equal(
      play('p1 exec /bin/program\np1 touch w 0x4000007ff000', { check: 'none' }).digest,
    );
  });

  it('of wait and of touch is not compared', () => {
    expect(divergenceOf('p1 fork p2\np2 exit 0\np1 wait p2 = 2\np1 touch r 0x1000')).to.equal(undefined);
  });
});

describe('an expectation', () => {
  const outcome = (expected: SceneOptions['expect'], options: SceneOptions = FORGETFUL) =>
    play(FAILING, { ...options, expect: expected! }).expectation;

  it('is met if verdict and each field that is given come so', () => {
    const { digest } = play(FAILING, FORGETFUL);
    expect(outcome({ verdict: 'failed' })).to.equal('met');
    expect(outcome({ verdict: 'failed', kind: 'reference', id: 'zero-gap', op: 3, digest })).to.equal('met');
    expect(outcome({ verdict: 'held' }, {})).to.equal('met');
  });

  it('is not met if one of them differs', () => {
    expect(outcome({ verdict: 'held' })).to.equal('notMet');
    expect(outcome({ verdict: 'failed', kind: 'outcome' })).to.equal('notMet');
    expect(outcome({ verdict: 'failed', id: 'content-ref' })).to.equal('notMet');
    expect(outcome({ verdict: 'failed', op: 4 })).to.equal('notMet');
    expect(outcome({ verdict: 'failed', digest: '0000000000000000' })).to.equal('notMet');
    expect(outcome({ verdict: 'failed' }, {})).to.equal('notMet');
  });
});

describe('a replay', () => {
  it('is the same run whenever it is run, whatever is checked on the way', () => {
    const ops = `p1 exec /bin/program\n${MAPPED}\np1 fork p2\np2 touch w 0xa00000000\np2 exit 0`;
    const digests = (['every', 'changes', 'end', 'none', 'every'] as const).map((check) => play(ops, { check }).digest);
    expect(new Set(digests)).to.have.property('size', 1);
    expect(play(`${ops}\np1 touch w 0xa00001000 value=0x7`).digest).to.not.equal(digests[0]);
    const profiles = (['fortress', 'balanced', 'performance', 'ludicrous'] as const).map(
      (profile) => play(ops, { spec: { profile } }).digest,
    );
    expect(new Set(profiles)).to.deep.equal(new Set([digests[0]]));
  });

  it('has a chain of digests that parts at the first op that differs', () => {
    const chains = (ops: string): readonly string[] => {
      const run = new Replay(headerOf(), { check: 'none', digester });
      return parseNotation(ops).map((op) => (run.step(op), run.chain()));
    };
    const [a, b] = [chains(`${MAPPED}\np1 fork p2\np1 fork p3`), chains(`${MAPPED}\np1 fork p4\np1 fork p3`)];
    expect(a.map((digest, i) => digest === b[i])).to.deep.equal([true, true, true, false, false]);
  });

  it('hands on every event with the op that caused it', () => {
    const events: [KernelEvent['type'], number][] = [];
    play(MAPPED, { onEvent: ({ type }, op) => events.push([type, op]), until: 3 });
    expect(events.filter(([type]) => type === 'page_mapped' || type === 'page_fault').every(([, op]) => op === 1)).to.equal(true);
    expect(events.map(([, op]) => op)).to.deep.equal(events.map(([, op]) => op).sort());
  });

  it('takes no op after it is over', () => {
    const run = new Replay(headerOf(), { check: 'every', digester, until: 1 });
    const [op] = parseNotation('p1 mmap 0x0 4096 rw private,anonymous');
    expect([run.step(op!), run.step(op!), run.step(op!)]).to.deep.equal([false, false, false]);
    expect(run.finish().ops).to.equal(1);
  });

  it('takes its kernel from the options before the header, and parameters from options, header, kernel, defaults', () => {
    const thresholdOf = (spec: Partial<KernelSpec>, options: SceneOptions & { parameters?: { assembleThreshold: number } } = {}): number =>
      new Replay(headerOf({ spec }), { check: 'none', ...options, digester }).machine.kernel.parameters.assembleThreshold;
    expect(thresholdOf({})).to.equal(DEFAULT_PARAMETERS.assembleThreshold);
    expect(thresholdOf({ assembleThreshold: 5 })).to.equal(5);
    expect(thresholdOf({ assembleThreshold: 5 }, { parameters: { assembleThreshold: 7 } })).to.equal(7);
    expect(play(FAILING, { spec: { name: 'kevlar+dontneed-does-nothing' }, kernel: 'kevlar' }).verdict).to.equal('held');
    const templates = (name: string): boolean =>
      new Replay(headerOf({ spec: { name } }), { check: 'none', digester }).machine.kernel.parameters.prefaultTemplates;
    expect([templates('kevlar'), templates('kevlar@m9.8.1')]).to.deep.equal([true, false]);
  });

  it('refuses a kernel or a parameter that does not exist, and says which', () => {
    const made = (spec: Partial<KernelSpec>) => () => new Replay(headerOf({ spec }), { check: 'none', digester });
    expect(made({ name: 'kevlar+eats-memory' })).to.throw(ReplayError, '"eats-memory"');
    expect(made({ frames: 7 })).to.throw(ReplayError, 'frames');
    expect(made({ frames: 10 ** 12 })).to.throw(ReplayError, 'frames');
    expect(made({ refcountMax: 0 })).to.throw(ReplayError, 'refcountMax');
    expect(made({ tlbEntries: 24 })).to.throw(ReplayError, 'tlbEntries');
  });

  it('lets an error that is no broken truth of the kernel through: it is a bug of faultline', () => {
    const kernel = kernelThat(
      'pageContent',
      (base) =>
        class extends base {
          override pageContent(): 'everyVma' {
            throw new TypeError('not of the kernel');
          }
        },
    );
    expect(() => play(MAPPED, { kernel })).to.throw(TypeError, 'not of the kernel');
  });
});
