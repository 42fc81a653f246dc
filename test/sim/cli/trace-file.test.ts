/** Trace files: round trips in every compression, and what the reader says about damaged and hostile files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { openTrace, readRecords, readTrace, writeTrace, type ReadOptions } from '../../../sim/cli/trace-file.ts';
import { encodeHeader, encodeOp } from '../../../traces/codec.ts';
import { TraceError } from '../../../traces/format-error.ts';
import type { TraceHeader } from '../../../traces/header.ts';
import { parseNotation } from '../../../traces/notation.ts';
import type { Op } from '../../../traces/op.ts';
import { runs } from '../../helpers/seed.ts';
import { anyHeader, anyOp } from '../../traces/arbitrary.ts';

const HEADER: TraceHeader = { faultline: 1, kernel: { name: 'kevlar' }, files: [] };
const OPS = parseNotation('p1 exec /bin/sh\np1 touch w 0x51c000+3\np1 fork p2\np2 exit 0\n');
const TEXT = [encodeHeader(HEADER), ...OPS.map(encodeOp), ''].join('\n');

/** Enough lines that do not repeat, so that compressed data have a middle. */
const LONG = `${encodeHeader(HEADER)}\n${Array.from({ length: 2000 }, (_, n) => encodeOp({ pid: 1 + (n % 7), op: 'brk', addr: n ** 3 })).join('\n')}\n`;

/** `TEXT` compressed by the zstd tool, with a checksum; as two frames with a skippable one between. */
const ZSTD = Buffer.from(
  'KLUv/SRkhQIAYkUREZB9k4GSOwYpNeh/halPDtMSzqqIDQknzuyZHjx9fic+pWrTNdimEK//2vKwnZ6H3znxhye6Jv4+0nceBvGP7dl3z3IdAgArVWPnpfYtOhjpUCpNGAMAAACqu8wotS/9JHr1AgDihRMZgLctBoyintr5jGjDoBIoSlgR0DzETlSkQ8Ry+CbLrN1eSDmGgWsBHblNQJIAV6Q+EAsA3zMwatswvnsy7y6LgHLjiKrZPjJJa1ylrQgEACALQ0ttCJSvYOYBAx07OA==',
  'base64',
);

let folder = '';
const at = (name: string): string => join(folder, name);

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(at(name), content);
  return at(name);
}

/** What reading throws, without the folder's name. */
async function complaint(path: string, options?: ReadOptions): Promise<string> {
  try {
    await readTrace(path, options);
  } catch (error) {
    expect(error, String(error)).to.be.instanceOf(TraceError);
    return (error as TraceError).message.replace(`${folder}/`, '');
  }
  throw new Error('nothing was thrown');
}

