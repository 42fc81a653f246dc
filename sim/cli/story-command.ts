/**
 * `faultline story`: the M9.8.1 corruption, replayed from the traces that come with the package.
 *
 * Standard output is a function of the version; times go to standard error. The tables come from runs that compare
 * every load and answer as it happens and everything else at the end; the corrupt bytes from runs that look at every
 * page as it becomes visible, and so meet a wrong byte before a program does.
 */
import type { Trace } from '../../traces/codec.ts';
import { createDigester } from '../digest.ts';
import { isVisible } from '../finding.ts';
import type { ReplayResult } from '../replay.ts';
import { alignColumns, failureLines, indent } from '../report.ts';
import { checksText, sweepCells, SWEEP_LEGEND, sweepLines } from '../sweep.ts';
import type { CommandDefinition } from './context.ts';
import { exitCodeOf } from './exit-code.ts';
import { packageFile } from './package-files.ts';
import { runTrace } from './run-trace.ts';
import { sweepTrace } from './sweep-command.ts';
import type { Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

const RECORDING = 'traces/recorded/busybox-suite.jsonl.gz';
const SUITE = 'traces/reconstructed/busybox-102.jsonl.gz';
const STRESS = 'traces/reconstructed/fork-exec-stress.jsonl.gz';

const THRESHOLDS: readonly number[] = [0, 128, 600];
/** The threshold that Kevlar had. */
const THRESHOLD = 128;

/** What the post says of each kernel at 128, at 600 (where nothing is assembled), and of the stress test. */
const POST: Readonly<Record<string, readonly [at128: string, at600: string, stress: string]>> = {
  'kevlar@m9.8': ['64/100', '101/101', ''],
  'kevlar@m9.8-half': ['', '', ''],
  'kevlar@m9.8.1': ['134/134', '', '300/300'],
  kevlar: ['', '', ''],
};

const INTRO = `The M9.8.1 story. BusyBox has a file page that two segments share: the end of its constants and the
beginning of its data. Kevlar cached that page as the constants have it, a few bytes and then zeros.
When enough pages were cached, the next exec copied them into one huge page, the short one included,
and from then on each process that execed BusyBox found zeros where its data should be.`;

const EXAMPLES = `
Examples:
  faultline story           what npm start runs
  faultline story | less

Exits with 0 if the right kernel holds everywhere.`;

export const defineStory: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('story')
    .description('the M9.8.1 corruption, replayed from real and reconstructed BusyBox runs')
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      await terminal.writeLines([INTRO, '']);
      const recorded = await timed('1. the recording', terminal, () => tellRecording(terminal));
      const suite = await timed('2. the suite', terminal, () => tellSuite(terminal));
      await timed('3. the corrupt bytes', terminal, () => tellBytes([...recorded, ...suite], terminal));
      const right = [...recorded, ...suite].filter(({ result }) => result.kernel === 'kevlar');
      exitWith(right.map(({ result }) => exitCodeOf(result)).find((code) => code !== 0) ?? 0);
    });
};

/** A result, and the trace that gave it. */
interface Told {
  readonly path: string;
  readonly trace: Trace;
  readonly result: ReplayResult;
}

