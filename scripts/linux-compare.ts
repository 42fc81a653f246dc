/**
 * Compares the model's `linux` design, and the reference reader, with the kernel of this machine, on generated sequences.
 *
 *     npm run linux-compare -- --seed 7 --sequences 200
 *     npm run linux-compare -- --file SEQUENCES.txt --json
 *
 * Each sequence runs on the real kernel (test/linux/mm-host) and on the model, and the reference judges both. A difference is tried again on
 * the kernel, made short, and, with `--out`, written as a trace that replays and as a text of ops. Skips with a reason where the machine
 * lacks what it takes. Exit code: 0 if nothing differs but what is allowed, 3 if something does, 1 for a wrong flag or file.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateSequence } from '../properties/sequences/generate-sequence.ts';
import { EXIT } from '../sim/cli/exit-code.ts';
import { textLines } from '../sim/cli/text-lines.ts';
import { AgreementCounter } from '../sim/conformance/agreement.ts';
import { allowanceFor } from '../sim/conformance/allowed.ts';
import { compareRecordings, type Difference } from '../sim/conformance/compare.ts';
import { runOnModel } from '../sim/conformance/run-model.ts';
import { shrinkSequence } from '../sim/conformance/shrink-sequence.ts';
import { differenceLines } from '../sim/conformance/text.ts';
import { vote, type Dissent } from '../sim/conformance/vote.ts';
import { createDigester, type Digester } from '../sim/digest.ts';
import { MODES } from '../traces/sequences/arena.ts';
import { formatRecording, parseSequences, type Recording, type Sequence } from '../traces/sequences/sequence.ts';
import {
  fieldsOf,
  FlagError,
  reportDocument,
  reportLines,
  runScript,
  wholeNumber,
  writeDifference,
  type Problem,
} from './conformance-output.ts';
import { buildHost, HostLacks, runOnHost } from './host-program.ts';

const USAGE = `usage: npm run linux-compare -- [--seed SEED] [--sequences COUNT] [--ops COUNT] [--out FOLDER] [--json]

Compares the linux design with the kernel of this machine on generated sequences.

  --seed SEED        what they are generated from (1)
  --sequences COUNT  how many (200)
  --ops COUNT        how long each is (40)
  --mode MODE        only small, huge or brk
  --file FILE        sequences of a text file instead
  --field NAME,…     show differences of these fields only
  --show COUNT       so many differences and no more (10)
  --out FOLDER       write the first difference of each sequence, made short, as a trace that replays and as a text of ops
  --json             print one JSON document`;

const OPTIONS = {
  seed: { type: 'string', default: '1' },
  sequences: { type: 'string', default: '200' },
  ops: { type: 'string', default: '40' },
  mode: { type: 'string' },
  file: { type: 'string' },
  field: { type: 'string' },
  show: { type: 'string', default: '10' },
  out: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Runs of a sequence whose answers differ from the model's. */
const RETRIES_MAX = 4;

