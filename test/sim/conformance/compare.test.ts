/** The comparison of two recordings: nothing differs from itself, and each kind of lie is found in its field. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { AgreementCounter } from '../../../sim/conformance/agreement.ts';
import { compareRecordings, FIELDS, normaliseVmas, type Field } from '../../../sim/conformance/compare.ts';
import { HashBook, pageHash, ZERO_PAGE_HASH } from '../../../sim/conformance/page-hash.ts';
import { shrinkSequence } from '../../../sim/conformance/shrink-sequence.ts';
import type { StepResult, VmaRow } from '../../../traces/sequences/result.ts';
import { parseRecordings, type Recording } from '../../../traces/sequences/sequence.ts';
import { anyRecording, anySequence } from '../../traces/sequences/arbitrary.ts';

const FILE = 'test/linux/mm-sequences.jsonl.gz';
/** The first 40 recordings, read once. */
const recordings = ((): (() => readonly Recording[]) => {
  let read: readonly Recording[] | undefined;
  return () => (read ??= [...parseRecordings(gunzipSync(readFileSync(FILE)).toString().split('\n'), FILE)].slice(0, 40));
})();

const LIES: Readonly<Record<Exclude<Field, 'vmaRaw'>, (result: StepResult) => StepResult | undefined>> = {
  outcome: (result) => (result.e === 'EINVAL' ? { ...result, e: 'ENOMEM' } : undefined),
  byte: (result) => (result.b === undefined ? undefined : { ...result, b: result.b ^ 1 }),
  contents: ({ d, ...rest }) =>
    d === undefined ? undefined : { ...rest, d: Object.fromEntries(Object.keys(d).map((page) => [page, 'deadbeef'])) },
  vmaNormalised: ({ v, ...rest }) => (v === undefined || v.length === 0 ? undefined : { ...rest, v: v.slice(1) }),
  presence: ({ pg, ...rest }) => (pg?.includes('A') === true ? { ...rest, pg: pg.replace('A', 'a') } : undefined),
  mincore: ({ mc, ...rest }) => (mc?.includes('y') === true ? { ...rest, mc: mc.replace('y', 'n') } : undefined),
  faults: ({ flt, ...rest }) => (flt === undefined ? undefined : { ...rest, flt: [flt[0] + 1, flt[1]] }),
  brk: ({ brk, ...rest }) => (brk === undefined ? undefined : { ...rest, brk: 'b+0x7777' }),
};

describe('comparing recordings', () => {
  it('finds no difference from itself (any recording)', () => {
    fc.assert(
      fc.property(anyRecording, (recording) => {
        const counter = new AgreementCounter();
        expect(counter.add(compareRecordings(recording, recording))).to.deep.equal([]);
        for (const { ops, opsSame, sequences, sequencesSame } of Object.values(counter.total().fields))
          expect([opsSame, sequencesSame]).to.deep.equal([ops, sequences]);
      }),
    );
  });

  for (const field of FIELDS.filter((one) => one !== 'vmaRaw'))
    it(`finds another ${field}, with its op and both values`, () => {
      const all = recordings();
      const real = all.find(({ results }) => results.some((result) => LIES[field](result) !== undefined))!;
      const at = real.results.findIndex((result) => LIES[field](result) !== undefined);
      const lied = { ...real, results: real.results.map((result, i) => (i === at ? LIES[field](result)! : result)) };
      const found = new AgreementCounter().add(compareRecordings(real, lied)).find((difference) => difference.field === field);
      expect(found).to.include({ sequence: real.id, index: at, op: real.ops[at] });
      expect(found!.expected).not.to.equal(found!.actual);
    });

  it('counts what a run did not come to as a difference', () => {
    const [real] = recordings();
    const short = { ...real!, results: real!.results.slice(0, 7) };
    const differences = new AgreementCounter().add(compareRecordings(real!, short));
    expect(differences.find(({ field }) => field === 'outcome')).to.include({ index: 7, actual: 'nothing' });
  });
});

describe('normalised VMAs', () => {
  const rows: readonly VmaRow[] = [
    [0, 2, 'rw-p', 'f0', 0, 'ac'],
    [2, 3, 'rw-p', 'f0', 2, ''],
    [3, 4, 'rw-p', 'f0', 9, ''],
    [5, 6, 'rw-p', '-', 0, ''],
    [6, 7, 'rw-p', '-', 0, 'ac'],
    [7, 8, 'r--p', '-', 0, ''],
  ];

  it('join what a program cannot tell from one mapping', () => {
    expect(normaliseVmas(rows).map(([start, end]) => [start, end])).to.deep.equal([
      [0, 3],
      [3, 4],
      [5, 7],
      [7, 8],
    ]);
  });

  it('stay as they are when normalised again', () => {
    expect(normaliseVmas(normaliseVmas(rows))).to.deep.equal(normaliseVmas(rows));
  });
});

describe('hashes of pages', () => {
  it('are those of the recordings for a page of zeros, and for one of f1', () => {
    expect(ZERO_PAGE_HASH).to.equal('1f116dc5');
    const bytes = Uint8Array.from({ length: 4096 }, (_, at) => (1 + 101 + at * 7) & 255);
    expect(pageHash(new Int32Array(bytes.buffer), 0)).to.equal('8c114dc5');
  });

  it('are said once, again when they change, and forgotten with the page', () => {
    const book = new HashBook();
    expect([book.note(0, 3, 'aa'), book.note(0, 3, 'aa'), book.note(0, 3, ZERO_PAGE_HASH)]).to.deep.equal([true, false, true]);
    book.note(0, 3, 'aa');
    book.fork(0, 1);
    book.keep(0, new Set());
    expect([book.hashOf(0, 3), book.hashOf(1, 3)]).to.deep.equal([ZERO_PAGE_HASH, 'aa']);
  });
});

describe('shrinking a sequence', () => {
  it('leaves an op or two that matter, in order (any sequence)', () => {
    fc.assert(
      fc.property(anySequence, fc.nat(), fc.nat(), (sequence, a, b) => {
        fc.pre(sequence.ops.length > 0);
        const wanted = [...new Set([a % sequence.ops.length, b % sequence.ops.length])].map((at) => sequence.ops[at]!);
        const short = shrinkSequence(sequence, (candidates) => candidates.map(({ ops }) => wanted.every((op) => ops.includes(op))));
        expect(short.ops).to.have.members(wanted);
        expect(sequence.ops.filter((op) => short.ops.includes(op))).to.deep.equal(short.ops);
      }),
    );
  });
});
