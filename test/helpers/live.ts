/**
 * Runs a riscv64 program on the live machine, and tells all that became of it: what a test wants to look at.
 *
 * A program is a static ELF file, or a command of the guest's BusyBox. Output is decoded as UTF-8.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NamedKernel, Parameters } from '../../kernel-model/index.ts';
import type { CheckMode } from '../../sim/check/checker.ts';
import { LiveMachine, type EngineName } from '../../sim/live.ts';
import type { CrashReport } from '../../sim/linux/crash-report.ts';
import { standardTree } from '../../sim/linux/fs/standard-tree.ts';
import { signalName } from '../../sim/linux/signal-numbers.ts';
import { LINUX_DEFAULTS, LinuxSystem, type RunResult } from '../../sim/linux/system.ts';
import type { Watcher } from '../../sim/watcher.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = '/bin/program';

export interface LiveOptions {
  readonly kernel?: string | NamedKernel;
  readonly engine?: EngineName;
  readonly check?: CheckMode;
  readonly parameters?: Partial<Parameters>;
  readonly watchers?: readonly Watcher[];
  /** Instructions after which the run ends; without it a program that never ends is a failure of the test. */
  readonly instructionsMax?: number;
  readonly quantum?: number;
  readonly seed?: string;
  /** Arguments behind the program's own name. */
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly stdin?: string | Uint8Array;
  /** Files by absolute path, all executable. */
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
}

export interface LiveOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Why the run was over; `bug` if the kernel model threw, which is a finding too, `no-start` if exec refused. */
  readonly result: RunResult['why'] | 'bug' | 'no-start';
  /** Exit status of the program, or undefined. */
  readonly status: number | undefined;
  /** Signal that ended it, by name. */
  readonly signal: string | undefined;
  readonly crashes: readonly CrashReport[];
  readonly instructions: number;
  /** `kind id: message`. */
  readonly findings: readonly string[];
  readonly leakedFrames: number;
  readonly counts: { readonly faults: number; readonly assemblies: number; readonly execs: number; readonly forks: number };
  /** Calls that answered ENOSYS. */
  readonly unknownCalls: readonly string[];
}

const INSTRUCTIONS_MAX = 2e9;

/** A program's bytes, or the BusyBox at this path with an applet and its arguments. */
export type LiveProgram = Uint8Array | { readonly busybox: string; readonly command: readonly [applet: string, ...args: string[]] };

/** The guests that `npm run guest` makes. */
export const BUSYBOXES = ['guest/busybox', 'guest/busybox-0x400000'] as const;

/** Skips the running test, and says why, if a guest was not made. */
export function skipUnlessGuest(context: Mocha.Context, path: string = BUSYBOXES[0]): void {
  if (existsSync(join(ROOT, path))) return;
  console.log(`      skipped: ${path} is not there (npm run guest)`);
  context.skip();
}

/** Runs the program to its end as process 1. Everything is checked at the end, unless `check` says otherwise. */
export function runLive(program: LiveProgram, options: LiveOptions = {}): LiveOutcome {
  const { kernel = 'kevlar', engine, check = 'end', parameters, watchers } = options;
  const live = new LiveMachine({ kernel, engine, check, parameters, watchers });
  const [stdout, stderr] = [collector(), collector()];
  const system = boot(live, program, { ...options, stdout: stdout.add, stderr: stderr.add });
  const result = live.guarded(() => run(system, program, options));
  const { findings, leakedFrames, counts } = live.finish();
  return {
    stdout: stdout.text(),
    stderr: stderr.text(),
    result: result?.why ?? 'bug',
    status: result?.why === 'ended' ? result.status : undefined,
    signal: result?.why === 'ended' && result.signal !== undefined ? signalName(result.signal) : undefined,
    crashes: system.crashes,
    instructions: live.hart.retired,
    findings: findings.map(({ kind, id, message }) => `${kind} ${id}: ${message}`),
    leakedFrames,
    counts,
    unknownCalls: [...system.unknownCalls.keys()],
  };
}

type Output = (bytes: Uint8Array) => void;

function boot(
  { machine, hart }: LiveMachine,
  program: LiveProgram,
  { seed = '1', quantum = LINUX_DEFAULTS.quantum, files = {}, stdout, stderr }: LiveOptions & { stdout: Output; stderr: Output },
): LinuxSystem {
  const tree = standardTree({ ...guestOf(program), hostname: LINUX_DEFAULTS.hostname, time: LINUX_DEFAULTS.bootTime });
  if (program instanceof Uint8Array) tree.addFile(PROGRAM, program, 0o755);
  for (const [path, content] of Object.entries(files)) tree.addFile(path, bytesOf(content), 0o755);
  return new LinuxSystem({ ...LINUX_DEFAULTS, machine, hart, tree, seed, quantum, stdout, stderr });
}

function guestOf(program: LiveProgram): { busybox: Uint8Array; applets: readonly string[] } {
  if (program instanceof Uint8Array) return { busybox: new Uint8Array(0), applets: [] };
  const path = join(ROOT, program.busybox);
  const { applets } = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as { applets: readonly string[] };
  return { busybox: readFileSync(path), applets };
}

function run(system: LinuxSystem, program: LiveProgram, options: LiveOptions): RunResult | { readonly why: 'no-start' } {
  const { args = [], env = ['PATH=/bin'], stdin = '', instructionsMax = INSTRUCTIONS_MAX } = options;
  const command = program instanceof Uint8Array ? ['program', ...args] : [...program.command, ...args];
  const path = program instanceof Uint8Array ? PROGRAM : `/bin/${program.command[0]}`;
  const started = system.start(path, command, env);
  if (started !== 0) return { why: 'no-start' };
  if (stdin.length > 0) system.feed(bytesOf(stdin));
  system.endInput();
  return system.run(instructionsMax);
}

const bytesOf = (content: Uint8Array | string): Uint8Array => (typeof content === 'string' ? new TextEncoder().encode(content) : content);

function collector(): { add: Output; text: () => string } {
  const chunks: Uint8Array[] = [];
  const decoder = new TextDecoder();
  return {
    add: (bytes) => void chunks.push(bytes.slice()),
    text: () => chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode(),
  };
}
