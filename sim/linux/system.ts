/**
 * A running small Linux: programs on a hart, calls to the functions that answer them, until the first process ends.
 *
 * `run` goes on until there is a result, or until everybody waits for the host's input; then the host types and calls `run` again.
 * Nothing in here depends on when that is: a run is a function of configuration, tree and input.
 */
import type { Machine } from '../machine.ts';
import { createPrng } from '../prng.ts';
import type { Hart, Stop } from '../riscv/hart.ts';
import { Clock } from './clock.ts';
import type { CrashReport } from './crash-report.ts';
import { answerCall, resumeCall } from './dispatch.ts';
import { DESCRIPTORS_MAX, FdTable } from './fs/fd-table.ts';
import { O_RDWR, O_WRONLY, openFile } from './fs/stream.ts';
import type { FileTree } from './fs/tree.ts';
import { execute } from './execute.ts';
import { hostOutput, HostInput } from './host-stream.ts';
import type { Errno } from './errno.ts';
import { kernelProcess, type Linux } from './linux.ts';
import { nameOfText } from './names.ts';
import { writeUser, viewOf } from './user-memory.ts';
import { copyRegisters, freshRegisters, freshSignals, initialLimits, type Process } from './process.ts';
import { procRoot } from './proc.ts';
import { Programs } from './programs.ts';
import { chooseNext, nextDeadline, ringAlarms } from './scheduler.ts';
import { forceSignal, SI_KERNEL, signalGroup } from './send-signal.ts';
import { SIGNALS } from './signal-numbers.ts';
import { actOnSignals, deliverable } from './signals.ts';
import type { CallRecord } from './sleep.ts';
import { Tty, type WindowSize } from './tty.ts';
import { endProcess } from './exit.ts';

export interface LinuxConfig {
  readonly machine: Machine;
  readonly hart: Hart;
  readonly tree: FileTree;
  /** Where all chance comes from: getrandom, /dev/urandom. */
  readonly seed: string;
  /** Nanoseconds since 1970 at boot. */
  readonly bootTime: bigint;
  readonly nsPerInstruction: number;
  /** Instructions that a process runs before another one gets the CPU. */
  readonly quantum: number;
  readonly hostname: string;
  /** Makes standard input and output a terminal of this size. */
  readonly terminal?: WindowSize | undefined;
  /** Get what programs write; on a terminal all goes to `stdout`. */
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
  /** Told of every system call when it has its answer. */
  readonly onCall?: ((pid: number, call: CallRecord) => void) | undefined;
}

export const LINUX_DEFAULTS = {
  seed: '1',
  bootTime: 1_700_000_000_000_000_000n,
  nsPerInstruction: 1,
  quantum: 100_000,
  hostname: 'faultline',
} as const;

export type RunResult =
  /** Process 1 has ended. */
  | { readonly why: 'ended'; readonly status: number | undefined; readonly signal: number | undefined }
  /** Everybody waits, somebody for what the host types. */
  | { readonly why: 'needs-input' }
  /** Everybody waits, and nothing will ever come. */
  | { readonly why: 'deadlock' }
  /** As many instructions as asked for have run. */
  | { readonly why: 'limit' };

const INIT = 1;
const SEGV = { MAPERR: 1, ACCERR: 2 } as const;
const BUS = { ADRALN: 1, ADRERR: 2 } as const;
const ILL_ILLOPC = 1;
const TRAP_BRKPT = 1;

export class LinuxSystem {
  readonly linux: Linux;
  private readonly quantum: number;

  constructor(config: LinuxConfig) {
    const { machine, hart, tree, terminal } = config;
    const clock = new Clock(() => hart.retired, config.nsPerInstruction, config.bootTime);
    tree.now = () => clock.realTime();
    const tty: Tty | undefined =
      terminal === undefined
        ? undefined
        : new Tty(terminal, config.stdout, (name) => {
            signalGroup(this.linux, this.linux.tty!.foreground, { signal: SIGNALS[name], code: SI_KERNEL });
          });
    this.quantum = config.quantum;
    this.linux = {
      machine,
      hart,
      tree,
      clock,
      tty,
      prng: createPrng(config.seed),
      programs: new Programs(machine),
      processes: new Map(),
      hostname: config.hostname,
      input: new HostInput(),
      console: tty ?? hostOutput(config.stdout),
      current: undefined,
      nextPid: INIT,
      unknownCalls: new Map(),
      crashes: [],
      onCall: config.onCall,
      pipeDevice: tree.newDevice(),
      mounts: [],
    };
    this.mountProc();
    this.spawnInit(config);
  }

