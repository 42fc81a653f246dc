/**
 * Compares the model's `linux` design with recordings of a real kernel, op by op.
 *
 *     npm run linux-replay -- test/linux/mm-sequences.jsonl.gz
 *     npm run linux-replay -- FILE… [--sequence N,…] [--field outcome,presence] [--show 20] [--kernel NAME] [--check every] [--out FOLDER] [--json]
 *
 * Prints agreement per field and the first difference of each sequence and field. `--out` writes the first difference of each sequence as a
 * trace that ends with it and replays. Exit code: 0 if nothing differs but what is allowed, 3 if something does, 1 for a wrong flag or file.
 */
import { parseArgs } from 'node:util';
import { EXIT } from '../sim/cli/exit-code.ts';
import { textLines } from '../sim/cli/text-lines.ts';
import { CHECK_MODES } from '../sim/check/checker.ts';
import { AgreementCounter } from '../sim/conformance/agreement.ts';
import { compareRecordings } from '../sim/conformance/compare.ts';
import { runOnModel, type ModelOptions } from '../sim/conformance/run-model.ts';
import { createDigester } from '../sim/digest.ts';
import { parseRecordings, type Recording } from '../traces/sequences/sequence.ts';
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

const USAGE = `usage: npm run linux-replay -- FILE… [--sequence N,…] [--field NAME,…] [--show COUNT] [--out FOLDER] [--json]

Compares the linux design with recordings of a real kernel (result lines as JSON; traces/sequences/result.ts says what they hold).

  --sequence N,…   only these sequences
  --field NAME,…   show differences of these fields only
  --show COUNT     so many differences and no more (10)
  --kernel NAME    another kernel than linux, such as linux+MUTANT
  --check MODE     let the checker watch too: every, changes, end
  --out FOLDER     write the first difference of each sequence as a trace that replays, and as a text of ops
  --json           print one JSON document`;

interface Flags {
  readonly sequences: ReadonlySet<number> | undefined;
  readonly out: string | undefined;
  readonly model: ModelOptions;
}

/** @returns the exit code */
export async function linuxReplay(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      sequence: { type: 'string' },
      field: { type: 'string' },
      show: { type: 'string', default: '10' },
      kernel: { type: 'string' },
      check: { type: 'string', default: 'none' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || positionals.length === 0) {
    print(USAGE);
    return values.help ? EXIT.held : EXIT.usage;
  }
  const check = CHECK_MODES.find((mode) => mode === values.check);
  if (check === undefined) throw new FlagError(`--check must be one of ${CHECK_MODES.join(', ')}`);
  const fields = fieldsOf(values.field);
  const shown = wholeNumber(values.show, 'show');
  const sequences =
    values.sequence === undefined ? undefined : new Set(values.sequence.split(',').map((one) => wholeNumber(one, 'sequence')));
  const flags: Flags = { sequences, out: values.out, model: { digester: await createDigester(), kernel: values.kernel, check } };
  const counter = new AgreementCounter();
  const problems: Problem[] = [];
  for (const path of positionals) for (const recording of await recordingsOf(path)) replayOne(recording, flags, counter, problems);
  const report = { agreement: counter.total(), problems, names: ['real kernel', 'model'] as const, shown, fields };
  if (values.json) print(JSON.stringify(reportDocument(report)));
  else for (const line of reportLines(report)) print(line);
  return report.agreement.differences.length + problems.length === 0 ? EXIT.held : EXIT.reference;
}

async function recordingsOf(path: string): Promise<Iterable<Recording>> {
  const lines: string[] = [];
  for await (const batch of textLines(path)) lines.push(...batch);
  return parseRecordings(lines, path);
}

function replayOne(recording: Recording, { sequences, out, model }: Flags, counter: AgreementCounter, problems: Problem[]): void {
  if (sequences !== undefined && !sequences.has(recording.id)) return;
  const run = runOnModel(recording, model);
  if (run.problem !== undefined) problems.push({ sequence: recording.id, message: run.problem });
  const differences = counter.add(compareRecordings(recording, run.recording));
  const [first] = differences;
  if (out !== undefined && first !== undefined) writeDifference(out, recording, first);
}

if (import.meta.filename === process.argv[1]) await runScript(linuxReplay);
