/**
 * The canonical digest of a state: equal for equal states, whatever frames happen to hold them.
 *
 * Frames are numbered in the order in which the walk meets them, so that a digest says what programs and caches see and
 * how they share it, not where it lies. It comes in parts, so that a difference between two runs can be named.
 */
import type { AddressSpace } from './address-space.ts';
import type { Kernel } from './kernel.ts';
import type { AnonVma, LinuxVma } from './linux/vma-facts.ts';
import { frameOfPte } from './pte.ts';
import { pfn, type Pfn } from './units.ts';

/** Takes numbers and bytes in order; implemented outside the model. */
export interface StateHasher {
  u32(value: number): void;
  f64(value: number): void;
  bytes(value: Uint8Array): void;
  text(value: string): void;
  /** The digest of all so far, 16 hex digits. */
  digest(): string;
}

export type StatePart = 'processes' | 'vmas' | 'entries' | 'cache' | 'files' | 'counts';
export const STATE_PARTS: readonly StatePart[] = ['processes', 'vmas', 'entries', 'cache', 'files', 'counts'];

/** The digest of each part of the state. */
export function digestParts(k: Kernel, createHasher: () => StateHasher): Readonly<Record<StatePart, string>> {
  const frames = new FrameNaming(k);
  const anonVmas = new Map<AnonVma, number>();
  const digest = (write: (hasher: StateHasher) => void): string => {
    const hasher = createHasher();
    write(hasher);
    return hasher.digest();
  };
  const spaces = [...k.spaces].sort((a, b) => a.id - b.id);
  return {
    processes: digest((h) => {
      writeProcesses(k, h);
    }),
    vmas: digest((h) => {
      for (const space of spaces) writeVmas(k, space, anonVmas, h);
    }),
    entries: digest((h) => {
      for (const space of spaces) writeEntries(k, space, frames, h);
    }),
    cache: digest((h) => {
      writeCache(k, frames, h);
    }),
    files: digest((h) => {
      writeFiles(k, h);
    }),
    counts: digest((h) => {
      for (const count of Object.values(k.counts)) h.f64(count);
      h.u32(k.allocator.freeCount());
    }),
  };
}

/** Numbers frames in order of first meeting, and hashes the bytes of each once. */
class FrameNaming {
  private readonly kernel: Kernel;
  private readonly names = new Map<Pfn, number>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  write(frame: Pfn, h: StateHasher): void {
    const known = this.names.get(frame);
    h.u32(known ?? this.names.size);
    if (known !== undefined || !this.kernel.frames.exists(frame)) return;
    this.names.set(frame, this.names.size);
    h.u32(this.kernel.frames.refs[frame]!);
    if (this.kernel.design.name === 'linux') h.u32(this.kernel.frames.flags[frame]!);
    h.bytes(this.kernel.memory.page(frame));
  }
}

function writeProcesses(k: Kernel, h: StateHasher): void {
  for (const process of [...k.processes.values()].sort((a, b) => a.pid - b.pid)) {
    h.u32(process.pid);
    h.u32(process.parent);
    h.u32(process.space.id);
    h.text(process.argv0);
  }
}

function writeVmas(k: Kernel, space: AddressSpace, anonVmas: Map<AnonVma, number>, h: StateHasher): void {
  for (const value of [space.id, space.heapStart, space.heapEnd, space.heapLimit, space.placementNext, space.owners]) h.f64(value);
  // The order of the list is Kevlar's: Linux has none but that of the addresses.
  for (const vma of k.design.name === 'linux' ? space.vmas.ascending : space.vmas.list) {
    for (const value of [vma.start, vma.end, vma.prot, Number(vma.shared), vma.backing?.offset ?? -1, vma.backing?.fileBytes ?? -1])
      h.f64(value);
    h.text(vma.role);
    h.text(vma.backing?.file.path ?? '');
    if (vma.linux !== undefined) writeLinuxVma(vma.linux, anonVmas, h);
  }
}

/** An anon_vma is nothing but which one it is: they are numbered in the order of the walk, parents before children. */
function writeLinuxVma({ flags, pgoff, description, anonVma, anonChain }: LinuxVma, names: Map<AnonVma, number>, h: StateHasher): void {
  h.u32(flags);
  h.f64(pgoff);
  h.u32(description);
  for (const one of anonChain) if (!names.has(one)) names.set(one, names.size);
  for (const one of anonChain) h.u32(names.get(one)!);
  h.u32(anonVma === undefined ? 0 : 1 + names.get(anonVma)!);
}

function writeEntries(k: Kernel, space: AddressSpace, frames: FrameNaming, h: StateHasher): void {
  h.u32(space.id);
  k.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
    h.f64(page);
    h.u32(entry & 0x3ff);
    const count = isHuge ? k.parameters.hugePages : 1;
    for (let i = 0; i < count; i++) frames.write(pfn(frameOfPte(entry) + i), h);
  });
}

function writeCache(k: Kernel, frames: FrameNaming, h: StateHasher): void {
  k.cache.eachPage((file, index, { frame, dirty }) => {
    h.text(file.path);
    h.f64(index);
    h.u32(Number(dirty));
    frames.write(frame, h);
  });
  k.cache.eachBlock((block, key) => {
    h.text(block.file.path);
    h.text(key);
    for (const [i, populated] of block.populated.entries()) {
      h.u32(Number(populated));
      frames.write(pfn(block.frame + i), h);
    }
  });
}

function writeFiles(k: Kernel, h: StateHasher): void {
  for (const file of new Set(k.files.values())) {
    h.text(file.path);
    h.f64(file.size);
    h.f64(file.keptBytes);
    for (const [index, bytes] of file.changedPages()) {
      h.f64(index);
      if (k.design.name === 'linux') h.u32(Number(file.holds(index)));
      h.bytes(bytes);
    }
  }
}
