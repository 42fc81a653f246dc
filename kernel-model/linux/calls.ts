/** The system calls of the linux design. */
export { brk } from './brk.ts';
export { exec } from './exec.ts';
export { fork } from './fork.ts';
export { madvise } from './madvise.ts';
export { mincore } from './mincore-call.ts';
export { mlock, munlock } from './mlock.ts';
export { mmap } from './mmap.ts';
export { mprotect } from './mprotect.ts';
export { mremap } from './mremap.ts';
export { msync } from './msync.ts';
export { munmap } from './munmap.ts';
