/** examples/own-kernel: its README says what happens, and its test file finds the mistake and accepts the correction. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { playSession, withoutTimes } from '../../scripts/example-session.ts';
import { onlyThoroughly } from '../helpers/seed.ts';

const FOLDER = 'examples/own-kernel';
/** Of the properties the one that every check of a run decides: the others take long. */
const ONLY = ['--grep', 'no wrong byte'];
const MOCHA = ['node_modules/mocha/bin/mocha.js', '--no-config', '--node-option', 'import=tsx/esm', '--timeout', '60000'];

interface MochaReport {
  readonly failures: readonly { readonly title: string; readonly err: { readonly message: string } }[];
  readonly stats: { readonly passes: number };
}

/** Runs the example's test file beside a kernel. */
async function runTests(kernel: string): Promise<MochaReport> {
  // In the repository, so that the name of the package leads to it.
  mkdirSync('findings', { recursive: true });
  const folder = mkdtempSync('findings/example-');
  try {
    writeFileSync(join(folder, 'kernel.ts'), kernel);
    copyFileSync(join(FOLDER, 'kernel.test.ts'), join(folder, 'kernel.test.ts'));
    const env = { ...process.env, SEED: '1', RUNS: '31' };
    // Its exit code is the number of failures.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [...MOCHA, ...ONLY, '--reporter', 'json', join(folder, 'kernel.test.ts')],
      { env },
    ).catch((error: unknown) => error as { readonly stdout: string });
    return JSON.parse(stdout) as MochaReport;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('examples/own-kernel', function () {
  this.timeout(300_000);
  const kernel = readFileSync(join(FOLDER, 'kernel.ts'), 'utf8');

  it('prints what its README says (else write it anew: see scripts/example-session.ts)', async function () {
    onlyThoroughly(this);
    const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');
    expect(withoutTimes(await playSession(FOLDER))).to.equal(withoutTimes(readme));
  });

  it('has a test file that finds the mistake and names the decision to blame', async () => {
    const { failures } = await runTests(kernel);
    expect(failures).to.have.length(1);
    for (const { err } of failures) expect(err.message).to.include('the decision to blame: WarmAssembly.assemblySource');
  });

  it('has a test file that accepts the correction', async () => {
    const corrected = kernel.replace('fill.start === 0 ?', 'fill.start === 0 && fill.length === 4096 ?');
    expect(corrected).not.to.equal(kernel);
    const { failures, stats } = await runTests(corrected);
    expect(failures.map(({ err }) => err.message)).to.deep.equal([]);
    expect(stats.passes).to.equal(1);
  });
});
