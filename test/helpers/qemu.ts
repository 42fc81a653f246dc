/**
 * The oracle for RISC-V: a cross compiler, and an emulator that we did not write.
 *
 * Both come from Debian's packages gcc-riscv64-linux-gnu and qemu-user. A test that misses one calls `skipUnlessQemu`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const COMPILER = 'riscv64-linux-gnu-gcc';
const EMULATOR = 'qemu-riscv64';

const OUTPUT_BYTES_MAX = 2 ** 30;
const SECONDS_MAX = 120;

/** Skips the running test or suite, and says why, if the compiler or the emulator is not installed. */
export function skipUnlessQemu(context: Mocha.Context): void {
  const missing = [COMPILER, EMULATOR].filter((command) => spawnSync(command, ['--version']).error !== undefined);
  if (missing.length === 0) return;
  console.log(`skipped: ${missing.join(' and ')} not found (apt-get install gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-user)`);
  context.skip();
}

/** A directory of this run's, removed when mocha's process ends. */
export const workDirectory = ((): (() => string) => {
  let path: string | undefined;
  return () => {
    if (path === undefined) {
      const made = mkdtempSync(join(tmpdir(), 'faultline-qemu-'));
      process.on('exit', () => rmSync(made, { recursive: true, force: true }));
      path = made;
    }
    return path;
  };
})();

/**
 * Compiles or assembles sources to one static RV64GC executable, and answers its path.
 *
 * @throws Error with the compiler's words if it refuses
 */
export function compile(name: string, sources: readonly string[], libraries: readonly string[] = []): string {
  const path = join(workDirectory(), name);
  const args = ['-O1', '-static', '-march=rv64gc', '-mabi=lp64d', '-o', path, ...sources, ...libraries];
  const { status, stderr, error } = spawnSync(COMPILER, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${COMPILER} ${args.join(' ')}: exit code ${status}\n${stderr}`);
  return path;
}

export interface Emulation {
  readonly stdout: Uint8Array;
  readonly stderr: string;
  /** Undefined if a signal ended the program. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** Runs a program under qemu to its end, in a directory of this run's. */
export function emulate(path: string, args: readonly string[] = [], input: Uint8Array = new Uint8Array(0)): Emulation {
  const options = { input, cwd: workDirectory(), maxBuffer: OUTPUT_BYTES_MAX, timeout: SECONDS_MAX * 1000, killSignal: 'SIGKILL' } as const;
  const { stdout, stderr, status, signal, error } = spawnSync(EMULATOR, [path, ...args], options);
  if (error !== undefined) throw error;
  return { stdout, stderr: stderr.toString(), exitCode: status ?? undefined, signal: signal ?? undefined };
}
