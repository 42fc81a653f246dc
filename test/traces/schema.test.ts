/** traces/schema.json is what the code would write now. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { schemaText } from '../../traces/schema.ts';

describe('schema.json', () => {
  it('is fresh (else write it anew: see traces/schema.ts)', () => {
    const text = readFileSync(new URL('../../traces/schema.json', import.meta.url), 'utf8');
    expect(JSON.parse(text)).to.deep.equal(JSON.parse(schemaText()));
  });
});
