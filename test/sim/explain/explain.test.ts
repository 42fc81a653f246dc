/** Explanations: of every wrong decision that is known, of the bug of the post, and of runs with nothing to explain. */
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { kernelNamed, MUTANTS, Rules, type Mutant, type NamedKernel } from '../../../kernel-model/index.ts';
import { readTrace } from '../../../sim/cli/trace-file.ts';
import { createDigester } from '../../../sim/digest.ts';
import { explainedDocument } from '../../../sim/explain/document.ts';
import { explain, type Explained, type ExplainOptions, type Explanation } from '../../../sim/explain/explain.ts';
import { kernelOnly } from '../../../sim/explain/guilt.ts';
import { RIGHT_RULES, statementOf } from '../../../sim/explain/rule-texts.ts';
import { RULE_NAMES, spiedOn } from '../../../sim/explain/spy.ts';
import { storyOf } from '../../../sim/explain/steps.ts';
import { explanationLines } from '../../../sim/explain/text.ts';
import { replay } from '../../../sim/replay.ts';
import type { Trace } from '../../../traces/codec.ts';
import { onlyThoroughly } from '../../helpers/seed.ts';

const TRACES = new URL('../../../traces/', import.meta.url);
const digester = await createDigester();
const traceAt = (path: string): Promise<Trace> => readTrace(new URL(path, TRACES).pathname);