describe('trace files', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('give back what was written (plain and .gz)', async () => {
    await fc.assert(
      fc.asyncProperty(anyHeader, fc.array(anyOp), fc.constantFrom('a.jsonl', 'a.jsonl.gz'), async (header, ops, name) => {
        await writeTrace(at(name), header, ops);
        expect(await readTrace(at(name))).to.deep.equal({ header, ops });
      }),
      { numRuns: runs(50) },
    );
  });

  it('are the same bytes each time, and appear whole or not at all', async () => {
    await writeTrace(at('one.jsonl.gz'), HEADER, OPS);
    const bytes = readFileSync(at('one.jsonl.gz'));
    expect(gunzipSync(bytes).toString()).to.equal(TEXT);
    expect(bytes.readUInt32LE(4), 'no time stamp').to.equal(0);
    function* broken(): Generator<Op> {
      yield OPS[0]!;
      throw new Error('stop');
    }
    const error: unknown = await writeTrace(at('one.jsonl.gz'), HEADER, broken()).catch((reason: unknown) => reason);
    expect((error as Error).message).to.equal('stop');
    expect(readFileSync(at('one.jsonl.gz')).equals(bytes)).to.equal(true);
    expect(readdirSync(folder).filter((name) => name.includes('tmp'))).to.deep.equal([]);
  });

  it('are told apart by their first bytes, not by their names', async () => {
    const expected = { header: HEADER, ops: OPS };
    expect(await readTrace(file('gzip.jsonl', gzipSync(TEXT)))).to.deep.equal(expected);
    expect(await readTrace(file('plain.jsonl.gz', TEXT))).to.deep.equal(expected);
    expect(await readTrace(file('zstd.jsonl', ZSTD))).to.deep.equal(expected);
    expect(await readTrace(file('members.gz', Buffer.concat([gzipSync(TEXT.slice(0, 50)), gzipSync(TEXT.slice(50))])))).to.deep.equal(
      expected,
    );
  });

  it('may have a BOM, CRLF, no last line end, and blank lines at the end', async () => {
    for (const text of [`\ufeff${TEXT}`, TEXT.replaceAll('\n', '\r\n'), TEXT.trimEnd(), `${TEXT}\n \r\n\n`]) {
      expect((await readTrace(file('odd.jsonl', text))).ops).to.deep.equal(OPS);
    }
  });

  it('can be read as a stream of batches', async () => {
    const many = Array.from({ length: 5000 }, (_, index): Op => ({ pid: 1, op: 'touch', addr: index * 4096, access: 'r' }));
    await writeTrace(at('many.jsonl'), HEADER, many);
    const { header, ops } = await openTrace(at('many.jsonl'));
    expect(header).to.deep.equal(HEADER);
    const batches: Op[][] = [];
    for await (const batch of ops) batches.push(batch);
    expect(batches.length).to.be.above(1);
    expect(batches.flat()).to.deep.equal(many);
  });

  it('need not be traces: any records are read in order', async () => {
    const seen: unknown[] = [];
    for await (const batch of readRecords(file('events.jsonl', '{"t":"image"}\n{"t":"end"}\n'))) seen.push(...batch);
    expect(seen).to.deep.equal([{ t: 'image' }, { t: 'end' }]);
  });

  it('name file and line, wherever the chunks were cut', async () => {
    const long = Array.from({ length: 4000 }, () => encodeOp(OPS[1]!)).join('\n');
    expect(
      await complaint(file('late.jsonl', `${encodeHeader(HEADER)}\n${long}\n{"pid":1,"op":"touch","addr":"0x1","access":"q"}\n${long}\n`)),
    ).to.match(/^late\.jsonl:4002: field `access`: touch: is "q", but must be one of r, w, x/);
    expect(await complaint(file('late.jsonl', `${encodeHeader(HEADER)}\n${long}\n{"pid":1,}\n${long}\n`))).to.match(
      /^late\.jsonl:4002: is no JSON/,
    );
    expect(await complaint(file('late.jsonl', `${encodeHeader(HEADER)}\n${long}\nnull\n${long}\n`))).to.match(
      /^late\.jsonl:4002: begins with "null"/,
    );
  });
});

