/** Random steps on the linux design: no state breaks an invariant, nothing is left at the end, and going back is going back. */
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
  Survey,
  sync,
  takeSnapshot,
  type Kernel,
} from '../../../kernel-model/index.ts';
import { createDigester } from '../../../sim/digest.ts';
import { applyLinux, someLinuxStep, type LinuxStep } from '../../helpers/linux-steps.ts';
import { fileOf, kernelWith } from '../../helpers/model.ts';
import { runs } from '../../helpers/seed.ts';

const digester = await createDigester();
const digestsOf = (k: Kernel): Readonly<Record<string, string>> => digestParts(k, () => digester.create());
const someSteps = fc.array(someLinuxStep, { maxLength: 60 });

/** A kernel with a process, ready for steps; regions are small, so that huge pages are common. */
function started(): Kernel {
  const k = kernelWith({ kernel: 'linux', parameters: { frames: 1024, hugePages: 8 }, files: [fileOf('/f', 9000)] });
  k.spawn(pid(1));
  return k;
}

function expectIntact(k: Kernel, step: LinuxStep): void {
  const survey = new Survey(k);
  for (const { id, check } of INVARIANTS) expect(check(k, survey), `${id} after ${JSON.stringify(step)}`).to.equal(undefined);
}

describe('random steps on linux', () => {
  it('break no invariant, and leave nothing behind', () => {
    fc.assert(
      fc.property(someSteps, (steps) => {
        const k = started();
        const free = k.allocator.freeCount();
        for (const step of steps) {
          applyLinux(k, step);
          expectIntact(k, step);
        }
        k.frameFaultAt = 0;
        for (const process of [...k.processes.values()]) drain(exit(k, process, 0, undefined));
        drain(sync(k, undefined));
        dropCaches(k);
        // The first process had its root table when the count was taken.
        expect(k.allocator.freeCount()).to.equal(free + 1);
      }),
      { numRuns: runs(200) },
    );
  });

  it('lead to the same state again after going back (snapshot)', () => {
    fc.assert(
      fc.property(someSteps, someSteps, (before, after) => {
        const k = started();
        for (const step of before) applyLinux(k, step);
        const snapshot = takeSnapshot(k);
        for (const step of after) applyLinux(k, step);
        const end = digestsOf(k);
        restoreSnapshot(k, snapshot);
        for (const step of after) applyLinux(k, step);
        expect(digestsOf(k)).to.deep.equal(end);
      }),
      { numRuns: runs(60) },
    );
  });
});
