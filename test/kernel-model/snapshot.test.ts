/** Snapshots and digests of random states: going back gives the same state, again and again, and frames have no names. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  digestParts,
  drain,
  dropCaches,
  exit,
  INVARIANTS,
  pid,
  restoreSnapshot,
  STATE_PARTS,
  Survey,
  takeSnapshot,
  truncate,
  type Kernel,
} from '../../kernel-model/index.ts';
import { createDigester } from '../../sim/digest.ts';
import { programFile } from '../helpers/files.ts';
import { fileOf, kernelWith } from '../helpers/model.ts';
import { runs } from '../helpers/seed.ts';
import { apply, someStep, type Step } from '../helpers/steps.ts';

const digester = await createDigester();
const digestsOf = (k: Kernel): Readonly<Record<string, string>> => digestParts(k, () => digester.create());

/** The invariants that do not hold. */
function brokenIn(k: Kernel): readonly string[] {
  const survey = new Survey(k);
  return INVARIANTS.flatMap(({ id, check }) => {
    const violation = check(k, survey);
    return violation === undefined ? [] : [`${id}: ${violation.message}`];
  });
}

/** A kernel with a process, ready for steps. */
function started(parameters: Parameters<typeof kernelWith>[0] = {}): Kernel {
  const k = kernelWith({ files: [fileOf('/f', 9000), programFile()], ...parameters });
  k.spawn(pid(1));
  return k;
}

function run(k: Kernel, steps: readonly Step[]): void {
  for (const step of steps) apply(k, step);
}

const someSteps = fc.array(someStep, { maxLength: 40 });

describe('a snapshot', () => {
  it('is the state to which a restore goes back, and from which the same steps lead to the same state (twice)', () => {
    fc.assert(
      fc.property(someSteps, someSteps, someSteps, (before, after, elsewhere) => {
        const k = started();
        run(k, before);
        const snapshot = takeSnapshot(k);
        const start = digestsOf(k);
        run(k, after);
        const end = digestsOf(k);
        for (const detour of [elsewhere, []]) {
          run(k, detour);
          restoreSnapshot(k, snapshot);
          expect(digestsOf(k)).to.deep.equal(start);
          expect(brokenIn(k)).to.deep.equal([]);
          run(k, after);
          expect(digestsOf(k)).to.deep.equal(end);
        }
      }),
      { numRuns: runs(60) },
    );
  });

  it('tells nothing of later steps: its bytes, TLBs, counts and clock stay', () => {
    fc.assert(
      fc.property(someSteps, someSteps, (before, after) => {
        const k = started();
        run(k, before);
        const snapshot = takeSnapshot(k);
        const copy = structuredClone({
          tlbs: snapshot.tlbs,
          bytes: snapshot.bytes,
          uses: snapshot.uses,
          refs: snapshot.refs,
          counts: snapshot.counts,
          clock: snapshot.clock,
        });
        run(k, after);
        const { tlbs, bytes, uses, refs, counts, clock } = snapshot;
        expect({ tlbs, bytes, uses, refs, counts, clock }).to.deep.equal(copy);
      }),
      { numRuns: runs(15) },
    );
  });
});

describe('random steps', () => {
  it('break no invariant of the correct kernel', () => {
    fc.assert(
      fc.property(
        someSteps,
        fc.constantFrom(2, 4, 8),
        fc.constantFrom(64, 256),
        fc.constantFrom(2, 3, 65535),
        (steps, hugePages, frames, refcountMax) => {
          const k = started({ files: [fileOf('/f', 9000), programFile()], parameters: { hugePages, frames, refcountMax, asids: 4 } });
          for (const step of steps) {
            apply(k, step);
            expect(brokenIn(k), `after ${step.kind}`).to.deep.equal([]);
          }
        },
      ),
      { numRuns: runs(60) },
    );
  });

  it('leave nothing behind when every process has exited and the caches are dropped', () => {
    fc.assert(
      fc.property(someSteps, fc.constantFrom(64, 256), fc.constantFrom(2, 65535), (steps, frames, refcountMax) => {
        const k = kernelWith({ files: [fileOf('/f', 9000), programFile()], parameters: { frames, refcountMax } });
        const free = k.allocator.freeCount();
        k.spawn(pid(1));
        run(k, steps);
        k.frameFaultAt = 0;
        for (const process of [...k.processes.values()]) drain(exit(k, process, 0, undefined));
        dropCaches(k);
        expect(k.allocator.freeCount()).to.equal(free);
        expect(brokenIn(k)).to.deep.equal([]);
      }),
      { numRuns: runs(60) },
    );
  });
});

describe('digestParts', () => {
  it('says the same of two kernels that differ only in which frames they use', () => {
    fc.assert(
      fc.property(
        someSteps.map((steps) => steps.filter(({ kind }) => kind !== 'noFrame')),
        (steps) => {
          const [one, other] = [
            started({ parameters: { frames: 512 } }),
            kernelWith({ parameters: { frames: 512 }, files: [fileOf('/f', 9000), programFile()] }),
          ];
          for (let i = 0; i < 5; i++) other.frames.refs[other.allocator.takeSingle('kernel')!] = 1;
          other.spawn(pid(1));
          run(one, steps);
          run(other, steps);
          const [a, b] = [digestsOf(one), digestsOf(other)];
          // The counts include how many frames are free.
          for (const part of STATE_PARTS) if (part !== 'counts') expect(a[part], part).to.equal(b[part]);
        },
      ),
      { numRuns: runs(40) },
    );
  });

  it('tells a file that was cut and grown again from one that was not', () => {
    const [cut, whole] = [started(), started()];
    for (const size of [0, 9000]) drain(truncate(cut, cut.files.get('/f')!, size));
    expect(digestsOf(cut)['files']).to.not.equal(digestsOf(whole)['files']);
  });

  it('has a part that changes with each kind of change', () => {
    const k = started();
    const changed = (change: () => void): readonly string[] => {
      const before = digestsOf(k);
      change();
      const after = digestsOf(k);
      return STATE_PARTS.filter((part) => before[part] !== after[part]);
    };
    const step = (more: Partial<Step> & Pick<Step, 'kind'>): Step => ({
      pid: 1,
      other: 2,
      page: 4,
      pages: 1,
      prot: 3,
      flag: true,
      ...more,
    });
    expect(changed(() => apply(k, step({ kind: 'mmap' })))).to.deep.equal(['vmas']);
    expect(changed(() => apply(k, step({ kind: 'touch' })))).to.deep.equal(['entries', 'counts']);
    expect(changed(() => apply(k, step({ kind: 'write' })))).to.deep.equal(['cache', 'counts']);
    expect(changed(() => apply(k, step({ kind: 'truncate', page: 1 })))).to.deep.equal(['cache', 'files']);
    expect(changed(() => apply(k, step({ kind: 'fork' })))).to.include.members(['processes', 'vmas', 'entries', 'counts']);
    expect(
      changed(() => (k.memory.bytes[k.memory.byteOf(k.cache.lookup(k.files.get('/f')!, 0)?.frame ?? k.vdsoFrame) + 1]! ^= 1)),
    ).to.deep.equal(['cache']);
  });
});
