/** The suite's data: complete, well formed, and what real BusyBoxes print under qemu. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { QemuGuest } from '../../scripts/suite-qemu.ts';
import { missingApplets, problemOf, readSuite, type Check } from '../../sim/suite.ts';
import { onlyThoroughly } from '../helpers/seed.ts';

const ROOT = join(import.meta.dirname, '../..');
const readJson = (path: string): unknown => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));
const suite = readSuite(readJson('traces/suites/busybox.json'));
const GUESTS = ['guest/busybox', 'guest/busybox-0x400000'];

describe('the BusyBox suite', () => {
  it('begins with the checks of the reconstructed suite, in their order', () => {
    const names = (readJson('scripts/suite-102.json') as { name: string }[]).map(({ name }) => name);
    expect(suite.checks.slice(0, names.length).map(({ name }) => name)).to.deep.equal(names);
  });

  it('has at least 134 checks that every BusyBox can do', () => {
    expect(suite.checks.filter(({ needs }) => needs === undefined)).to.have.length.at.least(134);
  });

  it('has few patterns, each with the reason', () => {
    const patterns = suite.checks.filter(({ pattern }) => pattern !== undefined);
    expect(patterns).to.have.length.below(suite.checks.length / 12);
    for (const { note } of patterns) expect(note).to.not.equal(undefined);
  });

  for (const path of GUESTS) {
    it(`is what BusyBox prints under qemu (${path})`, function () {
      onlyThoroughly(this);
      if (!existsSync(join(ROOT, path))) return void skip(this, `${path} is not there (npm run guest)`);
      const guest = new QemuGuest(join(ROOT, path));
      try {
        // One check in eight here; scripts/suite-expect.ts does them all.
        for (const check of suite.checks.filter((_, index) => index % 8 === 0)) {
          if (missingApplets(check, guest.applets).length === 0) expect(problemOf(check, guest.run(check)), check.name).to.equal(undefined);
        }
      } catch (error) {
        if (!(error as Error).message.startsWith('this takes qemu')) throw error;
        skip(this, (error as Error).message);
      } finally {
        guest.close();
      }
    });
  }
});

describe('a check', () => {
  const check: Check = { name: 'one', command: 'echo 1', stdout: '1\n', status: 0 };

  it('passes when output and status are right', () => {
    expect(problemOf(check, { stdout: '1\n', status: 0 })).to.equal(undefined);
  });

  it('says what is wrong: the signal, the status, the output', () => {
    expect(problemOf(check, { stdout: '1\n', status: 'SIGSEGV' })).to.equal('died of SIGSEGV');
    expect(problemOf(check, { stdout: '1\n', status: 3 })).to.equal('exit status 3, not 0');
    expect(problemOf(check, { stdout: '2\n', status: 0 })).to.equal('printed "2\\n", not "1\\n"');
  });

  it('matches a pattern on the whole output', () => {
    const { stdout: _, ...rest } = check;
    const some: Check = { ...rest, pattern: '^\\d\\n$', note: 'the time' };
    expect(problemOf(some, { stdout: '7\n', status: 0 })).to.equal(undefined);
    expect(problemOf(some, { stdout: '77\n', status: 0 })).to.match(/does not match/);
  });

  const WRONG: readonly (readonly [what: string, checks: object[], says: RegExp])[] = [
    ['two of one name', [check, check], /two checks are called one/],
    ['one without values', [{ name: 'one', command: 'x', status: 0 }], /either stdout or a pattern/],
    ['a pattern without a reason', [{ name: 'one', command: 'x', status: 0, pattern: '^$' }], /no note/],
    ['a pattern that is not anchored', [{ name: 'one', command: 'x', status: 0, pattern: 'x', note: 'y' }], /pattern/],
    ['a field of no meaning', [{ ...check, extra: 1 }], /no suite/],
  ];
  for (const [what, checks, says] of WRONG) {
    it(`is refused: ${what}`, () => {
      expect(() => readSuite({ guests: [], checks })).to.throw(says);
    });
  }
});

function skip(test: Mocha.Context, why: string): void {
  console.log(`      skipped: ${why}`);
  test.skip();
}
