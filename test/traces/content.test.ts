/** The bytes of files: seeded content, ELF headers, patches, supplied files. */
import { expect } from 'chai';
import fc from 'fast-check';
import { fileBytes } from '../../traces/content.ts';
import { elfHeaderBytes, type FileSpec } from '../../traces/header.ts';

const seeded = (size: number, seed = 'a'): FileSpec => ({ path: '/a', size, content: { seed } });

describe('seeded content', () => {
  it('has no zero byte and the size of its spec', () => {
    fc.assert(
      fc.property(fc.nat({ max: 20000 }), fc.string(), (size, seed) => {
        const bytes = fileBytes(seeded(size, seed));
        expect(bytes).to.have.length(size);
        expect(bytes.includes(0)).to.equal(false);
      }),
    );
  });

  it('does not depend on the size of the file', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10000 }), fc.nat({ max: 10000 }), (a, b) => {
        const [short, long] = [Math.min(a, b), Math.max(a, b)];
        expect(
          Buffer.from(fileBytes(seeded(long)))
            .subarray(0, short)
            .equals(fileBytes(seeded(short))),
        ).to.equal(true);
      }),
    );
  });

  it('differs from page to page and from seed to seed', () => {
    const page = (seed: string, index: number): string =>
      Buffer.from(fileBytes(seeded(4096 * (index + 1), seed)))
        .subarray(4096 * index)
        .toString('hex');
    expect(new Set([page('a', 0), page('a', 1), page('a', 2), page('b', 0), page('b', 1)])).to.have.property('size', 5);
  });

  it('is the same for ever', () => {
    expect(
      Buffer.from(fileBytes(seeded(4104, 'bb')))
        .subarray(4088)
        .toString('hex'),
    ).to.equal(GOLDEN);
  });
});

const GOLDEN = 'a3d16eec39c6323f7624816223d2346f';

describe('the ELF header of a seeded file', () => {
  const spec: FileSpec = {
    ...seeded(0x3000),
    entry: 0x10123,
    interp: '/lib/ld.so',
    segments: [
      { vaddr: 0x10000, offset: 0, filesz: 0x1440, memsz: 0x1440, flags: 'rx' },
      { vaddr: 0x7f0000012c20, offset: 0x1c20, filesz: 0x3e0, memsz: 0x5000, flags: 'rw' },
    ],
  };
  const view = new DataView(fileBytes(spec).buffer);
  const program = (index: number) => ({
    type: view.getUint32(64 + 56 * index, true),
    flags: view.getUint32(68 + 56 * index, true),
    words: [1, 2, 4, 5].map((word) => Number(view.getBigUint64(64 + 56 * index + 8 * word, true))),
  });

  it('is a RISC-V ELF64 with an entry', () => {
    expect(view.getUint32(0, false)).to.equal(0x7f454c46);
    expect(view.getUint16(16, true)).to.equal(2);
    expect(view.getUint16(18, true)).to.equal(243);
    expect(Number(view.getBigUint64(24, true))).to.equal(0x10123);
    expect(view.getUint16(56, true)).to.equal(3);
  });

  it('lists the interpreter and then every segment', () => {
    expect(program(0)).to.deep.equal({ type: 3, flags: 4, words: [232, 0x100e8, 11, 11] });
    expect(program(1)).to.deep.equal({ type: 1, flags: 5, words: [0, 0x10000, 0x1440, 0x1440] });
    expect(program(2)).to.deep.equal({ type: 1, flags: 6, words: [0x1c20, 0x7f0000012c20, 0x3e0, 0x5000] });
    expect(Buffer.from(fileBytes(spec)).toString('latin1', 232, 243)).to.equal('/lib/ld.so\0');
    expect(elfHeaderBytes(spec)).to.equal(243);
  });

  it('leaves the rest of the content alone', () => {
    expect(
      Buffer.from(fileBytes(spec))
        .subarray(243)
        .equals(Buffer.from(fileBytes(seeded(0x3000))).subarray(243)),
    ).to.equal(true);
  });
});

describe('other content', () => {
  it('is base64, patched last', () => {
    const spec: FileSpec = { path: '/a', size: 4, content: { base64: 'QUJDRA==' }, patches: [{ offset: 1, hex: '0001' }] };
    expect([...fileBytes(spec)]).to.deep.equal([0x41, 0, 1, 0x44]);
  });

  it('is supplied by the caller when the trace holds a digest', () => {
    const sha256 = 'ab'.repeat(32);
    const spec: FileSpec = { path: '/a', size: 3, content: { sha256 } };
    expect(() => fileBytes(spec)).to.throw(`supply the file with sha256 ${sha256}`);
    expect([...fileBytes(spec, new Map([[sha256, Uint8Array.of(1, 2, 3)]]))]).to.deep.equal([1, 2, 3]);
    expect(() => fileBytes(spec, new Map([[sha256, Uint8Array.of(1)]]))).to.throw('the supplied file has 1 bytes, the trace says 3');
  });
});
