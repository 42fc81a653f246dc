/** Runs command lines in this process, and tells what they printed. */
import { PassThrough } from 'node:stream';
import { runCommandLine } from '../../sim/cli/program.ts';
import { Terminal } from '../../sim/cli/terminal.ts';

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const OUTPUT_BYTES_MAX = 2 ** 26;

export async function faultline(...args: readonly string[]): Promise<Answer> {
  const [out, err] = [new PassThrough({ highWaterMark: OUTPUT_BYTES_MAX }), new PassThrough({ highWaterMark: OUTPUT_BYTES_MAX })];
  const code = await runCommandLine(args, new Terminal(out, err, new AbortController().signal));
  const text = (stream: PassThrough): string => String((stream.read() as Buffer | null) ?? '');
  return { code, out: text(out), err: text(err) };
}
