/** A process of a linux kernel, driven by calls, with a few pages in view: addresses are page numbers from `BASE` on. */
import {
  drain,
  operationsOf,
  pid,
  protName,
  reach,
  vaddr,
  PAGE_BYTES,
  type Kernel,
  type MmapRequest,
  type Process,
  type Vma,
  VM,
} from '../../kernel-model/index.ts';
import { fileOf, kernelWith } from './model.ts';

/** Where page 0 lies; nothing else does. */
const BASE = 0x100_0000_0000;
const on = operationsOf('linux');

const PROT: Readonly<Record<string, number>> = { none: 0, r: 1, w: 2, rw: 3, rx: 5, rwx: 7 };

/** A linux kernel with files `/f` and `/g` of four pages. */
const linuxKernel = (): Kernel =>
  kernelWith({
    kernel: 'linux',
    parameters: { frames: 2048, hugePages: 512 },
    files: [fileOf('/f', 4 * PAGE_BYTES), fileOf('/g', 4 * PAGE_BYTES)],
  });

/** The address of a page in view. */
export const page = (index: number): number => BASE + index * PAGE_BYTES;

export class LinuxSpace {
  readonly kernel: Kernel;
  readonly process: Process;

  constructor(kernel = linuxKernel(), process: Process = kernel.spawn(pid(1))!) {
    this.kernel = kernel;
    this.process = process;
    kernel.switchTo(kernel.cpus[0]!, process);
  }

  /** mmap at a page, MAP_FIXED, private and anonymous unless told otherwise. */
  map(at: number, pages: number, prot = 'rw', request: Partial<MmapRequest> = {}): number | string {
    return this.mmap({ address: page(at), lengthBytes: pages * PAGE_BYTES, prot: PROT[prot]!, fixed: true, ...request });
  }

  mmap(request: Partial<MmapRequest>): number | string {
    const plain = {
      address: 0,
      lengthBytes: PAGE_BYTES,
      prot: 3,
      fixed: false,
      noreplace: false,
      populate: false,
      path: undefined,
      offset: 0,
    };
    const shared = request.shared === true;
    return this.run(on.mmap(this.kernel, this.kernel.cpus[0]!, this.process, { ...plain, shared, private: !shared, ...request }));
  }

  unmap(at: number, pages: number): number | string {
    return this.run(on.munmap(this.kernel, this.process, page(at), pages * PAGE_BYTES));
  }

  protect(at: number, pages: number, prot: string): number | string {
    return this.run(on.mprotect(this.kernel, this.process, page(at), pages * PAGE_BYTES, PROT[prot]!));
  }

  advise(at: number, pages: number, advice: Parameters<typeof on.madvise>[4]): number | string {
    return this.run(on.madvise(this.kernel, this.process, page(at), pages * PAGE_BYTES, advice));
  }

  /** mremap with MAYMOVE, to a fixed page if one is named. */
  move(from: number, oldPages: number, newPages: number, to?: number, dontUnmap = false): number | string {
    return this.run(
      on.mremap(this.kernel, this.process, {
        address: page(from),
        oldBytes: oldPages * PAGE_BYTES,
        newBytes: newPages * PAGE_BYTES,
        mayMove: true,
        fixed: to !== undefined,
        newAddress: to === undefined ? 0 : page(to),
        dontUnmap,
      }),
    );
  }

  /** Writes a byte to each of these pages. */
  write(...pages: readonly number[]): void {
    for (const at of pages) {
      const reached = this.run(reach(this.kernel, this.kernel.cpus[0]!, this.process.space, page(at), 'store'));
      if (typeof reached === 'string') throw new Error(`page ${at}: ${reached}`);
    }
  }

  fork(child: number): LinuxSpace {
    const made = this.run(on.fork(this.kernel, this.process, pid(child)));
    if (typeof made === 'string') throw new Error(made);
    return new LinuxSpace(this.kernel, this.kernel.process(pid(child)));
  }

  get vmas(): readonly Vma[] {
    return this.process.space.vmas.ascending;
  }

  /** The VMAs as `0-2 rw-p, 2-4 r--p /f+1`, in pages from BASE, with the page offset of a file. */
  get list(): string {
    return this.vmas.map(inShort).join(', ');
  }

  /** Flags of the VMA at a page, as smaps names them. */
  flagsAt(at: number): string {
    const vma = this.vmas.find(({ start, end }) => start <= page(at) && page(at) < end);
    return vma === undefined
      ? 'none'
      : Object.keys(LETTERS)
          .filter((letters) => (vma.linux!.flags & LETTERS[letters]!) !== 0)
          .join(' ');
  }

  private run<Result>(operation: Generator<unknown, Result, void>): Result {
    return drain(operation as Parameters<typeof drain<Result>>[0]);
  }
}

const LETTERS: Readonly<Record<string, number>> = {
  gd: VM.GROWSDOWN,
  gu: VM.MAYBE_GUARD,
  lo: VM.LOCKED,
  ac: VM.ACCOUNT,
  hg: VM.HUGEPAGE,
  nh: VM.NOHUGEPAGE,
  wf: VM.WIPEONFORK,
};

function inShort({ start, end, prot, shared, backing }: Vma): string {
  const pages = (address: number): number => (vaddr(address) - BASE) / PAGE_BYTES;
  const file = backing === undefined ? '' : ` ${backing.file.path}+${backing.offset / PAGE_BYTES}`;
  return `${pages(start)}-${pages(end)} ${protName(prot)}${shared ? 's' : 'p'}${file}`;
}
