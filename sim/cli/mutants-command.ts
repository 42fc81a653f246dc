/** `faultline mutants`: hunts each wrong decision with random traces, and prints what found it. */
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  DEFAULT_PARAMETERS,
  designOf,
  kernelNamed,
  KERNELS,
  MUTANTS,
  UNMODELLED_BUGS,
  type Mutant,
  type NamedKernel,
} from '../../kernel-model/index.ts';
import { generateTrace } from '../../properties/generate.ts';
import { InvalidArgumentError } from 'commander';
import { CHECK_MODES } from '../check/checker.ts';
import { createDigester } from '../digest.ts';
import { huntMutant, huntRight, type Hunt, type HuntOptions } from '../mutant-matrix.ts';
import {
  hasSurvived,
  MATRIX_LEGEND,
  matrixLines,
  rightLines,
  survivorLines,
  type Matrix,
  type MutantRow,
  type UnseenMutant,
} from '../mutant-report.ts';
import { whyUnseen } from '../mutant-unseen.ts';
import { mutantPage } from '../plot/mutant-page.ts';
import { counted } from '../report.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { matrixDocument, type MatrixSettings } from './mutants-document.ts';
import { checkOption, jsonOption, kernelName, seconds, wholeNumber } from './options.ts';
import { packageFile } from './package-files.ts';
import { checkPlotPlace, plotFile } from './plot-file.ts';
import { writeWhole } from './whole-file.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

interface MutantsFlags extends MatrixSettings {
  readonly kernel: string;
  readonly only?: readonly Mutant[];
  readonly swarm: boolean;
  readonly bias: boolean;
  readonly json?: boolean;
  readonly plot?: string;
}

const EXAMPLES = `
Examples:
  faultline mutants                                       every wrong decision, 60 seconds each at most
  faultline mutants --only fork-skips-flush,no-teardown   two of them
  faultline mutants --kernel linux --seeds 5              on another right kernel
  faultline mutants --seed a --seeds 20                   with the seeds a, a/2, … a/20
  faultline mutants --runs 500 --json | jq -r '.rows[] | select(.survived).mutant'
  faultline mutants --seeds 20 --plot mutants.html        the table as a page too
  faultline mutants --seeds 5 --no-swarm                  what is missed without swarm masks

The same seed gives the same traces; unless the time runs out first, all but the times is the same again.
Exits with 0 if every mutant was killed by an invariant that it names, 5 if one survived, 2 or 3 if the right kernel fails.`;

/** How long the process may be deaf. */
const SLICE_MS = 50;

export const defineMutants: CommandDefinition = (program, { terminal, exitWith }) => {
  program
    .command('mutants')
    .description('hunt every wrong decision with random traces, and show which invariant finds it')
    .option('-k, --kernel <kernel>', 'the right kernel that is to decide wrong, or the file of your own', kernelName, 'kevlar')
    .option('--only <ids>', 'these wrong decisions, separated by commas', mutantList)
    .option('--runs <n>', 'traces a hunt may take', positive, 100_000)
    .option('--seed <text>', 'where the traces come from', '1')
    .option('--seeds <n>', 'hunt so many times, each with another seed', positive, 1)
    .option('--time <seconds>', 'seconds a hunt may take', seconds, 60)
    .addOption(checkOption().choices(CHECK_MODES.filter((mode) => mode !== 'none')))
    .option('--no-swarm', 'every trace draws from all kinds of ops: how much do swarm masks find?')
    .option('--no-bias', 'addresses and offsets anywhere: how much does it find to draw them near boundaries?')
    .addOption(jsonOption())
    .option('--plot <file>', 'also write the table as a page: .html', plotFile('html'))
    .addHelpText('after', EXAMPLES)
    .action(async (flags: MutantsFlags) => {
      const kernel = rightKernel(flags.kernel);
      await checkPlotPlace(flags.plot);
      const matrix = await new MatrixRun(kernel, flags, terminal).run();
      if (flags.plot !== undefined) await writeWhole(flags.plot, mutantPage({ ...flags, ...matrix, unmodelled: UNMODELLED_BUGS }));
      await terminal.writeLines(flags.json === true ? [JSON.stringify(matrixDocument(flags, matrix))] : matrixText(matrix));
      exitWith(exitCodeOf(matrix));
    });
};

/** @throws UsageError for a kernel with decisions of its own, which every hunt might find */
function rightKernel(name: string): NamedKernel {
  const kernel = kernelNamed(name) as NamedKernel;
  if (kernel.mutants.length === 0) return kernel;
  const right = KERNELS.filter(({ mutants }) => mutants.length === 0).map((one) => one.name);
  const decisions = counted(kernel.mutants.length, 'wrong decision');
  throw new UsageError(
    `a hunt begins with a kernel that decides right, and ${name} has ${decisions} already; right are ${right.join(', ')}`,
  );
}