  /** Calls that answered ENOSYS, with how often. */
  get unknownCalls(): ReadonlyMap<string, number> {
    return this.linux.unknownCalls;
  }

  /** Processes that crashed, in order. */
  get crashes(): readonly CrashReport[] {
    return this.linux.crashes;
  }

  /** Makes process 1 run a program. @returns why it cannot */
  start(path: string, args: readonly string[], env: readonly string[]): 0 | Errno {
    const { linux } = this;
    const init = linux.processes.get(INIT)!;
    this.switchTo(init);
    return execute(linux, init, { path: nameOfText(path), args, env });
  }

  /** The host types, or gives standard input. */
  feed(bytes: Uint8Array): void {
    if (this.linux.tty === undefined) this.linux.input.feed(bytes);
    else this.linux.tty.type(bytes);
  }

  /** There is no more standard input; on a terminal, as if VEOF were typed. */
  endInput(): void {
    if (this.linux.tty === undefined) this.linux.input.end();
    else this.linux.tty.type(Uint8Array.of(4));
  }

  /** Runs until process 1 has ended or nothing more can be done. @param instructionsMax - at most so many, counted from now */
  run(instructionsMax = Infinity): RunResult {
    const { linux } = this;
    const end = linux.hart.retired + instructionsMax;
    for (;;) {
      const init = linux.processes.get(INIT);
      if (init === undefined || init.state === 'zombie') return endOf(init);
      const left = end - linux.hart.retired;
      if (left <= 0) return { why: 'limit' };
      ringAlarms(linux);
      const next = chooseNext(linux);
      if (next !== undefined) {
        this.switchTo(next);
        this.giveTurn(next, Math.min(this.quantum, left));
        continue;
      }
      const deadline = nextDeadline(linux);
      if (deadline === Infinity) return { why: waitsForInput(linux) ? 'needs-input' : 'deadlock' };
      linux.clock.skipTo(deadline);
    }
  }

  // ---- One process's turn.

  /** The process on the CPU goes on with its call, then with its program, until its time is up or it waits. */
  private giveTurn(process: Process, instructions: number): void {
    const { linux } = this;
    const { hart } = linux;
    const end = hart.retired + instructions;
    writeChildTid(linux, process);
    if (process.call !== undefined) resumeCall(linux, process);
    for (;;) {
      if (deliverable(process) !== 0n || process.signals.maskAfterCall !== undefined || process.restarts) actOnSignals(linux, process);
      if (process.state !== 'live' || process.call !== undefined || hart.retired >= end) return;
      const stop = this.runProgram(process, end - hart.retired);
      if (stop.why === 'limit') {
        ringAlarms(linux);
        continue;
      }
      if (stop.why === 'ecall') answerCall(linux, process);
      else trap(linux, process, stop);
    }
  }

  /** Runs instructions, at most up to the next alarm of anybody. */
  private runProgram(process: Process, instructions: number): Stop {
    const { hart, machine, clock } = this.linux;
    machine.makeCurrent(process.pid);
    const before = hart.retired;
    const deadline = nextDeadline(this.linux);
    const most = deadline === Infinity ? instructions : Math.min(instructions, clock.instructionsUntil(deadline));
    const stop = hart.run(most);
    process.cpuNs += clock.span(hart.retired - before);
    return stop;
  }

  private switchTo(process: Process): void {
    const { linux } = this;
    if (linux.current === process) return;
    if (linux.current !== undefined) copyRegisters(linux.hart.registers, linux.current.registers);
    copyRegisters(process.registers, linux.hart.registers);
    linux.machine.makeCurrent(process.pid);
    linux.hart.switched();
    linux.current = process;
  }

  // ---- Boot.

  private mountProc(): void {
    const { linux } = this;
    const root = procRoot(linux);
    const covered = linux.tree.addDirectory('/proc', 0o555);
    root.name = covered.name;
    root.parent = covered.parent;
    covered.mounted = root;
    linux.mounts.push({ source: 'proc', type: 'proc', covered, root });
  }

