/**
 * Each bug of the model or the harness that was fixed left a trace in traces/regressions/fixed: it holds on `kevlar`.
 *
 * The header's `source.note` says what was wrong. Traces of bugs that kernels had are in the folder above.
 */
import { readdirSync } from 'node:fs';
import { expect } from 'chai';
import { readTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { replay } from '../sim/replay.ts';

const FOLDER = new URL('../traces/regressions/fixed/', import.meta.url);

describe('a bug that was fixed', () => {
  for (const name of readdirSync(FOLDER).sort()) {
    it(`stays fixed: ${name}`, async () => {
      const trace = await readTrace(new URL(name, FOLDER).pathname);
      const result = replay(trace, { digester: await createDigester(), check: 'every' });
      expect(result.findings).to.deep.equal([]);
      expect(result.expectation).to.equal('met');
    });
  }
});
