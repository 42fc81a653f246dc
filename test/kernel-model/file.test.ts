/** Files beside plain arrays of bytes: what was written, cut, grown and poked is there, and nothing else. */
import { expect } from 'chai';
import fc from 'fast-check';
import { ceilToPage, File, PAGE_BYTES } from '../../kernel-model/index.ts';
import { fileOf } from '../helpers/model.ts';
import { runs } from '../helpers/seed.ts';

const PAGES_MAX = 4;
const BYTES_MAX = PAGES_MAX * PAGE_BYTES;

interface Step {
  readonly kind: 'write' | 'poke' | 'resize' | 'resizeZeroingTail';
  readonly at: number;
  readonly length: number;
  readonly value: number;
}

const someAt = fc.oneof(
  fc.nat(BYTES_MAX - 1),
  fc.nat(PAGES_MAX - 1).map((index) => index * PAGE_BYTES),
);
const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('write', 'write', 'poke', 'resize', 'resizeZeroingTail'),
  at: someAt,
  length: fc.integer({ min: 1, max: PAGE_BYTES + 10 }),
  value: fc.integer({ min: 1, max: 255 }),
});

/** A file, and the bytes that it should have, as many as all of its pages ever. */
class Pair {
  readonly file: File;
  size: number;
  readonly bytes = new Uint8Array(BYTES_MAX * 2);

  constructor(size: number) {
    this.file = fileOf('/f', size);
    this.size = size;
    this.bytes.set(fileOf('/f', size).read(0, size));
  }

  run({ kind, at, length, value }: Step): void {
    switch (kind) {
      case 'write':
        this.file.write(at, new Uint8Array(length).fill(value));
        this.bytes.fill(value, at, at + length);
        this.size = Math.max(this.size, at + length);
        break;
      case 'poke':
        this.file.poke(at, value);
        if (at < ceilToPage(this.size)) this.bytes[at] = value;
        break;
      case 'resize':
        this.file.resize(at);
        if (at < this.size) this.bytes.fill(0, at);
        this.size = at;
        break;
      case 'resizeZeroingTail':
        this.file.resizeZeroingTail(at);
        this.bytes.fill(0, Math.min(at, this.size));
        this.size = at;
        break;
    }
  }

  check(): void {
    const { file, size, bytes } = this;
    expect(file.size).to.equal(size);
    const end = ceilToPage(size);
    expect(same(file.read(0, BYTES_MAX * 2), bytes.subarray(0, size))).to.equal(true);
    expect(same(file.readWithTail(0, BYTES_MAX * 2), bytes.subarray(0, end))).to.equal(true);
    expect(file.hasTail()).to.equal(bytes.subarray(size, end).some((byte) => byte !== 0));
    for (const at of [0, size - 1, size, end - 1, end].filter((one) => one >= 0)) {
      expect(file.byteAt(at), `byte ${at}`).to.equal(at < size ? bytes[at] : 0);
      expect(file.byteWithTail(at), `byte ${at} with the tail`).to.equal(at < end ? bytes[at] : 0);
    }
    for (let index = 0; index <= PAGES_MAX; index++)
      expect(file.extentOf(index)).to.equal(Math.max(0, Math.min(PAGE_BYTES, size - index * PAGE_BYTES)));
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

const someSize = fc.oneof(
  fc.nat(BYTES_MAX),
  fc.nat(PAGES_MAX).map((index) => index * PAGE_BYTES),
);
const someSteps = fc.array(someStep, { maxLength: 12 });

describe('File', () => {
  it('holds the bytes that were written last, and zeros where it was cut or grown', () => {
    fc.assert(
      fc.property(someSize, someSteps, (size, steps) => {
        const pair = new Pair(size);
        for (const step of steps) {
          pair.run(step);
          pair.check();
        }
      }),
      { numRuns: runs(60) },
    );
  });

  it('reads any range as the array does', () => {
    fc.assert(
      fc.property(someSize, someSteps, someAt, fc.nat(BYTES_MAX), (size, steps, at, length) => {
        const pair = new Pair(size);
        for (const step of steps) pair.run(step);
        expect(same(pair.file.read(at, length), pair.bytes.subarray(Math.min(at, pair.size), Math.min(at + length, pair.size)))).to.equal(
          true,
        );
      }),
      { numRuns: runs(60) },
    );
  });

  it('compares a page of memory with its own, zero tail included', () => {
    fc.assert(
      fc.property(someSize, someSteps, fc.nat(PAGES_MAX), fc.nat(PAGE_BYTES - 1), (size, steps, index, at) => {
        const pair = new Pair(size);
        for (const step of steps) pair.run(step);
        const page = pair.bytes.slice(index * PAGE_BYTES, (index + 1) * PAGE_BYTES);
        const frame = new Int32Array(page.buffer);
        expect(pair.file.samePage(index, frame, 0)).to.equal(true);
        page[at]! ^= 1;
        expect(pair.file.samePage(index, frame, 0)).to.equal(false);
      }),
      { numRuns: runs(60) },
    );
  });

  it('finds the first byte in which another that began alike differs', () => {
    fc.assert(
      fc.property(someSize, someSteps, someSteps, (size, mine, theirs) => {
        const [a, b] = [new Pair(size), new Pair(size)];
        for (const step of mine) a.run(step);
        for (const step of theirs) b.run(step);
        const [long, short] = [Math.max(a.size, b.size), Math.min(a.size, b.size)];
        const at = a.bytes.subarray(0, short).findIndex((byte, i) => byte !== b.bytes[i]);
        const found = a.file.firstDifference(b.file);
        if (at >= 0) expect(found).to.equal(at);
        else if (long === short) expect(found).to.equal(undefined);
        else expect(found).to.be.within(short, long);
      }),
      { numRuns: runs(60) },
    );
  });

  it('goes back to a snapshot, twice', () => {
    fc.assert(
      fc.property(someSize, someSteps, someSteps, (size, before, after) => {
        const pair = new Pair(size);
        for (const step of before) pair.run(step);
        const [snapshot, bytes, sizeThen] = [pair.file.snapshot(), pair.bytes.slice(), pair.size];
        for (let i = 0; i < 2; i++) {
          for (const step of after) pair.run(step);
          pair.file.restore(snapshot);
          pair.bytes.set(bytes);
          pair.size = sizeThen;
          pair.check();
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it('may be larger than any memory', () => {
    const file = fileOf('/f', 100);
    file.write(2 ** 46, Uint8Array.of(7));
    expect([file.size, file.byteAt(2 ** 46), file.byteAt(2 ** 45), file.byteAt(99) === 0]).to.deep.equal([2 ** 46 + 1, 7, 0, false]);
    file.resize(50);
    expect(file.read(0, 1000)).to.have.length(50);
    expect(new File('/empty', [], new Uint8Array(0), true).read(0, 10)).to.have.length(0);
  });
});
