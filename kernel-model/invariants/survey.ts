/** A census of references: who holds which frame, counted from tables, caches and pins, not from the counts that the kernel keeps. */
import type { Kernel } from '../kernel.ts';
import { frameOfPte } from '../pte.ts';
import { pfn } from '../units.ts';

/** What several invariants need of one state, found out once; `renew` it when the state has changed. */
export class Survey {
  private readonly kernel: Kernel;
  private readonly counts: Uint32Array;
  private isFresh = false;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.counts = new Uint32Array(kernel.frames.count);
  }

  renew(): void {
    this.isFresh = false;
  }

  /** How many references each frame should have, by frame. */
  get references(): Uint32Array {
    if (!this.isFresh) countReferences(this.kernel, this.counts);
    this.isFresh = true;
    return this.counts;
  }
}

/** Counts every reference there is: entries, caches, pins, tables, the kernel's own. */
function countReferences(k: Kernel, counts: Uint32Array): void {
  counts.fill(0);
  const add = (frame: number): void => {
    if (k.frames.exists(pfn(frame))) counts[frame]!++;
  };
  add(k.vdsoFrame);
  add(k.zeroFrame);
  if (k.hugeZeroFrame !== undefined) for (let i = 0; i < k.parameters.hugePages; i++) add(k.hugeZeroFrame + i);
  for (const space of k.spaces) {
    k.tables.eachTable(space.root, add);
    for (const table of space.deposits.values()) add(table);
    k.tables.eachEntry(space.root, (_page, entry, _slot, isHuge) => {
      if (k.isZeroPage(frameOfPte(entry))) return;
      for (let i = 0; i < (isHuge ? k.parameters.hugePages : 1); i++) add(frameOfPte(entry) + i);
    });
  }
  k.cache.eachPage((_file, _index, { frame }) => {
    add(frame);
  });
  k.cache.eachBlock(({ frame }) => {
    for (let i = 0; i < k.parameters.hugePages; i++) add(frame + i);
  });
  for (const pin of k.pins.values()) if (!k.isZeroPage(pin.frame)) add(pin.frame);
}
