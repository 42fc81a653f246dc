/** Writes the crash report of the process that is on the CPU. */
import { kernelProcess, type Linux } from './linux.ts';
import { copyRegisters, freshRegisters, type Process, type SignalInfo } from './process.ts';

/** @param info - the signal that ends it, with the address it could not reach, if it was that */
export function reportCrash(linux: Linux, process: Process, info: Pick<SignalInfo, 'signal' | 'address'>): void {
  const registers = freshRegisters();
  copyRegisters(linux.hart.registers, registers);
  linux.crashes.push({
    pid: process.pid,
    comm: process.comm,
    signal: info.signal,
    pc: registers.pc,
    address: info.address,
    retired: linux.hart.retired,
    registers,
    calls: process.history.map((call) => ({ ...call, texts: [...call.texts] })),
    vmas: kernelProcess(linux, process)?.space.vmas.ascending ?? [],
  });
}
