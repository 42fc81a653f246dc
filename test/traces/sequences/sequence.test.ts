/** Sequences as text and as result lines: round trips, and what is said of damaged files. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { TraceError } from '../../../traces/format-error.ts';
import { decodeRuns, encodeRuns } from '../../../traces/sequences/run-length.ts';
import { formatRecording, formatSequence, parseRecordings, parseSequences } from '../../../traces/sequences/sequence.ts';
import { anyRecording, anySequence } from './arbitrary.ts';

const BEGIN = '{"seq":7,"mode":"small"}';
const line = (fields: Readonly<Record<string, unknown>>): string => JSON.stringify({ q: 7, i: 0, p: 0, op: 'fork', r: 0, ...fields });
const recorded = (...lines: string[]): unknown => [...parseRecordings([BEGIN, ...lines], 'r.jsonl')];
const written = (...lines: string[]): unknown => parseSequences(['seq 7 small', ...lines].join('\n'), 's.txt');

function complaint(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).to.be.instanceOf(TraceError);
    return (error as TraceError).message;
  }
  throw new Error('nothing was thrown');
}

describe('sequences as text', () => {
  it('are read as they were written (any sequences)', () => {
    fc.assert(
      fc.property(fc.array(anySequence, { maxLength: 3 }), (sequences) => {
        expect(parseSequences(sequences.map(formatSequence).join(''), 's.txt')).to.deep.equal(sequences);
      }),
    );
  });

  it('may have comments, blank lines and any spaces', () => {
    expect(written('', '  # a comment', ' @1  w  s+0x1000   7 # another')).to.deep.equal([
      { id: 7, mode: 'small', ops: [{ op: 'w', process: 1, addr: { arena: 's', offset: 4096 }, value: 7 }] },
    ]);
  });

  const DAMAGED: readonly (readonly [name: string, act: () => unknown, message: RegExp])[] = [
    ['an op before the first sequence', () => parseSequences('fork\n', 's.txt'), /^s\.txt:1: field `seq`: is missing/],
    ['a mode that there is not', () => parseSequences('seq 1 large', 's.txt'), /^s\.txt:1: field `seq`: .*small, huge, brk/],
    ['an op that there is not', () => written('jump s+0x0'), /^s\.txt:2: field `op`: "jump" is no op/],
    ['a word less', () => written('munmap s+0x0'), /^s\.txt:2: field `op`: munmap has 1 words .* ADDR LENGTH/],
    ['a word more', () => written('fork fork'), /^s\.txt:2: field `op`: fork has 1 words .*stands alone/],
    ['a process that there cannot be', () => written('@4 fork'), /^s\.txt:2: field `process`/],
    ['an address that is none', () => written('r q+0x0'), /^s\.txt:2: field `addr`: is "q\+0x0"/],
    ['an address far away', () => written('r s+0x1ffffffff'), /^s\.txt:2: field `addr`/],
    ['a length of 65 bits', () => written('munmap s+0x0 0x10000000000000000'), /^s\.txt:2: field `length`/],
    ['a length that no trace holds', () => written('munmap s+0x0 0xfffffffffffff001'), /^s\.txt:2: field `length`: .*beyond 2\^47/],
    ['a negative length', () => written('munmap s+0x0 -4096'), /^s\.txt:2: field `length`/],
    ['a byte of nine bits', () => written('w s+0x0 0x100'), /^s\.txt:2: field `value`/],
    ['a flag twice', () => written('mmap 0 0x1000 rw p,a,a - 0x0'), /^s\.txt:2: field `flags`/],
    ['a protection that there is not', () => written('mprotect s+0x0 0x1000 rq'), /^s\.txt:2: field `prot`/],
    ['a file that there is not', () => written('fread f3 0x0'), /^s\.txt:2: field `file`/],
    ['an offset beyond what a run may hold', () => written('fread f0 0x7fffffff'), /^s\.txt:2: field `offset`/],
  ];
  for (const [name, act, message] of DAMAGED)
    it(`are refused with ${name}`, () => {
      expect(complaint(act)).to.match(message);
    });
});

describe('result lines', () => {
  it('are read as they were written (any recordings)', () => {
    fc.assert(
      fc.property(fc.array(anyRecording, { maxLength: 3 }), (recordings) => {
        expect([...parseRecordings(recordings.flatMap(formatRecording), 'r.jsonl')]).to.deep.equal(recordings);
      }),
    );
  });

  it('of the recorded sequences are written byte for byte as they were', () => {
    const file = 'test/linux/mm-sequences.jsonl.gz';
    const lines = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
    const again = [...parseRecordings(lines, file)].flatMap(formatRecording);
    const withoutBegin = (all: readonly string[]): string[] => all.filter((one) => !one.startsWith('{"seq"'));
    expect(withoutBegin(again).join('\n') === withoutBegin(lines).join('\n')).to.equal(true);
  });

  const DAMAGED: readonly (readonly [name: string, act: () => unknown, message: RegExp])[] = [
    ['no JSON', () => recorded('{"q":7,'), /^r\.jsonl:2: is no JSON/],
    ['no object', () => recorded('[1]'), /^r\.jsonl:2: .*must be a JSON object/],
    ['a line before the first sequence', () => [...parseRecordings([line({})], 'r.jsonl')], /^r\.jsonl:1: field `seq`: is missing/],
    ['another mode', () => [...parseRecordings(['{"seq":1,"mode":"tiny"}'], 'r.jsonl')], /^r\.jsonl:1: field `mode`/],
    ['a field that there is not', () => recorded(line({ rss: 1 })), /^r\.jsonl:2: field `rss`: is no field/],
    ['a field less', () => recorded('{"q":7,"i":0,"p":0}'), /^r\.jsonl:2: field `op`: is missing/],
    ['a line of another sequence', () => recorded(line({ q: 8 })), /^r\.jsonl:2: field `q`: is 8/],
    ['a line left out', () => recorded(line({}), line({ i: 2 })), /^r\.jsonl:3: field `i`: is 2, but the op is number 1/],
    ['an op that is none', () => recorded(line({ op: 'walk' })), /^r\.jsonl:2: field `op`: "walk" is no op/],
    ['a process within the op', () => recorded(line({ op: '@1 fork' })), /^r\.jsonl:2: field `op`: names a process/],
    ['a process that there cannot be', () => recorded(line({ p: 4 })), /^r\.jsonl:2: field `p`/],
    ['a signal that there is not', () => recorded(line({ sig: 'KILL' })), /^r\.jsonl:2: field `sig`: is "KILL", but must be SEGV or BUS/],
    ['letters of another kind', () => recorded(line({ pg: '64q' })), /^r\.jsonl:2: field `pg`/],
    ['a VMA with a word less', () => recorded(line({ v: [[0, 1, 'rw-p', '-', 0]] })), /^r\.jsonl:2: field `v\[0\]/],
    ['a hash of a page that there cannot be', () => recorded(line({ d: { '-1': '00000000' } })), /^r\.jsonl:2: field `d/],
  ];
  for (const [name, act, message] of DAMAGED)
    it(`are refused with ${name}`, () => {
      expect(complaint(act)).to.match(message);
    });
});

describe('run-length coded letters', () => {
  it('decode to what was encoded (any letters)', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ny-]{0,80}$/), (letters) => {
        expect(decodeRuns(encodeRuns(letters), 100).join('')).to.equal(letters);
      }),
    );
  });

  it('are cut where pages end, however many there seem to be', () => {
    expect(decodeRuns('9999999y', 3)).to.deep.equal(['y', 'y', 'y']);
  });
});
