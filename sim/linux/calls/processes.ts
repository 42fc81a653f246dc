/** Calls that make, replace, end and wait for processes, and those about groups and sessions. */
import type { CallRow, Handler } from '../call.ts';
import { endProcess, reap } from '../exit.ts';
import { execute } from '../execute.ts';
import { forkProcess } from '../fork.ts';
import { groupExists, living, notKnown, type Linux } from '../linux.ts';
import { decodeText } from '../names.ts';
import { commOf, type Process } from '../process.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { encodeRusage } from '../structs.ts';
import { readPath, readString, readUser, viewOf, writeIfAny, writeUser } from '../user-memory.ts';

const CLONE = {
  SIGNAL: 0xff,
  VM: 0x100,
  FS: 0x200,
  FILES: 0x400,
  SIGHAND: 0x800,
  VFORK: 0x4000,
  PARENT: 0x8000,
  THREAD: 0x10000,
  SETTLS: 0x80000,
  PARENT_SETTID: 0x100000,
  CHILD_CLEARTID: 0x200000,
  CHILD_SETTID: 0x1000000,
} as const;
/** What a process made here can have; threads and namespaces are not among it. */
const SUPPORTED = CLONE.SIGNAL | CLONE.VM | CLONE.VFORK | CLONE.SETTLS | CLONE.PARENT_SETTID | CLONE.CHILD_CLEARTID | CLONE.CHILD_SETTID;

function* clone(linux: Linux, process: Process, [flags, stack, parentTid, tls, childTid]: Args): Sleeping {
  const sharesMemory = (flags & CLONE.VM) !== 0;
  if ((flags & ~SUPPORTED) !== 0 || sharesMemory !== ((flags & CLONE.VFORK) !== 0)) {
    return notKnown(linux, `clone(0x${flags.toString(16)})`);
  }
  const child = forkProcess(linux, process, {
    sharesMemory,
    stack,
    tls: (flags & CLONE.SETTLS) !== 0 ? BigInt(tls) : undefined,
    childTid: (flags & CLONE.CHILD_SETTID) !== 0 ? childTid : 0,
  });
  if (typeof child === 'string') return child;
  if ((flags & CLONE.PARENT_SETTID) !== 0) writeUser(linux, process, parentTid, int32(child.pid));
  if (sharesMemory) yield* sleepUntil(() => !child.borrowsSpace, { uninterruptible: true });
  return child.pid;
}

const int32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setInt32(0, value, true);
  return bytes;
};

const ARGUMENT_BYTES_MAX = 131_072;
const ARGUMENTS_MAX = 65_536;
/** Linux gives all of them, with their pointers, a quarter of the stack's usual 8 MiB. */
const ARGUMENTS_BYTES_MAX = 2 ** 21;

/** The strings of a null-terminated array of pointers. */
function stringsAt(linux: Linux, process: Process, address: number): readonly string[] | 'EFAULT' | 'E2BIG' {
  const strings: string[] = [];
  if (address === 0) return strings;
  let room = ARGUMENTS_BYTES_MAX;
  for (let at = address; strings.length < ARGUMENTS_MAX; at += 8) {
    const pointer = readUser(linux, process, at, 8);
    if (pointer === undefined) return 'EFAULT';
    const target = Number(viewOf(pointer).getBigInt64(0, true));
    if (target === 0) return strings;
    const bytes = readString(linux, process, target, ARGUMENT_BYTES_MAX, 'E2BIG');
    if (typeof bytes === 'string') return bytes;
    room -= bytes.length + 1 + 8;
    if (room < 0) return 'E2BIG';
    strings.push(decodeText(bytes));
  }
  return 'E2BIG';
}

const execve: Handler = (linux, process, [pathAddress, argvAddress, envAddress]) => {
  const path = readPath(linux, process, pathAddress);
  if (typeof path === 'string') return path;
  const given = stringsAt(linux, process, argvAddress);
  if (typeof given === 'string') return given;
  const env = stringsAt(linux, process, envAddress);
  if (typeof env === 'string') return env;
  // As Linux since 5.18: a program never sees an empty argv.
  const answer = execute(linux, process, { path: path.name, args: given.length === 0 ? [''] : given, env });
  return answer === 0 ? 'done' : answer;
};

const exit: Handler = (linux, process, [code]) => {
  endProcess(linux, process, { exitCode: code });
  return 'done';
};

const WAIT = { NOHANG: 1, UNTRACED: 2, CONTINUED: 8, CLONE: 0x8000_0000, ALL: 0x4000_0000, NOTHREAD: 0x2000_0000 } as const;
const STATUS_CONTINUED = 0xffff;

/** Does a child belong to those that wait4's first argument means? */
function isMeant({ pgid: own }: Process, wanted: number, { pid, pgid }: Process): boolean {
  if (wanted > 0) return pid === wanted;
  if (wanted === -1) return true;
  return pgid === (wanted === 0 ? own : -wanted);
}

