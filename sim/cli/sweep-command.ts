/** `faultline sweep`: one trace on many kernels at many thresholds, as a table, as JSON, or as a plot. */
import { basename } from 'node:path';
import { KERNELS } from '../../kernel-model/index.ts';
import type { Trace } from '../../traces/codec.ts';
import type { CheckMode } from '../check/checker.ts';
import { createDigester, type Digester } from '../digest.ts';
import { sweepPage, sweepSvgFile } from '../plot/sweep-page.ts';
import { sweepPoint } from '../plot/sweep-points.ts';
import { sweepCells, SWEEP_LEGEND, sweepLines, type SweepCell } from '../sweep.ts';
import type { CommandDefinition } from './context.ts';
import { replayDocument } from './document.ts';
import { exitCodeOf } from './exit-code.ts';
import { checkOption, jsonOption, kernelNames, wholeNumbers } from './options.ts';
import { checkPlotPlace, plotFile, plotForm } from './plot-file.ts';
import { writeWhole } from './whole-file.ts';
import { runTrace, type TraceRun } from './run-trace.ts';
import type { Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

interface SweepFlags {
  readonly kernels: readonly string[];
  readonly thresholds: readonly number[];
  readonly check: CheckMode;
  readonly json?: boolean;
  readonly plot?: string;
}

const THRESHOLDS: readonly number[] = [0, 128, 600];

const EXAMPLES = `
Examples:
  faultline sweep traces/recorded/suite20-0x400000.jsonl.gz --check end
  faultline sweep traces/reconstructed/busybox-102.jsonl.gz --kernels kevlar@m9.8,kevlar@m9.8.1 --thresholds 0,127,128,129,600
  faultline sweep t.jsonl --kernels kevlar,kevlar+caches-partial-pages --json
  faultline sweep t.jsonl --thresholds 0,64,127,128,129,300,600 --plot sweep.html

Every row runs the whole trace. Exits with the code of the first row that did not hold, 0 if all did.`;

export const defineSweep: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('sweep')
    .description('run a trace on many kernels at many thresholds')
    .argument('<trace>', 'trace file, or - for standard input')
    .option(
      '--kernels <list>',
      'kernels or files of your own, separated by commas (default: all that faultline kernels lists)',
      kernelNames,
      KERNELS.map(({ name }) => name),
    )
    .option('--thresholds <list>', 'thresholds, separated by commas', wholeNumbers, [...THRESHOLDS])
    .addOption(checkOption())
    .addOption(jsonOption())
    .option('--plot <file>', 'also draw failures, assemblies and faults: .svg, or .html with the numbers', plotFile('svg', 'html'))
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, flags: SweepFlags) => {
      await checkPlotPlace(flags.plot);
      const trace = await readTrace(path);
      const runs = await sweepTrace(trace, sweepCells(flags.kernels, flags.thresholds), flags.check, terminal);
      const lines = flags.json === true ? [JSON.stringify(runs.map((run) => replayDocument(run)))] : tableLines(runs, flags.check);
      if (flags.plot !== undefined) await writeWhole(flags.plot, plotText(flags.plot, path, runs, flags.check));
      await terminal.writeLines(lines);
      exitWith(runs.map(({ result }) => exitCodeOf(result)).find((code) => code !== 0) ?? 0);
    });
};

function plotText(file: string, path: string, runs: readonly TraceRun[], check: CheckMode): string {
  const points = runs.map(({ result }) => sweepPoint(result));
  const name = path === '-' ? 'standard input' : basename(path);
  const sweep = { name, ops: Math.max(...runs.map(({ result }) => result.ops)), check, points };
  return plotForm(file) === 'svg' ? sweepSvgFile(sweep) : sweepPage(sweep);
}

const tableLines = (runs: readonly TraceRun[], check: CheckMode): string[] => [
  ...sweepLines(runs.map(({ result }) => result)),
  '',
  ...SWEEP_LEGEND,
  `checks: --check ${check}`,
];

/** Runs the whole trace in each cell. @throws ReplayError, Interrupted */
export async function sweepTrace(trace: Trace, cells: readonly SweepCell[], check: CheckMode, terminal: Terminal): Promise<TraceRun[]> {
  const digester = await createDigester();
  const progress = terminal.progress('sweeping', cells.length * trace.ops.length);
  const runs: TraceRun[] = [];
  try {
    for (const cell of cells) {
      const opsBefore = runs.length * trace.ops.length;
      const onProgress = (ops: number): void => progress.update(opsBefore + ops);
      runs.push(await runCell(trace, { cell, check, digester, onProgress }, terminal));
    }
  } finally {
    progress.stop();
  }
  return runs;
}

interface CellRun {
  readonly cell: SweepCell;
  readonly check: CheckMode;
  readonly digester: Digester;
  readonly onProgress: (ops: number) => void;
}

function runCell(trace: Trace, { cell, check, digester, onProgress }: CellRun, terminal: Terminal): Promise<TraceRun> {
  const { kernel, threshold } = cell;
  const options = { kernel, parameters: { assembleThreshold: threshold }, check, keepGoing: true, digester, onProgress };
  return runTrace({ header: trace.header, ops: [trace.ops] }, options, terminal);
}
