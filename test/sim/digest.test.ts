import { expect } from 'chai';
import fc from 'fast-check';
import xxhash from 'xxhash-wasm';
import { createDigester, type Digester, type Hasher } from '../../sim/digest.ts';

type Write = readonly ['u32', number] | readonly ['f64', number] | readonly ['bytes', Uint8Array] | readonly ['text', string];

const someWrite: fc.Arbitrary<Write> = fc.oneof(
  fc.tuple(fc.constant('u32' as const), fc.nat(0xffff_ffff)),
  fc.tuple(fc.constant('f64' as const), fc.double()),
  fc.tuple(fc.constant('bytes' as const), fc.uint8Array({ maxLength: 5000, size: 'max' })),
  fc.tuple(fc.constant('text' as const), fc.string({ unit: 'binary', maxLength: 3000, size: 'large' })),
);

function write(hasher: Hasher, [kind, value]: Write): void {
  if (kind === 'u32') hasher.u32(value);
  else if (kind === 'f64') hasher.f64(value);
  else if (kind === 'bytes') hasher.bytes(value);
  else hasher.text(value);
}

/** The canonical bytes of a write, spelt out slowly. */
function bytesOf([kind, value]: Write): number[] {
  const littleEndian = (number: bigint, count: number): number[] =>
    Array.from({ length: count }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
  if (kind === 'u32') return littleEndian(BigInt(value), 4);
  if (kind === 'f64') return Number.isNaN(value) ? [0, 0, 0, 0, 0, 0, 0xf8, 0x7f] : [...new Uint8Array(new Float64Array([value]).buffer)];
  if (kind === 'bytes') return [...littleEndian(BigInt(value.length), 4), ...value];
  return [...littleEndian(BigInt(value.length), 4), ...value.split('').flatMap((unit) => littleEndian(BigInt(unit.charCodeAt(0)), 2))];
}

describe('digest', () => {
  let digester: Digester;
  const digestOf = (...writes: readonly Write[]): string => {
    const hasher = digester.create();
    for (const one of writes) write(hasher, one);
    return hasher.digest();
  };
  before(async () => {
    digester = await createDigester();
  });

  it('is 16 hex digits, the same on every platform (golden)', () => {
    expect(digestOf()).to.equal('ef46db3751d8e999'); // XXH64 of nothing
    expect(digestOf(['u32', 1], ['f64', -0.5], ['bytes', Uint8Array.of(1, 2, 3)], ['text', 'frame'])).to.equal('7c348e10f68a393f');
  });

  it('is xxHash64 of the canonical bytes, however the writes fall on the buffer', async () => {
    const api = await xxhash();
    fc.assert(
      fc.property(fc.array(someWrite, { maxLength: 30 }), (writes) => {
        const expected = api.h64Raw(Uint8Array.from(writes.flatMap(bytesOf)));
        expect(digestOf(...writes)).to.equal(expected.toString(16).padStart(16, '0'));
      }),
    );
  });

  it('can be read in between without a change to the end', () => {
    fc.assert(
      fc.property(fc.array(someWrite, { maxLength: 10 }), (writes) => {
        const hasher = digester.create();
        for (const one of writes) {
          write(hasher, one);
          hasher.digest();
        }
        expect(hasher.digest()).to.equal(digestOf(...writes));
      }),
    );
  });

  it('keeps hashers apart', () => {
    const [a, b] = [digester.create(), digester.create()];
    a.u32(1);
    b.u32(2);
    a.u32(3);
    expect(a.digest()).to.equal(digestOf(['u32', 1], ['u32', 3]));
    expect(b.digest()).to.equal(digestOf(['u32', 2]));
  });

  it('tells apart texts that join to the same, and texts that UTF-8 would join', () => {
    expect(digestOf(['text', 'ab'], ['text', 'c'])).to.not.equal(digestOf(['text', 'a'], ['text', 'bc']));
    expect(digestOf(['text', '\ud800'])).to.not.equal(digestOf(['text', '\ud801']));
  });

  it('takes all NaN for one and -0 for another number than 0', () => {
    const oddNaN = new Float64Array(Uint32Array.of(1, 0xfff8_0000).buffer)[0]!;
    expect(digestOf(['f64', oddNaN])).to.equal(digestOf(['f64', NaN]));
    expect(digestOf(['f64', -0])).to.not.equal(digestOf(['f64', 0]));
  });

  it('refuses what 32 bits cannot hold', () => {
    for (const value of [-1, 0.5, 2 ** 32, NaN]) expect(() => digester.create().u32(value)).to.throw(RangeError, 'u32');
  });
});
