/**
 * Gives the checks of traces/suites/ their values, from real BusyBoxes under qemu-riscv64.
 *
 *     node --import tsx/esm scripts/suite-expect.ts guest/busybox guest/busybox-0x400000            compares
 *     node --import tsx/esm scripts/suite-expect.ts guest/busybox guest/busybox-0x400000 --write    writes
 *
 * Every program that has a check's applets must give the same. Patterns are never written, only compared. Run it as root:
 * the guest's user is root too.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { missingApplets, problemOf, readSuite, type Check, type Outcome } from '../sim/suite.ts';
import { QemuGuest } from './suite-qemu.ts';

const SUITE = join(import.meta.dirname, '../traces/suites/busybox.json');
const USAGE = 'usage: suite-expect.ts GUEST… [--write] [--only NAMES]';

/** The check with the values that came; a pattern stays. */
function withValues(check: Check, { stdout, status }: Outcome): Check {
  if (typeof status === 'string') throw new Error(`${check.name}: the shell died of ${status}`);
  return check.pattern === undefined ? { ...check, stdout, status } : { ...check, status };
}

/** @returns the check with its values; problems go to `report` */
function expect(check: Check, guests: readonly QemuGuest[], isWriting: boolean, report: (line: string) => void): Check {
  let wanted: Check | undefined = isWriting ? undefined : check;
  for (const guest of guests) {
    if (missingApplets(check, guest.applets).length > 0) continue;
    const came = guest.run(check);
    wanted ??= withValues(check, came);
    const problem = problemOf(wanted, came);
    if (problem !== undefined) report(`${check.name}: ${guest.path} ${problem}${came.stderr === '' ? '' : `\n    ${came.stderr.trim()}`}`);
  }
  if (wanted === undefined) throw new Error(`${check.name}: none of the programs has ${check.needs?.join(', ') ?? ''}`);
  return wanted;
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { write: { type: 'boolean', default: false }, only: { type: 'string' } },
    allowPositionals: true,
  });
  if (positionals.length === 0) throw new Error(USAGE);
  const only = values.only?.split(',');
  const suite = readSuite(withDefaults(JSON.parse(readFileSync(SUITE, 'utf8')) as { checks: object[] }));
  const guests = positionals.map((path) => new QemuGuest(path));
  let problems = 0;
  try {
    const checks = suite.checks.map((check) => {
      if (only?.includes(check.name) === false) return check;
      return expect(check, guests, values.write, (line) => {
        problems++;
        console.error(line);
      });
    });
    if (values.write)
      writeFileSync(SUITE, await format(JSON.stringify({ ...suite, checks }), { ...(await resolveConfig(SUITE)), parser: 'json' }));
  } finally {
    for (const guest of guests) guest.close();
  }
  console.log(`${suite.checks.length} checks, ${guests.length} programs, ${problems} problems`);
  if (problems > 0) process.exitCode = 1;
}

/** A new check has no values yet. */
const withDefaults = ({ checks, ...suite }: { checks: object[] }): object => ({
  ...suite,
  checks: checks.map((check) => ({ ...('pattern' in check ? {} : { stdout: '' }), status: 0, ...check })),
});

await main(process.argv.slice(2));
