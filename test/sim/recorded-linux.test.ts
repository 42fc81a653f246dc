/**
 * Recordings of real programs on the linux design: every byte as the reference has it, every call as recorded, and no access
 * refused, for the programs themselves ran to their ends.
 */
import { expect } from 'chai';
import type { KernelEvent } from '../../kernel-model/index.ts';
import { createDigester } from '../../sim/digest.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { replay, type ReplayResult } from '../../sim/replay.ts';
import type { Trace } from '../../traces/codec.ts';
import { asWritten, fixtureText, importText } from '../helpers/recordings.ts';

const RECORDED = new URL('../../traces/recorded/', import.meta.url);

/** Replays on linux with all checks; signals are counted. */
async function run(trace: Pick<Trace, 'header'> & { readonly ops: Trace['ops'] }): Promise<{ result: ReplayResult; signals: number }> {
  let signals = 0;
  const onEvent = ({ type }: KernelEvent): void => {
    if (type === 'signal') signals++;
  };
  const result = replay(trace, { digester: await createDigester(), kernel: 'linux', check: 'changes', keepGoing: true, onEvent });
  return { result, signals };
}

describe('recordings on the linux design', () => {
  for (const name of ['ls-sort-head', 'ls-sort-head-exec', 'suite20']) {
    it(`${name}: no wrong byte, no other answer, no signal`, async () => {
      const { result, signals } = await run(await readTrace(new URL(`${name}.jsonl.gz`, RECORDED).pathname));
      expect(result.findings).to.deep.equal([]);
      expect(result.divergence).to.equal(undefined);
      expect(result.verdict).to.equal('held');
      expect(signals).to.equal(0);
    }).timeout(120_000);
  }

  it('a dynamic ls of x86-64, imported from the page-touch plugin: 19 mmaps, five mprotects, a munmap, a growing heap', async () => {
    const { trace } = importText('plugin', fixtureText('qemu-plugin-x86_64-dynamic-ls.jsonl.gz'));
    const { result, signals } = await run(asWritten(trace));
    expect(result.findings).to.deep.equal([]);
    expect(result.divergence).to.equal(undefined);
    expect(signals).to.equal(0);
  });
});
