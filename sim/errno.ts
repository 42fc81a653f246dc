/** Linux's numbers of the errors and signals that the model names; the same on every architecture that matters here. */
import type { Errno } from '../kernel-model/index.ts';

const NUMBERS: Readonly<Record<Errno, number>> = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ETXTBSY: 26,
  EFBIG: 27,
  EROFS: 30,
  ENOSYS: 38,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
};

const NAMES = new Map(Object.entries(NUMBERS).map(([name, number]) => [number, name]));

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
};

/** Errors come out of a system call as negative numbers; the largest is 4095. */
const ERRNO_MAX = 4095;

/** What a system call returns in a0: the value, or the error negated. */
export const encodeResult = (result: number | Errno): number => (typeof result === 'string' ? -NUMBERS[result] : result);

/** The value or the error's name. */
export const decodeResult = (a0: number): number | string => (a0 < 0 && a0 >= -ERRNO_MAX ? (NAMES.get(-a0) ?? `errno ${-a0}`) : a0);

/** The number of a signal by its name; 0 when it is none that is known. */
export const signalNumber = (name: string): number => SIGNALS[name] ?? 0;
