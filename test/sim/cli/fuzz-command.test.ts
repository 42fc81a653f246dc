/** `faultline fuzz`, as a user sees it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { faultline } from '../../helpers/command-line.ts';

interface Document {
  readonly verdict: string;
  readonly runs: number;
  readonly findings: readonly { readonly trace: string; readonly ops: number; readonly decisions: readonly string[] }[];
}

describe('faultline fuzz', () => {
  let folder = '';

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'faultline-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const fuzz = async (...flags: readonly string[]): Promise<{ readonly code: number; readonly document: Document }> => {
    const { code, out } = await faultline('fuzz', '--json', '-o', folder, ...flags);
    const { elapsedMs: _, runsPerSecond: __, ...document } = JSON.parse(out) as Record<string, unknown>;
    return { code, document: document as unknown as Document };
  };

  it('finds the same with one worker as with two, and writes traces that replay as they say', async () => {
    const flags = ['--kernel', 'kevlar@m9.8.1', '--runs', '8', '--keep-going', '--seed', 'jobs'];
    const one = await fuzz(...flags, '--jobs', '1');
    const names = readdirSync(folder);
    const two = await fuzz(...flags, '--jobs', '2');
    expect(two).to.deep.equal(one);
    expect(one.document.findings.length).to.be.above(2);
    expect(readdirSync(folder)).to.deep.equal(names);
    for (const { trace, ops } of one.document.findings) {
      expect(ops).to.be.at.most(10);
      const { out } = await faultline('replay', trace, '--json');
      expect((JSON.parse(out) as { expectation: string }).expectation).to.equal('met');
    }
  });

  it('ends with the first failure, and names the decision to blame', async () => {
    const { code, document } = await fuzz('--kernel', 'kevlar+fork-skips-flush', '--runs', '500');
    expect(document.findings).to.have.length(1);
    expect(document.findings[0]!.decisions).to.deep.equal(['fork-skips-flush']);
    expect(document.runs).to.be.below(500);
    expect([2, 3]).to.include(code);
  });

  it('exits with 0 when nothing was found', async () => {
    const { code, document } = await fuzz('--runs', '40', '--jobs', '2');
    expect(code).to.equal(0);
    expect(document).to.deep.include({ verdict: 'held', runs: 40, findings: [] });
  });

  it('refuses flags that make no sense, and names them', async () => {
    for (const [flags, wrong] of [
      [['--jobs', '0'], '--jobs'],
      [['--seed', ''], '--seed'],
      [['--kernel', 'none'], 'kernel'],
      [['--runs', 'many'], '--runs'],
    ] as const) {
      const { code, err } = await faultline('fuzz', ...flags);
      expect(code).to.equal(1);
      expect(err).to.include(wrong);
    }
  });
});
