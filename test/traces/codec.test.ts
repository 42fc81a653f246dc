/** The codec: round trips of everything, and what it says about hostile lines. */
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeHeader, decodeHeaderLine, decodeOp, decodeOpLine, encodeHeader, encodeOp } from '../../traces/codec.ts';
import { TraceError } from '../../traces/format-error.ts';
import { OP_NAMES, OP_SCHEMAS } from '../../traces/op.ts';
import { anyHeader, anyOp } from './arbitrary.ts';

const WHERE = { file: 't.jsonl', line: 7 };

/** What decoding a line throws, as text. */
function complaint(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    expect(error).to.be.instanceOf(TraceError);
    return (error as TraceError).message;
  }
  throw new Error('nothing was thrown');
}

describe('codec', () => {
  it('decodes what it encoded (any op)', () => {
    fc.assert(
      fc.property(anyOp, (op) => {
        expect(decodeOpLine(encodeOp(op), WHERE)).to.deep.equal(op);
      }),
    );
  });

  it('decodes what it encoded (any header)', () => {
    fc.assert(
      fc.property(anyHeader, (header) => {
        expect(decodeHeaderLine(encodeHeader(header), WHERE)).to.deep.equal(header);
      }),
    );
  });

  it('keeps lengths that no user space holds, as far as calls can tell them apart', () => {
    const lengths = [2 ** 47, 2 ** 47 + 4096, 2 ** 63, 2 ** 64 - 4096, 2 ** 64];
    for (const length of lengths) {
      const op = { pid: 1, op: 'munmap' as const, addr: 0, length };
      expect(decodeOpLine(encodeOp(op), WHERE)).to.deep.equal(op);
    }
    const texts = lengths.map((length) =>
      JSON.stringify((JSON.parse(encodeOp({ pid: 1, op: 'munmap', addr: 0, length })) as { length: unknown }).length),
    );
    expect(texts).to.deep.equal([
      '140737488355328',
      '"0x0000800000001000"',
      '"0x8000000000000000"',
      '"0xfffffffffffff000"',
      '"0xffffffffffffffff"',
    ]);
    expect(() => encodeOp({ pid: 1, op: 'munmap', addr: 0, length: 2 ** 47 + 1 })).to.throw(RangeError);
  });

  for (const length of ['"0xfffffffffffff001"', '"0x10000000000000000"', '140737488355329', '-1', '"0x1000"'])
    it(`refuses the length ${length}`, () => {
      const line = `{"pid":1,"op":"munmap","addr":"0x0","length":${length}}`;
      expect(complaint(() => decodeOpLine(line, WHERE))).to.match(
        /^t\.jsonl:7: field `length`: munmap: is .*, but must be a whole number from 0 to/,
      );
    });

  it('encodes the same bytes in whatever order the fields were set', () => {
    fc.assert(
      fc.property(anyOp, (op) => {
        const reversed = Object.fromEntries(Object.entries(op).reverse()) as typeof op;
        expect(encodeOp(reversed)).to.equal(encodeOp(op));
        expect(encodeOp(op)).to.match(/^\{"pid":\d+,"op":"/);
      }),
    );
  });

  it('says where and never breaks, whatever JSON a line holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...OP_NAMES), (junk, op) => {
        for (const value of [junk, { pid: 1, op, addr: junk }, Object.assign({}, junk, { pid: 1, op })]) {
          try {
            decodeOp(value, WHERE);
          } catch (error) {
            expect(error).to.be.instanceOf(TraceError);
            expect((error as TraceError).message).to.match(/^t\.jsonl:7: /);
          }
        }
      }),
    );
  });

  it('refuses each op with one field more, one field less, or a field of another type', () => {
    fc.assert(
      fc.property(anyOp, fc.nat(), (op, pick) => {
        const row = JSON.parse(encodeOp(op)) as Record<string, unknown>;
        expect(complaint(() => decodeOp({ ...row, surprise: 1 }, WHERE))).to.contain('`surprise`');
        const required = (OP_SCHEMAS[op.op] as { required: string[] }).required;
        const name = required[pick % required.length]!;
        const { [name]: _, ...less } = row;
        expect(complaint(() => decodeOp(less, WHERE))).to.contain(`\`${name}\``);
        expect(complaint(() => decodeOp({ ...row, [name]: null }, WHERE))).to.contain(`\`${name}\``);
      }),
    );
  });
});

