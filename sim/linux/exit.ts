/**
 * The end of a process: its files are closed, its memory given back, its children adopted, its parent told.
 *
 * @see _exit(2); POSIX.1-2017 _Exit "Consequences of Process Termination"
 */
import { reportCrash } from './crash.ts';
import type { Linux } from './linux.ts';
import type { Process, SignalInfo } from './process.ts';
import { SI_KERNEL, signalGroup, tellParent } from './send-signal.ts';
import { defaultAction, SIGNALS, signalName } from './signal-numbers.ts';

const INIT = 1;

export type Ending = { readonly exitCode: number } | Pick<SignalInfo, 'signal' | 'address'>;

/** Ends the process that is on the CPU, with an exit code or by a signal. */
export function endProcess(linux: Linux, process: Process, ending: Ending): void {
  if ('signal' in ending && defaultAction(ending.signal) === 'crash') reportCrash(linux, process, ending);
  process.fds.closeAll();
  if (process.exe !== undefined) process.exe.inode.runners--;
  const how = 'signal' in ending ? { signal: signalName(ending.signal) } : { status: ending.exitCode & 0xff };
  linux.machine.perform({ pid: process.pid, op: 'exit', ...how });
  process.state = 'zombie';
  process.exitStatus = 'signal' in ending ? ending.signal : (ending.exitCode & 0xff) << 8;
  process.call = undefined;
  process.alarm = undefined;
  process.borrowsSpace = false;
  leaveTerminal(linux, process);
  for (const child of linux.processes.values()) if (child.parent === process.pid) adopt(linux, child);
  tellParent(linux, process, 'ended');
}

/** The terminal of a session whose leader ends is nobody's; its foreground processes are hung up on. */
function leaveTerminal(linux: Linux, { sid, pid }: Process): void {
  const { tty } = linux;
  if (sid !== pid || tty?.session !== sid) return;
  signalGroup(linux, tty.foreground, { signal: SIGNALS.SIGHUP, code: SI_KERNEL });
  tty.session = tty.foreground = 0;
}

function adopt(linux: Linux, child: Process): void {
  child.parent = INIT;
  if (child.state === 'zombie') tellParent(linux, child, 'ended');
}

/** Forgets a zombie that its parent has waited for; its time counts for the parent. */
export function reap(linux: Linux, child: Process, parent: Process): void {
  linux.processes.delete(child.pid);
  parent.childrenNs += child.cpuNs + child.childrenNs;
  linux.machine.perform({ pid: parent.pid, op: 'wait', child: child.pid });
}
