/**
 * `faultline suite`: the checks of a test suite, each a shell of the real BusyBox, live on a kernel.
 *
 * Process 1 is the runner. Lines appear as checks end; the last one counts. Standard output is a function of guest, kernel and
 * flags; times go to standard error.
 */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { InvalidArgumentError } from 'commander';
import { standardTree } from '../linux/fs/standard-tree.ts';
import { LINUX_DEFAULTS } from '../linux/system.ts';
import type { LiveMachine, LiveResult } from '../live.ts';
import { Recorder } from '../recorder.ts';
import { counted } from '../report.ts';
import { ENVIRONMENT, FOLDER, missingApplets, problemOf, readSuite, type Check } from '../suite.ts';
import { JobRunner, type Death, type Job, type JobOutcome } from '../suite-runner.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { readGuest, type Guest } from './guest.ts';
import { addLiveOptions, openMachine, type LiveFlags } from './live-options.ts';
import { SLICE } from './live-run.ts';
import { LiveWitness } from './live-witness.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { packageFile } from './package-files.ts';
import { writeRecording } from './record-command.ts';
import { UsageError, type Terminal } from './terminal.ts';

interface SuiteFlags extends LiveFlags {
  readonly only?: readonly string[];
  readonly stress?: number;
  readonly record?: string;
  readonly json?: boolean;
}

/** How a check went. */
interface CheckResult {
  readonly name: string;
  readonly verdict: 'ok' | 'failed' | 'died' | 'skipped';
  /** What was wrong, or missing. */
  readonly problem: string | undefined;
  readonly pid: number | undefined;
  readonly deaths: readonly Death[];
}

const SUITE = 'traces/suites/busybox.json';

const EXAMPLES = `
Examples:
  faultline suite
  faultline suite --guest guest/busybox-0x400000 --kernel kevlar@m9.8 --threshold 128
  faultline suite --only cp_file,tar_gz --check changes
  faultline suite --stress 300

Exit codes: 0 every check held, 1 usage, 2 only an invariant is broken, 3 a check failed or a program saw a wrong byte,
5 --max-instructions ended the run.`;

export const defineSuite: CommandDefinition = (program, { terminal, exitWith }) => {
  addLiveOptions(program.command('suite').description('run the checks of the BusyBox suite live on a kernel'))
    .option('--only <names>', 'these checks, with commas between them', (text) => text.split(','))
    .option('--stress <count>', 'instead of the checks: fork and exec /bin/true so many times', positive)
    .option('--record <file>', 'write what happens as a trace')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (flags: SuiteFlags) => {
      exitWith(await runSuite(flags, terminal));
    });
};

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be 1 or more.');
  return value;
}

