/** Instructions that could not be carried out, as signals: what Linux sends for which trap. */
import type { Stop } from '../riscv/hart.ts';
import { reportCrash } from './crash.ts';
import { endProcess } from './exit.ts';
import { kernelProcess, type Linux } from './linux.ts';
import type { Process } from './process.ts';
import { forceSignal } from './send-signal.ts';
import { SIGNALS } from './signal-numbers.ts';

/** si_code */
const SEGV = { MAPERR: 1, ACCERR: 2 } as const;
const BUS = { ADRALN: 1, ADRERR: 2 } as const;
const ILL_ILLOPC = 1;
const TRAP_BRKPT = 1;

/** Sends the process on the CPU the signal that its stop earns. */
export function trap(linux: Linux, process: Process, stop: Exclude<Stop, { why: 'limit' | 'ecall' }>): void {
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
  else {
    reportCrash(linux, process, { signal: SIGNALS.SIGKILL, address });
    endProcess(linux, process, { signal: SIGNALS.SIGKILL });
  }
}

const segvCode = (linux: Linux, process: Process, address: bigint): number =>
  kernelProcess(linux, process)?.space.vmas.containing(Number(address)) === undefined ? SEGV.MAPERR : SEGV.ACCERR;
