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
import type { FileTree } from './fs/tree.ts';
import { execute } from './execute.ts';
import { hostOutput, HostInput } from './host-stream.ts';
import type { Errno } from './errno.ts';
import type { Linux } from './linux.ts';
import { nameOfText } from './names.ts';
import { writeUser, viewOf } from './user-memory.ts';
import { copyRegisters, type Process } from './process.ts';
import { Programs } from './programs.ts';
import { chooseNext, nextDeadline, ringAlarms } from './scheduler.ts';
import { SI_KERNEL, signalGroup } from './send-signal.ts';
import { SIGNALS } from './signal-numbers.ts';
import { actOnSignals, deliverable } from './signals.ts';
import type { CallRecord } from './sleep.ts';
import { trap } from './trap.ts';
import { Tty, type WindowSize } from './tty.ts';
import { addFirstProcess, FIRST_PID, mountProc } from './boot.ts';

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
      nextPid: FIRST_PID,
      unknownCalls: new Map(),
      crashes: [],
      locks: new WeakMap(),
      onCall: config.onCall,
      pipeDevice: tree.newDevice(),
      mounts: [],
    };
    mountProc(this.linux);
    addFirstProcess(this.linux, config);
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
    const init = linux.processes.get(FIRST_PID)!;
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
      const init = linux.processes.get(FIRST_PID);
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