describe('a hostile op', () => {
  // prettier-ignore
  const LINES: readonly (readonly [line: string, says: string])[] = [
    ['null', 't.jsonl:7: is null, but must be a JSON object'],
    ['[]', 't.jsonl:7: is a list of 0, but must be'],
    ['"touch"', 't.jsonl:7: is "touch", but must be'],
    ['{', 't.jsonl:7: is no JSON'],
    ['{}', 'field `op`: is missing'],
    ['{"pid":1,"op":"tuoch"}', 'field `op`: "tuoch" is no op'],
    ['{"pid":1,"op":"constructor"}', 'field `op`: "constructor" is no op'],
    ['{"pid":1,"op":"__proto__"}', 'field `op`: "__proto__" is no op'],
    ['{"pid":1,"op":["fork"],"child":2}', 'field `op`: a list of 1 is no op'],
    ['{"pid":1,"op":"fork","child":2,"__proto__":{"result":3}}', 'field `__proto__`: fork: is no field'],
    ['{"pid":1,"op":"fork","child":2,"constructor":1}', 'field `constructor`: fork: is no field'],
    ['{"pid":1,"op":"touch","addr":"0x1000","access":"r","__proto__":1}', 'field `__proto__`: touch: is no field'],
    ['{"__proto__":{"pid":1,"addr":"0x0","access":"r"},"op":"touch"}', 'field `__proto__`: touch: is no field'],
    ['{"pid":1,"op":"touch","addr":"0x800000000000","access":"r"}', 'field `addr`: is "0x800000000000"'],
    ['{"pid":1,"op":"touch","addr":"0xffffffffffffffff","access":"r"}', 'field `addr`'],
    ['{"pid":1,"op":"touch","addr":"0x00000000000000001","access":"r"}', 'field `addr`'],
    ['{"pid":1,"op":"touch","addr":"0X1000","access":"r"}', 'field `addr`'],
    ['{"pid":1,"op":"touch","addr":"0x1F","access":"r"}', 'field `addr`'],
    ['{"pid":1,"op":"touch","addr":4096,"access":"r"}', 'field `addr`: touch: is 4096'],
    ['{"pid":1,"op":"touch","addr":"-0x1000","access":"r"}', 'field `addr`'],
    ['{"pid":1,"op":"touch","addr":"0x7ffffffff000","access":"r","pages":2}', 'field `pages`: the touch ends above'],
    ['{"pid":1,"op":"touch","addr":"0x7fffffffffff","access":"r","width":2}', 'field `pages`: the touch ends above'],
    ['{"pid":1,"op":"touch","addr":"0x0","access":"r","pages":0}', 'field `pages`: touch: is 0'],
    ['{"pid":1,"op":"touch","addr":"0x0","access":"r","pages":1e9}', 'field `pages`: touch: is 1000000000'],
    ['{"pid":1,"op":"touch","addr":"0x0","access":"r","pages":1.5}', 'field `pages`: touch: is 1.5'],
    ['{"pid":1,"op":"touch","addr":"0x0","access":"w","width":3}', 'field `width`: touch: is 3'],
    ['{"pid":1,"op":"touch","addr":"0x0","access":"w","width":2,"value":"0x10000"}', 'field `value`: 0x10000 does not fit 2 bytes'],
    ['{"pid":0,"op":"touch","addr":"0x0","access":"r"}', 'field `pid`: touch: is 0'],
    ['{"pid":1e300,"op":"touch","addr":"0x0","access":"r"}', 'field `pid`'],
    ['{"pid":1,"op":"munmap","addr":"0x0","length":-4096}', 'field `length`: munmap: is -4096'],
    ['{"pid":1,"op":"munmap","addr":"0x0","length":1e30}', 'field `length`'],
    ['{"pid":1,"op":"munmap","addr":"0x0","length":0.5}', 'field `length`: munmap: is 0.5'],
    ['{"pid":1,"op":"munmap","addr":"0x0","length":null}', 'field `length`: munmap: is null'],
    ['{"pid":1,"op":"mmap","addr":"0x0","length":1,"prot":"wr","flags":[]}', 'field `prot`: mmap: is "wr", but must be one of none, r,'],
    ['{"pid":1,"op":"mmap","addr":"0x0","length":1,"prot":"rw","flags":["private",5]}', 'field `flags[1]`: mmap: is 5'],
    ['{"pid":1,"op":"mmap","addr":"0x0","length":1,"prot":"rw","flags":[],"result":12}', 'field `result`: mmap: is 12'],
    ['{"pid":1,"op":"mmap","addr":"0x0","length":1,"prot":"rw","flags":[],"result":"0x800000000000"}', 'field `result`: is "0x800000000000"'],
    ['{"pid":1,"op":"copyIn","addr":"0x0","length":1e12}', 'field `length`: copyIn'],
    ['{"pid":1,"op":"exec","path":""}', 'field `path`: exec: is ""'],
    ['{"pid":1,"op":"exec","path":"/a","stack":"0x800000000001"}', 'field `stack`'],
  ];
  for (const [line, says] of LINES) {
    it(`is refused: ${line}`, () => {
      expect(complaint(() => decodeOpLine(line, WHERE))).to.contain(says);
    });
  }

  it('leaves no trace of itself in other objects', () => {
    complaint(() => decodeOpLine('{"pid":1,"op":"fork","child":2,"__proto__":{"polluted":1}}', WHERE));
    expect(({} as { polluted?: number }).polluted).to.equal(undefined);
  });

  it('is quoted at most in part', () => {
    expect(complaint(() => decodeOp({ pid: 1, op: 'x'.repeat(1e6) }, WHERE))).to.have.length.below(500);
    expect(complaint(() => decodeOpLine('x'.repeat(1e6), WHERE))).to.have.length.below(500);
  });
});

