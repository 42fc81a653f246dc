/**
 * test/linux/mm-host, the program that carries out sequences on the kernel of this machine: compiled on demand, run on many sequences.
 *
 * A machine that lacks something is no error: the reason says what, and how to get it.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatSequence, parseRecordings, type Recording, type Sequence } from '../traces/sequences/sequence.ts';

const SOURCES = join(import.meta.dirname, '..', 'test', 'linux', 'mm-host');
/** mm-host's exit code for a machine that lacks what it takes. */
const STATUS_LACKS = 77;
const OUTPUT_BYTES_MAX = 2 ** 30;
/** Sequences of one run of the program: bounds its output. */
const BATCH = 64;

/** The machine cannot run mm-host; the message is the reason. */
export class HostLacks extends Error {}

/**
 * Compiles the program into `folder`.
 *
 * @returns its path
 * @throws HostLacks if this is no such machine, or there is no compiler
 */
export function buildHost(folder: string): string {
  if (process.platform !== 'linux' || (process.arch !== 'x64' && process.arch !== 'arm64'))
    throw new HostLacks(`sequences run on Linux on x86-64 or arm64, not on ${process.platform} ${process.arch}`);
  const path = join(folder, 'mm-host');
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
  const compiler = spawnSync('cc', ['-std=gnu11', '-O1', '-o', path, ...sources], { cwd: SOURCES, encoding: 'utf8' });
  if (compiler.error !== undefined) throw new HostLacks('there is no C compiler `cc` (apt-get install gcc libc6-dev)');
  if (compiler.status !== 0) throw new HostLacks(`cc does not compile test/linux/mm-host: ${compiler.stderr.split('\n')[0]!}`);
  run(path, ['--probe'], '');
  return path;
}

/** What the kernel of this machine answers to sequences. @throws HostLacks if something is missing that only shows now */
export function* runOnHost(program: string, sequences: readonly Sequence[]): Generator<Recording> {
  for (let start = 0; start < sequences.length; start += BATCH) {
    const text = sequences
      .slice(start, start + BATCH)
      .map(formatSequence)
      .join('');
    yield* parseRecordings(run(program, [], text).split('\n'), 'mm-host');
  }
}

function run(program: string, args: readonly string[], input: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8', maxBuffer: OUTPUT_BYTES_MAX });
  if (error !== undefined) throw error;
  if (status === STATUS_LACKS) throw new HostLacks(stderr.trim());
  if (status !== 0) throw new Error(`mm-host ended with ${status ?? 'a signal'}: ${stderr.trim()}`);
  return stdout;
}
