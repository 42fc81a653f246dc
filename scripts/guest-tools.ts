/** Runs the tools that getting a guest needs, and says what is missing when one is not there. */
import { spawnSync } from 'node:child_process';
import { GuestError } from './guest-error.ts';

/** Debian's packages of the tools. */
const PACKAGES: Readonly<Record<string, string>> = {
  'apt-get': 'apt, that is Debian or one of its relatives',
  'dpkg-deb': 'dpkg',
  'riscv64-linux-gnu-gcc': 'gcc-riscv64-linux-gnu',
  gcc: 'gcc',
  make: 'make',
  tar: 'tar',
};

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How much of what a failed tool said is repeated. */
const LINES_SHOWN = 4;
const MINUTES_MAX = 10;

/** @returns what it wrote to standard output. @throws GuestError with its last words */
export function runTool(name: string, args: readonly string[], { cwd, env = {} }: ToolOptions = {}): string {
  const { stdout, stderr, status, signal, error } = spawnSync(name, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    encoding: 'utf8',
    timeout: MINUTES_MAX * 60_000,
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw new GuestError(`${name} cannot be run: ${reasonOf(name, error)}`);
  if (status === 0) return stdout;
  const lines = stderr.trim().split('\n');
  const errors = lines.filter((line) => /^(E:|[Ee]rror)/.test(line));
  const said = (errors.length > 0 ? errors : lines).slice(-LINES_SHOWN);
  throw new GuestError([`${name} ${args.at(-1) ?? ''} failed (${signal ?? `exit code ${status}`}):`, ...said].join('\n    '));
}

/** @throws GuestError naming the package of the first tool that is not there */
export function requireTools(...names: readonly string[]): void {
  for (const name of names) {
    const { error } = spawnSync(name, ['--version']);
    if (error !== undefined) throw new GuestError(`${name} cannot be run: ${reasonOf(name, error)}`);
  }
}

function reasonOf(name: string, { code, message }: NodeJS.ErrnoException): string {
  if (code !== 'ENOENT') return message;
  const from = PACKAGES[name];
  return `it is not there${from === undefined ? '' : ` (it comes with ${from})`}`;
}
