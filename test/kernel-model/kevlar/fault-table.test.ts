/** The table of a fault on a page that has an entry: complete, without overlap, and right in the cases that have a name. */
import { expect } from 'chai';
import { actionFor, ENTRY_TABLE, matches, type EntryFacts } from '../../../kernel-model/kevlar/fault-table.ts';

const FACTS = ['allowed', 'valid', 'granted', 'store', 'shared', 'sole'] as const;
const COMBINATIONS = Array.from({ length: 2 ** FACTS.length }, (_, bits) => {
  const facts = Object.fromEntries(FACTS.map((fact, i) => [fact, (bits & (1 << i)) !== 0]));
  return facts as unknown as EntryFacts;
});

describe('the entry table', () => {
  it('has exactly one row for each of the 64 combinations of facts', () => {
    for (const facts of COMBINATIONS) {
      const rows = ENTRY_TABLE.filter((row) => matches(row, facts));
      expect(rows, JSON.stringify(facts)).to.have.length(1);
      expect(actionFor(facts)).to.equal(rows[0]!.action);
    }
  });

  it('has a column for each fact, a label of its own for each row, and no row that nothing matches', () => {
    for (const row of ENTRY_TABLE) {
      expect(row.pattern).to.have.length(FACTS.length);
      expect(COMBINATIONS.some((facts) => matches(row, facts))).to.equal(true, row.label);
    }
    expect(new Set(ENTRY_TABLE.map(({ label }) => label))).to.have.property('size', ENTRY_TABLE.length);
  });

  it('makes a frame writable only for a store that is allowed, and a private one only for its sole holder', () => {
    for (const facts of COMBINATIONS) {
      const action = actionFor(facts);
      if (action === 'reuse' || action === 'copy' || action === 'dirty')
        expect(facts).to.include({ allowed: true, valid: true, store: true });
      if (action === 'reuse') expect(facts).to.include({ sole: true, shared: false });
      if (action === 'copy') expect(facts).to.include({ sole: false, shared: false });
      if (action === 'dirty') expect(facts.shared).to.equal(true);
    }
  });
});
