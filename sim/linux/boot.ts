/** What there is before a program runs: /proc, and process 1 with its three descriptors. */
import { FdTable, DESCRIPTORS_MAX } from './fs/fd-table.ts';
import { O_RDWR, O_WRONLY, openFile } from './fs/stream.ts';
import { hostOutput } from './host-stream.ts';
import type { Linux } from './linux.ts';
import { freshRegisters, freshSignals, initialLimits, type Process } from './process.ts';
import { procRoot } from './proc.ts';

export const FIRST_PID = 1;

export function mountProc(linux: Linux): void {
  const root = procRoot(linux);
  const covered = linux.tree.addDirectory('/proc', 0o555);
  root.name = covered.name;
  root.parent = covered.parent;
  covered.mounted = root;
  linux.mounts.push({ source: 'proc', type: 'proc', covered, root });
}

/** Where standard output and error go if they are no terminal. */
interface Outputs {
  readonly stdout: (bytes: Uint8Array) => void;
  readonly stderr: (bytes: Uint8Array) => void;
}

/** Process 1: leads session and group, is in the foreground of the terminal, and has no program yet. */
export function addFirstProcess(linux: Linux, outputs: Outputs): void {
  const { root } = linux.tree;
  const first: Process = {
    pid: FIRST_PID,
    parent: 0,
    pgid: FIRST_PID,
    sid: FIRST_PID,
    comm: 'init',
    args: [],
    exe: undefined,
    root,
    cwd: root,
    umask: 0o022,
    uid: 0,
    gid: 0,
    nice: 0,
    fds: linux.tty === undefined ? hostDescriptors(linux, outputs) : terminalDescriptors(linux),
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
  };
  linux.processes.set(FIRST_PID, first);
  linux.nextPid = FIRST_PID + 1;
  if (linux.tty !== undefined) linux.tty.session = linux.tty.foreground = FIRST_PID;
}

function hostDescriptors({ tree, input, pipeDevice }: Linux, { stdout, stderr }: Outputs): FdTable {
  const fds = new FdTable();
  [input, hostOutput(stdout), hostOutput(stderr)].forEach((stream, fd) => {
    fds.add(openFile(tree.newFifo(0o600, pipeDevice), stream, fd === 0 ? 0 : O_WRONLY), false);
  });
  return fds;
}

/** One open file, as after opening the console and duplicating it twice. */
function terminalDescriptors({ tree, tty, pipeDevice }: Linux): FdTable {
  const fds = new FdTable();
  const name = { directory: tree.addDirectory('/dev'), name: 'console' };
  const file = openFile(name.directory.entries.get('console') ?? tree.newDeviceNode(0o600, 5, 1, pipeDevice), tty!, O_RDWR, name);
  for (let fd = 0; fd < 3; fd++) fds.add(file, false);
  return fds;
}
