/** Everything twice: equal runs are equal, and a planted difference is found at its op and named. */
import { expect } from 'chai';
import { frameOfPte, KERNELS, pfn, pid, vpnOf, type Mutant, type NamedKernel } from '../../kernel-model/index.ts';
import { createDigester, type Digester } from '../../sim/digest.ts';
import type { ReplayOptions } from '../../sim/replay.ts';
import { describeRunDifference, runTwice, Twins } from '../../sim/twice.ts';
import type { TraceHeader } from '../../traces/header.ts';
import { parseNotation } from '../../traces/notation.ts';

const HEADER: TraceHeader = {
  faultline: 1,
  kernel: { name: 'kevlar', frames: 512 },
  files: [{ path: '/f', size: 8192, immutable: true, content: { seed: 'f' } }],
};
const OPS = parseNotation(`
  p1 mmap 0x0 8192 r private path=/f offset=0x0 = 0xa00000000
  p1 mmap 0x0 8192 rw private,anonymous = 0xa00002000
  p1 touch w 0xa00002000
  p1 touch r 0xa00000000
  p1 touch r 0xa00001000
  p1 exit 0
`);

/** Hidden state: every other fill is cached, counted over both runs, which no rule may do. */
function kernelWithMemory(): NamedKernel {
  let asked = 0;
  const forgetful: Mutant = {
    id: 'remembers',
    rule: 'mayCache',
    says: 'caches every other page that it is asked about, in whatever run',
    source: 'planted',
    section: undefined,
    brokenBy: [],
    apply: (base) =>
      class extends base {
        override mayCache(): boolean {
          return asked++ % 2 === 0;
        }
      },
  };
  return { ...KERNELS[0]!, name: 'kevlar+remembers', mutants: [forgetful] };
}

describe('everything twice', () => {
  let digester: Digester;
  before(async () => {
    digester = await createDigester();
  });
  const options = (more: Partial<ReplayOptions> = {}): ReplayOptions => ({ check: 'changes', digester, ...more });

  for (const { name } of KERNELS) {
    it(`finds no difference between equal runs (${name})`, () => {
      const { result, difference } = runTwice({ header: HEADER, ops: OPS }, options({ kernel: name, keepGoing: true }), 1);
      expect(difference).to.equal(undefined);
      expect(result.ops).to.equal(OPS.length);
    });
  }

  it('names the op and the event of a rule with hidden state', () => {
    const { difference } = runTwice({ header: HEADER, ops: OPS }, options({ kernel: kernelWithMemory(), check: 'none' }));
    expect(difference).to.include({ op: 3, alikeAfter: 2, isAnswer: false });
    expect(difference!.event!.types).to.include('cache_insert');
    expect(difference!.parts).to.include('cache');
    expect(describeRunDifference(difference!)).to.match(/^the two runs differ at op 3: event \d+ is \w+ and \w+; in the state: /);
  });

  it('names the part of the state when no event tells of it', () => {
    const twins = new Twins(HEADER, options({ check: 'none' }), 1);
    for (const op of OPS.slice(0, 4)) expect(twins.step(op)).to.equal(true);
    const { kernel } = twins.second.machine;
    const entry = kernel.tables.entryOf(kernel.processes.get(pid(1))!.space.root, vpnOf(0xa00002000));
    kernel.memory.page(pfn(frameOfPte(entry)))[5] = 1;
    expect(twins.step(OPS[4]!)).to.equal(false);
    expect(twins.difference).to.include({ op: 4, alikeAfter: 3, event: undefined });
    expect(twins.difference!.parts).to.deep.equal(['entries']);
  });

  it('says between which ops a difference arose if the state is looked at seldom', () => {
    const twins = new Twins(HEADER, options({ check: 'none' }), 2);
    for (const op of OPS.slice(0, 3)) twins.step(op);
    twins.second.machine.kernel.counts.execs = 7;
    twins.finish();
    expect(twins.difference).to.include({ op: 2, alikeAfter: 1 });
  });

  it('asks the clock once for both', () => {
    let asked = 0;
    const { result, difference } = runTwice({ header: HEADER, ops: OPS }, options({ isOutOfTime: () => ++asked > 1 }));
    expect(difference).to.equal(undefined);
    expect(result.verdict).to.equal('held');
  });
});
