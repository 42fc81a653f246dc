/**
 * Runs one program live and tells how it ended: what `run` and `record` have in common.
 *
 * What the guest prints is passed on as it comes; remarks of ours go to standard error when it is over.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { LiveMachine, LiveResult } from '../live.ts';
import { describeCall } from '../linux/crash-report.ts';
import { standardTree } from '../linux/fs/standard-tree.ts';
import type { FileTree } from '../linux/fs/tree.ts';
import { SI_KERNEL, signalGroup } from '../linux/send-signal.ts';
import { SIGNALS } from '../linux/signal-numbers.ts';
import type { CallRecord } from '../linux/sleep.ts';
import { LINUX_DEFAULTS, LinuxSystem, type RunResult } from '../linux/system.ts';
import type { Watcher } from '../watcher.ts';
import { CrashWitness } from './crash-output.ts';
import { EXIT } from './exit-code.ts';
import { DEFAULT_GUEST, readGuest } from './guest.ts';
import { Escaped, openInput, type GuestInput } from './guest-input.ts';
import { copyTree } from './host-tree.ts';
import { openMachine, type LiveFlags } from './live-options.ts';
import { LiveWitness } from './live-witness.ts';
import { UsageError, type Terminal } from './terminal.ts';

export interface RunFlags extends LiveFlags {
  readonly root?: string;
  readonly stdin?: string;
  readonly elf?: string;
  readonly strace?: boolean;
}

export interface LiveRun {
  readonly live: LiveMachine;
  readonly result: LiveResult;
  /** Of the process: the program's own status, 128 and the signal, or what a limit or a finding means. */
  readonly code: number;
}

/** Instructions between two looks at the outside; a multiple of what a process gets at a time. */
export const SLICE = 200 * LINUX_DEFAULTS.quantum;
const SIGNAL_BASE = 128;

/** @throws UsageError if a file is missing or the program cannot be started */
export async function runLive(
  command: readonly string[],
  flags: RunFlags,
  watchers: readonly Watcher[],
  terminal: Terminal,
): Promise<LiveRun> {
  const { tree, path, args } = prepare(command, flags);
  const live = openMachine(flags, watchers);
  const witnesses = { crashes: new CrashWitness(live), findings: new LiveWitness(live) };
  const input = openInput(flags.stdin);
  try {
    const session = new Session(live, tree, input, flags, terminal);
    const problem = live.guarded(() => session.system.start(path, args, environment(input)));
    if (typeof problem === 'string') throw new UsageError(`${path}: cannot be run: ${problem}`);
    const ended = await session.run();
    input.close();
    return { live, ...conclude(session.system, live, ended, witnesses, terminal) };
  } finally {
    input.close();
  }
}

interface Prepared {
  readonly tree: FileTree;
  readonly path: string;
  readonly args: readonly string[];
}

function prepare(command: readonly string[], flags: RunFlags): Prepared {
  const { elf, root, guest } = flags;
  const { bytes, applets } = elf === undefined || guest !== undefined ? readGuest(guest) : optionalGuest();
  const tree = standardTree({ busybox: bytes, applets, hostname: LINUX_DEFAULTS.hostname, time: LINUX_DEFAULTS.bootTime });
  if (root !== undefined) copyTree(tree, root);
  if (elf === undefined) {
    const [name] = command;
    if (name === undefined) throw new UsageError('what is to be run? faultline run -- COMMAND…');
    return { tree, path: name.includes('/') ? name : pathOf(tree, name), args: command };
  }
  const path = `/usr/local/bin/${basename(elf)}`;
  tree.addFile(path, readElf(elf), 0o755);
  return { tree, path, args: [basename(elf), ...command] };
}

/** Another program than BusyBox runs without it, but may call its applets if it is there. */
function optionalGuest(): { bytes: Uint8Array; applets: readonly string[] } {
  try {
    return readGuest(undefined);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { bytes: new Uint8Array(0), applets: [] };
  }
}

function pathOf(tree: FileTree, name: string): string {
  const origin = { root: tree.root, cwd: tree.root };
  const found = ['/bin', '/usr/local/bin'].map((folder) => `${folder}/${name}`).find((path) => typeof tree.find(origin, path) !== 'string');
  if (found === undefined)
    throw new UsageError(`${name}: the guest has no such program (${DEFAULT_GUEST} has the applets that busybox --list prints)`);
  return found;
}

function readElf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

const environment = ({ size }: GuestInput): string[] => [
  'PATH=/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/bin',
  'HOME=/root',
  'USER=root',
  'TZ=UTC0',
  ...(size === undefined ? [] : [`TERM=${process.env['TERM'] ?? 'linux'}`]),
];

