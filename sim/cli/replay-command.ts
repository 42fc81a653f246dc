/** `faultline replay`: runs a trace, says what it found, and exits with what that means. */
import { Option } from 'commander';
import { kernelNamed, rightKernelFor, type Parameters, type Profile } from '../../kernel-model/index.ts';
import type { TraceHeader } from '../../traces/header.ts';
import type { CheckMode } from '../check/checker.ts';
import { createDigester } from '../digest.ts';
import { reportLines } from '../report.ts';
import { describeRunDifference } from '../twice.ts';
import type { CommandDefinition } from './context.ts';
import { replayDocument } from './document.ts';
import { EVENT_FORMS, EventOutput, type EventForm } from './event-output.ts';
import { EXIT, exitCodeOf } from './exit-code.ts';
import { kernelArgument } from './kernel-module.ts';
import { checkOption, jsonOption, kernelName, seconds, suppliedFile, wholeNumber } from './options.ts';
import { runTrace, type RunOptions, type TraceRun } from './run-trace.ts';
import { quoted } from './shell-word.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { openTrace } from './trace-file.ts';

interface ReplayFlags {
  readonly kernel?: string;
  readonly threshold?: number;
  readonly check: CheckMode;
  readonly until?: number;
  readonly events?: string;
  readonly eventsForm: EventForm;
  readonly keepGoing?: boolean;
  readonly frames?: number;
  readonly profile?: Profile;
  readonly maxOps?: number;
  readonly maxSeconds?: number;
  readonly twice?: boolean;
  readonly json?: boolean;
  readonly file?: ReadonlyMap<string, Uint8Array>;
}

const PROFILES: readonly Profile[] = ['fortress', 'balanced', 'performance', 'ludicrous'];

const EXAMPLES = `
Examples:
  faultline replay traces/recorded/suite20-0x400000.jsonl.gz
  faultline replay traces/recorded/suite20-0x400000.jsonl.gz --kernel kevlar@m9.8 --threshold 0
  faultline replay t.jsonl --kernel kevlar@m9.8.1~no-teardown --check every
  faultline replay t.jsonl --until 784 --events events.jsonl
  zcat t.jsonl.gz | faultline replay - --json | jq .failure

Exit codes: 0 held, 1 usage or malformed trace, 2 an invariant is broken, 3 a wrong byte, errno or signal,
4 an answer differs from the recording (or, with --twice, the two runs differ), 5 a limit was reached.`;

export const defineReplay: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('replay')
    .description('run a trace on a kernel and check every byte')
    .argument('<trace>', 'trace file: .jsonl, .jsonl.gz, .jsonl.zst, or - for standard input')
    .option('-k, --kernel <kernel>', 'kernel instead of the trace’s own; faultline kernels lists them; or the file of your own', kernelName)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page', wholeNumber)
    .addOption(checkOption())
    .option('--until <op>', 'stop before this op, counted from 0', wholeNumber)
    .option('--events <file>', 'write every event of the kernel to a file; - is standard output', undefined)
    .addOption(new Option('--events-form <form>', 'valid JSON lines, or the lines that Kevlar prints').choices(EVENT_FORMS).default('json'))
    .option('--keep-going', 'go on after a failure that a program could notice')
    .option('--frames <count>', 'physical frames of 4 KiB', wholeNumber)
    .addOption(new Option('--profile <profile>', 'how the kernel touches frames; results must not depend on it').choices(PROFILES))
    .option('--max-ops <count>', 'stop after so many ops', wholeNumber)
    .option('--max-seconds <seconds>', 'stop after so much time', seconds)
    .option('--twice', 'run everything twice and name the first difference')
    .option('--file <sha256=path>', 'content of a file that the trace names by digest; may be repeated', suppliedFile)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: ReplayFlags) => {
      exitWith(await replayTrace(path, flags, terminal));
    });
};

