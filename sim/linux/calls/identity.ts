/** Calls about who and where a program is: users, names of the system, limits, memory, chance, scheduling. */
import type { CallRow, Handler } from '../call.ts';
import { randomBytes } from '../fs/devices.ts';
import { freeMemory, MACHINE, living, RELEASE, VERSION, type Linux } from '../linux.ts';
import { RLIMIT_NOFILE, type Process } from '../process.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { decodeTimespec, encodeSysinfo, encodeUtsname } from '../structs.ts';
import { decodeText } from '../names.ts';
import { readUser, viewOf, writeIfAny, writeUser } from '../user-memory.ts';

const uname: Handler = (linux, process, [address]) =>
  writeUser(linux, process, address, encodeUtsname(['Linux', linux.hostname, RELEASE, VERSION, MACHINE, '(none)'])) ? 0 : 'EFAULT';

const HOSTNAME_BYTES_MAX = 64;

const sethostname: Handler = (linux, process, [address, length]) => {
  if (length < 0 || length > HOSTNAME_BYTES_MAX) return 'EINVAL';
  const bytes = readUser(linux, process, address, length);
  if (bytes === undefined) return 'EFAULT';
  linux.hostname = decodeText(bytes);
  return 0;
};

const sysinfo: Handler = (linux, process, [address]) =>
  writeUser(linux, process, address, encodeSysinfo(linux.clock.now(), freeMemory(linux), living(linux).length)) ? 0 : 'EFAULT';

const RANDOM_BYTES_MAX = 2 ** 20;

const getrandom: Handler = (linux, process, [address, length]) => {
  if (length < 0) return 'EINVAL';
  const bytes = randomBytes(linux.prng.stream('getrandom'), Math.min(length, RANDOM_BYTES_MAX));
  return writeUser(linux, process, address, bytes) ? bytes.length : 'EFAULT';
};

const prlimit: Handler = (linux, process, [pid, resource, newAddress, oldAddress]) => {
  const target = pid === 0 ? process : linux.processes.get(pid);
  if (target === undefined) return 'ESRCH';
  const limit = target.limits.get(resource);
  if (limit === undefined) return 'EINVAL';
  const given = newAddress === 0 ? undefined : readUser(linux, process, newAddress, 16);
  if (newAddress !== 0 && given === undefined) return 'EFAULT';
  if (given !== undefined) {
    const [soft, hard] = [viewOf(given).getBigUint64(0, true), viewOf(given).getBigUint64(8, true)];
    if (soft > hard) return 'EINVAL';
    target.limits.set(resource, [soft, hard]);
    if (resource === RLIMIT_NOFILE) target.fds.limit = Number(soft < 65536n ? soft : 65536n);
  }
  const bytes = new Uint8Array(16);
  limit.forEach((value, i) => viewOf(bytes).setBigUint64(i * 8, value, true));
  return writeIfAny(linux, process, oldAddress, () => bytes) ? 0 : 'EFAULT';
};

const umask: Handler = (_linux, process, [mask]) => {
  const old = process.umask;
  process.umask = mask & 0o777;
  return old;
};

/** One CPU: bit 0. */
const getaffinity: Handler = (linux, process, [pid, lengthBytes, address]) => {
  if (pid !== 0 && !linux.processes.has(pid)) return 'ESRCH';
  if (lengthBytes < 8) return 'EINVAL';
  return writeUser(linux, process, address, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)) ? 8 : 'EFAULT';
};

const PRIO_PROCESS = 0;
const NICE_ZERO = 20;
/** What setpriority's arguments mean, as far as single processes go. */
const ofPriority = (linux: Linux, process: Process, which: number, who: number): Process | undefined =>
  which === PRIO_PROCESS ? (who === 0 ? process : linux.processes.get(who)) : process;

const getpriority: Handler = (linux, process, [which, who]) => {
  const target = ofPriority(linux, process, which, who);
  return target === undefined ? 'ESRCH' : NICE_ZERO - target.nice;
};

const setpriority: Handler = (linux, process, [which, who, nice]) => {
  const target = ofPriority(linux, process, which, who);
  if (target === undefined) return 'ESRCH';
  target.nice = Math.max(-20, Math.min(19, nice | 0));
  return 0;
};

