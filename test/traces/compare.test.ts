/** First differences of two sequences of records. */
import { expect } from 'chai';
import fc from 'fast-check';
import { firstDifference } from '../../traces/compare.ts';
import { anyOp } from './arbitrary.ts';

describe('firstDifference', () => {
  it('finds none between a sequence and its copy', () => {
    fc.assert(
      fc.property(fc.array(anyOp), (ops) => {
        expect(firstDifference(ops, structuredClone(ops))).to.equal(undefined);
      }),
    );
  });

  it('finds the op that was changed, and not one before', () => {
    fc.assert(
      fc.property(fc.array(anyOp, { minLength: 1 }), fc.nat(), (ops, pick) => {
        const index = pick % ops.length;
        const changed = ops.with(index, { ...ops[index]!, pid: ops[index]!.pid + 1 });
        expect(firstDifference(ops, changed)).to.deep.equal({ index, field: 'pid', left: ops[index]!.pid, right: ops[index]!.pid + 1 });
      }),
    );
  });

  it('names the field inside lists and records', () => {
    expect(firstDifference([{ a: { b: [1, 2] } }], [{ a: { b: [1, 3] } }])).to.deep.equal({ index: 0, field: 'a.b[1]', left: 2, right: 3 });
    expect(firstDifference([{ a: [1] }], [{ a: [1, 2] }])).to.deep.equal({ index: 0, field: 'a[1]', left: undefined, right: 2 });
    expect(firstDifference([{ a: 1 }], [{ a: 1, b: 2 }])).to.deep.equal({ index: 0, field: 'b', left: undefined, right: 2 });
    expect(firstDifference([{ a: [] }], [{ a: {} }])).to.deep.equal({ index: 0, field: 'a', left: [], right: {} });
  });

  it('names the end of the shorter sequence', () => {
    expect(firstDifference([1, 2], [1])).to.deep.equal({ index: 1, field: '', left: 2, right: undefined });
    expect(firstDifference([1], [1, 2])).to.deep.equal({ index: 1, field: '', left: undefined, right: 2 });
  });

  it('does not care for the order of fields, nor for absent or undefined', () => {
    expect(firstDifference([{ a: 1, b: 2 }], [{ b: 2, a: 1, c: undefined }])).to.equal(undefined);
  });
});
