/**
 * The command line as a function: arguments in, text out through the terminal, an exit code back.
 *
 * Everything that goes wrong ends here. What the user got wrong is one line on standard error; only a defect of
 * faultline itself asks for a report, and a stack is shown if FAULTLINE_DEBUG=1 asks for it.
 */
import { Command, CommanderError } from 'commander';
import { TraceError } from '../../traces/format-error.ts';
import { ReplayError } from '../replay.ts';
import { defineCheckLog } from './check-log-command.ts';
import { addCompletion } from './completion.ts';
import type { CommandDefinition, Context } from './context.ts';
import { defineDiff } from './diff-command.ts';
import { EXIT } from './exit-code.ts';
import { defineExplain } from './explain-command.ts';
import { defineExport } from './export-command.ts';
import { defineFuzz } from './fuzz-command.ts';
import { defineImport } from './import-command.ts';
import { defineKernels } from './kernels-command.ts';
import { defineMutants } from './mutants-command.ts';
import { loadKernels } from './kernel-module.ts';
import { packageVersion } from './package-files.ts';
import { defineRecord } from './record-command.ts';
import { defineReplay } from './replay-command.ts';
import { defineRun } from './run-command.ts';
import { defineShrink } from './shrink-command.ts';
import { defineStory } from './story-command.ts';
import { defineSuite } from './suite-command.ts';
import { defineSweep } from './sweep-command.ts';
import { Interrupted, UsageError, type Terminal } from './terminal.ts';
import { defineTrace } from './trace-command.ts';
import { defineView } from './view-command.ts';

/** In the order of the help. */
const COMMANDS: readonly CommandDefinition[] = [
  ...[defineRun, defineRecord, defineSuite],
  ...[
    defineReplay,
    defineSweep,
    defineFuzz,
    defineShrink,
    defineExplain,
    defineKernels,
    defineMutants,
    defineTrace,
    defineView,
    defineStory,
  ],
  ...[defineImport, defineCheckLog, defineExport, defineDiff],
];

const EXAMPLES = `
Examples:
  faultline run -- sh                                        a real riscv64 BusyBox, live on the kernel model
  faultline story                                            the M9.8.1 corruption, replayed
  faultline replay t.jsonl --kernel kevlar@m9.8 --json       one trace on one kernel
  faultline sweep t.jsonl                                    one trace on all kernels
  source <(faultline completion bash)                        completion for this shell

faultline COMMAND --help has more. NO_COLOR=1 turns colours off, FAULTLINE_DEBUG=1 shows stacks.`;

/** Runs one command line. @returns the exit code */
export async function runCommandLine(args: readonly string[], terminal: Terminal, isDebugging = false): Promise<number> {
  let code: number = EXIT.held;
  const context: Context = {
    terminal,
    exitWith: (given) => {
      code = given;
    },
  };
  try {
    await createProgram(context).parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, terminal, isDebugging);
  }
}

function createProgram(context: Context): Command {
  const { terminal } = context;
  const program = new Command('faultline')
    .description('Replays traces of real programs on models of kernels, and checks every byte.')
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', EXAMPLES)
    .configureOutput({
      writeOut: (text) => void terminal.write(text),
      writeErr: (text) => terminal.remark(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'faultline: ')),
    });
  program.hook('preAction', (_, command) => loadKernelModules(command));
  for (const define of COMMANDS) define(program, context);
  addCompletion(program);
  return program;
}

/** Flags whose values name kernels, one or a list. */
const KERNEL_FLAGS = ['kernel', 'kernels', 'against'];

/** Puts the names of kernels in place of the modules that export them. @throws UsageError */
async function loadKernelModules(command: Command): Promise<void> {
  const given = KERNEL_FLAGS.map((flag) => [flag, command.getOptionValue(flag) as string | readonly string[] | undefined] as const);
  const names = [...(await loadKernels(given.flatMap(([, value]) => value ?? [])))];
  for (const [flag, value] of given) {
    if (typeof value === 'string') command.setOptionValue(flag, names.shift());
    else if (value !== undefined) command.setOptionValue(flag, names.splice(0, value.length));
  }
}

/** Says what went wrong. @returns the exit code */
function explain(error: unknown, terminal: Terminal, isDebugging: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.held : EXIT.usage;
  const { name, message, stack, code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE') return EXIT.held;
  if (isDebugging) terminal.remark(stack ?? message);
  else terminal.remark(`faultline: ${message}`);
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof TraceError || error instanceof ReplayError || error instanceof UsageError) return EXIT.usage;
  if (syscall !== undefined || name === 'RuleError') return EXIT.usage;
  if (!isDebugging) terminal.remark('This is a defect of faultline. FAULTLINE_DEBUG=1 shows where it is.');
  return EXIT.defect;
}
