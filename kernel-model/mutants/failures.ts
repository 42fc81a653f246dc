/** What goes wrong when something fails: no frame, a short read, an error of the store. Traces inject these (op `inject`). */
import type { Errno } from '../errors.ts';
import type { Mutant } from './mutant.ts';

export const FAILURE_MUTANTS: readonly Mutant[] = [
  {
    id: 'short-read-taken-as-whole',
    rule: 'shortRead',
    says: 'a read that gives fewer bytes than asked for is taken for the whole page, zeros behind',
    source: 'Kevlar blog 150; FreeBSD fusefs rGaef22f2d75ca',
    zoo: ['short-read-cached-full'],
    brokenBy: ['cache-truth', 'content-ref'],
    apply: (base) =>
      class extends base {
        override shortRead(): 'takeAsWhole' {
          return 'takeAsWhole';
        }
      },
  },
  {
    id: 'failed-write-back-clean',
    rule: 'failedWriteBack',
    says: 'a page whose write-back failed counts as written: the next sync succeeds and the data are gone',
    source: 'Linux and PostgreSQL, fsync errors of 2018',
    zoo: ['writeback-error-swallowed'],
    brokenBy: ['cache-truth', 'dirty-durable', 'content-ref'],
    apply: (base) =>
      class extends base {
        override failedWriteBack(): 'clean' {
          return 'clean';
        }
      },
  },
  {
    id: 'no-frame-panics',
    rule: 'failedFault',
    says: 'a fault that gets no frame stops the kernel',
    source: 'Kevlar 214983b',
    zoo: ['oom-in-fault-panics'],
    brokenBy: ['kernel-bug'],
    apply: (base) =>
      class extends base {
        override failedFault(error: Errno): 'signal' | 'panic' {
          return error === 'ENOMEM' ? 'panic' : super.failedFault(error);
        }
      },
  },
  {
    id: 'store-error-panics',
    rule: 'failedFault',
    says: 'a fault whose store fails stops the kernel',
    source: 'Kevlar 214983b, which mends its sibling only',
    zoo: ['oom-in-fault-panics'],
    brokenBy: ['kernel-bug'],
    apply: (base) =>
      class extends base {
        override failedFault(error: Errno): 'signal' | 'panic' {
          return error === 'EIO' ? 'panic' : super.failedFault(error);
        }
      },
  },
  {
    id: 'failed-fork-keeps-half',
    rule: 'failedCallUndoes',
    says: 'a fork that runs out of frames leaves the child’s half with its tables and references',
    source: 'Linux, dup_mmap recovery; nanvix pull request 2515',
    zoo: ['fork-oom-half-done'],
    brokenBy: ['refcount-exact', 'no-leak'],
    apply: (base) =>
      class extends base {
        override failedCallUndoes(call: 'fork' | 'exec'): boolean {
          return call !== 'fork' && super.failedCallUndoes(call);
        }
      },
  },
  {
    id: 'failed-exec-keeps-half',
    rule: 'failedCallUndoes',
    says: 'an exec that runs out of frames forgets the pages that it has mapped',
    source: 'xv6-riscv pull request 118',
    zoo: ['map-batch-partial-failure'],
    brokenBy: ['refcount-exact', 'no-leak'],
    apply: (base) =>
      class extends base {
        override failedCallUndoes(call: 'fork' | 'exec'): boolean {
          return call !== 'exec' && super.failedCallUndoes(call);
        }
      },
  },
];
