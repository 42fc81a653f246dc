/** `faultline mutants`: hunts each wrong decision with random traces, and prints what found it. */
import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { MUTANTS, UNMODELLED_BUGS, type Mutant } from '../../kernel-model/index.ts';
import { generateTrace } from '../../properties/generate.ts';
import { InvalidArgumentError } from 'commander';
import { CHECK_MODES, type CheckMode } from '../checker.ts';
import { createDigester } from '../digest.ts';
import type { Finding } from '../finding.ts';
import { huntMutant, huntRight, type Hunt, type HuntOptions } from '../mutant-matrix.ts';
import { hasSurvived, killersOf, MATRIX_LEGEND, matrixLines, median, rightLines, survivorLines, type MutantRow } from '../mutant-report.ts';
import { mutantPage } from '../plot/mutant-page.ts';
import type { CommandDefinition } from './context.ts';
import { EXIT } from './exit-code.ts';
import { checkOption, jsonOption, seconds, wholeNumber } from './options.ts';
import { packageFile } from './package-files.ts';
import { checkPlotPlace, plotFile } from './plot-file.ts';
import { writeWhole } from './whole-file.ts';
import type { Terminal } from './terminal.ts';
import { readTrace } from './trace-file.ts';

interface MutantsFlags {
  readonly only?: readonly Mutant[];
  readonly runs: number;
  readonly seed: string;
  readonly seeds: number;
  readonly time: number;
  readonly check: CheckMode;
  readonly swarm: boolean;
  readonly bias: boolean;
  readonly json?: boolean;
  readonly plot?: string;
}

const EXAMPLES = `
Examples:
  faultline mutants                                       every wrong decision, 60 seconds each at most
  faultline mutants --only fork-skips-flush,no-teardown   two of them
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
      await checkPlotPlace(flags.plot);
      const matrix = await new MatrixRun(flags, terminal).run();
      if (flags.plot !== undefined) await writeWhole(flags.plot, mutantPage({ ...flags, ...matrix, unmodelled: UNMODELLED_BUGS }));
      await terminal.writeLines(flags.json === true ? [JSON.stringify(matrixDocument(flags, matrix))] : matrixText(matrix));
      exitWith(exitCodeOf(matrix));
    });
};

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

interface Matrix {
  readonly rows: readonly MutantRow[];
  /** Not hunted, because nothing on one CPU shows them. */
  readonly unseen: readonly Mutant[];
  /** The right kernel on the same traces, one for each seed. */
  readonly right: readonly Hunt[];
}

/** All hunts of one call. Every mutant meets the same traces. */
class MatrixRun {
  private readonly flags: MutantsFlags;
  private readonly terminal: Terminal;
  private sliceEnd = 0;

  constructor(flags: MutantsFlags, terminal: Terminal) {
    this.flags = flags;
    this.terminal = terminal;
  }

  /** @throws Interrupted */
  async run(): Promise<Matrix> {
    const { only } = this.flags;
    const hunted = only ?? MUTANTS.filter(({ unseen }) => unseen === undefined);
    const options = await this.optionsBySeed();
    const progress = this.terminal.progress('hunting', hunted.length);
    const rows: MutantRow[] = [];
    try {
      for (const mutant of hunted) {
        const hunts: Hunt[] = [];
        for (const one of options) hunts.push(await this.drive(huntMutant(mutant, one), mutant.id));
        rows.push({ mutant, hunts, shortest: await shortestOf(mutant) });
        progress.update(rows.length);
      }
      return {
        rows,
        unseen: only === undefined ? MUTANTS.filter((mutant) => !hunted.includes(mutant)) : [],
        right: await this.right(options, rows),
      };
    } finally {
      progress.stop();
    }
  }

  private async optionsBySeed(): Promise<readonly HuntOptions[]> {
    const { seed, seeds, runs, time, check, swarm, bias } = this.flags;
    const digester = await createDigester();
    return Array.from({ length: seeds }, (_, i) => ({
      trace: (index) => generateTrace(`${seedName(seed, i)}/${index}`, { isSwarm: swarm, isBiased: bias }),
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
      hunts.push(await this.drive(huntRight({ ...one, runsMax }), 'kevlar'));
    }
    return hunts;
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

async function shortestOf({ id }: Mutant): Promise<number | undefined> {
  const path = packageFile(`traces/regressions/${id}.jsonl`);
  return existsSync(path) ? (await readTrace(path)).ops.length : undefined;
}

function exitCodeOf({ rows, right }: Matrix): number {
  const alarm = right.find(({ killedBy }) => killedBy !== undefined)?.killedBy;
  if (alarm !== undefined) return alarm.kind === 'invariant' ? EXIT.invariant : EXIT.reference;
  return rows.some((row) => hasSurvived(row) && row.mutant.unseen === undefined) ? EXIT.limit : EXIT.held;
}

const matrixText = ({ rows, unseen, right }: Matrix): string[] => [
  ...matrixLines(rows),
  '',
  ...MATRIX_LEGEND,
  ...survivorLines(rows, unseen),
  ...rightLines(right),
];

const matrixDocument = ({ seed, seeds, runs, time, check }: MutantsFlags, { rows, unseen, right }: Matrix): object => ({
  seed,
  seeds,
  runsMax: runs,
  secondsMax: time,
  check,
  notDeterministic: ['elapsedMs', 'elapsedMsMedian', 'elapsedMsMax'],
  rows: rows.map(rowDocument),
  notHunted: unseen.map(({ id, unseen: reason }) => ({ mutant: id, reason })),
  right: right.map(huntDocument),
  notModelled: UNMODELLED_BUGS,
});

function rowDocument({ mutant, hunts, shortest }: MutantRow): object {
  const { id, rule, source, zoo = [], brokenBy, needs, unseen } = mutant;
  const times = hunts.map(({ elapsedMs }) => Math.round(elapsedMs));
  return {
    mutant: id,
    rule,
    source,
    zoo,
    needs: needs ?? null,
    expected: brokenBy,
    killedBy: killersOf(hunts),
    killed: hunts.filter(({ killedBy }) => killedBy !== undefined).length,
    survived: hunts.some(({ killedBy }) => killedBy === undefined),
    reason: unseen ?? null,
    shortestOps: shortest ?? null,
    runsMedian: median(hunts.map(({ runs }) => runs)),
    elapsedMsMedian: median(times),
    elapsedMsMax: Math.max(...times),
    hunts: hunts.map(huntDocument),
  };
}

const huntDocument = ({ killedBy, first, runs, ops, elapsedMs }: Hunt): object => ({
  killedBy: killedBy === undefined ? null : findingDocument(killedBy),
  first: first === undefined ? null : { run: first.run, ...findingDocument(first.finding) },
  runs,
  ops,
  elapsedMs: Math.round(elapsedMs),
});

const findingDocument = ({ kind, id, op, message }: Finding): object => ({ kind, id, op, message });
