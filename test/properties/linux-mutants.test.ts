/** Wrong decisions that the linux design asks for, too: random traces on it find them. The others belong to kevlar's exec and assembly. */
import { expect } from 'chai';
import { generateTrace } from '../../properties/generate.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';

const digester = await createDigester();
const RUNS_MAX = 60;

/** Found within a few dozen runs; of the 60 mutants 29 are within 250. */
const FOUND = [
  ...['mprotect-grants-write', 'fork-makes-shared-private', 'split-keeps-offset', 'dontneed-ignores-huge-leaf', 'stack-executable'],
  ...['mremap-resets-refs', 'freed-frame-in-zero-pool', 'refused-write-copies', 'copy-out-skips-cow', 'fork-skips-flush'],
  ...['dontneed-does-nothing', 'segments-all-rwx', 'no-teardown', 'huge-refs-base-only', 'write-back-grows-file', 'store-error-panics'],
];

describe('linux with a wrong decision', () => {
  const traces = Array.from({ length: RUNS_MAX }, (_, i) => generateTrace(`mut/${i}`, { kernel: 'linux', hasFaults: i % 3 === 0 }));

  for (const mutant of FOUND) {
    it(`is found: ${mutant}`, () => {
      const isFound = traces.some((trace) => replay(trace, { digester, check: 'changes', kernel: `linux+${mutant}` }).findings.length > 0);
      expect(isFound).to.equal(true);
    });
  }
});
