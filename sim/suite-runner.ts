/**
 * Runs programs one after the other in a live system, as a test suite's runner does: process 1 forks, the child execs, it waits.
 *
 * Process 1 is code of ours, not a program: a call that sleeps until its child has ended and then makes the next one. To the
 * kernel model that is a process that forks and waits and never touches memory. Children find their folder emptied and filled
 * with their own files; what they print is kept.
 */
import type { Watcher } from './watcher.ts';
import type { LiveMachine } from './live.ts';
import { execute } from './linux/execute.ts';
import { endProcess, reap } from './linux/exit.ts';
import { forkProcess } from './linux/fork.ts';
import type { Inode } from './linux/fs/inode.ts';
import type { FileTree } from './linux/fs/tree.ts';
import { O_WRONLY, openFile } from './linux/fs/stream.ts';
import { HostInput, hostOutput } from './linux/host-stream.ts';
import type { Linux } from './linux/linux.ts';
import { encodeText, nameOfText } from './linux/names.ts';
import type { Process } from './linux/process.ts';
import { signalName } from './linux/signal-numbers.ts';
import type { Sleeping, SuspendedCall } from './linux/sleep.ts';
import { LINUX_DEFAULTS, LinuxSystem, type RunResult } from './linux/system.ts';
import type { Outcome } from './suite.ts';

/** A program to run. */
export interface Job {
  /** Names the mark in a recording. */
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Absolute. */
  readonly folder: string;
  /** The folder's files by name, as text. */
  readonly files: Readonly<Record<string, string>>;
}

/** A process that a signal of its own making ended. */
export interface Death {
  readonly pid: number;
  readonly comm: string;
  readonly signal: string;
  /** Number of the exec that gave it its program, from 1; 0 for none. */
  readonly exec: number;
}

export interface JobOutcome extends Outcome {
  readonly job: Job;
  readonly stderr: string;
  readonly pid: number;
  /** Every process of the job that crashed, in order. */
  readonly deaths: readonly Death[];
}

export interface RunnerOptions {
  readonly live: LiveMachine;
  readonly tree: FileTree;
  readonly seed: string;
  /** Hears of each job when it is over. */
  readonly onEnd: (outcome: JobOutcome) => void;
}

const INIT = 1;
const O_RDONLY = 0;

export class JobRunner {
  readonly system: LinuxSystem;
  private readonly options: RunnerOptions;
  private readonly execs: ExecCounter;

  constructor(options: RunnerOptions, jobs: Iterable<Job>) {
    const { live, tree, seed } = options;
    const { machine, hart } = live;
    const ignore = (): void => undefined;
    this.options = options;
    this.execs = new ExecCounter();
    machine.watch(this.execs);
    this.system = new LinuxSystem({ ...LINUX_DEFAULTS, machine, hart, tree, seed, stdout: ignore, stderr: ignore });
    const { linux } = this.system;
    linux.processes.get(INIT)!.call = hostCall(this.runAll(linux, jobs));
  }

  /** Goes on, for at most so many instructions; `ended` when all jobs are done. */
  run(instructionsMax?: number): RunResult {
    return this.system.run(instructionsMax);
  }

  private *runAll(linux: Linux, jobs: Iterable<Job>): Sleeping {
    const init = linux.processes.get(INIT)!;
    for (const job of jobs) yield* this.runOne(linux, init, job);
    endProcess(linux, init, { exitCode: 0 });
    return 'done';
  }

  private *runOne(linux: Linux, init: Process, job: Job): Sleeping {
    linux.machine.perform({ pid: INIT, op: 'mark', name: job.name });
    const output = { stdout: new Collector(), stderr: new Collector() };
    const crashesBefore = linux.crashes.length;
    const child = forkProcess(linux, init, { sharesMemory: false, stack: 0, tls: undefined, childTid: 0 });
    if (typeof child === 'string') throw new Error(`fork: ${child}`);
    child.cwd = freshFolder(linux, job);
    connect(linux, child, output);
    child.call = hostCall(becomeProgram(linux, child, job));
    yield { isReady: () => child.state === 'zombie', uninterruptible: true };
    const deaths = linux.crashes.slice(crashesBefore).map(({ pid, comm, signal }) => {
      return { pid, comm, signal: signalName(signal), exec: this.execs.of(pid) };
    });
    const { exitStatus } = child;
    for (const { pid, parent, state } of [...linux.processes.values()]) {
      if (parent === INIT && state === 'zombie') reap(linux, linux.processes.get(pid)!, init);
    }
    const signal = exitStatus & 0x7f;
    this.options.onEnd({
      job,
      pid: child.pid,
      stdout: output.stdout.text(),
      stderr: output.stderr.text(),
      status: signal === 0 ? exitStatus >> 8 : signalName(signal),
      deaths,
    });
    return 0;
  }
}

/** A call that no program made, about to begin. */
function hostCall(sleeping: Sleeping): SuspendedCall {
  const record = { name: 'host', args: [0, 0, 0, 0, 0, 0] as const, texts: [], outcome: undefined };
  return { sleeping, sleep: { isReady: () => true, uninterruptible: true }, record };
}

const EXIT_NOT_FOUND = 127;

/** The child's first deed, when it is on the CPU: exec. */
function* becomeProgram(linux: Linux, child: Process, { path, args, env }: Job): Sleeping {
  const done = execute(linux, child, { path: nameOfText(path), args, env });
  if (done !== 0) endProcess(linux, child, { exitCode: EXIT_NOT_FOUND });
  return 'done';
}

/** Empties the folder, and fills it with the job's files. */
function freshFolder({ tree }: Linux, { folder, files }: Job): Process['cwd'] {
  const directory = tree.addDirectory(folder);
  const { entries } = directory;
  if (entries instanceof Map) entries.clear();
  for (const [name, text] of Object.entries(files)) tree.addFile(`${folder}/${name}`, encodeText(text));
  return directory;
}

/** No input; what is printed goes to the collectors. */
function connect(linux: Linux, child: Process, output: { readonly stdout: Collector; readonly stderr: Collector }): void {
  const { fds } = child;
  fds.closeAll();
  const nameless = (): Inode => linux.tree.newFifo(0o600, linux.pipeDevice);
  const input = new HostInput();
  input.end();
  fds.add(openFile(nameless(), input, O_RDONLY, undefined), false);
  for (const { add } of [output.stdout, output.stderr]) fds.add(openFile(nameless(), hostOutput(add), O_WRONLY, undefined), false);
}

class Collector {
  private readonly chunks: Uint8Array[] = [];

  readonly add = (bytes: Uint8Array): void => void this.chunks.push(bytes);

  text(): string {
    const decoder = new TextDecoder();
    return this.chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode();
  }
}

/** Counts the execs that succeed, and knows which one gave a process its program. */
class ExecCounter implements Watcher {
  private count = 0;
  private readonly last = new Map<number, number>();

  readonly after: NonNullable<Watcher['after']> = (op, _index, result) => {
    if (op.op === 'exec' && typeof result === 'number') this.last.set(op.pid, ++this.count);
    else if ((op.op === 'fork' || op.op === 'vfork') && typeof result === 'number') this.last.set(op.child, this.of(op.pid));
  };

  of(pid: number): number {
    return this.last.get(pid) ?? 0;
  }
}
