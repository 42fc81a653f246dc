/** `faultline suite`: the real BusyBox's checks, live. Without the guests, only what it says about that. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { faultline } from '../../helpers/command-line.ts';
import { BUSYBOXES, skipUnlessGuest } from '../../helpers/live.ts';

const ROOT = join(import.meta.dirname, '../../..');
const [, HAZARD] = BUSYBOXES;
const hazard = ['--guest', join(ROOT, HAZARD)];

interface Document {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly leakedFrames: number;
  readonly checks: readonly { readonly name: string; readonly verdict: string; readonly deaths: readonly { readonly exec: number }[] }[];
}

describe('faultline suite', () => {
  it('says how to get the guest when it is not there', async () => {
    const { code, err } = await faultline('suite', '--guest', '/nonexistent');
    expect([code, err]).to.deep.equal([1, 'faultline: /nonexistent: cannot be read: ENOENT\n']);
  });

  for (const guest of BUSYBOXES) {
    it(`holds on kevlar, every check (${guest})`, async function () {
      skipUnlessGuest(this, guest);
      const { code, out } = await faultline('suite', '--guest', join(ROOT, guest), '--json');
      const { passed, failed, leakedFrames, checks } = JSON.parse(out) as Document;
      expect(checks.filter(({ verdict }) => verdict === 'failed' || verdict === 'died')).to.deep.equal([]);
      expect([code, failed, leakedFrames]).to.deep.equal([0, 0, 0]);
      expect(passed).to.be.at.least(134);
    });
  }

  it('dies of SIGSEGV from one exec on, on the kernel with the bug', async function () {
    skipUnlessGuest(this, HAZARD);
    const { code, out } = await faultline('suite', ...hazard, '--kernel', 'kevlar@m9.8', '--threshold', '128', '--json');
    const { checks } = JSON.parse(out) as Document;
    const first = checks.findIndex(({ verdict }) => verdict === 'died');
    expect(code).to.equal(3);
    expect(first).to.be.greaterThan(0);
    const after = checks.slice(first).filter(({ verdict }) => verdict !== 'skipped');
    expect(after.every(({ verdict }) => verdict === 'died')).to.equal(true);
    expect(checks.slice(0, first).every(({ verdict }) => verdict === 'ok' || verdict === 'skipped')).to.equal(true);
  });

  it('runs the checks that --only names, and prints a line for each', async function () {
    skipUnlessGuest(this);
    const { code, out } = await faultline('suite', '--only', 'cp_file,exit_codes');
    expect(code).to.equal(0);
    expect(out).to.match(/^cp_file +ok\nexit_codes +ok\n\n2\/2 checks on kevlar, threshold 128\n {2}5 execs, /);
  });

  it('refuses a name that is none', async function () {
    skipUnlessGuest(this);
    const { code, err } = await faultline('suite', '--only', 'cp_file,nothing');
    expect([code, err]).to.deep.equal([1, 'faultline: --only nothing: there is no such check in traces/suites/busybox.json\n']);
  });

  it('forks and execs under stress, also where the kernel has the bug: a few pages are never assembled', async function () {
    skipUnlessGuest(this, HAZARD);
    const { code, out } = await faultline('suite', ...hazard, '--kernel', 'kevlar@m9.8', '--stress', '40');
    expect(code).to.equal(0);
    expect(out).to.match(/^40\/40 times fork, exec, wait on kevlar@m9.8, threshold 128\n {2}40 execs, 40 forks, .* 0 assemblies/);
  });

  it('ends at --max-instructions with 5', async function () {
    skipUnlessGuest(this);
    const { code, out } = await faultline('suite', '--max-instructions', '1000000');
    expect(code).to.equal(5);
    expect(out).to.contain('ended early: --max-instructions');
  });

  it('records a trace that replays to the same counts', async function () {
    skipUnlessGuest(this);
    const folder = mkdtempSync(join(tmpdir(), 'faultline-suite-test-'));
    try {
      const trace = join(folder, 't.jsonl.gz');
      const live = await faultline('suite', '--only', 'cp_file,pipe_chain,kill_process', '--record', trace);
      const { out } = await faultline('replay', trace, '--check', 'none');
      const [, execs, , faults, assemblies] = /(\d+) execs, (\d+) forks, (\d+) faults, (\d+) assembl/.exec(live.out)!;
      expect(out).to.match(new RegExp(`^held\\n.*\\n.* ${execs!} execs, ${faults!} faults, ${assemblies!} assembl`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