const setuid: Handler = (_linux, process, [uid]) => {
  if ((uid | 0) !== -1) process.uid = uid;
  return 0;
};

const setgid: Handler = (_linux, process, [gid]) => {
  if ((gid | 0) !== -1) process.gid = gid;
  return 0;
};

/** Real, effective and saved ids: one number here. */
const threeIds =
  (of: (process: Process) => number): Handler =>
  (linux, process, [real, effective, saved]) => {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, of(process), true);
    return [real, effective, saved].every((address) => writeUser(linux, process, address, bytes)) ? 0 : 'EFAULT';
  };

const FUTEX = { COMMAND: 0x7f, WAIT: 0, WAKE: 1, WAIT_BITSET: 9, WAKE_BITSET: 10 } as const;

/** With one thread a process there is nobody to wake: a wait ends by time or signal. */
function* futex(linux: Linux, process: Process, [address, operation, value, timeAddress]: Args): Sleeping {
  const command = operation & FUTEX.COMMAND;
  if (command === FUTEX.WAKE || command === FUTEX.WAKE_BITSET) return 0;
  if (command !== FUTEX.WAIT && command !== FUTEX.WAIT_BITSET) return 'ENOSYS';
  const word = readUser(linux, process, address, 4);
  const time = timeAddress === 0 ? undefined : readUser(linux, process, timeAddress, 16);
  if (word === undefined || (timeAddress !== 0 && time === undefined)) return 'EFAULT';
  if (viewOf(word).getInt32(0, true) !== (value | 0)) return 'EAGAIN';
  const span = time === undefined ? undefined : decodeTimespec(time);
  if (time !== undefined && span === undefined) return 'EINVAL';
  const deadline = span === undefined ? undefined : command === FUTEX.WAIT ? linux.clock.now() + span : span;
  return (yield* sleepUntil(() => false, { deadline })) === 'timeout' ? 'ETIMEDOUT' : 'EINTR';
}

/** The kernel's log is empty. */
const syslog: Handler = (_linux, _process, [type]) => (type === 10 ? 4096 : 0);

const SCHEDULERS = 3;

export const IDENTITY_CALLS: readonly CallRow[] = [
  [30, 'ioprio_set', () => 0],
  [31, 'ioprio_get', () => 0],
  [98, 'futex', futex],
  [116, 'syslog', syslog],
  [119, 'sched_setscheduler', () => 0],
  [120, 'sched_getscheduler', () => 0],
  [121, 'sched_getparam', (linux, process, [, address]) => (writeUser(linux, process, address, new Uint8Array(4)) ? 0 : 'EFAULT')],
  [122, 'sched_setaffinity', () => 0],
  [123, 'sched_getaffinity', getaffinity],
  [124, 'sched_yield', () => 0],
  [125, 'sched_get_priority_max', (_linux, _process, [policy]) => (policy === 1 || policy === 2 ? 99 : policy < SCHEDULERS ? 0 : 'EINVAL')],
  [126, 'sched_get_priority_min', (_linux, _process, [policy]) => (policy === 1 || policy === 2 ? 1 : policy < SCHEDULERS ? 0 : 'EINVAL')],
  [140, 'setpriority', setpriority],
  [141, 'getpriority', getpriority],
  [143, 'setregid', setgid],
  [144, 'setgid', setgid],
  [145, 'setreuid', setuid],
  [146, 'setuid', setuid],
  [147, 'setresuid', setuid],
  [148, 'getresuid', threeIds(({ uid }) => uid)],
  [149, 'setresgid', setgid],
  [150, 'getresgid', threeIds(({ gid }) => gid)],
  [158, 'getgroups', () => 0],
  [159, 'setgroups', () => 0],
  [160, 'uname', uname],
  [161, 'sethostname', sethostname],
  [166, 'umask', umask],
  [168, 'getcpu', () => 0],
  [174, 'getuid', (_linux, { uid }) => uid],
  [175, 'geteuid', (_linux, { uid }) => uid],
  [176, 'getgid', (_linux, { gid }) => gid],
  [177, 'getegid', (_linux, { gid }) => gid],
  [179, 'sysinfo', sysinfo],
  [261, 'prlimit64', prlimit],
  [278, 'getrandom', getrandom],
];
