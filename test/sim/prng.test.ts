import { expect } from 'chai';
import fc from 'fast-check';
import { createPrng, type PrngState, type Stream } from '../../sim/prng.ts';

const draws = (stream: Stream, count = 20): number[] => Array.from({ length: count }, () => stream.uint32());
const seedText = fc.string({ minLength: 1 });

describe('prng', () => {
  it('gives the same numbers for the same seed and name', () => {
    fc.assert(
      fc.property(seedText, seedText, (seed, name) => {
        expect(draws(createPrng(seed).stream(name))).to.deep.equal(draws(createPrng(seed).stream(name)));
      }),
    );
  });

  it('gives the numbers of every other platform (golden)', () => {
    expect(draws(createPrng('1').stream('golden'), 4)).to.deep.equal([4151427607, 2196082858, 2002608162, 2182784499]);
  });

  it('moves no stream by a draw in another', () => {
    fc.assert(
      fc.property(seedText, fc.nat(50), (seed, count) => {
        const alone = draws(createPrng(seed).stream('a'));
        const prng = createPrng(seed);
        draws(prng.stream('b'), count);
        expect(draws(prng.stream('a'))).to.deep.equal(alone);
      }),
    );
  });

  it('differs between names and between seeds', () => {
    const heads = ['1', '2', '3'].flatMap((seed) => ['a', 'b', 'c'].map((name) => draws(createPrng(seed).stream(name)).join()));
    expect(new Set(heads).size).to.equal(9);
  });

  it('gives one stream to all who ask for the same name', () => {
    const prng = createPrng('1');
    const expected = draws(createPrng('1').stream('a'), 2);
    expect([prng.stream('a').uint32(), prng.stream('a').uint32()]).to.deep.equal(expected);
  });

  it('goes on exactly from a saved state, also through JSON and in another stream', () => {
    fc.assert(
      fc.property(seedText, fc.nat(50), (seed, count) => {
        const stream = createPrng(seed).stream('a');
        draws(stream, count);
        const state = JSON.stringify(stream.state());
        const expected = draws(stream);
        stream.restore(JSON.parse(state) as PrngState);
        expect(draws(stream)).to.deep.equal(expected);
        const other = createPrng('other').stream('b');
        other.restore(JSON.parse(state) as PrngState);
        expect(draws(other)).to.deep.equal(expected);
      }),
    );
  });

  it('takes one number a draw, whatever is asked', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.double({ min: 0, max: 1, noNaN: true }), (maxExclusive, p) => {
        const [a, b] = [createPrng('1').stream('a'), createPrng('1').stream('a')];
        a.int(maxExclusive);
        a.chance(p);
        a.pick(['x', 'y', 'z']);
        draws(b, 3);
        expect(a.state()).to.deep.equal(b.state());
      }),
    );
  });

  it('keeps int below its bound and reaches every value (bounds 1 to 10)', () => {
    const stream = createPrng('1').stream('a');
    for (let maxExclusive = 1; maxExclusive <= 10; maxExclusive++) {
      const seen = new Set(Array.from({ length: 500 }, () => stream.int(maxExclusive)));
      expect([...seen].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: maxExclusive }, (_, i) => i));
    }
  });

  it('draws whole numbers below 2^32, evenly over 16 buckets', () => {
    const stream = createPrng('1').stream('a');
    const buckets = new Array<number>(16).fill(0);
    for (let i = 0; i < 16_000; i++) {
      const value = stream.uint32();
      expect(value >>> 0).to.equal(value);
      buckets[value >>> 28]! += 1;
    }
    for (const count of buckets) expect(count).to.be.within(850, 1150);
  });

  it('never has a chance of 0 and always one of 1', () => {
    const stream = createPrng('1').stream('a');
    for (let i = 0; i < 1000; i++) {
      expect(stream.chance(0)).to.equal(false);
      expect(stream.chance(1)).to.equal(true);
    }
  });

  it('refuses an empty seed, an empty name, an empty list, impossible bounds and a foreign state', () => {
    const stream = createPrng('1').stream('a');
    expect(() => createPrng('')).to.throw(RangeError, 'seed');
    expect(() => createPrng('1').stream('')).to.throw(RangeError, 'name');
    expect(() => stream.pick([])).to.throw(RangeError, 'empty');
    for (const bound of [0, -1, 1.5, NaN, 2 ** 32 + 1]) expect(() => stream.int(bound)).to.throw(RangeError, 'maxExclusive');
    for (const p of [-0.1, 1.1, NaN]) expect(() => stream.chance(p)).to.throw(RangeError, 'chance');
    expect(() => stream.restore({ c: 0, s0: 0, s1: 0, s2: 0 })).to.throw(RangeError, 'state');
    expect(() => stream.restore({ c: 1, s0: NaN, s1: 0, s2: 0 })).to.throw(RangeError, 'state');
  });
});