describe('a hostile header', () => {
  const file = { path: '/a', size: 0x4000, content: { seed: 'a' } };
  const segment = { vaddr: '0x10000', offset: '0x0', filesz: '0x1000', memsz: '0x2000', flags: 'rx' };
  const header = (change: object): object => ({ faultline: 1, kernel: { name: 'kevlar' }, files: [], ...change });
  const kernel = (change: object): object => header({ kernel: { name: 'kevlar', ...change } });
  const files = (...changes: object[]): object => header({ files: changes.map((change) => ({ ...file, ...change })) });
  const segments = (...changes: object[]): object => files({ segments: changes.map((change) => ({ ...segment, ...change })) });
  // prettier-ignore
  const HEADERS: readonly (readonly [value: unknown, says: string])[] = [
    [{ pid: 1, op: 'fork', child: 2 }, 'field `faultline`: is missing (the first line of a trace is its header'],
    [header({ faultline: 2 }), 'field `faultline`: is 2, but this faultline reads version 1'],
    [header({ surprise: 1 }), 'field `surprise`: is no field'],
    [JSON.parse('{"faultline":1,"kernel":{"name":"k","__proto__":{}},"files":[]}'), 'field `kernel.__proto__`: is no field'],
    [kernel({ frames: 1e12 }), 'field `kernel.frames`: 1000000000000 frames are more than the limit of 262144'],
    [kernel({ cpus: 65 }), 'field `kernel.cpus`: 65 CPUs are more than the limit of 64'],
    [kernel({ hugePages: 3 }), 'field `kernel.hugePages`: is 3, but must be a power of two from 2 to 512'],
    [kernel({ profile: 'fast' }), 'field `kernel.profile`: is "fast", but must be one of fortress,'],
    [files({ size: 2 ** 28 }, { path: '/b', size: 1 }), 'field `files[1].size`: files of 268435457 bytes in all'],
    [files({}, {}), 'field `files[1].path`: "/a" is already the path'],
    [files({ links: ['/b'] }, { path: '/c', links: ['/b'] }), 'field `files[1].links[0]`: "/b" is already'],
    [files({ content: { seed: 'a', sha256: 'b' } }), 'field `files[0].content'],
    [files({ content: { base64: 'QUJD' } }), 'field `files[0].content.base64`: holds 3 bytes, but the file\'s size is 16384'],
    [files({ content: { base64: 'QUJ' } }), 'field `files[0].content.base64`'],
    [files({ patches: [{ offset: '0x3fff', hex: '0102' }] }), 'field `files[0].patches[0].offset`: the patch ends outside'],
    [files({ size: -1 }), 'field `files[0].size`: is -1'],
    [files({ size: 100, segments: [] , interp: '/lib/ld-linux-riscv64-lp64d.so.1' }), 'field `files[0].size`: 100 bytes do not hold the ELF headers'],
    [segments({ filesz: '0x3000' }), 'field `files[0].segments[0].filesz`: is larger than memsz'],
    [segments({ offset: '0x3001' }), 'field `files[0].segments[0].offset`: the segment\'s file part ends outside'],
    [segments({ memsz: '0x7fffffffffff' }), 'field `files[0].segments[0].vaddr`: the segment ends above'],
    [segments({}, { vaddr: '0x11fff' }), 'field `files[0].segments[1].vaddr`: the segment overlaps segments[0]'],
    [segments({ vaddr: '0x20000' }, {}, { vaddr: '0x20001' }), 'field `files[0].segments[2].vaddr`: the segment overlaps segments[0]'],
  ];
  for (const [value, says] of HEADERS) {
    it(`is refused: ${says}`, () => {
      expect(complaint(() => decodeHeader(value, WHERE))).to.contain(says);
    });
  }

  it('may have segments that share a page', () => {
    expect(decodeHeader(segments({ memsz: '0x1c20' }, { vaddr: '0x11c20' }), WHERE).files[0]!.segments).to.have.length(2);
  });

  it('is measured by the limits of the caller', () => {
    const limits = { frames: 10, fileBytes: 10, cpus: 1 };
    expect(complaint(() => decodeHeader(kernel({ frames: 11 }), WHERE, limits))).to.contain('the limit of 10');
    expect(complaint(() => decodeHeader(files({ size: 11 }), WHERE, limits))).to.contain('the limit of 10');
  });
});
