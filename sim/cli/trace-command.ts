/** `faultline trace`: looks at trace files without running them. */
import { formatOp } from '../../traces/notation.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { jsonOption, wholeNumber } from './options.ts';
import { compareFiles } from './trace-diff.ts';
import { summarize, summaryLines } from './trace-info.ts';
import { openTrace } from './trace-file.ts';
import type { Terminal } from './terminal.ts';

const TRACE_ARGUMENT = ['<trace>', 'trace file, or - for standard input'] as const;

export const defineTrace: CommandDefinition = (program, { terminal, exitWith }) => {
  const trace = program.command('trace').description('look at trace files: info, validate, notation, diff');
  trace
    .command('info')
    .description('what a trace holds: kernel, files, ops by kind, processes, pages, checks')
    .argument(...TRACE_ARGUMENT)
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  faultline trace info traces/recorded/suite20.jsonl.gz')
    .action(async (path: string, { json }: { readonly json?: boolean }) => {
      const summary = await summarize(path, terminal);
      await terminal.writeLines(json === true ? [JSON.stringify(summary)] : summaryLines(summary));
    });
  trace
    .command('validate')
    .description('read every line; name file, line and field of the first that is malformed')
    .argument(...TRACE_ARGUMENT)
    .addHelpText('after', '\nExamples:\n  faultline trace validate t.jsonl && echo well-formed')
    .action(async (path: string) => {
      const { ops, processes, files } = await summarize(path, terminal);
      await terminal.write(`${path}: valid, ${ops} ops of ${processes} processes, ${files.length} files\n`);
    });
  trace
    .command('notation')
    .description('print ops for people, one a line')
    .argument(...TRACE_ARGUMENT)
    .option('--from <op>', 'first op, counted from 0', wholeNumber, 0)
    .option('--count <ops>', 'how many', wholeNumber)
    .addHelpText('after', '\nExamples:\n  faultline trace notation traces/recorded/suite20.jsonl.gz --from 776 --count 8')
    .action(async (path: string, { from, count }: { readonly from: number; readonly count?: number }) => {
      await printNotation(path, { from, end: count === undefined ? Infinity : from + count }, terminal);
    });
  trace
    .command('diff')
    .description('the first difference of two traces, or of the events of two runs')
    .argument('<a>', 'trace or event file, or - for standard input')
    .argument('<b>', 'the other, of the same kind')
    .addHelpText('after', '\nExamples:\n  faultline trace diff a.jsonl.gz b.jsonl\n\nExits with 0 if they are equal, with 4 if not.')
    .action(async (a: string, b: string) => {
      const lines = await compareFiles(a, b, terminal);
      await terminal.writeLines(lines ?? ['equal']);
      exitWith(lines === undefined ? EXIT.held : EXIT.different);
    });
};

async function printNotation(
  path: string,
  { from, end }: { readonly from: number; readonly end: number },
  terminal: Terminal,
): Promise<void> {
  const { ops } = await openTrace(path);
  let index = 0;
  for await (const batch of ops) {
    const first = index;
    index += batch.length;
    await terminal.writeLines(batch.slice(Math.max(0, from - first), Math.max(0, end - first)).map(formatOp));
    terminal.throwIfInterrupted(() => `at op ${index}`);
    if (index >= end) break;
  }
}
