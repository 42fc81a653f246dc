/** The system calls of the kevlar design. */
import type { Errno } from '../errors.ts';
import type { Operation } from '../kernel.ts';

export { madvise, mincore, msync } from './advice-calls.ts';
export { brk } from './brk.ts';
export { exec } from './exec.ts';
export { fork } from './fork.ts';
export { mmap, munmap } from './mmap.ts';
export { mprotect } from './mprotect.ts';
export { mremap } from './mremap.ts';

/** Kevlar locks no memory. */
function* missing(): Operation<Errno> {
  return 'ENOSYS';
}
export { missing as mlock, missing as munlock };
