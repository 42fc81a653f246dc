/** `faultline export`: a run of a trace as a time line for Perfetto or Chrome. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import { Argument } from 'commander';
import { createDigester } from '../digest.ts';
import { chromeTrace } from '../export/chrome.ts';
import { perfettoTrace } from '../export/perfetto.ts';
import { RunTimeline, type RunRecord } from '../export/run-record.ts';
import { Replay } from '../replay.ts';
import type { Result } from '../trace-hart.ts';
import type { CommandDefinition } from './context.ts';
import { kernelName, wholeNumber } from './options.ts';
import type { Terminal } from './terminal.ts';
import { openTrace } from './trace-file.ts';

const FORMATS = ['perfetto', 'chrome'] as const;

interface ExportFlags {
  readonly output: string;
  readonly kernel?: string;
  readonly threshold?: number;
  readonly until?: number;
}

const EXAMPLES = `
Examples:
  faultline export perfetto t.jsonl -o t.pftrace       open it at ui.perfetto.dev
  faultline export chrome t.jsonl -o t.json            chrome://tracing, speedscope
  faultline export chrome t.jsonl --until 5000 -o - | gzip > t.json.gz

Processes are tracks, ops slices, faults and what else the kernel did instants in them. Op n begins at n microseconds.`;

export const defineExport: CommandDefinition = (program, { terminal }) => {
  program
    .command('export')
    .description('write a run as a time line for Perfetto or Chrome')
    .addArgument(new Argument('<format>', 'of the file').choices(FORMATS))
    .argument('<trace>', 'trace file, or - for standard input')
    .requiredOption('-o, --output <file>', 'file to write; - is standard output')
    .option('-k, --kernel <kernel>', 'kernel instead of the trace’s own', kernelName)
    .option('-t, --threshold <pages>', 'cached pages at which an exec assembles a huge page', wholeNumber)
    .option('--until <op>', 'stop before this op, counted from 0', wholeNumber)
    .addHelpText('after', EXAMPLES)
    .action(async (format: (typeof FORMATS)[number], path: string, flags: ExportFlags) => {
      const record = await recordRun(path, flags, terminal);
      await write(flags.output, format === 'perfetto' ? perfettoTrace(record) : withLineEnds(chromeTrace(record)));
      const { tracks, slices, instants, samples } = record;
      const text = `${tracks.length} tracks, ${slices.length} slices, ${instants.length} instants, ${samples.length} samples`;
      if (flags.output === '-') terminal.remark(text);
      else await terminal.writeLines([`${flags.output}: ${text}`]);
    });
};

const OPS_BETWEEN_LOOKS = 1024;

async function recordRun(path: string, { kernel, threshold, until }: ExportFlags, terminal: Terminal): Promise<RunRecord> {
  const { header, ops } = await openTrace(path);
  const timeline = new RunTimeline();
  const parameters = threshold === undefined ? undefined : { assembleThreshold: threshold };
  const digester = await createDigester();
  const run = new Replay(header, { kernel, parameters, until, check: 'none', digester, onEvent: (event) => void timeline.event(event) });
  let result: Result | undefined;
  run.machine.watch({ after: (_op, _index, answer) => void (result = answer) });
  let index = 0;
  const progress = terminal.progress('replaying');
  try {
    reading: for await (const batch of ops) {
      for (const op of batch) {
        if (until !== undefined && index >= until) break reading;
        result = undefined;
        const goesOn = run.step(op);
        timeline.after(op, index++, result, run.machine);
        if (!goesOn) break reading;
        if (index % OPS_BETWEEN_LOOKS !== 0) continue;
        progress.update(index);
        await setImmediate();
        terminal.throwIfInterrupted(() => `at op ${index}`);
      }
    }
  } finally {
    progress.stop();
  }
  return timeline.finish(run.kernel.name);
}

function* withLineEnds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** Joined to blocks, so that a stream has not to do with millions of tiny writes. */
async function write(path: string, chunks: Iterable<string | Uint8Array>): Promise<void> {
  const blocks = Readable.from(inBlocks(chunks));
  await (path === '-' ? pipeline(blocks, process.stdout, { end: false }) : pipeline(blocks, createWriteStream(path)));
}

const BLOCK_BYTES = 65536;

function* inBlocks(chunks: Iterable<string | Uint8Array>): Generator<Buffer> {
  let [held, bytes]: [Buffer[], number] = [[], 0];
  for (const chunk of chunks) {
    const buffer = Buffer.from(chunk as Uint8Array);
    held.push(buffer);
    bytes += buffer.length;
    if (bytes < BLOCK_BYTES) continue;
    yield Buffer.concat(held);
    [held, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(held);
}