/** @returns the exit code */
export async function linuxCompare(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS });
  if (values.help) {
    print(USAGE);
    return EXIT.held;
  }
  const fields = fieldsOf(values.field);
  const shown = wholeNumber(values.show, 'show');
  const sequences = values.file === undefined ? generated(values) : await sequencesOf(values.file);
  const folder = mkdtempSync(join(tmpdir(), 'mm-host-'));
  try {
    const comparison = new HostComparison(buildHost(folder), await createDigester(), values.out);
    comparison.run(sequences);
    const agreement = comparison.counter.total();
    const report = { agreement, problems: comparison.problems, names: ['this kernel', 'model'] as const, shown, fields };
    const dissents = comparison.dissents.filter(({ difference }) => fields.includes(difference.field));
    if (values.json) print(JSON.stringify(documentOf(report, comparison, dissents)));
    else for (const line of [...reportLines(report), ...voteLines(comparison, dissents)]) print(line);
    return agreement.differences.length + comparison.problems.length + comparison.dissents.length === 0 ? EXIT.held : EXIT.reference;
  } catch (error) {
    if (!(error instanceof HostLacks)) throw error;
    print(values.json ? JSON.stringify({ skipped: error.message }) : `skipped: ${error.message}`);
    return EXIT.held;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function generated({
  seed,
  sequences,
  ops,
  mode,
}: Readonly<Record<'seed' | 'sequences' | 'ops', string>> & { readonly mode?: string }): Sequence[] {
  const only = MODES.find((one) => one === mode);
  if (mode !== undefined && only === undefined) throw new FlagError(`--mode must be one of ${MODES.join(', ')}`);
  if (seed === '') throw new FlagError('--seed must have at least one character');
  const options = { ops: wholeNumber(ops, 'ops'), mode: only };
  return Array.from({ length: wholeNumber(sequences, 'sequences') }, (_, id) => generateSequence(seed, id, options));
}

async function sequencesOf(path: string): Promise<Sequence[]> {
  const lines: string[] = [];
  for await (const batch of textLines(path)) lines.push(...batch);
  return parseSequences(lines.join('\n'), path);
}

class HostComparison {
  readonly counter = new AgreementCounter();
  readonly problems: Problem[] = [];
  readonly dissents: Dissent[] = [];
  /** Sequences that the kernel answered otherwise each time. */
  readonly unsteady: number[] = [];
  private readonly program: string;
  private readonly digester: Digester;
  private readonly out: string | undefined;

  constructor(program: string, digester: Digester, out: string | undefined) {
    this.program = program;
    this.digester = digester;
    this.out = out;
  }

  run(sequences: readonly Sequence[]): void {
    for (const real of runOnHost(this.program, sequences)) this.compareOne(real);
  }

  private compareOne(first: Recording): void {
    const { recording: model, problem } = runOnModel(first, { digester: this.digester });
    const real = differencesIn(first, model).length === 0 ? first : this.steady(first);
    if (real === undefined) {
      this.unsteady.push(first.id);
      return;
    }
    if (problem !== undefined) this.problems.push({ sequence: real.id, message: problem });
    const differences = this.counter.add(compareRecordings(real, model));
    this.dissents.push(...vote(real, model, differences));
    const [difference] = differences;
    if (this.out !== undefined && difference !== undefined) this.write(real, difference, this.out);
  }

  /** What the kernel answers twice: khugepaged and others may interfere once. Undefined if no answer comes twice. */
  private steady(first: Recording): Recording | undefined {
    const seen = new Set([formatRecording(first).join()]);
    for (let i = 0; i < RETRIES_MAX; i++) {
      const [again] = runOnHost(this.program, [first]);
      if (again === undefined) return undefined;
      const text = formatRecording(again).join();
      if (seen.has(text)) return again;
      seen.add(text);
    }
    return undefined;
  }

  /** Writes the shortest sequence found in which the same field differs. */
  private write(real: Recording, { field }: Difference, folder: string): void {
    const ask = (candidates: readonly Sequence[]): readonly boolean[] =>
      [...runOnHost(this.program, candidates)].map((one) => this.firstIn(one, field) !== undefined);
    const [short] = runOnHost(this.program, [shrinkSequence(real, ask)]);
    const difference = short === undefined ? undefined : this.firstIn(short, field);
    if (short !== undefined && difference !== undefined) writeDifference(folder, short, difference);
  }

  private firstIn(real: Recording, field: Difference['field']): Difference | undefined {
    const { recording } = runOnModel(real, { digester: this.digester });
    return differencesIn(real, recording).find((difference) => difference.field === field);
  }
}

/** The differences that are not allowed, in order. */
const differencesIn = (real: Recording, model: Recording): Difference[] =>
  compareRecordings(real, model)
    .flatMap((comparison) => Object.values(comparison))
    .filter((outcome) => outcome !== 'same')
    .filter((difference) => allowanceFor(difference) === undefined);

function voteLines({ unsteady }: HostComparison, dissents: readonly Dissent[]): string[] {
  return [
    ...(dissents.length === 0 ? ['the reference agrees with both'] : dissents.flatMap(dissentLines)),
    ...(unsteady.length === 0 ? [] : [`never answered twice the same, left out: sequences ${unsteady.join(', ')}`]),
  ];
}

function dissentLines({ odd, difference }: Dissent): string[] {
  const { sequence, index, field } = difference;
  if (odd === 'reference') return ['', 'the reference stands alone', ...differenceLines(difference, ['reference', 'both kernels'])];
  const verdict = odd === 'nobody' ? 'the reference does not decide' : `the ${odd} stands alone`;
  return [`sequence ${sequence}, op ${index}, ${field}: ${verdict}`];
}

const documentOf = (report: Parameters<typeof reportDocument>[0], { unsteady }: HostComparison, dissents: readonly Dissent[]): unknown => ({
  ...(reportDocument(report) as object),
  votes: dissents.map(({ odd, difference: { sequence, index, field } }) => ({ sequence, index, field, odd })),
  unsteady,
});

if (import.meta.filename === process.argv[1]) await runScript(linuxCompare);
