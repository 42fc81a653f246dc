/** `faultline diff`: two kernels on one trace, and the first difference of their states. */
import { hex, STATE_PARTS, type StatePart } from '../../kernel-model/index.ts';
import { formatOp } from '../../traces/notation.ts';
import { InvalidArgumentError } from 'commander';
import { createDigester } from '../digest.ts';
import { runLockstep, type LockstepResult } from '../lockstep.ts';
import type { Result } from '../trace-hart.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { jsonOption, kernelName, wholeNumber } from './options.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

interface DiffFlags {
  readonly kernel?: readonly string[];
  readonly threshold?: number;
  readonly parts: readonly StatePart[];
  readonly fields: number;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  faultline diff --kernel kevlar --kernel kevlar@m9.8 --threshold 0 t.jsonl
  faultline diff --kernel kevlar --kernel kevlar@m9.8 --parts entries t.jsonl      only what programs have mapped
  faultline trace diff a.jsonl b.jsonl                                             two traces instead

Exits with 0 if the states are the same after every op, with 4 if not.`;

/** Kernels that are wrong in the end may count otherwise from the start, so counts are left out unless asked for. */
const DEFAULT_PARTS: readonly StatePart[] = STATE_PARTS.filter((part) => part !== 'counts');

export const defineDiff: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('diff')
    .description('run a trace on two kernels in lockstep; show the first difference of their states')
    .argument('<trace>', 'trace file, or - for standard input')
    .requiredOption('-k, --kernel <kernel>', 'a kernel; to be given twice', twoKernels)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page', wholeNumber)
    .option('--parts <parts>', `parts of the state that count, of ${STATE_PARTS.join(', ')}`, stateParts, DEFAULT_PARTS)
    .option('--fields <count>', 'fields shown of each part', wholeNumber, 5)
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: DiffFlags) => {
      const [a, b] = flags.kernel ?? [];
      if (a === undefined || b === undefined) throw new UsageError('two kernels are needed: --kernel A --kernel B');
      const result = await diffKernels(path, [a, b], flags, terminal);
      await terminal.writeLines(flags.json === true ? [JSON.stringify(result)] : differenceLines(result, [a, b]));
      exitWith(result.difference === undefined ? EXIT.held : EXIT.different);
    });
};

const OPS_BETWEEN_LOOKS = 256;

async function diffKernels(
  path: string,
  kernels: readonly [string, string],
  flags: DiffFlags,
  terminal: Terminal,
): Promise<LockstepResult> {
  const trace = await readTrace(path);
  const progress = terminal.progress('comparing', trace.ops.length);
  try {
    return runLockstep(trace, {
      kernels,
      digester: await createDigester(),
      parameters: flags.threshold === undefined ? undefined : { assembleThreshold: flags.threshold },
      parts: flags.parts,
      fieldsMax: flags.fields,
      onProgress: (ops) => {
        if (ops % OPS_BETWEEN_LOOKS !== 0) return;
        progress.update(ops);
        terminal.throwIfInterrupted(() => `at op ${ops}`);
      },
    });
  } finally {
    progress.stop();
  }
}

function differenceLines({ ops, difference }: LockstepResult, [a, b]: readonly [string, string]): string[] {
  if (difference === undefined) return ['same', `  after each of ${ops} ops`];
  const { op, what, answers, parts, fields } = difference;
  return [
    `the states differ after op ${op}: ${parts.join(', ') || 'only the answers'}`,
    `  at op      ${op}, ${formatOp(what)}`,
    ...(answers === undefined ? [] : [`  answers    ${answerText(answers[0])} on ${a}, ${answerText(answers[1])} on ${b}`]),
    ...fields.flatMap(({ part, of, field, values }) => [
      `  ${part.padEnd(10)} ${of}${field === '' ? '' : `, ${field}`}`,
      `    ${a}: ${values[0] ?? 'nothing'}`,
      `    ${b}: ${values[1] ?? 'nothing'}`,
    ]),
  ];
}

const answerText = (answer: Result | undefined): string =>
  answer === undefined ? 'none' : typeof answer === 'string' ? answer : hex(Math.max(0, answer));

function twoKernels(text: string, others: readonly string[] = []): readonly string[] {
  if (others.length === 2) throw new InvalidArgumentError('Two kernels are compared, no more.');
  return [...others, kernelName(text)];
}

function stateParts(text: string): readonly StatePart[] {
  const parts = text.split(',');
  const wrong = parts.find((part) => !STATE_PARTS.includes(part as StatePart));
  if (wrong !== undefined) throw new InvalidArgumentError(`${wrong} is none of ${STATE_PARTS.join(', ')}.`);
  return parts as StatePart[];
}
