/** Lockstep: where two kernels part on one trace, and in which field. */
import { expect } from 'chai';
import { STATE_PARTS } from '../../kernel-model/index.ts';
import { createDigester, type Digester } from '../../sim/digest.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { runLockstep, type LockstepResult } from '../../sim/lockstep.ts';
import type { Trace } from '../../traces/codec.ts';
import { parseNotation } from '../../traces/notation.ts';
import { PROGRAM } from '../helpers/files.ts';

let digester: Digester;
const EXEC = `p1 exec ${PROGRAM.path}`;

function diff(trace: Trace, a: string, b: string, parts = STATE_PARTS): LockstepResult {
  return runLockstep(trace, { kernels: [a, b], digester, parts, fieldsMax: 3, parameters: { assembleThreshold: 0 } });
}

const traceOf = (text: string): Trace => ({
  header: { faultline: 1, kernel: { name: 'kevlar' }, files: [PROGRAM] },
  ops: parseNotation(text),
});

describe('lockstep', () => {
  before(async () => {
    digester = await createDigester();
  });

  it('finds no difference between a kernel and itself', async () => {
    const trace = await readTrace(new URL('../../traces/recorded/ls-sort-head-exec.jsonl.gz', import.meta.url).pathname);
    expect(diff(trace, 'kevlar@m9.8', 'kevlar@m9.8')).to.deep.equal({ ops: trace.ops.length, difference: undefined });
  });

  it('finds the same op as a comparison after every op, deep in a stretch and across stretches', () => {
    const quiet = (count: number): string[] => Array.from({ length: count }, () => 'p1 touch r 0x10000');
    for (const before of [0, 1, 510, 511, 512, 700]) {
      const steps = [
        'p1 mmap 0x0 4096 rw private,anonymous',
        'p1 touch w 0xa00000000',
        'p1 fork p2',
        'p1 mprotect 0xa00000000 4096 r',
        'p1 mprotect 0xa00000000 4096 rw',
      ];
      const trace = traceOf([EXEC, ...quiet(before), ...steps, ...quiet(700)].join('\n'));
      const { difference } = diff(trace, 'kevlar', 'kevlar+mprotect-grants-write', ['entries']);
      expect(difference).to.include({ op: before + 5 });
      const { of, values } = difference!.fields[0]!;
      expect(of).to.equal('process 1 page 0xa00000000');
      expect(values).to.deep.equal(['valid r u', 'valid r w u']);
    }
  });

  it('tells right, page and both values', () => {
    const { difference } = diff(traceOf(EXEC), 'kevlar', 'kevlar@m9.8', ['entries']);
    expect(difference).to.include({ op: 0 });
    expect(difference!.fields[0]).to.deep.include({ part: 'entries', field: 'entry', values: ['valid r w u', 'valid r w x u'] });
    expect(difference!.fields[0]!.of).to.match(/^process 1 page 0x/);
  });
});
