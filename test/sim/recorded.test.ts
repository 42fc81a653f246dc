/**
 * The recording of real BusyBox on the kernels: the correct one keeps every byte at every threshold; with the image moved
 * to where the story happened, the kernels of the story corrupt the page that the story names, and the fixed one does not.
 */
import { expect } from 'chai';
import type { EventOf } from '../../kernel-model/index.ts';
import { createDigester } from '../../sim/digest.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { replay, type ReplayResult } from '../../sim/replay.ts';
import { onlyThoroughly } from '../helpers/seed.ts';

const RECORDED = new URL('../../traces/recorded/', import.meta.url);
/** Where the data segment begins, and its page: the 385th of the region. */
const DATA = 0x58_1c20;
const DATA_PAGE = 0x58_1000;
const SUB_PAGE = 0x181;

/** Replays a recording with all checks and keeps what the kernel's own verifier of assemblies said. */
async function run(
  name: string,
  kernel: string,
  assembleThreshold: number,
): Promise<{ result: ReplayResult; verifier: EventOf<'huge_page_verify_fail'>[] }> {
  const verifier: EventOf<'huge_page_verify_fail'>[] = [];
  const result = replay(await readTrace(new URL(name, RECORDED).pathname), {
    digester: await createDigester(),
    kernel,
    parameters: { assembleThreshold },
    check: 'changes',
    onEvent: (event) => {
      if (event.type === 'huge_page_verify_fail') verifier.push(event);
    },
  });
  return { result, verifier };
}

describe('suite20, recorded from real BusyBox', () => {
  for (const threshold of [0, 128, 600]) {
    it(`holds on kevlar: every byte, every invariant, nothing leaked (threshold ${threshold})`, async function () {
      if (threshold !== 128) onlyThoroughly(this);
      const { result } = await run('suite20.jsonl.gz', 'kevlar', threshold);
      expect(result.findings).to.deep.equal([]);
      expect(result.divergence).to.equal(undefined);
      expect(result.verdict).to.equal('held');
      expect(result.execs).to.equal(45);
      expect(result.assemblies).to.equal(threshold === 600 ? 0 : 1);
    });
  }

  it('holds on kevlar with its image moved to 0x400000', async function () {
    onlyThoroughly(this);
    const { result } = await run('suite20-0x400000.jsonl.gz', 'kevlar', 128);
    expect(result.verdict).to.equal('held');
  });

  it('is corrupted by kevlar@m9.8 as in the story: the tail of the constants lies in the gap before the data', async () => {
    const { result, verifier } = await run('suite20-0x400000.jsonl.gz', 'kevlar@m9.8', 128);
    expect(result.failure).to.include({ kind: 'reference', id: 'zero-gap', address: DATA_PAGE, expected: 0 });
    expect(verifier.map(({ sub_page, first_diff, expected }) => ({ sub_page, first_diff, expected }))).to.deep.equal([
      { sub_page: SUB_PAGE, first_diff: 0, expected: 0 },
    ]);
    expect(verifier[0]!.actual).to.equal(result.failure!.actual);
  });

  it('is corrupted by kevlar@m9.8-half as in the story: zeros where the data begins', async () => {
    const { result, verifier } = await run('suite20-0x400000.jsonl.gz', 'kevlar@m9.8-half', 128);
    expect(result.failure).to.include({ kind: 'reference', id: 'content-ref', address: DATA, actual: 0 });
    expect(verifier.map(({ sub_page, first_diff, actual }) => ({ sub_page, first_diff, actual }))).to.deep.equal([
      { sub_page: SUB_PAGE, first_diff: DATA - DATA_PAGE, actual: 0 },
    ]);
  });

  it('shows no wrong byte and no wrong answer on kevlar@m9.8.1, whose sleeping bugs only break invariants', async () => {
    const { result, verifier } = await run('suite20-0x400000.jsonl.gz', 'kevlar@m9.8.1', 128);
    expect(result.findings.filter(({ kind }) => kind !== 'invariant')).to.deep.equal([]);
    expect(verifier).to.deep.equal([]);
    expect(result.assemblies).to.equal(1);
  });

  it('breaks kevlar@m9.8 at threshold 0 in pid 2, the first exec that finds the tail cached', async () => {
    const { result } = await run('suite20-0x400000.jsonl.gz', 'kevlar@m9.8', 0);
    expect(result.failure).to.include({ pid: 2, execs: 2, address: DATA_PAGE });
  });
});
