/** Random traces: functions of their seed, well-formed, and of every class there is. */
import { expect } from 'chai';
import fc from 'fast-check';
import { generateTrace } from '../../properties/generate.ts';
import { thresholdsFor } from '../../properties/configuration.ts';
import { LAYOUT_CLASSES, LIMIT_CLASSES, OP_CLASSES } from '../../properties/swarm.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp } from '../../traces/codec.ts';
import { OP_NAMES } from '../../traces/op.ts';
import { runs } from '../helpers/seed.ts';

const seeds = fc.string({ minLength: 1 });
const WHERE = { file: 'generated', line: 1 };

describe('generateTrace', () => {
  it('gives the same trace for the same seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => void expect(generateTrace(seed)).to.deep.equal(generateTrace(seed))),
      { numRuns: runs(50) },
    );
  });

  it('gives traces that can be written down and read again', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { header, ops } = generateTrace(seed);
        expect(decodeHeaderLine(encodeHeader(header), WHERE)).to.deep.equal(header);
        expect(ops.map((op) => decodeOpLine(encodeOp(op), WHERE))).to.deep.equal(ops);
      }),
      { numRuns: runs(100) },
    );
  });

  it('has no more ops than it may, and faults only if asked', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 100 }), (seed, opsMax) => {
        const { ops } = generateTrace(seed, { opsMax, hasFaults: false });
        expect(ops.length).to.be.within(1, opsMax);
        expect(ops.some(({ op }) => op === 'inject')).to.equal(false);
      }),
      { numRuns: runs(100) },
    );
  });

  it('reaches every class of ops, layouts and limits, and nearly every op', () => {
    const traces = Array.from({ length: 300 }, (_, i) => generateTrace(`classes/${i}`));
    const notes = traces.map(({ header }) => header.source!.note!).join(' ');
    for (const name of [...OP_CLASSES, ...LAYOUT_CLASSES, ...LIMIT_CLASSES]) expect(notes).to.include(name);
    const used = new Set(traces.flatMap(({ ops }) => ops.map(({ op }) => op)));
    expect(OP_NAMES.filter((name) => !used.has(name))).to.have.members([
      'wait',
      'switchCpu',
      'mark',
      'mlock',
      'munlock',
      'pread',
      'pwrite',
    ]);
  });

  it('makes most ops succeed, and some fail', async () => {
    const digester = await createDigester();
    const shares = Array.from({ length: 100 }, (_, i) => generateTrace(`success/${i}`)).map((trace) => {
      let signals = 0;
      replay(trace, { digester, check: 'none', onEvent: ({ type }) => void (type === 'signal' && signals++) });
      return signals / trace.ops.length;
    });
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    expect(mean).to.be.within(0.01, 0.4);
  });
});

describe('thresholdsFor', () => {
  it('lies around none, one, the pages of a segment, and a region', () => {
    const segments = [{ vaddr: 0x10000, offset: 0, filesz: 0x2800, memsz: 0x2800, flags: 'rx' as const }];
    const file = { path: '/p', size: 0x2800, segments, content: { seed: 'p' } };
    expect(thresholdsFor(8, [file])).to.include.members([0, 1, 2, 3, 4, 8, 9]);
  });
});
