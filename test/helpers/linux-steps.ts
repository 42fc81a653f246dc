/** Random steps on a bare kernel of the linux design, without machine or trace: for tests of what is true of any state. */
import fc from 'fast-check';
import {
  drain,
  operationsOf,
  PAGE_BYTES,
  pid,
  pin,
  reach,
  reclaim,
  sync,
  truncate,
  unpin,
  writeFile,
  type Advice,
  type Kernel,
  type Process,
} from '../../kernel-model/index.ts';

/** Where the steps map things: a few regions from here on. */
const ARENA = 0x4000_0000;
const ARENA_PAGES = 40;
const PIDS = [1, 2, 3];
const on = operationsOf('linux');

export interface LinuxStep {
  readonly kind: (typeof KINDS)[number];
  readonly pid: number;
  readonly other: number;
  readonly page: number;
  readonly pages: number;
  readonly prot: number;
  readonly flag: boolean;
  readonly advice: Advice;
}

const KINDS = [
  ...(['touch', 'touch', 'touch', 'touch', 'touch', 'mmap', 'mmap', 'mmap', 'mmapFile', 'munmap', 'mprotect', 'mremap', 'brk'] as const),
  ...([
    'madvise',
    'madvise',
    'madvise',
    'mlock',
    'fork',
    'fork',
    'exit',
    'pin',
    'unpin',
    'write',
    'truncate',
    'sync',
    'reclaim',
    'noFrame',
  ] as const),
];

const ADVICE: readonly Advice[] = [
  ...(['hugepage', 'hugepage', 'hugepage', 'nohugepage', 'dontneed', 'dontneed', 'free', 'free', 'cold', 'pageout', 'pageout'] as const),
  ...([
    'remove',
    'populateRead',
    'populateWrite',
    'collapse',
    'collapse',
    'guardInstall',
    'guardRemove',
    'wipeonfork',
    'dontfork',
  ] as const),
];

/** Lengths that often are whole regions of eight pages. */
export const someLinuxStep: fc.Arbitrary<LinuxStep> = fc.record({
  kind: fc.constantFrom(...KINDS),
  pid: fc.constantFrom(1, 1, 2, 3),
  other: fc.constantFrom(...PIDS),
  page: fc.oneof(fc.nat(ARENA_PAGES - 1), fc.constantFrom(0, 8, 16, 24)),
  pages: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(8, 16, 24)),
  prot: fc.constantFrom(0, 1, 3, 3, 3, 3, 5, 7),
  flag: fc.boolean(),
  advice: fc.constantFrom(...ADVICE),
});

/** Carries a step out, if its process exists. The file is `/f`. */
export function applyLinux(k: Kernel, step: LinuxStep): void {
  const process = k.processes.get(pid(step.pid));
  if (process === undefined) return;
  k.switchTo(k.cpus[0]!, process);
  HANDLERS[step.kind](k, process, step);
}

const addressOf = ({ page }: LinuxStep): number => ARENA + page * PAGE_BYTES;
const bytesOf = ({ pages }: LinuxStep): number => pages * PAGE_BYTES;

const HANDLERS: Readonly<Record<LinuxStep['kind'], (k: Kernel, process: Process, step: LinuxStep) => void>> = {
  touch(k, { pid: id, space }, step) {
    const at = drain(reach(k, k.cpus[0]!, space, addressOf(step) + step.pages, step.flag ? 'store' : 'load'));
    if (typeof at === 'number' && step.flag) k.memory.bytes[at] = 1 + ((id + step.page * 3) % 255);
  },
  mmap: (k, process, step) => map(k, process, step, undefined),
  mmapFile: (k, process, step) => map(k, process, step, '/f'),
  munmap: (k, process, step) => drain(on.munmap(k, process, addressOf(step), bytesOf(step))),
  mprotect: (k, process, step) => drain(on.mprotect(k, process, addressOf(step), bytesOf(step), step.prot)),
  mremap: (k, process, step) =>
    drain(
      on.mremap(k, process, {
        address: addressOf(step),
        oldBytes: bytesOf(step),
        newBytes: (step.pages + (step.other - 1) * 4) * PAGE_BYTES,
        mayMove: true,
        fixed: step.flag,
        newAddress: ARENA + ((step.page + 16) % ARENA_PAGES) * PAGE_BYTES,
        dontUnmap: step.other === 1 && step.prot === 3,
      }),
    ),
  brk: (k, process, step) => drain(on.brk(k, process, process.space.heapStart + step.page * 0x800)),
  madvise: (k, process, step) => drain(on.madvise(k, process, addressOf(step), bytesOf(step), step.advice)),
  mlock: (k, process, step) => drain(on[step.flag ? 'mlock' : 'munlock'](k, process, addressOf(step), bytesOf(step))),
  fork: (k, process, step) => drain(on.fork(k, process, pid(step.other))),
  exit(k, process) {
    if (k.processes.size > 1) drain(on.exit(k, process, 0, undefined));
  },
  pin: (k, process, step) => drain(pin(k, k.cpus[0]!, process, step.page, addressOf(step), step.flag)),
  unpin: (k, _process, step) => unpin(k, step.page),
  write: (k, process, step) =>
    writeFile(k, process.pid, k.files.get('/f')!, step.page * 700, new Uint8Array(step.pages * 100).fill(1 + step.page)),
  truncate: (k, _process, step) => drain(truncate(k, k.files.get('/f')!, step.page * 700)),
  sync: (k) => drain(sync(k, undefined)),
  reclaim: (k, _process, step) => reclaim(k, step.pages),
  noFrame(k, _process, step) {
    k.frameFaultAt = step.pages;
  },
};

function map(k: Kernel, process: Process, step: LinuxStep, path: string | undefined): unknown {
  return drain(
    on.mmap(k, k.cpus[0]!, process, {
      address: addressOf(step),
      lengthBytes: bytesOf(step),
      prot: step.prot,
      shared: step.flag && step.other > 1,
      private: !(step.flag && step.other > 1),
      fixed: true,
      noreplace: false,
      populate: step.other === 1 && step.flag,
      locked: step.other === 3 && step.flag,
      path,
      offset: 0,
    }),
  );
}