  private spawnInit({ stdout, stderr }: LinuxConfig): void {
    const { linux } = this;
    const { root } = linux.tree;
    const fds = new FdTable();
    const name = { directory: linux.tree.addDirectory('/dev'), name: 'console' };
    const device = linux.tree.newDeviceNode(0o600, 5, 1, linux.pipeDevice);
    const streams = linux.tty === undefined ? [linux.input, hostOutput(stdout), hostOutput(stderr)] : [linux.tty, linux.tty, linux.tty];
    streams.forEach((stream, fd) => {
      const inode = linux.tty === undefined ? linux.tree.newFifo(0o600, linux.pipeDevice) : device;
      const flags = linux.tty !== undefined ? O_RDWR : fd === 0 ? 0 : O_WRONLY;
      fds.add(openFile(inode, stream, flags, linux.tty === undefined ? undefined : name), false);
    });
    linux.processes.set(INIT, {
      pid: INIT,
      parent: 0,
      pgid: INIT,
      sid: INIT,
      comm: 'init',
      args: [],
      exe: undefined,
      root,
      cwd: root,
      umask: 0o022,
      uid: 0,
      gid: 0,
      nice: 0,
      fds,
      registers: freshRegisters(),
      signals: freshSignals(),
      limits: initialLimits(linux.machine.kernel.design.stackBytes, DESCRIPTORS_MAX),
      state: 'live',
      call: undefined,
      restarts: false,
      borrowsSpace: false,
      tidAddress: 0,
      exitStatus: 0,
      news: undefined,
      stopSignal: 0,
      alarm: undefined,
      startedAt: 0,
      cpuNs: 0,
      childrenNs: 0,
      history: [],
    });
    linux.nextPid = INIT + 1;
    if (linux.tty !== undefined) linux.tty.session = linux.tty.foreground = INIT;
  }
}

function endOf(init: Process | undefined): RunResult {
  const status = init?.exitStatus ?? 0;
  const signal = status & 0x7f;
  return { why: 'ended', status: signal === 0 ? status >> 8 : undefined, signal: signal === 0 ? undefined : signal };
}

const waitsForInput = (linux: Linux): boolean => [...linux.processes.values()].some(({ call }) => call?.sleep.forInput === true);

/** CLONE_CHILD_SETTID: the child's first deed. */
function writeChildTid(linux: Linux, process: Process): void {
  if (process.tidAddress === 0) return;
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, process.pid, true);
  writeUser(linux, process, process.tidAddress, bytes);
  process.tidAddress = 0;
}

/** An instruction could not be carried out: the signal that Linux sends for it. */
function trap(linux: Linux, process: Process, stop: Exclude<Stop, { why: 'limit' | 'ecall' }>): void {
  const address = linux.hart.registers.pc;
  switch (stop.why) {
    case 'breakpoint':
      return void forceSignal(linux, process, { signal: SIGNALS.SIGTRAP, code: TRAP_BRKPT, address });
    case 'illegal':
      return void forceSignal(linux, process, { signal: SIGNALS.SIGILL, code: ILL_ILLOPC, address });
    case 'misaligned':
      return void forceSignal(linux, process, { signal: SIGNALS.SIGBUS, code: BUS.ADRALN, address: stop.address });
    case 'refused':
      return void refuse(linux, process, stop);
  }
}

function refuse(linux: Linux, process: Process, { refusal, address }: Extract<Stop, { why: 'refused' }>): void {
  if (refusal === 'SIGSEGV') forceSignal(linux, process, { signal: SIGNALS.SIGSEGV, code: segvCode(linux, process, address), address });
  else if (refusal === 'SIGBUS') forceSignal(linux, process, { signal: SIGNALS.SIGBUS, code: BUS.ADRERR, address });
  // Out of memory, or a fault that never ends: nothing can be done for the program.
  else endProcess(linux, process, { signal: SIGNALS.SIGKILL, address });
}

const segvCode = (linux: Linux, process: Process, address: bigint): number =>
  kernelProcess(linux, process)?.space.vmas.containing(Number(address)) === undefined ? SEGV.MAPERR : SEGV.ACCERR;
