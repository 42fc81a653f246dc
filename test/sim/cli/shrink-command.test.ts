/** `faultline shrink`: what it prints and writes, threads, budgets, and that a killed shrink goes on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { faultline } from '../../helpers/command-line.ts';
import { onlyThoroughly } from '../../helpers/seed.ts';

const ROOT = join(import.meta.dirname, '../../..');
/** Nine ops: 127 pages and the tail of the constants are cached, the next exec assembles. */
const TAIL = join(ROOT, 'traces/reconstructed/exec-127-tail.jsonl');
const PIPELINE = join(ROOT, 'traces/recorded/ls-sort-head-exec.jsonl.gz');

let folder = '';
const at = (name: string): string => join(folder, name);

describe('faultline shrink', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('writes a trace that replays as it says, and tells each op’s need and the decision to blame', async () => {
    const { code, out } = await faultline('shrink', TAIL, '-k', 'kevlar@m9.8', '-o', at('tail.jsonl'));
    expect(code).to.equal(0);
    expect(out).to.match(/^shrunk: reference zero-gap \(pad, zero, from file by assembly\)\n {2}from \d+ ops to \d ops/);
    expect(out).to.contain('without it: holds').and.to.contain('to blame   ');
    expect(existsSync(at('tail.jsonl.journal'))).to.equal(false);
    const replayed = await faultline('replay', at('tail.jsonl'));
    expect(replayed.code).to.equal(3);
    expect(replayed.out).to.contain('fails as expected');
  });

  it('gives the same file with two threads, and JSON', async () => {
    const { code, out } = await faultline('shrink', TAIL, '-k', 'kevlar@m9.8', '-j', '2', '-o', at('two.jsonl'), '--json');
    expect(code).to.equal(0);
    const document = JSON.parse(out) as Record<string, unknown>;
    expect(document).to.include({ isComplete: true, out: at('two.jsonl') });
    expect(document['certificate']).to.have.length(document['ops'] as number);
    expect(readFileSync(at('two.jsonl'), 'utf8')).to.equal(readFileSync(at('tail.jsonl'), 'utf8'));
  });

  it('keeps what --fix names', async () => {
    const { out } = await faultline('shrink', TAIL, '-k', 'kevlar@m9.8', '--fix', 'threshold,rules', '-o', at('fixed.jsonl'), '--json');
    const { kernel, steps } = JSON.parse(out) as { kernel: Record<string, unknown>; steps: number };
    expect(kernel).to.include({ name: 'kevlar@m9.8', assembleThreshold: 128 });
    expect(steps).to.be.within(129, 156);
  });

  it('stops at its budget with a failing trace, and the same command goes on to the same end', async () => {
    const args = ['shrink', TAIL, '-k', 'kevlar@m9.8', '-o', at('parts.jsonl')];
    for (let runs = 0; ; runs++) {
      const { code, out } = await faultline(...args, '--max-replays', '6');
      expect((await faultline('replay', at('parts.jsonl'))).out).to.contain('fails as expected');
      if (code === 0) break;
      expect(code).to.equal(5);
      expect(out).to.contain('shrunk so far').and.to.contain('the same command again');
      expect(runs).to.be.below(40);
    }
    expect(readFileSync(at('parts.jsonl'), 'utf8')).to.equal(readFileSync(at('tail.jsonl'), 'utf8'));
  }).timeout(120_000);

  it('that is killed goes on to the same end', async function () {
    onlyThoroughly(this);
    const args = ['shrink', PIPELINE, '-k', 'kevlar@m9.8', '-t', '0'];
    expect((await faultline(...args, '-o', at('whole.jsonl'))).code).to.equal(0);
    const command = [...['--import', 'tsx/esm', join(ROOT, 'sim/cli/main.ts')], ...args, '-o', at('killed.jsonl')];
    for (const answers of KILLED_AFTER) {
      const child = spawn(process.execPath, command, { cwd: ROOT, stdio: 'ignore' });
      const gone = once(child, 'exit');
      while (child.exitCode === null && linesOf(at('killed.jsonl.journal')) < answers)
        await new Promise((resolve) => setTimeout(resolve, 2));
      child.kill('SIGKILL');
      await gone;
      if (existsSync(at('killed.jsonl'))) expect((await faultline('replay', at('killed.jsonl'))).out).to.contain('fails as expected');
    }
    const { code, err } = await faultline(...args, '-o', at('killed.jsonl'));
    expect(code).to.equal(0);
    expect(err).to.contain('going on after');
    expect(readFileSync(at('killed.jsonl'), 'utf8')).to.equal(readFileSync(at('whole.jsonl'), 'utf8'));
    expect(readdirSync(folder).filter((name) => name.endsWith('.journal'))).to.deep.equal([]);
  }).timeout(120_000);

  it('ignores a journal of another trace, and a torn last line', async () => {
    const torn = '{"index":0,"fail';
    writeFileSync(at('other.jsonl.journal'), `{"journal":1,"of":"another"}\n{"index":99,"failures":[],"digest":""}\n${torn}`);
    const { code, err } = await faultline('shrink', TAIL, '-k', 'kevlar@m9.8', '-o', at('other.jsonl'));
    expect(code).to.equal(0);
    expect(err).not.to.contain('going on');
    expect(readFileSync(at('other.jsonl'), 'utf8')).to.equal(readFileSync(at('tail.jsonl'), 'utf8'));
  });

  it('says what it cannot do', async () => {
    const held = await faultline('shrink', TAIL, '-k', 'kevlar', '-o', at('held.jsonl'));
    expect(held).to.deep.include({ code: 1, out: '' });
    expect(held.err).to.contain('the trace does not fail: there is nothing to shrink');
    expect(existsSync(at('held.jsonl'))).to.equal(false);
    expect((await faultline('shrink', TAIL, '--fix', 'frames')).err).to.contain('threshold or rules');
    expect((await faultline('shrink', TAIL, '--out', '-')).err).to.contain('it must be a file');
    expect((await faultline('shrink', at('none.jsonl'))).err).to.contain('there is no such file');
    const absent = await faultline('shrink', TAIL, '-k', 'kevlar@m9.8', '--finding', 'no-such', '-o', at('absent.jsonl'));
    expect(absent).to.include({ code: 1 });
    expect(absent.err).to.contain('does not show no-such; it shows');
  });
});

/** Lines of the journal at which the process is killed, each time a little further. */
const KILLED_AFTER = [3, 9, 16];

function linesOf(path: string): number {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
}
