/** Random steps on a bare kernel, without machine or trace: for tests of what is true of any state. */
import fc from 'fast-check';
import {
  brk,
  drain,
  exec,
  exit,
  fork,
  madvise,
  mmap,
  mprotect,
  mremap,
  munmap,
  PAGE_BYTES,
  pid,
  pin,
  reach,
  reclaim,
  truncate,
  unpin,
  vfork,
  writeFile,
  type Kernel,
  type Process,
} from '../../kernel-model/index.ts';

/** Where the steps map things: a few regions from here on. */
const ARENA = 0x4000_0000;
const ARENA_PAGES = 24;
const PIDS = [1, 2, 3];

export interface Step {
  readonly kind: (typeof KINDS)[number];
  readonly pid: number;
  readonly other: number;
  readonly page: number;
  readonly pages: number;
  readonly prot: number;
  readonly flag: boolean;
}

const KINDS = [
  ...(['touch', 'touch', 'touch', 'touch', 'mmap', 'mmap', 'mmapFile', 'munmap', 'mprotect', 'mremap', 'madvise', 'brk'] as const),
  ...(['fork', 'fork', 'vfork', 'exit', 'exec', 'pin', 'unpin', 'write', 'truncate', 'reclaim', 'noFrame'] as const),
];

export const someStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  pid: fc.constantFrom(...PIDS),
  other: fc.constantFrom(...PIDS),
  page: fc.nat(ARENA_PAGES - 1),
  pages: fc.integer({ min: 1, max: 9 }),
  prot: fc.constantFrom(0, 1, 3, 3, 5, 7),
  flag: fc.boolean(),
});

/** Carries a step out, if its process exists. Files are `/f`, which can change, and the program `/bin/program`. */
export function apply(k: Kernel, step: Step): void {
  const process = k.processes.get(pid(step.pid));
  if (process === undefined) return;
  k.switchTo(k.cpus[0]!, process);
  HANDLERS[step.kind](k, process, step);
}

const addressOf = ({ page }: Step): number => ARENA + page * PAGE_BYTES;
const bytesOf = ({ pages }: Step): number => pages * PAGE_BYTES;

const HANDLERS: Readonly<Record<Step['kind'], (k: Kernel, process: Process, step: Step) => void>> = {
  touch(k, { pid: id, space }, step) {
    const at = drain(reach(k, k.cpus[0]!, space, addressOf(step) + step.pages, step.flag ? 'store' : 'load'));
    if (typeof at === 'number' && step.flag) k.memory.bytes[at] = 1 + ((id + step.page * 3) % 255);
  },
  mmap: (k, process, step) => map(k, process, step, undefined),
  mmapFile: (k, process, step) => map(k, process, step, '/f'),
  munmap: (k, process, step) => drain(munmap(k, process, addressOf(step), bytesOf(step))),
  mprotect: (k, process, step) => drain(mprotect(k, process, addressOf(step), bytesOf(step), step.prot)),
  mremap: (k, process, step) =>
    drain(
      mremap(k, process, {
        address: addressOf(step),
        oldBytes: bytesOf(step),
        newBytes: (step.pages + step.other - 1) * PAGE_BYTES,
        mayMove: true,
        fixed: step.flag,
        newAddress: ARENA + ((step.page + 11) % ARENA_PAGES) * PAGE_BYTES,
      }),
    ),
  madvise: (k, process, step) => drain(madvise(k, process, addressOf(step), bytesOf(step), 'dontneed')),
  brk: (k, process, step) => drain(brk(k, process, process.space.heapStart + step.page * 0x800)),
  fork: (k, process, step) => drain(fork(k, process, pid(step.other))),
  vfork: (k, process, step) => drain(vfork(k, process, pid(step.other))),
  exit(k, process) {
    if (k.processes.size > 1) drain(exit(k, process, 0, undefined));
  },
  exec: (k, process, step) => drain(exec(k, process, '/bin/program', ['program', String(step.page)], [])),
  pin: (k, process, step) => drain(pin(k, k.cpus[0]!, process, step.page, addressOf(step), step.flag)),
  unpin: (k, _process, step) => unpin(k, step.page),
  write: (k, process, step) =>
    writeFile(k, process.pid, k.files.get('/f')!, step.page * 700, new Uint8Array(step.pages * 100).fill(1 + step.page)),
  truncate: (k, _process, step) => drain(truncate(k, k.files.get('/f')!, step.page * 700)),
  reclaim: (k, _process, step) => reclaim(k, step.pages),
  noFrame(k, _process, step) {
    k.frameFaultAt = step.pages;
  },
};

function map(k: Kernel, process: Process, step: Step, path: string | undefined): unknown {
  const isFixed = step.page % 3 > 0;
  const request = {
    address: isFixed ? addressOf(step) : 0,
    lengthBytes: bytesOf(step),
    prot: step.prot,
    shared: step.flag && path !== undefined,
    fixed: isFixed,
  };
  return drain(mmap(k, k.cpus[0]!, process, { ...request, noreplace: false, populate: step.other === 1, path, offset: 0 }));
}