const lineOf = (pid: number, call: CallRecord): Uint8Array => new TextEncoder().encode(`[${pid}] ${describeCall(call)}\n`);

/** A running system between its input and the terminal. */
class Session {
  readonly system: LinuxSystem;
  private readonly live: LiveMachine;
  private readonly input: GuestInput;
  private readonly terminal: Terminal;
  private readonly instructionsMax: number;
  private written: { readonly bytes: Uint8Array; readonly isError: boolean }[] = [];

  constructor(
    live: LiveMachine,
    tree: FileTree,
    input: GuestInput,
    { seed, maxInstructions = Infinity, strace }: RunFlags,
    terminal: Terminal,
  ) {
    this.live = live;
    this.input = input;
    this.terminal = terminal;
    this.instructionsMax = maxInstructions;
    this.system = new LinuxSystem({
      ...LINUX_DEFAULTS,
      machine: live.machine,
      hart: live.hart,
      tree,
      seed,
      terminal: input.size,
      stdout: (bytes) => void this.written.push({ bytes, isError: false }),
      stderr: (bytes) => void this.written.push({ bytes, isError: true }),
      ...(strace === true ? { onCall: (pid, call) => void this.written.push({ bytes: lineOf(pid, call), isError: true }) } : {}),
    });
  }

  /** @returns undefined if the kernel found itself in an impossible state, or the user left */
  async run(): Promise<RunResult | undefined> {
    const { hart } = this.live;
    try {
      for (;;) {
        for (const bytes of this.input.arrived()) this.system.feed(bytes);
        this.followSize();
        const result = this.live.guarded(() => this.system.run(Math.min(SLICE, this.instructionsMax - hart.retired)));
        await this.flush();
        if (result?.why === 'needs-input') await this.feedNext();
        else if (result?.why !== 'limit' || hart.retired >= this.instructionsMax) return result;
        await setImmediate();
        this.terminal.throwIfInterrupted(() => `after ${hart.retired} instructions`);
      }
    } catch (error) {
      if (error instanceof Escaped) return undefined;
      throw error;
    }
  }

  /** The window may have changed. */
  private followSize(): void {
    const { linux } = this.system;
    const { size } = this.input;
    if (linux.tty === undefined || size === undefined) return;
    const { rows, columns } = linux.tty.size;
    if (size.rows === rows && size.columns === columns) return;
    linux.tty.size = size;
    signalGroup(linux, linux.tty.foreground, { signal: SIGNALS.SIGWINCH, code: SI_KERNEL });
  }

  private async feedNext(): Promise<void> {
    const bytes = await this.input.next();
    if (bytes === undefined) this.system.endInput();
    else this.system.feed(bytes);
  }

  private async flush(): Promise<void> {
    const written = this.written;
    this.written = [];
    for (const { bytes, isError } of written) await this.terminal.writeBytes(bytes, isError);
  }
}

interface Witnesses {
  readonly crashes: CrashWitness;
  readonly findings: LiveWitness;
}

/** Says what there is to say when a run is over. */
function conclude(
  system: LinuxSystem,
  live: LiveMachine,
  ended: RunResult | undefined,
  { crashes, findings }: Witnesses,
  terminal: Terminal,
): Pick<LiveRun, 'result' | 'code'> {
  const say = (lines: readonly string[]): void => {
    for (const line of lines) terminal.remark(line);
  };
  for (const crash of system.crashes) say(crashes.lines(crash));
  if (ended?.why === 'limit') say([`faultline: stopped after ${live.hart.retired} instructions`]);
  if (ended?.why === 'deadlock') say(['faultline: every process waits, and nothing will ever come']);
  const unknown = [...system.unknownCalls].map(([name, count]) => (count === 1 ? name : `${name} (${count} times)`));
  if (unknown.length > 0) say([`faultline: system calls that do not exist here: ${unknown.join(', ')}`]);
  const result = live.finish();
  if (result.failure !== undefined) say(['', ...findings.lines(result.failure)]);
  return { result, code: codeOf(ended, result) };
}

function codeOf(ended: RunResult | undefined, { failure }: LiveResult): number {
  if (failure !== undefined) return failure.kind === 'invariant' ? EXIT.invariant : EXIT.reference;
  if (ended === undefined) return EXIT.interrupted;
  if (ended.why !== 'ended') return EXIT.limit;
  return ended.status ?? SIGNAL_BASE + (ended.signal ?? 0);
}