describe('a hostile trace file', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const after1 = (line: string): string => `${encodeHeader(HEADER)}\n${line}\n${encodeOp(OPS[1]!)}\n`;
  // prettier-ignore
  const FILES: readonly (readonly [what: string, content: string | Uint8Array, says: RegExp])[] = [
    ['empty', '', /^f: is empty \(a trace begins with its header\)/],
    ['blank', '\n\n', /^f: is empty/],
    ['with a null row', after1('null'), /^f:2: begins with "null", but must be a JSON object/],
    ['with an array row', after1('[1]'), /^f:2: begins with "\[1\]", but must be a JSON object/],
    ['with a text row', after1('hello'), /^f:2: begins with "hello"/],
    ['with a blank line inside', after1(''), /^f:2: is blank/],
    ['with a line of bad JSON', after1('{"pid":1 "op"}'), /^f:2: is no JSON/],
    ['with two records in a line', after1('{"a":1}{"b":2}'), /^f:2: is no JSON/],
    ['with a __proto__ key', after1('{"pid":1,"op":"fork","child":2,"__proto__":{"x":1}}'), /^f:2: field `__proto__`: fork: is no field/],
    ['with an unknown op', after1('{"pid":1,"op":"explode"}'), /^f:2: field `op`: "explode" is no op/],
    ['with an unknown field', after1('{"pid":1,"op":"fork","child":2,"now":1}'), /^f:2: field `now`: fork: is no field/],
    ['with an address above user space', after1('{"pid":1,"op":"brk","addr":"0xffffffff80000000"}'), /^f:2: field `addr`/],
    ['without a header', TEXT.slice(TEXT.indexOf('\n') + 1), /^f:1: field `faultline`: is missing/],
    ['whose header asks for 10^12 frames', '{"faultline":1,"kernel":{"name":"k","frames":1000000000000},"files":[]}\n', /^f:1: field `kernel.frames`/],
    ['whose last line is half', TEXT.slice(0, -10), /^f:5: is no whole record and has no line end/],
    ['whose first line is half', TEXT.slice(0, 20), /^f:1: is no whole record/],
    ['with bad UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d, 0x0a]), /^f:1: is no JSON/],
    ['with zero bytes', new Uint8Array(100), /^f:1: begins with/],
    ['of truncated gzip', gzipSync(LONG).subarray(0, -12), /^f:\d+: the file is gzip data that end early, (after line \d+|before the end of line 1)/],
    ['of corrupt gzip', corrupted(gzipSync(LONG)), /^f(:\d+)?: the file is damaged gzip data/],
    ['of a gzip head alone', gzipSync(TEXT).subarray(0, 5), /^f: the file is gzip data that end early/],
    ['of truncated zstd', ZSTD.subarray(0, -9), /^f(:\d+)?: the file is zstd data that end early/],
    ['of zstd followed by junk', Buffer.concat([ZSTD, Buffer.from('junk')]), /^f:5: the file is zstd data followed by something else/],
    ['of zstd with a 2 GiB window', Buffer.from('28b52ffd00a8010000', 'hex'), /^f: the file is zstd data with a window of 2147483648 bytes/],
    ['of zstd with a 2^60-byte single segment', Buffer.from('28b52ffde00000000000000010010000', 'hex'), /^f: the file is zstd data with a window of 1152921504606847000 bytes/],
    ['of zstd with a reserved block', Buffer.from('28b52ffd2010070000000000000000000000000000', 'hex'), /^f: the file is (damaged zstd data|zstd data)/],
  ];
  for (const [what, content, says] of FILES) {
    it(`is refused: ${what}`, async () => {
      expect(await complaint(file('f', content))).to.match(says);
    });
  }

  it('is refused: missing, or a directory', async () => {
    expect(await complaint(at('nothing.jsonl'))).to.equal('nothing.jsonl: there is no such file (check the path)');
    expect((await complaint(folder)).endsWith('is a directory (name a file in it)')).to.equal(true);
  });

  it('is refused: an op with a negative length', async () => {
    expect(await complaint(file('f', after1('{"pid":1,"op":"munmap","addr":"0x0","length":-1}')))).to.match(
      /^f:2: field `length`: munmap: is -1/,
    );
  });

  it('gives out the ops before the defect', async () => {
    const { ops } = await openTrace(file('f', after1('{"pid":1,"op":"fork","child":2}').replace(/\n$/, '\n{"pid":1,}\n')));
    const seen: Op[] = [];
    let error: unknown;
    try {
      for await (const batch of ops) seen.push(...batch);
    } catch (reason) {
      error = reason;
    }
    expect(seen).to.have.length(2);
    expect((error as TraceError).line).to.equal(4);
  });

  it('is not held in memory: a line of 100 MB, compressed to 100 KB', async () => {
    const megabyte = gzipSync(Buffer.alloc(1e6, '{'));
    const path = file('f', Buffer.concat(Array.from({ length: 100 }, () => megabyte)));
    const before = process.memoryUsage().arrayBuffers;
    expect(await complaint(path)).to.match(/^f:1: is longer than the limit of 1048576 bytes/);
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(20e6);
  });

  it('is not read beyond the limits of the caller', async () => {
    const big = file('f', gzipSync(`${encodeHeader(HEADER)}\n${`${encodeOp(OPS[1]!)}\n`.repeat(20000)}`));
    expect(await complaint(big, { limits: { ops: 1000 } })).to.match(/^f:1002: is beyond the limit of 1000 ops/);
    expect(await complaint(big, { limits: { totalBytes: 10000 } })).to.match(/^f:\d+: is beyond the limit of 10000 bytes, decompressed/);
    expect(await complaint(big, { limits: { lineBytes: 50 } })).to.match(/^f:1: is longer than the limit of 50 bytes/);
    expect(await complaint(file('g', '{"faultline":1,"kernel":{"name":"k","cpus":2},"files":[]}'), { limits: { cpus: 1 } })).to.match(
      /^g:1: field `kernel.cpus`/,
    );
    expect(statSync(big).size).to.be.below(10000);
  });

  it('never breaks the reader, whatever its bytes', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.constantFrom(Buffer.from(TEXT), gzipSync(TEXT), ZSTD), fc.nat(), fc.nat({ max: 255 })).map(([good, place, byte]) => {
        const bad = Buffer.from(good);
        bad[place % bad.length] = byte;
        return bad;
      }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        try {
          await readTrace(file('f', content));
        } catch (error) {
          expect(error, String(error)).to.be.instanceOf(TraceError);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});

/** The same length, with a run of bytes in the middle overwritten. */
function corrupted(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 20);
  return copy;
}
