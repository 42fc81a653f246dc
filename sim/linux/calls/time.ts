/** Calls about time, all of it virtual: clocks, sleeping, the interval timer, and what processes used. */
import type { CallRow, Handler } from '../call.ts';
import type { Linux } from '../linux.ts';
import type { Process } from '../process.ts';
import { sleepUntil, type Args, type Sleeping } from '../sleep.ts';
import { decodeTimespec, decodeTimeval, encodeItimer, encodeRusage, encodeTimespec, encodeTimeval } from '../structs.ts';
import { readUser, viewOf, writeIfAny, writeUser } from '../user-memory.ts';

const CLOCK = { REALTIME: 0, MONOTONIC: 1, PROCESS: 2, THREAD: 3, MONOTONIC_RAW: 4, REALTIME_COARSE: 5, MONOTONIC_COARSE: 6, BOOTTIME: 7 };
const TIMER_ABSTIME = 1;
const NS_PER_TICK = 10_000_000;

function clockTime(linux: Linux, process: Process, clock: number): number | bigint | undefined {
  switch (clock) {
    case CLOCK.REALTIME:
    case CLOCK.REALTIME_COARSE:
      return linux.clock.realTime();
    case CLOCK.MONOTONIC:
    case CLOCK.MONOTONIC_RAW:
    case CLOCK.MONOTONIC_COARSE:
    case CLOCK.BOOTTIME:
      return linux.clock.now();
    case CLOCK.PROCESS:
    case CLOCK.THREAD:
      return process.cpuNs;
    default:
      return undefined;
  }
}

const clockGettime: Handler = (linux, process, [clock, address]) => {
  const time = clockTime(linux, process, clock);
  if (time === undefined) return 'EINVAL';
  return writeUser(linux, process, address, encodeTimespec(time)) ? 0 : 'EFAULT';
};

const clockSettime: Handler = (linux, process, [clock, address]) => {
  const bytes = readUser(linux, process, address, 16);
  if (bytes === undefined) return 'EFAULT';
  if (clock !== CLOCK.REALTIME || decodeTimespec(bytes) === undefined) return 'EINVAL';
  linux.clock.setRealTime(viewOf(bytes).getBigInt64(0, true) * 1_000_000_000n + viewOf(bytes).getBigInt64(8, true));
  return 0;
};

const clockGetres: Handler = (linux, process, [clock, address]) => {
  if (clockTime(linux, process, clock) === undefined) return 'EINVAL';
  return writeIfAny(linux, process, address, () => encodeTimespec(1)) ? 0 : 'EFAULT';
};

function* sleep(linux: Linux, process: Process, span: number, leftAddress: number): Sleeping {
  const deadline = linux.clock.now() + span;
  if ((yield* sleepUntil(() => false, { deadline })) === 'timeout') return 0;
  const left = Math.max(0, deadline - linux.clock.now());
  return writeIfAny(linux, process, leftAddress, () => encodeTimespec(left)) ? 'EINTR' : 'EFAULT';
}

function* clockNanosleep(linux: Linux, process: Process, [clock, flags, address, leftAddress]: Args): Sleeping {
  const bytes = readUser(linux, process, address, 16);
  if (bytes === undefined) return 'EFAULT';
  const time = decodeTimespec(bytes);
  const now = clockTime(linux, process, clock);
  if (time === undefined || now === undefined) return 'EINVAL';
  const isAbsolute = (flags & TIMER_ABSTIME) !== 0;
  const span = isAbsolute ? Math.max(0, Number(BigInt(time) - BigInt(now))) : time;
  return yield* sleep(linux, process, span, isAbsolute ? 0 : leftAddress);
}

const nanosleep = (linux: Linux, process: Process, [address, leftAddress]: Args): Sleeping =>
  clockNanosleep(linux, process, [CLOCK.MONOTONIC, 0, address, leftAddress, 0, 0]);

const gettimeofday: Handler = (linux, process, [address, zone]) => {
  if (!writeIfAny(linux, process, address, () => encodeTimeval(linux.clock.realTime()))) return 'EFAULT';
  return writeIfAny(linux, process, zone, () => new Uint8Array(8)) ? 0 : 'EFAULT';
};

const ITIMER_REAL = 0;

function timerOf(linux: Linux, { alarm }: Process): Uint8Array {
  return alarm === undefined ? encodeItimer(0, 0) : encodeItimer(alarm.interval, Math.max(1000, alarm.at - linux.clock.now()));
}

const getitimer: Handler = (linux, process, [which, address]) => {
  if (which !== ITIMER_REAL) return 'EINVAL';
  return writeUser(linux, process, address, timerOf(linux, process)) ? 0 : 'EFAULT';
};

const setitimer: Handler = (linux, process, [which, newAddress, oldAddress]) => {
  if (which !== ITIMER_REAL) return 'EINVAL';
  const old = timerOf(linux, process);
  const bytes = newAddress === 0 ? new Uint8Array(32) : readUser(linux, process, newAddress, 32);
  if (bytes === undefined) return 'EFAULT';
  const [interval, value] = [decodeTimeval(bytes), decodeTimeval(bytes.subarray(16))];
  if (interval === undefined || value === undefined) return 'EINVAL';
  process.alarm = value === 0 ? undefined : { at: linux.clock.now() + value, interval };
  return writeIfAny(linux, process, oldAddress, () => old) ? 0 : 'EFAULT';
};

/** struct tms: own user and system time, then the children's; all of it is user time here. */
const times: Handler = (linux, process, [address]) => {
  const bytes = new Uint8Array(32);
  viewOf(bytes).setBigInt64(0, BigInt(Math.floor(process.cpuNs / NS_PER_TICK)), true);
  viewOf(bytes).setBigInt64(16, BigInt(Math.floor(process.childrenNs / NS_PER_TICK)), true);
  return writeIfAny(linux, process, address, () => bytes) ? Math.floor(linux.clock.now() / NS_PER_TICK) : 'EFAULT';
};

const RUSAGE_CHILDREN = -1;

const getrusage: Handler = (linux, process, [who, address]) =>
  writeUser(linux, process, address, encodeRusage((who | 0) === RUSAGE_CHILDREN ? process.childrenNs : process.cpuNs, 0)) ? 0 : 'EFAULT';

export const TIME_CALLS: readonly CallRow[] = [
  [101, 'nanosleep', nanosleep],
  [102, 'getitimer', getitimer],
  [103, 'setitimer', setitimer],
  [112, 'clock_settime', clockSettime],
  [113, 'clock_gettime', clockGettime],
  [114, 'clock_getres', clockGetres],
  [115, 'clock_nanosleep', clockNanosleep],
  [153, 'times', times],
  [165, 'getrusage', getrusage],
  [169, 'gettimeofday', gettimeofday],
];