async function timed<T>(what: string, terminal: Terminal, tell: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await tell();
  terminal.remark(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}

async function tellSweep(path: string, kernels: readonly string[], thresholds: readonly number[], terminal: Terminal): Promise<Told[]> {
  const trace = await readTrace(packageFile(path));
  const runs = await sweepTrace(trace, sweepCells(kernels, thresholds), 'end', terminal);
  return runs.map(({ result }) => ({ path, trace, result }));
}

async function tellRecording(terminal: Terminal): Promise<Told[]> {
  const told = await tellSweep(RECORDING, Object.keys(POST), [THRESHOLD], terminal);
  const { header, ops } = told[0]!.trace;
  await terminal.writeLines([
    '1. A recording of the real thing',
    '',
    `${RECORDING}: ${ops.length} ops of ${header.source?.program ?? 'a program'},`,
    'which ran live on the kernel model as RISC-V machine code (faultline suite --record), its data in mid-page as in the story.',
    'Every load and answer is compared as it happens, every byte and invariant at the end (--check end).',
    '',
    ...indent(sweepLines(told.map(({ result }) => result))),
    '',
    ...SWEEP_LEGEND,
    '',
    'Live, each check that fails here is a shell that dies of SIGSEGV: npm run guest -- --build, then',
    'faultline suite --guest guest/busybox-0x400000 --kernel kevlar@m9.8. This BusyBox reads more pages at start than the',
    'post’s, so 128 are cached sooner; at a threshold of 200 the first to die is check 65, as in the post.',
    '',
  ]);
  return told;
}

async function tellSuite(terminal: Terminal): Promise<Told[]> {
  const kernels = Object.keys(POST);
  const suite = await tellSweep(SUITE, kernels, THRESHOLDS, terminal);
  const stress = await tellSweep(STRESS, kernels, [THRESHOLD], terminal);
  await terminal.writeLines([
    '2. The post’s suite, reconstructed',
    '',
    `${SUITE}: ${suite[0]!.trace.ops.length} ops, 102 checks.`,
    'Passed of those that count, by threshold; and forks that went well in a stress test (--check end).',
    '',
    ...indent(alignColumns([POST_HEADINGS, ...kernels.map((kernel) => postRow(kernel, suite, stress))], new Set())),
    '',
    ...postRemarks(suite),
    '',
  ]);
  return suite;
}

const POST_HEADINGS = ['kernel', '0     ', '128    ', '(post) ', '600    ', '(post) ', 'stress ', '(post)'];

function postRow(kernel: string, suite: readonly Told[], stress: readonly Told[]): string[] {
  const [at0, at128, at600] = suite.filter(({ result }) => result.kernel === kernel).map(({ result }) => checksText(result.checks));
  const [post128, post600, postStress] = POST[kernel]!;
  return [kernel, at0!, at128!, post128, at600!, post600, stressText(stress.find(({ result }) => result.kernel === kernel)!), postStress];
}

/** Every fork of the stress trace is one of its rounds. */
function stressText({ trace, result }: Told): string {
  const rounds = trace.ops.filter(({ op }) => op === 'fork').length;
  return result.findings.some(isVisible) ? 'fails' : `${rounds}/${rounds}`;
}

function postRemarks(suite: readonly Told[]): string[] {
  const ofBug = (threshold: number): ReplayResult =>
    suite.find(({ result }) => result.kernel === 'kevlar@m9.8' && result.threshold === threshold)!.result;
  const pid = ofBug(0).findings.find(isVisible)?.pid;
  return [
    `On kevlar@m9.8 the first check to fail at ${THRESHOLD} is ${ofBug(THRESHOLD).checks?.firstFailed ?? 'none'}; at 0 pid ${pid ?? '-'} fails, the first that the suite starts.`,
    'The suite as published has 102 checks, of which one skips itself: 101. The post’s 134 fit no version of it.',
    'The stress test execs true 300 times and never has 128 pages cached, so it cannot show the bug.',
  ];
}

/** The first wrong byte of every kernel that a program saw fail at Kevlar's threshold. */
async function tellBytes(told: readonly Told[], terminal: Terminal): Promise<void> {
  const failing = told.filter(({ result }) => result.threshold === THRESHOLD && result.findings.some(isVisible));
  await terminal.writeLines([
    '3. The first corrupt byte of each kernel that fails, at threshold 128',
    '',
    'Found as the page is mapped, before a program reads it (--check changes).',
  ]);
  for (const { path, trace, result } of failing) await terminal.writeLines(['', ...(await byteLines(path, trace, result, terminal))]);
}

async function byteLines(path: string, trace: Trace, { kernel, threshold }: ReplayResult, terminal: Terminal): Promise<string[]> {
  const options = { kernel, parameters: { assembleThreshold: threshold }, check: 'changes', digester: await createDigester() } as const;
  const { result, witness } = await runTrace({ header: trace.header, ops: [trace.ops] }, options, terminal);
  const { checks, failure } = result;
  const check = checks === undefined ? '' : `, in check ${checks.passed + checks.failed + checks.skipped} (${checks.firstFailed ?? '-'})`;
  return [`${kernel} on ${path}${check}`, ...indent(failure === undefined ? ['nothing'] : failureLines(failure, witness))];
}
