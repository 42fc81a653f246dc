/**
 * The three kinds of wrong, never mixed.
 *
 * What a program may get wrong is a value: an `Errno` or a `Signal`. What must not happen in the model is a
 * `KernelBug`, thrown by `assert`. What a user of faultline gets wrong is the edge's business, not the model's.
 */

/** Error numbers that memory calls answer, by their POSIX names. */
export type Errno =
  | 'E2BIG'
  | 'EACCES'
  | 'EAGAIN'
  | 'EBADF'
  | 'EBUSY'
  | 'ECHILD'
  | 'EEXIST'
  | 'EFAULT'
  | 'EFBIG'
  | 'EINVAL'
  | 'EIO'
  | 'ENOENT'
  | 'ENOEXEC'
  | 'ENOMEM'
  | 'ENOSYS'
  | 'EOPNOTSUPP'
  | 'EOVERFLOW'
  | 'EPERM'
  | 'EROFS'
  | 'ESRCH'
  | 'ETXTBSY';

/** What a refused access earns. */
export type Signal = 'SIGSEGV' | 'SIGBUS' | 'SIGKILL';

/** A broken truth inside the model: a defect of the kernel under test or of the model, never of the traced program. */
export class KernelBug extends Error {
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(truth: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(`not true: ${truth}${Object.keys(facts).length > 0 ? ' ' + JSON.stringify(facts) : ''}`);
    this.name = 'KernelBug';
    this.facts = facts;
  }
}

/** States the truth that is expected; on in every build. @throws KernelBug when it does not hold. */
export function assert(condition: boolean, truth: string, facts?: Readonly<Record<string, unknown>>): asserts condition {
  if (!condition) throw new KernelBug(truth, facts);
}

/** Narrows a value that must be there. @throws KernelBug when it is not. */
export function defined<T>(value: T | undefined, truth: string): T {
  if (value === undefined) throw new KernelBug(truth);
  return value;
}
