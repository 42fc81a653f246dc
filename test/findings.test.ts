/**
 * What the fuzzer found in kevlar@m9.8.1: docs/kevlar-m9.8.1-findings.md and the traces that it shows.
 *
 * scripts/write-findings.ts made both. Each trace fails as stored with the decisions that the document blames, fails on the
 * kernel itself, and holds on the design done right.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { readTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { replay } from '../sim/replay.ts';

const FOLDER = new URL('../traces/findings/kevlar-m9.8.1/', import.meta.url);
const NAMES = readdirSync(FOLDER).sort();

describe('what sleeps in kevlar@m9.8.1', () => {
  for (const name of NAMES) {
    it(name, async () => {
      const trace = await readTrace(new URL(name, FOLDER).pathname);
      const digester = await createDigester();
      const run = (kernel?: string) => replay(trace, { digester, check: 'changes', kernel });
      expect(run().expectation).to.equal('met');
      expect(run('kevlar@m9.8.1').verdict).to.equal('failed');
      expect(run('kevlar').findings).to.deep.equal([]);
    });
  }

  it('is all in the document, and nothing else', () => {
    const text = readFileSync(new URL('../docs/kevlar-m9.8.1-findings.md', import.meta.url), 'utf8');
    const linked = [...text.matchAll(/\]\(\.\.\/traces\/findings\/kevlar-m9\.8\.1\/([^)]+)\)/g)].map(([, name]) => name);
    expect([...linked].sort()).to.deep.equal(NAMES);
  });
});
