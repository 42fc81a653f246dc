/** `faultline fuzz`: random traces on a kernel until one fails; what is found is shrunk and written down. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Option } from 'commander';
import { formatOp } from '../../traces/notation.ts';
import type { NewFinding } from '../../properties/fuzz.ts';
import { summarizeFeatures } from '../../properties/state-coverage.ts';
import { CHECK_MODES, type CheckMode } from '../check/checker.ts';
import { alignColumns } from '../report.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { fuzz, type FuzzResult } from './fuzz-campaign.ts';
import type { Shrunk } from './fuzz-worker.ts';
import { kernelFlag } from './kernel-module.ts';
import { jsonOption, kernelName, seconds, wholeNumber } from './options.ts';
import { quoted } from './shell-word.ts';
import { writeTrace } from './trace-file.ts';
import { UsageError } from './terminal.ts';

interface FuzzFlags {
  readonly kernel: string;
  readonly seed: string;
  readonly time?: number;
  readonly runs?: number;
  readonly jobs: number;
  readonly keepGoing?: boolean;
  readonly output: string;
  readonly check: CheckMode;
  readonly maxOps: number;
  readonly faults: boolean;
  readonly swarm: boolean;
  readonly bias: boolean;
  readonly shrinkReplays: number;
  readonly json?: boolean;
}

const SECONDS_DEFAULT = 60;
const JOBS_MAX = 256;

const EXAMPLES = `
Examples:
  faultline fuzz --kernel kevlar@m9.8 --time 10               the first failure, shrunk
  faultline fuzz --kernel kevlar@m9.8.1 --keep-going --runs 2000 --jobs 4 -o findings
  faultline fuzz --seed 8f3c21aa --runs 100000                100,000 runs on the right kernel
  faultline fuzz --kernel examples/own-kernel/kernel.ts       a kernel of your own (see the README there)
  faultline replay findings/kevlar@m9.8-zero-gap-1-17.jsonl   what was found, once more

Run n of a seed is the same run every time, whatever --jobs says. Without --keep-going the first run that fails ends it.
Exits with 0 if nothing was found, 3 if a program could notice what was, 2 if only an invariant is broken.`;

export const defineFuzz: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('fuzz')
    .description('run random traces on a kernel, and shrink what fails')
    .option('--kernel <name>', 'kernel, as faultline kernels lists them, or the file of your own', kernelName, 'kevlar')
    .option('--seed <text>', 'seed of the campaign', '1')
    .option('--time <seconds>', `end after so many seconds (default: ${SECONDS_DEFAULT}, without --runs)`, seconds)
    .option('--runs <count>', 'end after so many runs', wholeNumber)
    .option('--jobs <count>', 'worker threads', wholeNumber, 1)
    .option('--keep-going', 'collect every new kind of failure instead of ending with the first')
    .option('-o, --output <folder>', 'where the shrunk traces go', 'findings')
    .addOption(new Option('--check <mode>', 'when to compare and check').choices(CHECK_MODES.slice(0, 3)).default('changes'))
    .option('--max-ops <count>', 'ops of one run at most', wholeNumber, 60)
    .option('--no-faults', 'no injected failures of frames and stores')
    .option('--no-swarm', 'every run draws from all kinds of ops')
    .option('--no-bias', 'addresses and offsets anywhere, not near boundaries')
    .option('--shrink-replays <count>', 'replays that shrinking one finding may take', wholeNumber, 5000)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (flags: FuzzFlags) => {
      if (flags.seed === '') throw new UsageError('--seed: a seed has at least one character');
      if (flags.jobs < 1 || flags.jobs > JOBS_MAX) throw new UsageError(`--jobs: from 1 to ${JOBS_MAX} worker threads, not ${flags.jobs}`);
      if (flags.maxOps < 1) throw new UsageError('--max-ops: a run has at least one op');
      const told: ToldFinding[] = [];
      const result = await fuzz(
        {
          ...budgetOf(flags),
          campaign: campaignOf(flags),
          jobs: flags.jobs,
          isKeepingGoing: flags.keepGoing === true,
          replaysMax: flags.shrinkReplays,
          onFinding: async (finding, shrunk) => {
            const one = { finding, shrunk, path: await write(flags, finding, shrunk) };
            told.push(one);
            if (flags.json !== true) await terminal.writeLines(findingLines(one));
          },
        },
        terminal,
      );
      await terminal.writeLines(flags.json === true ? [JSON.stringify(document(flags, result, told))] : summaryLines(flags, result));
      exitWith(exitCodeOf(told));
    });
};

interface ToldFinding {
  readonly finding: NewFinding;
  readonly shrunk: Shrunk;
  readonly path: string;
}

const budgetOf = ({ runs, time }: FuzzFlags): { runsMax: number | undefined; secondsMax: number | undefined } => ({
  runsMax: runs,
  secondsMax: time ?? (runs === undefined ? SECONDS_DEFAULT : undefined),
});

const campaignOf = ({ kernel, seed, check, maxOps, faults, swarm, bias }: FuzzFlags) => ({
  kernel,
  seed,
  check,
  opsMax: maxOps,
  hasFaults: faults,
  isSwarm: swarm,
  isBiased: bias,
});

async function write({ kernel, seed, output }: FuzzFlags, { run }: NewFinding, { header, ops }: Shrunk): Promise<string> {
  await mkdir(output, { recursive: true });
  const name = [kernel, header.expect?.id ?? 'held', seed, String(run)].join('-').replace(/[^\w.@+~-]/g, '_');
  const path = join(output, `${name}.jsonl`);
  await writeTrace(path, header, ops);
  return path;
}

function findingLines({ finding, shrunk, path }: ToldFinding): string[] {
  const { ops, opsBefore, replays, rules, isComplete, header } = shrunk;
  const { name } = header.kernel;
  const trace = `${quoted(path)}${kernelFlag(name)}`;
  return [
    `found ${finding.signature} in run ${finding.run}, at op ${finding.op}`,
    `  ${finding.message}`,
    ...alignColumns(
      [
        ['  shrunk', `from ${opsBefore} ops to ${ops.length} by ${replays} replays${isComplete ? '' : ', which were not enough to end'}`],
        ['  trace', ops.map(formatOp).join('; ')],
        ['  kernel', name],
        ...(rules.length === 0 ? [] : [['  to blame', rules.join(', ')]]),
        ['  file', path],
        ['  replay', `faultline replay ${trace}`],
        ['  explain', `faultline explain ${trace}`],
        ['  view', `faultline view ${trace}`],
      ],
      new Set(),
    ),
    '',
  ];
}

function summaryLines({ kernel, seed }: FuzzFlags, { campaign, elapsedMs }: FuzzResult): string[] {
  const { runs, ops, failedRuns, findings, features } = campaign;
  const rate = Math.round((runs / Math.max(elapsedMs, 1)) * 1000);
  const classes = summarizeFeatures(features).map(({ name, met, of }) => `${name} ${met}/${of}`);
  return [
    `${findings.length === 0 ? 'held' : 'failed'}: ${findings.length} kinds of failure in ${failedRuns} of ${runs} runs`,
    ...alignColumns(
      [
        ['  kernel', kernel],
        ['  seed', seed],
        ['  ran', `${ops} ops in ${(elapsedMs / 1000).toFixed(1)} s, ${rate} runs a second`],
        ['  covered', `${features.size} situations: ${classes.join(', ')}`],
      ],
      new Set(),
    ),
  ];
}

const document = ({ kernel, seed }: FuzzFlags, { campaign, elapsedMs }: FuzzResult, told: readonly ToldFinding[]): object => ({
  verdict: told.length === 0 ? 'held' : 'failed',
  kernel,
  seed,
  runs: campaign.runs,
  ops: campaign.ops,
  failedRuns: campaign.failedRuns,
  findings: told.map(({ finding, shrunk, path }) => ({
    run: finding.run,
    signature: finding.signature,
    op: finding.op,
    message: finding.message,
    trace: path,
    opsBefore: shrunk.opsBefore,
    ops: shrunk.ops.length,
    notation: shrunk.ops.map(formatOp),
    kernel: shrunk.header.kernel.name,
    decisions: shrunk.rules,
    expect: shrunk.header.expect ?? null,
    replays: shrunk.replays,
    isComplete: shrunk.isComplete,
  })),
  situations: campaign.features.size,
  coverage: summarizeFeatures(campaign.features),
  elapsedMs: Math.round(elapsedMs),
  runsPerSecond: Math.round((campaign.runs / Math.max(elapsedMs, 1)) * 1000),
});

/** By what the shrunk traces show. */
function exitCodeOf(told: readonly ToldFinding[]): number {
  if (told.length === 0) return EXIT.held;
  return told.some(({ shrunk }) => shrunk.header.expect?.kind !== 'invariant') ? EXIT.reference : EXIT.invariant;
}