async function replayTrace(path: string, flags: ReplayFlags, terminal: Terminal): Promise<number> {
  if (flags.events === '-' && flags.json === true)
    throw new UsageError('--events - and --json both want standard output: name a file for the events');
  const startedAt = performance.now();
  const trace = await openTrace(path);
  const progress = terminal.progress('replaying');
  const events = flags.events === undefined ? undefined : new EventOutput(flags.events, flags.eventsForm, terminal);
  try {
    const options = { ...(await runOptions(flags)), ...eventOptions(events), startedAt, onProgress: progress.update };
    const run = await runTrace(trace, options, terminal);
    progress.stop();
    await printRun(run, { path, flags, header: trace.header }, terminal);
    return run.difference === undefined ? exitCodeOf(run.result) : EXIT.different;
  } finally {
    progress.stop();
    events?.close();
  }
}

async function runOptions(flags: ReplayFlags): Promise<RunOptions> {
  const { kernel, check, until, keepGoing, maxOps, maxSeconds, twice, file } = flags;
  return {
    kernel,
    parameters: parameterOverrides(flags),
    check,
    until,
    keepGoing,
    opsMax: maxOps,
    secondsMax: maxSeconds,
    isTwice: twice ?? false,
    supplied: file,
    digester: await createDigester(),
  };
}

function parameterOverrides({ threshold, frames, profile }: ReplayFlags): Partial<Parameters> {
  return {
    ...(threshold === undefined ? {} : { assembleThreshold: threshold }),
    ...(frames === undefined ? {} : { frames }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function eventOptions(events: EventOutput | undefined): Pick<RunOptions, 'onEvent' | 'betweenSlices'> {
  if (events === undefined) return {};
  return { onEvent: (event) => void events.add(event), betweenSlices: () => events.flush() };
}

interface RunContext {
  readonly path: string;
  readonly flags: ReplayFlags;
  readonly header: TraceHeader;
}

async function printRun(run: TraceRun, context: RunContext, terminal: Terminal): Promise<void> {
  const { flags, header } = context;
  if (flags.json === true) {
    await terminal.write(`${JSON.stringify(replayDocument(run, flags.twice))}\n`);
    return;
  }
  const { result, witness } = run;
  const [verdict = '', ...rest] = reportLines({ result, witness, expect: header.expect });
  const paint = result.verdict === 'held' ? terminal.colours.green : terminal.colours.red;
  const lines = [paint(verdict), ...rest, ...twiceLines(run, flags), ...hintLines(run, context)];
  if (flags.events === '-') for (const line of lines) terminal.remark(line);
  else await terminal.writeLines(lines);
}

function twiceLines({ difference, result }: TraceRun, { twice }: ReplayFlags): string[] {
  if (twice !== true) return [];
  return [
    '',
    difference === undefined
      ? `twice the same: every event and answer of ${result.ops} ops, and the state`
      : describeRunDifference(difference),
  ];
}

/** What to type next. */
function hintLines({ result }: TraceRun, { path, flags }: RunContext): string[] {
  if (path === '-') return [];
  const { failure, divergence, verdict, kernel, threshold } = result;
  const file = quoted(path);
  const same = `faultline replay ${file} --kernel ${quoted(kernelArgument(kernel))} --threshold ${threshold}`;
  const op = failure?.op ?? divergence?.op;
  const hints: string[] = [];
  if (op !== undefined && op < result.ops + 1 && flags.until === undefined) {
    hints.push(`faultline trace notation ${file} --from ${Math.max(0, op - 8)} --count 9`);
    hints.push(`${same} --until ${op + 1} --events events.jsonl`);
  }
  const known = kernelNamed(kernel);
  const right = typeof known === 'string' ? kernel : rightKernelFor(known).name;
  if (verdict === 'failed' && kernel !== right) hints.push(`faultline replay ${file} --kernel ${right} --threshold ${threshold}`);
  if (verdict !== 'limit') hints.push(`faultline sweep ${file}`);
  return hints.length === 0 ? [] : ['', 'next', ...hints.map((hint) => `  ${hint}`)];
}