function run(trace: Trace, options: Partial<ExplainOptions> = {}): Explained {
  const steps = explain(trace, { check: 'changes', digester, ...options });
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function explained(trace: Trace, options: Partial<ExplainOptions> = {}): Explanation {
  const result = run(trace, options);
  if (result.kind === 'holds') throw new Error(`the trace does not fail: ${result.result.verdict}`);
  return result.explanation;
}

const blamed = ({ guilt }: Explanation): string[] => guilt.decisions.map(({ mutant }) => mutant.id);
/** The text without its line ends. */
const prose = (explanation: Explanation): string => explanationLines(explanation).join(' ').replace(/\s+/g, ' ');

describe('an explanation', () => {
  describe('of each regression', () => {
    const names = readdirSync(new URL('regressions/', TRACES)).filter((name) => name.endsWith('.jsonl'));
    for (const name of names) {
      it(`${name} blames its decision, and what that needs, and says at which op it was taken`, async () => {
        const trace = await traceAt(`regressions/${name}`);
        const explanation = explained(trace, { check: 'every' });
        const mutant = MUTANTS.find(({ id }) => `${id}.jsonl` === name)!;
        const { finding, guilt, right } = explanation;
        expect(blamed(explanation)).to.have.members([mutant.id, ...(mutant.needs === undefined ? [] : [mutant.needs])]);
        expect(guilt.decisions.every(({ curesAlone }) => curesAlone)).to.equal(true);
        expect(right).to.deep.include({ kernel: 'kevlar', finding: undefined });
        const ops = storyOf(explanation).steps.filter(({ wrong }) => wrong.some(({ rule }) => rule === mutant.rule));
        expect(ops).to.have.length(1);
        expect(ops[0]!.op).to.be.at.most(finding.op);
        expect(finding).to.include({ kind: trace.header.expect?.kind, id: trace.header.expect?.id, op: trace.header.expect?.op });
        expect(prose(explanation)).to.include(mutant.says.slice(1));
      });
    }

    it('has lines of at most 80 columns, but for single words and dumps', async () => {
      for (const name of names.slice(0, 20)) {
        for (const line of explanationLines(explained(await traceAt(`regressions/${name}`), { check: 'every' })))
          expect(line.trim().includes(' ') ? line.length : 0, line).to.be.at.most(80);
      }
    });
  });

  describe('of the bug of the post', () => {
    it('tells of the whole page that was copied (exec-127-tail, kevlar@m9.8)', async () => {
      const explanation = explained(await traceAt('reconstructed/exec-127-tail.jsonl'));
      expect(blamed(explanation)).to.deep.equal(['caches-partial-pages', 'assembly-copies-whole-page']);
      const text = prose(explanation);
      for (const fact of [
        'Pid 2 has 0x65 at 0x51c000 and must have 0x0: it lies in a pad between two segments.',
        'The 0x65 is byte 0x11b000 of /bin/busybox, read at op 2. Op 4 copied it out of frame',
        'page 283 (0x11b) of /bin/busybox has bytes of 2 VMAs of this process',
        '0x51cbf0-0x521bf8 rw-p /bin/busybox+0x11bbf0',
        'enters the page cache as page 283 (0x11b) of /bin/busybox: 496 file bytes, then 3600 zeros',
        '128 pages of the region 0x400000 cached, the threshold is 128',
        'sub-page 284 (0x51c000): bytes 0 to 4096 copied from the cached page 283 (0x11b)',
        'the rule assemblySource (start 3056, length 1040, extent 4096, writable, not shared) answers cachedPage; right is file',
        'Assembly may copy a cached page only where the VMA wants all 4096 bytes of it',
        'kevlar holds over the same 5 ops',
        'It fails so up to 128, and nowhere above.',
      ])
        expect(text).to.include(fact);
    });

    it('tells of the fix between: the data’s head is the zeros of a frame that was cached in part (kevlar@m9.8-half)', async () => {
      const explanation = explained(await traceAt('reconstructed/exec-127-tail.jsonl'), { kernel: 'kevlar@m9.8-half' });
      expect(blamed(explanation)).to.deep.equal(['caches-partial-pages', 'assembly-trusts-cached-range']);
      const text = prose(explanation);
      expect(text).to.include('Pid 2 has 0x0 at 0x51cbf0 and must have 0xc0: it is byte 0x11bbf0 of /bin/busybox.');
      expect(text).to.include('The 0x0 is the zero fill of a frame taken at op 2.');
    });

    it('finds it in the suite of 15,666 ops, at thresholds from 0 to 167 (kevlar@m9.8)', async function () {
      onlyThoroughly(this);
      this.timeout(120_000);
      const explanation = explained(await traceAt('reconstructed/busybox-102.jsonl.gz'), { kernel: 'kevlar@m9.8' });
      expect(blamed(explanation)).to.deep.equal(['caches-partial-pages', 'assembly-copies-whole-page']);
      expect(explanation.finding).to.include({ op: 8189, pid: 98 });
      expect(explanation.guilt).to.include({ kind: 'decisions', of: 28, confirmedOn: 8190 });
      expect(explanation.guilt.triedOn).to.be.below(1000);
      const { rows, ...others } = explanation.thresholds;
      expect(others).to.include({ own: 128, mostCached: 167, failsFrom: 0, failsTo: 167, isMonotone: true });
      expect(rows.map(({ threshold, outcome }) => `${threshold} ${outcome}`)).to.deep.equal([
        '0 same',
        '128 same',
        '167 same',
        '600 holds',
      ]);
      // Pid 2 is the first to fail at 0, as the post has it.
      expect(rows[0]?.finding?.pid).to.equal(2);
    });
  });

  describe('of other failures', () => {
    it('names the finding that was asked for', async () => {
      const explanation = explained(await traceAt('reconstructed/exec-127-tail.jsonl'), { finding: 'cache-truth' });
      expect(explanation.finding).to.include({ kind: 'invariant', id: 'cache-truth', op: 1 });
      expect(blamed(explanation)).to.deep.equal(['caches-partial-pages']);
      expect(explanation.guilt.decisions[0]?.curesAlone).to.equal(true);
    });

    it('says which frames are left over', async () => {
      const explanation = explained(await traceAt('regressions/no-teardown.jsonl'), { finding: 'no-leak' });
      expect(explanation.finding.op).to.equal(1);
      expect(explanation.leaks).to.not.deep.equal([]);
      expect(blamed(explanation)).to.deep.equal(['no-teardown']);
      expect(prose(explanation)).to.match(/1 frame taken as table, still held/);
    });

    it('finds both sets where two do the same', async () => {
      const trace = await traceAt('regressions/brk-ignores-huge-leaf.jsonl');
      const twin: Mutant = { ...MUTANTS.find(({ id }) => id === 'brk-ignores-huge-leaf')!, id: 'twin' };
      const right = kernelNamed('kevlar') as NamedKernel;
      const kernel = { ...right, name: 'twins', mutants: [twin, ...(kernelNamed('kevlar+brk-ignores-huge-leaf') as NamedKernel).mutants] };
      const { guilt } = explained(trace, { kernel });
      expect(guilt.decisions.map(({ curesAlone }) => curesAlone)).to.deep.equal([false]);
      expect([...guilt.decisions.map(({ mutant }) => mutant.id), ...guilt.others.flat().map(({ id }) => id)]).to.have.members([
        'twin',
        'brk-ignores-huge-leaf',
      ]);
    });

    it('says of a run without a failure that there is none', async () => {
      const result = run(await traceAt('reconstructed/exec-127-tail.jsonl'), { kernel: 'kevlar' });
      expect(result).to.deep.include({ kind: 'holds' });
      expect(explainedDocument(result)).to.include({ explained: false, verdict: 'held', kernel: 'kevlar', ops: 9 });
    });

    it('is the same twice', async () => {
      const trace = await traceAt('regressions/template-never-rebuilt.jsonl');
      expect(JSON.stringify(explainedDocument(run(trace)))).to.equal(JSON.stringify(explainedDocument(run(trace))));
    });
  });
});

describe('a spy', () => {
  it('changes nothing of a run, and hears what is wrong', async () => {
    const trace = await traceAt('reconstructed/exec-127-tail.jsonl');
    const kernel = kernelNamed('kevlar@m9.8') as NamedKernel;
    const heard = new Set<string>();
    const spied = spiedOn(kernel, ({ rule, answer, right }) => {
      expect(answer).to.not.equal(right);
      heard.add(rule);
    });
    const [plain, watched] = [kernel, spied].map((one) => replay(trace, { digester, check: 'changes', kernel: one }));
    expect(watched!.digest).to.equal(plain!.digest);
    expect([...heard]).to.include.members(['mayCache', 'assemblySource']);
  });

  it('hears nothing of the right kernel', async () => {
    const heard: string[] = [];
    const spied = spiedOn(kernelNamed('kevlar') as NamedKernel, ({ rule }) => heard.push(rule));
    replay(await traceAt('reconstructed/exec-127-tail.jsonl'), { digester, check: 'changes', kernel: spied });
    expect(heard).to.deep.equal([]);
  });

  it('knows every rule, and what the right one says', () => {
    expect(Object.keys(RIGHT_RULES)).to.have.members(RULE_NAMES);
    expect(RULE_NAMES.length).to.equal(Object.getOwnPropertyNames(Rules.prototype).length - 1);
  });
});

describe('kernelOnly', () => {
  it('names the kernel that it makes so that the name makes it again', () => {
    for (const name of [
      'kevlar@m9.8',
      'kevlar@719f0c0',
      'kevlar+no-teardown+stack-executable',
      'kevlar@m9.8.1~no-teardown+caches-writable-pages',
    ]) {
      const kernel = kernelNamed(name) as NamedKernel;
      for (const one of kernel.mutants) {
        const less = kernelOnly(
          kernel,
          kernel.mutants.filter((mutant) => mutant !== one),
        );
        const again = kernelNamed(less.name) as NamedKernel;
        expect(again.mutants.map(({ id }) => id)).to.have.members(less.mutants.map(({ id }) => id));
        expect(again.segmentBounds).to.equal(kernel.segmentBounds);
      }
    }
  });
});

describe('a statement', () => {
  it('there is one of every invariant that a wrong decision is seen by', () => {
    for (const id of new Set(MUTANTS.flatMap(({ brokenBy }) => brokenBy))) expect(statementOf(id), id).to.be.a('string');
  });
});
