/** Linux's error numbers that this system answers with; the kernel model's names are a subset. */
export const ERRNO = {
  EPERM: 1, ENOENT: 2, ESRCH: 3, EINTR: 4, EIO: 5, ENXIO: 6, E2BIG: 7, ENOEXEC: 8, EBADF: 9, ECHILD: 10,
  EAGAIN: 11, ENOMEM: 12, EACCES: 13, EFAULT: 14, EBUSY: 16, EEXIST: 17, EXDEV: 18, ENODEV: 19, ENOTDIR: 20, EISDIR: 21,
  EINVAL: 22, ENFILE: 23, EMFILE: 24, ENOTTY: 25, ETXTBSY: 26, EFBIG: 27, ENOSPC: 28, ESPIPE: 29, EROFS: 30, EMLINK: 31,
  EPIPE: 32, EDOM: 33, ERANGE: 34, EDEADLK: 35, ENAMETOOLONG: 36, ENOSYS: 38, ENOTEMPTY: 39, ELOOP: 40,
  EOVERFLOW: 75, EOPNOTSUPP: 95, EAFNOSUPPORT: 97, ETIMEDOUT: 110,
} as const; // prettier-ignore

export type Errno = keyof typeof ERRNO;

/** What a system call answers: a value that is not negative (getpriority and brk included), or an error. */
export type Answer = number | Errno;

/** @throws RangeError for a name that is no error of the table: the caller's mistake */
export function toErrno(name: string): Errno {
  if (!(name in ERRNO)) throw new RangeError(`${name} is no error that a program can get`);
  return name as Errno;
}

/** What register a0 holds after the call. */
export const encodeAnswer = (answer: Answer): bigint => BigInt(typeof answer === 'string' ? -ERRNO[answer] : answer);