interface News {
  readonly child: Process;
  readonly status: number;
}

function newsOf(linux: Linux, process: Process, wanted: number, options: number): News | undefined {
  for (const child of linux.processes.values()) {
    if (child.parent !== process.pid || !isMeant(process, wanted, child)) continue;
    if (child.state === 'zombie') return { child, status: child.exitStatus };
    if (child.news === 'stopped' && (options & WAIT.UNTRACED) !== 0) return { child, status: (child.stopSignal << 8) | 0x7f };
    if (child.news === 'continued' && (options & WAIT.CONTINUED) !== 0) return { child, status: STATUS_CONTINUED };
  }
  return undefined;
}

function* wait4(linux: Linux, process: Process, [wantedArgument, statusAddress, options, usageAddress]: Args): Sleeping {
  const wanted = wantedArgument | 0;
  const hasChildren = (): boolean =>
    [...linux.processes.values()].some((child) => child.parent === process.pid && isMeant(process, wanted, child));
  for (;;) {
    if (!hasChildren()) return 'ECHILD';
    const news = newsOf(linux, process, wanted, options);
    if (news !== undefined) return tell(linux, process, news, statusAddress, usageAddress);
    if ((options & WAIT.NOHANG) !== 0) return 0;
    const woken = yield* sleepUntil(() => newsOf(linux, process, wanted, options) !== undefined || !hasChildren());
    if (woken === 'signal') return 'restart';
  }
}

function tell(linux: Linux, process: Process, { child, status }: News, statusAddress: number, usageAddress: number): number | 'EFAULT' {
  const { pid, cpuNs, childrenNs } = child;
  if (child.state === 'zombie') reap(linux, child, process);
  else child.news = undefined;
  if (!writeIfAny(linux, process, statusAddress, () => int32(status))) return 'EFAULT';
  return writeIfAny(linux, process, usageAddress, () => encodeRusage(cpuNs + childrenNs, 0)) ? pid : 'EFAULT';
}

/** The process that a pid means; 0 is the caller. */
const meant = (linux: Linux, process: Process, pid: number): Process | undefined =>
  pid === 0 ? process : living(linux).find((other) => other.pid === pid);

const setpgid: Handler = (linux, process, [pid, wanted]) => {
  if (wanted < 0) return 'EINVAL';
  const target = meant(linux, process, pid);
  if (target === undefined || (target !== process && target.parent !== process.pid)) return 'ESRCH';
  if (target.sid !== process.sid || target.sid === target.pid) return 'EPERM';
  const pgid = wanted === 0 ? target.pid : wanted;
  const isThere = pgid === target.pid || living(linux).some((other) => other.pgid === pgid && other.sid === process.sid);
  if (!isThere) return 'EPERM';
  target.pgid = pgid;
  return 0;
};

const setsid: Handler = (linux, process) => {
  if (groupExists(linux, process.pid)) return 'EPERM';
  process.sid = process.pgid = process.pid;
  return process.pid;
};

const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const COMM_BYTES = 16;

const prctl: Handler = (linux, process, [option, address]) => {
  if (option === PR_SET_NAME) {
    const name = readString(linux, process, address, COMM_BYTES, 'tooLong');
    if (name === 'EFAULT') return 'EFAULT';
    const bytes = name === 'tooLong' ? readUser(linux, process, address, COMM_BYTES - 1) : name;
    if (bytes === undefined) return 'EFAULT';
    process.comm = commOf(String.fromCharCode(...bytes));
    return 0;
  }
  if (option !== PR_GET_NAME) return 'EINVAL';
  const bytes = Uint8Array.from({ length: COMM_BYTES }, (_, i) => process.comm.charCodeAt(i) || 0);
  return writeUser(linux, process, address, bytes) ? 0 : 'EFAULT';
};

export const PROCESS_CALLS: readonly CallRow[] = [
  [93, 'exit', exit],
  [94, 'exit_group', exit],
  [96, 'set_tid_address', (_linux, { pid }) => pid],
  [154, 'setpgid', setpgid],
  [155, 'getpgid', (linux, process, [pid]) => meant(linux, process, pid)?.pgid ?? 'ESRCH'],
  [156, 'getsid', (linux, process, [pid]) => meant(linux, process, pid)?.sid ?? 'ESRCH'],
  [157, 'setsid', setsid],
  [167, 'prctl', prctl],
  [172, 'getpid', (_linux, { pid }) => pid],
  [173, 'getppid', (_linux, { pid, parent }) => (pid === 1 ? 0 : parent)],
  [178, 'gettid', (_linux, { pid }) => pid],
  [220, 'clone', clone],
  [221, 'execve', execve],
  [260, 'wait4', wait4],
];