function mutantList(text: string): readonly Mutant[] {
  return text.split(',').map((id) => {
    const mutant = MUTANTS.find((one) => one.id === id);
    if (mutant === undefined)
      throw new InvalidArgumentError(`There is no wrong decision ${JSON.stringify(id)}; faultline kernels lists them.`);
    return mutant;
  });
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

const seedName = (seed: string, index: number): string => (index === 0 ? seed : `${seed}/${index + 1}`);

/** All hunts of one call. Every mutant meets the same traces. */
class MatrixRun {
  private readonly kernel: NamedKernel;
  private readonly flags: MutantsFlags;
  private readonly terminal: Terminal;
  private sliceEnd = 0;

  constructor(kernel: NamedKernel, flags: MutantsFlags, terminal: Terminal) {
    this.kernel = kernel;
    this.flags = flags;
    this.terminal = terminal;
  }

  /** @throws Interrupted */
  async run(): Promise<Matrix> {
    const { kernel } = this;
    const { only } = this.flags;
    const design = designOf(kernel, { ...DEFAULT_PARAMETERS, ...kernel.parameters });
    const all = (only ?? MUTANTS).map((mutant) => ({ mutant, unseen: whyUnseen(mutant, design) }));
    const notHunted = only === undefined ? all.filter((one): one is UnseenMutant => one.unseen !== undefined) : [];
    const hunted = all.filter(({ unseen }) => only !== undefined || unseen === undefined);
    const options = await this.optionsBySeed();
    const progress = this.terminal.progress('hunting', hunted.length);
    const rows: MutantRow[] = [];
    try {
      for (const { mutant, unseen } of hunted) {
        const hunts: Hunt[] = [];
        for (const one of options) hunts.push(await this.drive(huntMutant(mutant, one), mutant.id));
        rows.push({ mutant, hunts, unseen, shortest: await this.shortest(mutant, options[0]!) });
        progress.update(rows.length);
      }
      return { kernel, rows, notHunted, right: await this.right(options, rows) };
    } finally {
      progress.stop();
    }
  }

  private async optionsBySeed(): Promise<readonly HuntOptions[]> {
    const { kernel } = this;
    const { seed, seeds, runs, time, check, swarm, bias } = this.flags;
    const digester = await createDigester();
    return Array.from({ length: seeds }, (_, i) => ({
      kernel,
      trace: (index) => generateTrace(`${seedName(seed, i)}/${index}`, { kernel: kernel.name, isSwarm: swarm, isBiased: bias }),
      runsMax: runs,
      check,
      digester,
      isOutOfTime: (elapsedMs) => elapsedMs > time * 1000,
      now: () => performance.now(),
    }));
  }

  /** The right kernel on every trace that a mutant met, as far as the time goes. */
  private async right(options: readonly HuntOptions[], rows: readonly MutantRow[]): Promise<readonly Hunt[]> {
    const hunts: Hunt[] = [];
    for (const [i, one] of options.entries()) {
      const runsMax = Math.max(...rows.map((row) => row.hunts[i]!.runs));
      hunts.push(await this.drive(huntRight({ ...one, runsMax }), this.kernel.name));
    }
    return hunts;
  }

  /** Ops of the mutant's committed trace, if there is one and it shows the mutant on this kernel. */
  private async shortest(mutant: Mutant, options: HuntOptions): Promise<number | undefined> {
    const folder = this.kernel.design === 'linux' ? 'regressions/linux-mutants' : 'regressions';
    const path = packageFile(`traces/${folder}/${mutant.id}.jsonl`);
    if (!existsSync(path)) return undefined;
    const trace = await readTrace(path);
    const { killedBy } = await this.drive(huntMutant(mutant, { ...options, trace: () => trace, runsMax: 1, check: 'every' }), mutant.id);
    return killedBy === undefined ? undefined : trace.ops.length;
  }

  /** Runs a hunt to its end in slices, so that Ctrl-C is heard. */
  private async drive(hunt: Generator<number, Hunt>, name: string): Promise<Hunt> {
    for (;;) {
      const step = hunt.next();
      if (step.done === true) return step.value;
      if (performance.now() < this.sliceEnd) continue;
      await setImmediate();
      this.terminal.throwIfInterrupted(() => `in run ${step.value} of the hunt for ${name}`);
      this.sliceEnd = performance.now() + SLICE_MS;
    }
  }
}

function exitCodeOf({ rows, right }: Matrix): number {
  const alarm = right.find(({ killedBy }) => killedBy !== undefined)?.killedBy;
  if (alarm !== undefined) return alarm.kind === 'invariant' ? EXIT.invariant : EXIT.reference;
  return rows.some((row) => hasSurvived(row) && row.unseen === undefined) ? EXIT.limit : EXIT.held;
}

const matrixText = ({ kernel, rows, notHunted, right }: Matrix): string[] => [
  ...matrixLines(rows),
  '',
  ...MATRIX_LEGEND,
  ...survivorLines(kernel.name, rows, notHunted),
  ...rightLines(kernel.name, right),
];
