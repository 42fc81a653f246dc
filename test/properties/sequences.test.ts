/** Generated sequences: functions of seed and number, that reach every op, and mostly meet something. */
import { expect } from 'chai';
import { generateSequence } from '../../properties/sequences/generate-sequence.ts';
import { formatSequence, parseSequences } from '../../traces/sequences/sequence.ts';
import { OP_NAMES } from '../../traces/sequences/op.ts';
import { traceOfSequence } from '../../traces/sequences/to-trace.ts';
import { runs, seed } from '../helpers/seed.ts';

const all = Array.from({ length: runs(200) }, (_, id) => generateSequence(seed, id, { ops: 40 }));

describe('a generated sequence', () => {
  it('is the same each time, whatever was generated before', () => {
    for (const sequence of [...all].reverse()) expect(generateSequence(seed, sequence.id, { ops: 40 })).to.deep.equal(sequence);
  });

  it('has its ops, and can be written down and read again', () => {
    for (const sequence of all) {
      expect(sequence.ops).to.have.length(40);
      expect(parseSequences(formatSequence(sequence), 's.txt')).to.deep.equal([sequence]);
    }
  });

  it('uses every op of the grammar but nop', () => {
    const used = new Set(all.flatMap(({ ops }) => ops.map(({ op }) => op)));
    expect(OP_NAMES.filter((name) => !used.has(name))).to.deep.equal(['nop']);
  });

  it('mostly stays inside the arena, and with processes that there are', () => {
    const steps = all.flatMap((sequence) => traceOfSequence(sequence).steps);
    const asked = steps.filter(({ at }) => at !== undefined);
    expect(asked.length / steps.length).to.be.above(0.95);
  });
});
