/** `faultline check-log`: a real kernel's serial log as witness; names the first event that the model cannot explain. */
import { designOf, eventAsKevlarLine, kernelNamed, parseElf, planExec, DEFAULT_PARAMETERS, type Design } from '../../kernel-model/index.ts';
import { File, type Vma } from '../../kernel-model/index.ts';
import { fileBytes } from '../../traces/content.ts';
import type { TraceHeader } from '../../traces/header.ts';
import { parseKevlarLine } from '../../traces/import/kevlar-line.ts';
import { LogChecker, ModelJudge } from '../check-log/check-log.ts';
import type { LogVerdict } from '../check-log/finding.ts';
import { readEvent, type LogEvent } from '../check-log/log-event.ts';
import { LogWitness } from '../check-log/log-witness.ts';
import { createDigester } from '../digest.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { jsonOption, kernelName, wholeNumber } from './options.ts';
import { runTrace } from './run-trace.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { textLines } from './text-lines.ts';
import { openTrace } from './trace-file.ts';

interface CheckLogFlags {
  readonly kernel: string;
  readonly threshold?: number;
  readonly trace?: string;
  readonly lossy?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  faultline check-log serial.log
  faultline check-log serial.log --trace t.jsonl                         every event must be the model's
  faultline check-log serial.log --trace t.jsonl --kernel kevlar@m9.8 --lossy
  faultline replay t.jsonl --events - --events-form kevlar | faultline check-log - --trace t.jsonl

Other text may stand between and before the events. Exit codes: 0 explained, 1 usage, 4 an event that the model cannot explain.`;

export const defineCheckLog: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('check-log')
    .description('hold a Kevlar kernel’s debug events against the model')
    .argument('<log>', 'serial log with DBG lines, plain or gzip; - is standard input')
    .option('-k, --kernel <kernel>', 'kernel that shall explain it', kernelName, 'kevlar')
    .option('-t, --threshold <pages>', 'with --trace: cached pages at which an exec assembles a huge page', wholeNumber)
    .option('--trace <trace>', 'what ran: the model runs it too, and the log’s events must be the model’s')
    .option('--lossy', 'with --trace: events may be missing in the log, as when the printer was busy')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: CheckLogFlags) => {
      const verdict = await checkLog(path, flags, terminal);
      if (flags.json === true) await terminal.writeLines([JSON.stringify(verdict)]);
      else await terminal.writeLines(verdictLines(path, verdict));
      exitWith(verdict.unexplained === undefined ? EXIT.held : EXIT.different);
    });
};

async function checkLog(path: string, flags: CheckLogFlags, terminal: Terminal): Promise<LogVerdict> {
  if (path === '-' && flags.trace === '-') throw new UsageError('log and trace are both standard input: name a file for one of them');
  const lines: string[] = [];
  for await (const batch of textLines(path)) {
    lines.push(...batch);
    terminal.throwIfInterrupted(() => `at line ${lines.length}`);
  }
  const kernel = kernelNamed(flags.kernel);
  if (typeof kernel === 'string') throw new UsageError(kernel);
  const design = designOf(kernel, { ...DEFAULT_PARAMETERS, ...kernel.parameters });
  const { header, events } =
    flags.trace === undefined ? { header: undefined, events: undefined } : await modelEvents(flags.trace, flags, terminal);
  const plans = header === undefined ? new Map<string, Plan>() : plansOf(header, design);
  const witness = new LogWitness({ design, expectsVerifierFailures: kernel.mutants.length > 0, planOf: (argv0) => plans.get(argv0) });
  const judge = events === undefined ? undefined : new ModelJudge(events, kindsIn(lines), flags.lossy === true);
  const checker = new LogChecker(witness, judge === undefined ? [] : [(event) => judge.problemWith(event)]);
  for (const line of lines) if (!checker.add(line)) break;
  return checker.finish();
}

/** The types of events in a log: what its filters let through. */
function kindsIn(lines: readonly string[]): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const line of lines) {
    const event = parseKevlarLine(line);
    if (typeof event === 'object') kinds.add(event.type);
  }
  return kinds;
}

/** The events of the model on that trace, as its log has them. */
async function modelEvents(path: string, { kernel, threshold }: CheckLogFlags, terminal: Terminal) {
  const trace = await openTrace(path);
  const events: LogEvent[] = [];
  const options = {
    kernel,
    ...(threshold === undefined ? {} : { parameters: { assembleThreshold: threshold } }),
    check: 'none' as const,
    digester: await createDigester(),
    onEvent: (event: Parameters<typeof eventAsKevlarLine>[0]) => {
      const line = parseKevlarLine(eventAsKevlarLine(event));
      const read = typeof line === 'object' ? readEvent(line) : undefined;
      if (typeof read === 'object') events.push(read);
    },
  };
  await runTrace(trace, options, terminal);
  return { header: trace.header, events };
}

interface Plan {
  readonly vmas: readonly Vma[];
  readonly entry: number;
}

/** What an exec of each program of the trace lays out, whatever its arguments. */
function plansOf(header: TraceHeader, design: Design): ReadonlyMap<string, Plan> {
  const plans = new Map<string, Plan>();
  for (const spec of header.files.filter(({ segments, content }) => segments !== undefined && !('sha256' in content))) {
    const bytes = fileBytes(spec);
    const image = parseElf(bytes, bytes.length);
    if ('message' in image || image.interp !== undefined) continue;
    const file = new File(spec.path, spec.links ?? [], bytes, true);
    const plan = planExec(design, { program: { file, image }, interpreter: undefined, argv: [], env: [], random: new Uint8Array(16) });
    if (typeof plan !== 'string') for (const path of [spec.path, ...(spec.links ?? [])]) plans.set(path, plan);
  }
  return plans;
}

function verdictLines(path: string, { unexplained, lines, events, processes, remarks }: LogVerdict): string[] {
  const counts = Object.entries(events).map(([type, count]) => `${count} ${type}`);
  const head = unexplained === undefined ? 'explained' : `${path}:${unexplained.line}: ${unexplained.event}: ${unexplained.why}`;
  return [
    head,
    `  read       ${lines} lines, ${processes} ${processes === 1 ? 'process' : 'processes'}`,
    `  events     ${counts.join(', ') || 'none'}`,
    ...remarks.map((remark) => `  remark     ${remark}`),
  ];
}
