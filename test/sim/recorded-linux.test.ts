/**
 * Recordings of real programs on the linux design: every byte as the reference has it, every call as recorded, and no access
 * refused, for the programs themselves ran to their ends.
 */
import { expect } from 'chai';
import { describeVma, type KernelEvent } from '../../kernel-model/index.ts';
import { createDigester } from '../../sim/digest.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { Replay, replay, type ReplayResult } from '../../sim/replay.ts';
import type { Trace } from '../../traces/codec.ts';
import { asWritten, fixtureText, importText } from '../helpers/recordings.ts';

const RECORDED = new URL('../../traces/recorded/', import.meta.url);

/** Replays with all checks; signals are counted. */
async function run(trace: Trace, kernel = 'linux'): Promise<{ result: ReplayResult; signals: number }> {
  let signals = 0;
  const onEvent = ({ type }: KernelEvent): void => {
    if (type === 'signal') signals++;
  };
  const result = replay(trace, { digester: await createDigester(), kernel, check: 'changes', keepGoing: true, onEvent });
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

  it('a dynamic ls of x86-64 whose files are not known, imported from the page-touch plugin: 19 mmaps, five mprotects, a munmap, a growing heap', async () => {
    const { trace } = importText('plugin', fixtureText('qemu-plugin-x86_64-dynamic-ls.jsonl.gz'));
    const { result, signals } = await run(asWritten(trace));
    expect(result.findings).to.deep.equal([]);
    expect(result.divergence).to.equal(undefined);
    expect(signals).to.equal(0);
  });
});

describe('a dynamic ls of x86-64 with its interpreter', () => {
  /**
   * What a real Linux 6.18 shows in /proc/PID/maps of the same two files once the interpreter is done: length, rights, offset. It was
   * stopped at its munmap of ld.so.cache, so that everything is relocated and protected.
   */
  const MAPS: Readonly<Record<string, readonly string[]>> = {
    '/bin/ls': ['0x4000 r--p 0x0', '0x16000 r-xp 0x4000', '0x9000 r--p 0x1a000', '0x1000 r--p 0x23000', '0x1000 rw-p 0x24000'],
    '/lib64/ld-linux-x86-64.so.2': [
      '0x1000 r--p 0x0',
      '0x26000 r-xp 0x1000',
      '0xa000 r--p 0x27000',
      '0x2000 r--p 0x31000',
      '0x2000 rw-p 0x33000',
    ],
  };

  /** The VMAs of the one process of a replay on linux when it has most, as lines of text, ascending. */
  async function vmasAtFullest(trace: Trace): Promise<string[]> {
    const run = new Replay(trace.header, { digester: await createDigester(), kernel: 'linux', check: 'none' });
    let fullest: string[] = [];
    for (const op of trace.ops) {
      run.step(op);
      const [space] = run.machine.kernel.spaces;
      if (space !== undefined && space.vmas.ascending.length > fullest.length) fullest = space.vmas.ascending.map(describeVma);
    }
    return fullest;
  }

  const ofFile = (vmas: readonly string[], path: string): string[] =>
    vmas.flatMap((line) => {
      const [, start, end, prot, file, offset] = /^0x(\w+)-0x(\w+) (\S+) (.+)\+(0x\w+)$/.exec(line) ?? [];
      return file === path ? [`0x${(parseInt(end!, 16) - parseInt(start!, 16)).toString(16)} ${prot!} ${offset!}`] : [];
    });

  for (const kernel of ['linux', 'linux@assembly', 'kevlar'])
    it(`holds on ${kernel}, which has both images elsewhere: no wrong byte, no other answer, no signal`, async () => {
      const { result, signals } = await run(await readTrace(new URL('ls-dynamic.jsonl.gz', RECORDED).pathname), kernel);
      expect([result.verdict, result.findings, result.divergence, signals]).to.deep.equal(['held', [], undefined, 0]);
    });

  it('has 34 mappings at its fullest, as /proc/PID/maps counts: with [stack], [vvar], [vvar_vclock] and [vdso]', async () => {
    const vmas = await vmasAtFullest(await readTrace(new URL('ls-dynamic.jsonl.gz', RECORDED).pathname));
    expect(vmas).to.have.length(34);
    expect(vmas.filter((line) => line.includes('[vdso]'))).to.have.length(3);
    expect(vmas.filter((line) => line.endsWith(' stack'))).to.have.length(1);
  });

  it('has the mappings of its program and its interpreter that a real Linux has', async () => {
    const vmas = await vmasAtFullest(await readTrace(new URL('ls-dynamic.jsonl.gz', RECORDED).pathname));
    for (const [path, maps] of Object.entries(MAPS)) expect(ofFile(vmas, path)).to.deep.equal(maps);
  });
});