async function runSuite(flags: SuiteFlags, terminal: Terminal): Promise<number> {
  const startedAt = performance.now();
  const guest = readGuest(flags.guest);
  const checks = flags.stress === undefined ? chosenChecks(flags.only) : stressChecks(flags.stress);
  const recorder = flags.record === undefined ? undefined : new Recorder();
  const live = openMachine(flags, recorder === undefined ? [] : [recorder]);
  const witness = new LiveWitness(live);
  const results: CheckResult[] = [];
  const isQuiet = flags.json === true || flags.stress !== undefined;
  const end = await runChecks({ checks, guest, live, flags, terminal }, async (result) => {
    results.push(result);
    if (!isQuiet) await terminal.write(`${checkLine(result, terminal)}\n`);
  });
  if (recorder !== undefined) await writeRecording(flags.record!, { recorder, live, program: 'the BusyBox suite' }, terminal);
  const run: SuiteRun = { results, result: live.finish(), end, live, witness };
  if (flags.json === true) await terminal.write(`${JSON.stringify(suiteDocument(run))}\n`);
  else await terminal.writeLines(summaryLines(run, flags));
  terminal.remark(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  return codeOf(run);
}

function chosenChecks(only: readonly string[] | undefined): readonly Check[] {
  const { checks } = readSuite(JSON.parse(readFileSync(packageFile(SUITE), 'utf8')));
  const unknown = only?.find((name) => !checks.some((check) => check.name === name));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: there is no such check in ${SUITE}`);
  return checks.filter(({ name }) => only?.includes(name) !== false);
}

const stressChecks = (count: number): readonly Check[] =>
  Array.from({ length: count }, (_, i) => ({ name: `true_${i + 1}`, command: '', stdout: '', status: 0 }));

// Running.

interface Running {
  readonly checks: readonly Check[];
  readonly guest: Guest;
  readonly live: LiveMachine;
  readonly flags: SuiteFlags;
  readonly terminal: Terminal;
}

/** How the run as a whole ended. */
type End = 'ended' | 'limit' | 'deadlock' | 'kernel bug';

async function runChecks(
  { checks, guest, live, flags, terminal }: Running,
  onResult: (result: CheckResult) => Promise<void>,
): Promise<End> {
  const tree = standardTree({
    busybox: guest.bytes,
    applets: guest.applets,
    hostname: LINUX_DEFAULTS.hostname,
    time: LINUX_DEFAULTS.bootTime,
  });
  const outcomes: JobOutcome[] = [];
  const possible = checks.filter((check) => missingApplets(check, guest.applets).length === 0);
  const jobs = possible.map((check) => jobOf(check, flags.stress !== undefined));
  const runner = new JobRunner({ live, tree, seed: flags.seed, onEnd: (outcome) => void outcomes.push(outcome) }, jobs);
  const instructionsMax = flags.maxInstructions ?? Infinity;
  const waiting = checks.values();
  /** Checks that could not run come between those that did, in the suite's order. */
  const tellUpTo = async (outcome: JobOutcome | undefined): Promise<void> => {
    for (const check of waiting) {
      if (check.name === outcome?.job.name) return onResult(resultOf(check, outcome));
      await onResult(skipped(check, guest));
    }
  };
  for (;;) {
    const result = live.guarded(() => runner.run(Math.min(SLICE, instructionsMax - live.hart.retired)));
    for (const outcome of outcomes.splice(0)) await tellUpTo(outcome);
    if (result?.why === 'ended') await tellUpTo(undefined);
    if (result === undefined) return 'kernel bug';
    if (result.why === 'ended') return 'ended';
    if (result.why !== 'limit') return 'deadlock';
    if (live.hart.retired >= instructionsMax) return 'limit';
    await setImmediate();
    terminal.throwIfInterrupted(() => `after ${live.hart.retired} instructions`);
  }
}

const jobOf = ({ name, command, files = {} }: Check, isStress: boolean): Job => ({
  name,
  ...(isStress ? { path: '/bin/true', args: ['true'] } : { path: '/bin/sh', args: ['sh', '-c', command] }),
  env: Object.entries(ENVIRONMENT).map((entry) => entry.join('=')),
  folder: FOLDER,
  files,
});

const skipped = (check: Check, { applets }: Guest): CheckResult => ({
  name: check.name,
  verdict: 'skipped',
  problem: `no ${missingApplets(check, applets).join(', ')} in this BusyBox`,
  pid: undefined,
  deaths: [],
});

function resultOf(check: Check, outcome: JobOutcome): CheckResult {
  const { pid, deaths, status, stderr } = outcome;
  const problem = problemOf(check, outcome);
  const last = stderr.trim().split('\n').at(-1)!;
  return {
    name: check.name,
    verdict: problem === undefined ? 'ok' : typeof status === 'string' || deaths.length > 0 ? 'died' : 'failed',
    problem: problem === undefined || last === '' ? problem : `${problem}; ${last}`,
    pid,
    deaths,
  };
}

// Telling.

interface SuiteRun {
  readonly results: readonly CheckResult[];
  readonly result: LiveResult;
  readonly end: End;
  readonly live: LiveMachine;
  readonly witness: LiveWitness;
}

const NAME_COLUMNS = 24;

function checkLine({ name, verdict, problem, deaths }: CheckResult, { colours }: Terminal): string {
  const start = name.padEnd(NAME_COLUMNS);
  if (verdict === 'ok') return `${start} ${colours.green('ok')}`;
  if (verdict === 'skipped') return `${start} skipped: ${problem!}`;
  const [death] = deaths;
  if (verdict === 'failed' || death === undefined) return `${start} ${colours.red('FAIL')} ${problem!}`;
  return `${start} ${colours.red('FAIL')} pid ${death.pid} (${death.comm}, exec ${death.exec}) died of ${death.signal}`;
}

function summaryLines({ results, result, end, live, witness }: SuiteRun, { stress }: SuiteFlags): string[] {
  const count = (verdict: CheckResult['verdict']): number => results.filter((one) => one.verdict === verdict).length;
  const [passed, skips] = [count('ok'), count('skipped')];
  const total = stress ?? results.length - skips;
  const { faults, assemblies, execs, forks } = result.counts;
  const figures = [
    counted(execs, 'exec'),
    counted(forks, 'fork'),
    counted(faults, 'fault'),
    counted(assemblies, 'assembly', 'assemblies'),
    counted(live.hart.retired, 'instruction'),
  ];
  const { name, threshold } = { name: live.kernel.name, threshold: live.machine.kernel.parameters.assembleThreshold };
  return [
    ...(stress === undefined ? [''] : []),
    `${passed}/${total} ${stress === undefined ? 'checks' : 'times fork, exec, wait'} on ${name}, threshold ${threshold}${skips > 0 ? `; ${skips} skipped` : ''}`,
    `  ${figures.join(', ')}`,
    ...firstDeathLines(results),
    ...(end === 'ended' ? [] : [`  ended early: ${ENDS[end]}`]),
    ...(result.failure === undefined ? [] : ['', ...witness.lines(result.failure)]),
  ];
}

const ENDS: Readonly<Record<Exclude<End, 'ended'>, string>> = {
  limit: '--max-instructions',
  deadlock: 'every process waits, and nothing will ever come',
  'kernel bug': 'the kernel found itself in an impossible state',
};

function firstDeathLines(results: readonly CheckResult[]): string[] {
  const first = results.find(({ verdict }) => verdict === 'died');
  const [death] = first?.deaths ?? [];
  return death === undefined
    ? []
    : [`  first: pid ${death.pid} (${death.comm}, exec ${death.exec}) died of ${death.signal} in ${first!.name}`];
}

function suiteDocument({ results, result, end, live }: SuiteRun): object {
  const { failure, findings, counts, leakedFrames } = result;
  return {
    kernel: live.kernel.name,
    threshold: live.machine.kernel.parameters.assembleThreshold,
    end,
    passed: results.filter(({ verdict }) => verdict === 'ok').length,
    failed: results.filter(({ verdict }) => verdict === 'failed' || verdict === 'died').length,
    skipped: results.filter(({ verdict }) => verdict === 'skipped').length,
    ...counts,
    leakedFrames,
    instructions: live.hart.retired,
    failure: failure === undefined ? null : { kind: failure.kind, id: failure.id, op: failure.op, message: failure.message },
    findings: findings.length,
    checks: results.map(({ problem, pid, ...rest }) => ({ ...rest, pid: pid ?? null, problem: problem ?? null })),
  };
}

function codeOf({ results, result, end }: SuiteRun): number {
  if (end === 'limit') return EXIT.limit;
  if (end !== 'ended' || results.some(({ verdict }) => verdict === 'failed' || verdict === 'died')) return EXIT.reference;
  if (result.failure === undefined) return EXIT.held;
  return result.failure.kind === 'invariant' ? EXIT.invariant : EXIT.reference;
}
