/** What is kept of a process that a signal of its own making ended: enough to see where it was and how it came there. */
import { describeVma } from '../../kernel-model/index.ts';
import type { Registers } from '../riscv/hart.ts';
import type { CallRecord } from './sleep.ts';
import { signalName } from './signal-numbers.ts';

export interface CrashReport {
  readonly pid: number;
  readonly comm: string;
  readonly signal: number;
  /** Address of the instruction that failed. */
  readonly pc: bigint;
  /** Address that could not be reached, if that was it. */
  readonly address: bigint | undefined;
  /** Instructions retired by all processes. */
  readonly retired: number;
  readonly registers: Registers;
  /** Oldest first. */
  readonly calls: readonly CallRecord[];
  readonly vmas: readonly Parameters<typeof describeVma>[0][];
}

const REGISTER_NAMES = 'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');

const hex64 = (value: bigint): string => '0x' + BigInt.asUintN(64, value).toString(16);

/** The report as lines of text. */
export function describeCrash(report: CrashReport): string {
  const { pid, comm, signal, pc, address, retired, registers, calls, vmas } = report;
  const values = REGISTER_NAMES.map((name, i) => `${name.padEnd(4)} ${hex64(registers.x[i]!).padEnd(18)}`);
  const rows = Array.from(
    { length: 8 },
    (_, row) =>
      '  ' +
      values
        .slice(row * 4, row * 4 + 4)
        .join('  ')
        .trimEnd(),
  );
  return [
    `process ${pid} (${comm}) died of ${signalName(signal)} at pc ${hex64(pc)}, after ${retired} instructions`,
    ...(address === undefined ? [] : [`  it reached for ${hex64(address)}`]),
    ...rows,
    'last system calls:',
    ...calls.map((call) => `  ${describeCall(call)}`),
    'memory:',
    ...vmas.map((vma) => `  ${describeVma(vma)}`),
  ].join('\n');
}

/** `openat(-100, 0x7ffe0, 0, 0, 0, 0) "/etc/passwd" = 3`. */
export function describeCall({ name, args, texts, outcome }: CallRecord): string {
  const numbers = args.map((arg) => (arg >= 0 && arg > 4095 ? '0x' + arg.toString(16) : String(arg)));
  const strings = texts.map((text) => ' ' + JSON.stringify(text)).join('');
  return `${name}(${numbers.join(', ')})${strings} = ${outcome === undefined ? '…' : String(outcome)}`;
}
