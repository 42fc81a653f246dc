/**
 * Benchmarks of live runs: BusyBox on the kernel model, in instructions a second, with qemu-riscv64 beside it if it is there.
 *
 * Each workload runs in a new machine, so that nothing of the guest is decoded or mapped yet; the process is warm. What it prints
 * must be what qemu prints. `node --import tsx/esm bench/riscv.ts` prints the table.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { readGuest, type Guest } from '../sim/cli/guest.ts';
import { standardTree } from '../sim/linux/fs/standard-tree.ts';
import { LINUX_DEFAULTS, LinuxSystem } from '../sim/linux/system.ts';
import { LiveMachine } from '../sim/live.ts';

const RUNS = 3;
const INSTRUCTIONS_MAX = 1e11;

interface Workload {
  readonly what: string;
  readonly argv: readonly string[];
}

/** C programs of yardsticks/, each with an argument that makes it run for 50 to 200 million instructions. */
const YARDSTICKS: readonly (readonly [name: string, argument: string])[] = [
  ['coremix', '4000'],
  ['dhrymix', '500000'],
  ['fib', '33'],
  ['qsrt', '200000'],
  ['sha256', '1'],
  ['nbody', '100000'],
  ['memwalk', '5000000'],
];
const COMPILER = 'riscv64-linux-gnu-gcc';

// prettier-ignore
const WORKLOADS: readonly Workload[] = [
  { what: 'BusyBox `true`',                       argv: ['true'] },
  { what: 'a shell loop of 300 rounds',           argv: ['sh', '-c', 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; echo $i'] },
  { what: 'a shell loop of 30,000 rounds',        argv: ['sh', '-c', 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; echo $i'] },
  { what: 'awk, 300,000 floating-point sums',     argv: ['awk', 'BEGIN { for (i = 0; i < 300000; i++) s += i * 0.1; printf "%.3f\\n", s }'] },
  { what: 'sha256sum of a stream of 2 MB',        argv: ['sh', '-c', 'yes | head -c 2000000 | sha256sum'] },
];

interface Timed {
  readonly output: string;
  readonly ms: number;
}

interface Program {
  /** On the host. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** One run in a new machine; putting the machine together is not counted. @param program - instead of an applet of the guest */
function runLive(guest: Guest, argv: readonly string[], program?: Program): Timed & { readonly instructions: number } {
  const live = new LiveMachine({ kernel: 'kevlar', check: 'none' });
  const { hostname, bootTime } = LINUX_DEFAULTS;
  const tree = standardTree({ busybox: guest.bytes, applets: guest.applets, hostname, time: bootTime });
  const pieces: Uint8Array[] = [];
  const collect = (bytes: Uint8Array): void => void pieces.push(bytes.slice());
  const { machine, hart } = live;
  const system = new LinuxSystem({ ...LINUX_DEFAULTS, machine, hart, tree, stdout: collect, stderr: collect });
  const path = program === undefined ? `/bin/${argv[0]!}` : '/program';
  if (program !== undefined) tree.addFile(path, program.bytes, 0o755);
  const start = process.hrtime.bigint();
  system.start(path, argv, ['PATH=/bin']);
  system.endInput();
  system.run(INSTRUCTIONS_MAX);
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  return { output: Buffer.concat(pieces).toString(), ms, instructions: hart.retired };
}

/** @returns undefined if there is no qemu */
function runQemu(argv: readonly string[]): Timed | undefined {
  try {
    const start = process.hrtime.bigint();
    const output = execFileSync('qemu-riscv64', [...argv], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return { output, ms: Number(process.hrtime.bigint() - start) / 1e6 };
  } catch {
    return undefined;
  }
}

function best<T extends Timed>(run: () => T): T {
  return Array.from({ length: RUNS }, run).reduce((a, b) => (b.ms < a.ms ? b : a));
}

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly peer: string;
}

/** The best of several runs here beside the best under qemu. @throws Error if the two print different things */
function compare(what: string, live: () => ReturnType<typeof runLive>, qemuArgs: readonly string[]): Row {
  process.stderr.write(`${what} …\n`);
  const ours = best(live);
  const qemu = runQemu(qemuArgs) === undefined ? undefined : best(() => runQemu(qemuArgs)!);
  if (qemu !== undefined && qemu.output !== ours.output) throw new Error(`${what}: qemu prints ${qemu.output}, not ${ours.output}`);
  const speed = (ms: number): string => `${(ours.instructions / ms / 1000).toFixed(0)} M instructions a second`;
  return {
    what: `${what}, live (${(ours.instructions / 1e6).toFixed(1)} M instructions)`,
    figure: `${ours.ms.toFixed(0)} ms, ${speed(ours.ms)}`,
    peer: qemu === undefined ? 'qemu-riscv64 is not there' : `qemu-riscv64: ${qemu.ms.toFixed(0)} ms, ${speed(qemu.ms)}`,
  };
}

/** Rows for the table of main.ts; none without a guest, and no yardsticks without a cross compiler. */
export function riscvRows(): readonly Row[] {
  const guest = readGuest(undefined);
  return [...WORKLOADS.map(({ what, argv }) => compare(what, () => runLive(guest, argv), [guest.path, ...argv])), ...yardstickRows(guest)];
}

function yardstickRows(guest: Guest): readonly Row[] {
  if (spawnSync(COMPILER, ['--version']).error !== undefined) return [];
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    return YARDSTICKS.map(([name, argument]) => {
      const path = join(folder, name);
      const source = fileURLToPath(new URL(`yardsticks/${name}.c`, import.meta.url));
      execFileSync(COMPILER, ['-O2', '-static', '-march=rv64gc', '-mabi=lp64d', '-ffp-contract=off', '-o', path, source, '-lm']);
      const program = { path, bytes: readFileSync(path) };
      return compare(`yardstick ${name}`, () => runLive(guest, [name, argument], program), [path, argument]);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { what, figure, peer } of riscvRows()) console.log(`| ${what} | ${figure} | ${peer} |`);
}
