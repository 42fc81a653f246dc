/** `faultline explain`: what it prints, with which code it exits, and what it says of a trace that does not fail. */
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { runCommandLine } from '../../../sim/cli/program.ts';
import { Terminal } from '../../../sim/cli/terminal.ts';
import { faultline } from '../../helpers/command-line.ts';

const TRACES = join(import.meta.dirname, '../../../traces');
const TAIL = join(TRACES, 'reconstructed/exec-127-tail.jsonl');
const FLUSH = join(TRACES, 'regressions/fork-skips-flush.jsonl');

describe('faultline explain', () => {
  it('explains a wrong byte, and says what to type next', async () => {
    const { code, out, err } = await faultline('explain', TAIL);
    expect({ code, err }).to.deep.equal({ code: 0, err: '' });
    expect(out).to.match(/^failed: reference zero-gap at op 4 of 9\n {2}on kevlar@m9\.8, threshold 128\n/);
    for (const heading of [
      'in short',
      'what is wrong',
      'how it came about',
      'which decision allowed it',
      'on the right kernel',
      'at other thresholds',
      'next',
    ])
      expect(out).to.include(`\n\n${heading}\n`);
    expect(out).to.include(`faultline replay ${TAIL} --kernel kevlar@m9.8 --threshold 128 --until 5 --events events.jsonl\n`);
    expect(out).to.include(`faultline replay ${TAIL} --kernel kevlar@m9.8~caches-partial-pages --threshold 128\n`);
  });

  it('gives commands that work', async () => {
    const { out } = await faultline('explain', TAIL);
    const replays = out.split('\n').filter((line) => line.startsWith('  faultline replay') && !line.includes('--events'));
    expect(replays).to.have.length(1);
    const { out: replayed } = await faultline(...replays[0]!.trim().split(' ').slice(1), '--json');
    const { findings } = JSON.parse(replayed) as { readonly findings: readonly { readonly id: string }[] };
    expect(findings.map(({ id }) => id)).to.not.include('zero-gap');
  });

  it('prints one JSON object with the keys that the help names', async () => {
    const { code, out } = await faultline('explain', TAIL, '--json');
    const { out: help } = await faultline('explain', '--help');
    const document = JSON.parse(out) as Readonly<Record<string, unknown>>;
    expect(code).to.equal(0);
    for (const [key, value] of Object.entries(document)) {
      expect(help).to.match(new RegExp(`\\b${key}\\b`));
      if (value === null || typeof value !== 'object' || Array.isArray(value)) continue;
      for (const inner of Object.keys(value)) expect(help, `${key}.${inner}`).to.match(new RegExp(`\\b${inner}\\b`));
    }
    expect(document).to.deep.include({ explained: true, kernel: 'kevlar@m9.8', threshold: 128, ops: 9 });
    expect(document.byte).to.deep.include({
      vma: '0x51c000-0x51cbf0 rwxp pad',
      backing: { kind: 'zero' },
      origin: { kind: 'file', path: '/bin/busybox', offset: '0x11b000', op: 2 },
    });
    const { decisions } = document.guilt as { readonly decisions: readonly { readonly id: string; readonly curesAlone: boolean }[] };
    expect(decisions.map(({ id, curesAlone }) => [id, curesAlone])).to.deep.equal([
      ['caches-partial-pages', true],
      ['assembly-copies-whole-page', true],
    ]);
  });

  it('explains on another kernel, at another threshold', async () => {
    const { code, out } = await faultline('explain', TAIL, '--kernel', 'kevlar@m9.8-half', '--threshold', '1');
    expect(code).to.equal(0);
    expect(out).to.include('on kevlar@m9.8-half, threshold 1\n').and.include('assembly-trusts-cached-range');
  });

  it('explains an invariant without a byte', async () => {
    const { code, out } = await faultline('explain', FLUSH);
    expect(code).to.equal(0);
    expect(out).to.include('the rule forkFlushesParent answers no; right is yes').and.include('op 2  p1 fork p2\n');
  });

  it('exits with 1 and says what to try if the trace does not fail', async () => {
    const { code, out } = await faultline('explain', FLUSH, '--kernel', 'kevlar');
    expect(code).to.equal(1);
    expect(out).to.match(/^does not fail: held on kevlar, threshold 128, over 3 ops/);
    expect(out).to.include('the header expects invariant tlb-justified on kevlar+fork-skips-flush\n');
    expect(out).to.include(`  faultline explain ${FLUSH} --kernel kevlar+fork-skips-flush\n`);
    const { code: jsonCode, out: json } = await faultline('explain', FLUSH, '--kernel', 'kevlar', '--json');
    expect(jsonCode).to.equal(1);
    expect(JSON.parse(json)).to.include({ explained: false, verdict: 'held', ops: 3 });
  });

  it('names what there is if it is asked for a finding that there is not', async () => {
    const { code, out, err } = await faultline('explain', FLUSH, '--finding', 'zero-gap');
    expect({ code, out }).to.deep.equal({ code: 1, out: '' });
    expect(err).to.equal('faultline: the trace does not show zero-gap; it shows tlb-justified\n');
  });

  it('stops when Ctrl-C is pressed, and says where', async () => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const interruption = new AbortController();
    const running = runCommandLine(['explain', TAIL], new Terminal(out, err, interruption.signal));
    setTimeout(() => interruption.abort(), 60);
    expect(await running).to.equal(130);
    expect(String(err.read())).to.match(/^faultline: interrupted .+, after \d+ ops? replayed\n$/);
    expect(out.read()).to.equal(null);
  });
});
