/** Deletion against a made-up failure that needs certain ops: what is left is exactly those, whatever they are. */
import { expect } from 'chai';
import fc from 'fast-check';
import { deleteElements, deleteOps } from '../../../sim/shrink/delete.ts';
import type { Candidate } from '../../../sim/shrink/evaluate.ts';
import type { Answer } from '../../../sim/shrink/question.ts';
import { Shrinker, type Best, type Stepping } from '../../../sim/shrink/shrinker.ts';
import type { Op } from '../../../traces/op.ts';
import { headerOf } from '../../helpers/scene.ts';

const SIGNATURE = { kind: 'reference', id: 'made-up', place: '' } as const;

/** As many ops, told apart by their address. */
const opsOf = (count: number): Op[] => Array.from({ length: count }, (_, i) => ({ pid: 1, op: 'touch', addr: i * 4096, access: 'r' }));

const addresses = (ops: readonly Op[]): number[] => ops.map((op) => ('addr' in op ? op.addr / 4096 : -1));

/** Drives a stage; a candidate fails if `fails` says so of the numbers of its ops. */
function drive(count: number, stage: (shrinker: Shrinker) => Stepping<unknown>, fails: (left: readonly number[]) => boolean): Shrinker {
  const best: Best = { header: headerOf(), ops: opsOf(count), failure: { ...SIGNATURE, op: count - 1 }, digest: '' };
  const shrinker = new Shrinker(best, { signature: SIGNATURE, where: 'any' }, []);
  const steps = stage(shrinker);
  for (let step = steps.next(); step.done !== true;) {
    const { value } = step;
    step = steps.next(value.kind === 'first' ? answerTo(value.candidates, fails) : undefined);
  }
  return shrinker;
}

function answerTo(candidates: readonly Candidate[], fails: (left: readonly number[]) => boolean): Answer {
  const index = candidates.findIndex(({ ops }) => fails(addresses(ops)));
  const failures = candidates.slice(0, index < 0 ? undefined : index + 1).map(() => undefined);
  return { index, failures: index < 0 ? failures : [...failures.slice(0, -1), { ...SIGNATURE, op: 0 }], digest: '' };
}

describe('deletion', () => {
  it('leaves exactly the ops that are needed, wherever they are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.array(fc.nat(119), { maxLength: 12 }), (count, picks) => {
        const needed = [...new Set(picks.map((pick) => pick % count))].sort((a, b) => a - b);
        const { best } = drive(count, deleteOps, (left) => needed.every((one) => left.includes(one)));
        expect(addresses(best.ops)).to.deep.equal(needed);
      }),
    );
  });

  it('needs a few replays for a long needless stretch', () => {
    const { best, replays } = drive(5000, deleteOps, (left) => left.includes(2500));
    expect(addresses(best.ops)).to.deep.equal([2500]);
    expect(replays).to.be.below(100);
  });

  it('takes elements out whole', () => {
    const pairs = (ops: readonly Op[]): number[][] => ops.flatMap((_, i) => (i % 2 === 0 ? [[i, i + 1]] : []));
    const { best } = drive(
      40,
      (shrinker) => deleteElements(shrinker, 'groups', pairs),
      (left) => left.includes(7) && left.includes(30),
    );
    expect(addresses(best.ops)).to.deep.equal([6, 7, 30, 31]);
  });

  it('asks nothing twice, and nothing of a trace as it is', () => {
    const asked = new Set<string>();
    drive(30, deleteOps, (left) => {
      const key = left.join();
      expect(asked.has(key)).to.equal(false);
      asked.add(key);
      return left.includes(3) && left.includes(4) && left.includes(20);
    });
  });
});
