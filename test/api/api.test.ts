/** The package's surface, as a test suite of a user's would use it. */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  assertHolds,
  decodeTrace,
  defineKernel,
  encodeTrace,
  explain,
  generateTrace,
  PropertyError,
  PROPERTIES,
  replay,
  Rules,
  shrink,
  TraceError,
  traces,
} from 'faultline';

class Leaky extends Rules {
  override teardown(): boolean {
    return false;
  }

  override mayAssembleRegionZero(): boolean {
    return false;
  }
}

const leaky = defineKernel({ name: 'leaky', rules: Leaky });
const holds = PROPERTIES.find(({ name }) => name === 'holds')!;
const trace = generateTrace('1/0', { kernel: leaky.name });

describe('the package', () => {
  it('replays on the kernel that the header names, or on another', () => {
    expect(replay(trace).findings.map(({ id }) => id)).to.include('no-leak');
    expect(replay(trace, { kernel: leaky }).kernel).to.equal('leaky');
    expect(replay(trace, { kernel: 'kevlar', check: undefined }).verdict).to.equal('held');
  });

  it('shrinks to the decision to blame', () => {
    const { rules, trace: small } = shrink(
      { ...trace, header: { ...trace.header, kernel: { ...trace.header.kernel, name: 'kevlar' } } },
      { kernel: leaky },
    );
    expect(rules).to.deep.equal(['Leaky.teardown']);
    expect(small.ops.length).to.be.below(3);
  });

  it('explains a failure, and nothing else', () => {
    expect(explain(trace, { kernel: 'kevlar' })).to.equal(undefined);
    const { text, document } = explain(trace)!;
    expect(text).to.include('Leaky.teardown');
    expect(document).to.include({ explained: true, kernel: 'leaky' });
  });

  it('writes and reads traces, and names the line of a wrong one', () => {
    const text = encodeTrace(trace);
    const again = decodeTrace(text);
    expect(encodeTrace(again)).to.equal(text);
    expect(replay(again)).to.deep.equal(replay(trace));
    expect(() => decodeTrace(`${text.split('\n')[0]}\n{"pid":1,"op":"nap"}\n`, 'mine.jsonl')).to.throw(TraceError, 'mine.jsonl:2');
  });

  it('draws traces for fast-check, which shrink', () => {
    const { counterexample } = fc.check(
      fc.property(traces({ kernel: leaky, replaysMax: 500 }), (one) => replay(one).findings.every(({ id }) => id !== 'no-leak')),
      { numRuns: 5 },
    );
    expect(counterexample![0].ops.length).to.be.below(3);
  });

  describe('assertHolds', () => {
    it('throws the smallest trace, with the one decision that it needs', () => {
      try {
        assertHolds(holds, { kernel: leaky, runs: 5 });
      } catch (error) {
        expect(error).to.be.instanceOf(PropertyError);
        const { message, trace: small, violations } = error as PropertyError;
        expect(message)
          .to.include('in run 0 of seed "1"')
          .and.to.match(/the decision to blame: Leaky\.teardown$/);
        expect(small.ops.length).to.be.below(3);
        expect(violations.join()).to.include('no-leak');
        return;
      }
      expect.fail('it held');
    });

    it('does so for properties that one replay does not decide', () => {
      class Hasty extends Rules {
        override assemblySource(): 'cachedPage' {
          return 'cachedPage';
        }
      }
      const kernel = defineKernel({ name: 'hasty', rules: Hasty });
      const property = PROPERTIES.find(({ name }) => name === 'same-by-threshold')!;
      expect(() => assertHolds(property, { kernel, runs: 60 })).to.throw(PropertyError, 'the decision to blame: Hasty.assemblySource');
    });

    it('begins with the examples, on the kernel that is asked', () => {
      const example = generateTrace('7', { kernel: 'kevlar' });
      expect(() => assertHolds(holds, { kernel: leaky, runs: 0, examples: [example] })).to.throw(PropertyError, 'in example 0');
    });

    it('is quiet about what holds', () => {
      assertHolds(holds, { kernel: 'kevlar', runs: 5, seed: 'quiet' });
    });
  });
});
