/** `faultline record`: as `run`, and writes down what the kernel was asked for as a trace. */
import { createHash } from 'node:crypto';
import { Recorder } from '../recorder.ts';
import type { LiveMachine } from '../live.ts';
import type { CommandDefinition } from './context.ts';
import { runLive, type RunFlags } from './live-run.ts';
import { addRunOptions } from './run-command.ts';
import type { Terminal } from './terminal.ts';
import { writeTrace } from './trace-file.ts';

const EXAMPLES = `
Examples:
  faultline record -o t.jsonl.gz -- sh -c 'ls | sort'
  faultline replay t.jsonl.gz
  faultline sweep t.jsonl.gz

The trace has every call about memory and the first access to each page between two of them. It replays with nothing
but itself: programs are listed with their digest and layout, and get made-up bytes. Exit codes are those of run.`;

export const defineRecord: CommandDefinition = (program, { terminal, exitWith }) => {
  addRunOptions(program.command('record').description('run a riscv64 program live and record a trace'))
    .requiredOption('-o, --output <file>', 'trace to write: .jsonl or .jsonl.gz')
    .addHelpText('after', EXAMPLES)
    .action(async (command: string[], flags: RunFlags & { readonly output: string }) => {
      const recorder = new Recorder();
      const { live, code } = await runLive(command, flags, [recorder], terminal);
      await writeRecording(flags.output, { recorder, live, program: command.join(' ') }, terminal);
      exitWith(code);
    });
};

export interface Recording {
  readonly recorder: Recorder;
  readonly live: LiveMachine;
  /** What ran, for people. */
  readonly program: string;
}

/** Writes a recording, and says so. */
export async function writeRecording(path: string, { recorder, live, program }: Recording, terminal: Terminal): Promise<void> {
  const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const { header, ops } = recorder.trace(live.kernel.name, live.machine.kernel, digestOf);
  await writeTrace(path, { ...header, source: { tool: 'faultline, live', program } }, ops);
  terminal.remark(`faultline: ${path}: ${ops.length} ops`);
}
