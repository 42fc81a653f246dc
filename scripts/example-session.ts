/**
 * The session in an example's README: runs its commands and puts in what they print. Takes half a minute.
 *
 *     node --import tsx/esm scripts/example-session.ts examples/own-kernel
 *
 * A `console` block holds commands of faultline, given at the root of the repository. A `diff` block corrects the example's
 * kernel.ts for the commands behind it. What commands write goes to a folder that is removed afterwards.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { EXIT } from '../sim/cli/exit-code.ts';
import { runCommandLine } from '../sim/cli/program.ts';
import { Terminal } from '../sim/cli/terminal.ts';

const BLOCK = /```(?<language>console|diff)\n(?<body>[^]*?)```/g;
const OUTPUT_BYTES_MAX = 2 ** 24;

/** @param folder - the example's, seen from the working folder. @returns its README as it should be */
export async function playSession(folder: string): Promise<string> {
  const text = readFileSync(join(folder, 'README.md'), 'utf8');
  // In the repository, so that the name of the package leads to it.
  mkdirSync('findings', { recursive: true });
  const aside = mkdtempSync('findings/session-');
  try {
    return await new Session(folder, aside).play(text);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/** A text whose times are the same whenever it was made. */
export const withoutTimes = (text: string): string => text.replace(/\d+\.\d s\b/g, '… s').replace(/\d+ runs a second/g, '… runs a second');

class Session {
  private readonly aside: string;
  private readonly kernel: string;
  private readonly corrected: string;
  private isCorrected = false;

  constructor(folder: string, aside: string) {
    this.aside = aside;
    this.kernel = join(folder, 'kernel.ts');
    this.corrected = join(aside, 'kernel.ts');
  }

  async play(text: string): Promise<string> {
    let played = '';
    let at = 0;
    for (const { index, groups, 0: whole } of text.matchAll(BLOCK)) {
      const { language, body } = groups as { readonly language: string; readonly body: string };
      if (language === 'diff') this.correct(body);
      played += text.slice(at, index) + (language === 'diff' ? whole : await this.blockOf(body));
      at = index + whole.length;
    }
    return played + text.slice(at);
  }

  private correct(diff: string): void {
    const linesOf = (sign: string): string[] =>
      diff
        .split('\n')
        .filter((line) => line.startsWith(sign))
        .map((line) => line.slice(1));
    const [before, after] = [linesOf('-').join('\n'), linesOf('+').join('\n')];
    const source = readFileSync(this.kernel, 'utf8');
    if (!source.includes(before)) throw new Error(`${this.kernel} does not have the lines that the README corrects`);
    writeFileSync(this.corrected, source.replace(before, after));
    this.isCorrected = true;
  }

  private async blockOf(body: string): Promise<string> {
    const commands = body.split('\n').filter((line) => line.startsWith('$ '));
    const outputs: string[] = [];
    for (const command of commands) outputs.push(`${command}\n${await this.outputOf(command)}`);
    return `\`\`\`console\n${outputs.join('\n')}\`\`\``;
  }

  private async outputOf(command: string): Promise<string> {
    const findings = relative('', join(this.aside, 'findings'));
    const here = (word: string): string =>
      word.replace(/^findings/, findings).replace(this.kernel, this.isCorrected ? this.corrected : this.kernel);
    const [, , ...args] = command.split(' ').map(here).flatMap(expanded);
    const [out, err] = [new PassThrough({ highWaterMark: OUTPUT_BYTES_MAX }), new PassThrough()];
    const code = await runCommandLine(args, new Terminal(out, err, new AbortController().signal));
    if (code === EXIT.usage || code === EXIT.defect) throw new Error(`${command}: ${String(err.read())}`);
    const text = String((out.read() as Buffer | null) ?? '');
    return text.replaceAll(findings, 'findings').replaceAll(this.corrected, this.kernel);
  }
}

/** `folder/*.jsonl` as a shell would give it. */
function expanded(word: string): string[] {
  if (!word.endsWith('/*.jsonl')) return [word];
  const folder = dirname(word);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(folder, name));
}

async function main([folder = 'examples/own-kernel']: readonly string[]): Promise<void> {
  writeFileSync(join(folder, 'README.md'), await playSession(folder));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main(process.argv.slice(2));
