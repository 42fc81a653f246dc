/** The examples of traces/README.md are ops that the codec takes and would write so. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { decodeOpLine, encodeOp } from '../../traces/codec.ts';
import { OP_NAMES, OP_SCHEMAS } from '../../traces/op.ts';

describe('traces/README.md', () => {
  const text = readFileSync(new URL('../../traces/README.md', import.meta.url), 'utf8');

  it('has examples that the codec reads and writes as they stand', () => {
    const examples = [...text.matchAll(/`(\{"pid".*?\})`/g)].map(([, line]) => line!);
    expect(examples).to.have.length.above(20);
    for (const line of examples) expect(encodeOp(decodeOpLine(line, { file: 'README.md', line: 1 }))).to.equal(line);
  });

  it('names every op and every field', () => {
    for (const name of OP_NAMES) {
      const row = text.split('\n').find((line) => line.startsWith('| ') && new RegExp(`\\b${name}\\b`).test(line.split('|')[1]!));
      expect(row, name).not.to.equal(undefined);
      const fields = Object.keys(OP_SCHEMAS[name].properties).filter((field) => !['pid', 'op', 'result'].includes(field));
      for (const field of fields) expect(row, `${name}.${field}`).to.match(new RegExp(`\\b${field}\\b`));
    }
  });
});
