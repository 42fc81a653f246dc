/** The frame allocator beside a set of the frames that are taken: it gives each frame once, takes each back, and merges what it can. */
import { expect } from 'chai';
import fc from 'fast-check';
import { checkAllocator, FrameAllocator, ORDER_MAX } from '../../kernel-model/frame-allocator.ts';
import { FrameTable } from '../../kernel-model/frame-table.ts';
import { pfn, type Pfn } from '../../kernel-model/units.ts';
import { runs } from '../helpers/seed.ts';

type Step =
  | { readonly kind: 'single' | 'zeroed' }
  | { readonly kind: 'take'; readonly order: number }
  | { readonly kind: 'give' | 'giveZeroed' | 'giveTwice'; readonly pick: number; readonly piecemeal: boolean };

const someStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>({ kind: 'single' }, { kind: 'single' }, { kind: 'zeroed' }),
  fc.record({ kind: fc.constant('take' as const), order: fc.nat(6) }),
  fc.record({
    kind: fc.constantFrom('give' as const, 'give' as const, 'giveZeroed' as const, 'giveTwice' as const),
    pick: fc.nat(),
    piecemeal: fc.boolean(),
  }),
);

const someSize = fc.record({ count: fc.integer({ min: 2, max: 150 }), singlesMax: fc.integer({ min: 1, max: 8 }), zeroedMax: fc.nat(4) });

/** An allocator, and a list of the blocks that were taken from it. */
class Pair {
  readonly frames: FrameTable;
  readonly allocator: FrameAllocator;
  readonly count: number;
  readonly taken: { readonly block: Pfn; readonly order: number }[] = [];
  readonly owned = new Set<number>();

  constructor({ count, singlesMax, zeroedMax }: { count: number; singlesMax: number; zeroedMax: number }) {
    this.count = count;
    this.frames = new FrameTable(count, 100);
    this.allocator = new FrameAllocator(this.frames, singlesMax, zeroedMax);
  }

  run(step: Step): void {
    switch (step.kind) {
      case 'single': {
        const isEmpty = this.owned.size === this.count - 1;
        this.note(this.allocator.takeSingle('data'), 0, !isEmpty);
        break;
      }
      case 'zeroed': {
        const isPossible = this.allocator.pools()[1].length > 0;
        this.note(this.allocator.takeZeroed('data'), 0, isPossible);
        break;
      }
      case 'take': {
        const isPossible = this.hasRun(step.order);
        this.note(this.allocator.take(step.order, 'data'), step.order, isPossible);
        break;
      }
      default:
        this.giveOne(step);
    }
  }

  /** Is there a free aligned run of that order outside of the pools? A buddy system that merges all it can must find it. */
  private hasRun(order: number): boolean {
    const pooled = new Set<number>(this.allocator.pools().flat());
    const isFree = (frame: number): boolean => frame > 0 && frame < this.count && !this.owned.has(frame) && !pooled.has(frame);
    for (let start = 0; start < this.count; start += 2 ** order) {
      if (Array.from({ length: 2 ** order }, (_, i) => start + i).every(isFree)) return true;
    }
    return false;
  }

  private note(block: Pfn | undefined, order: number, isExpected: boolean): void {
    expect(block !== undefined, `a block of order ${order}`).to.equal(isExpected);
    if (block === undefined) return;
    expect(block % 2 ** order).to.equal(0);
    for (let frame = block as number; frame < block + 2 ** order; frame++) {
      expect(frame).to.be.within(1, this.count - 1);
      expect(this.owned.has(frame), `frame ${frame} is taken already`).to.equal(false);
      expect(this.frames.useOf(pfn(frame))).to.equal('data');
      this.owned.add(frame);
    }
    this.taken.push({ block, order });
  }

  private giveOne({ kind, pick, piecemeal }: Extract<Step, { readonly pick: number }>): void {
    if (this.taken.length === 0) return;
    const [{ block, order }] = this.taken.splice(pick % this.taken.length, 1) as [{ block: Pfn; order: number }];
    for (let i = 0; i < 2 ** order; i++) this.owned.delete(block + i);
    if (kind === 'giveZeroed' && order === 0 && this.allocator.giveZeroed(block)) return;
    if (piecemeal) for (let i = 0; i < 2 ** order; i++) expect(this.allocator.give(pfn(block + i), 0)).to.equal(true);
    else expect(this.allocator.give(block, order)).to.equal(true);
    if (kind === 'giveTwice') expect(this.allocator.give(block, order)).to.equal(false);
  }

  check(): void {
    expect(checkAllocator(this.frames, this.allocator)).to.equal(undefined);
    expect(this.allocator.freeCount()).to.equal(this.count - 1 - this.owned.size);
    const orders = new Map<number, number>();
    this.allocator.eachFreeBlock((block, order) => orders.set(block, order));
    for (const [block, order] of orders) {
      const buddy = block ^ (1 << order);
      if (order < ORDER_MAX) expect(orders.get(buddy), `block ${block} and its buddy ${buddy} are both free`).to.not.equal(order);
    }
  }

  giveAll(): void {
    while (this.taken.length > 0) this.giveOne({ kind: 'give', pick: 0, piecemeal: false });
  }
}

describe('FrameAllocator', () => {
  it('gives every frame once, finds every free run, merges every pair of buddies, and refuses a frame that is free', () => {
    fc.assert(
      fc.property(someSize, fc.array(someStep, { maxLength: 60 }), (size, steps) => {
        const pair = new Pair(size);
        pair.check();
        for (const step of steps) {
          pair.run(step);
          pair.check();
        }
        pair.giveAll();
        pair.check();
        expect(pair.allocator.freeCount()).to.equal(size.count - 1);
      }),
      { numRuns: runs(150) },
    );
  });

  it('gives all frames until none is left', () => {
    fc.assert(
      fc.property(someSize, (size) => {
        const pair = new Pair(size);
        for (let i = 1; i < size.count; i++) pair.run({ kind: 'single' });
        expect(pair.allocator.takeSingle('data')).to.equal(undefined);
        expect(pair.owned.size).to.equal(size.count - 1);
      }),
      { numRuns: runs(30) },
    );
  });

  it('is in the state of a snapshot after it was restored', () => {
    fc.assert(
      fc.property(someSize, fc.array(someStep, { maxLength: 30 }), fc.array(someStep, { maxLength: 30 }), (size, before, after) => {
        const pair = new Pair(size);
        for (const step of before) pair.run(step);
        const [snapshot, uses, blocks] = [pair.allocator.snapshot(), pair.frames.uses.slice(), blocksOf(pair.allocator)];
        for (const step of after) pair.run(step);
        pair.allocator.restore(snapshot);
        pair.frames.uses.set(uses);
        expect(blocksOf(pair.allocator)).to.deep.equal(blocks);
        expect(checkAllocator(pair.frames, pair.allocator)).to.equal(undefined);
      }),
      { numRuns: runs(40) },
    );
  });
});

/** Free blocks and pools, in their order: what the next allocations depend on. */
function blocksOf(allocator: FrameAllocator): unknown {
  const blocks: [number, number][] = [];
  allocator.eachFreeBlock((block, order) => blocks.push([block, order]));
  return [blocks, ...allocator.pools().map((pool) => [...pool])];
}

describe('checkAllocator', () => {
  const found = (spoil: (frames: FrameTable, allocator: FrameAllocator) => void): string | undefined => {
    const frames = new FrameTable(32, 100);
    const allocator = new FrameAllocator(frames, 4, 2);
    spoil(frames, allocator);
    return checkAllocator(frames, allocator);
  };

  it('finds a frame in two places, one whose use says otherwise, and one that is lost', () => {
    expect(found(() => undefined)).to.equal(undefined);
    expect(found((frames) => frames.setUse(pfn(20), 'data'))).to.include('frame 20');
    expect(found((frames, allocator) => frames.setUse(allocator.takeSingle('data')!, 'free'))).to.include('in no list');
    expect(
      found((frames, allocator) => {
        const frame = allocator.takeZeroed('data')!;
        allocator.giveZeroed(frame);
        allocator.takeZeroed('data');
        allocator.giveZeroed(frame);
        frames.setUse(frame, 'single');
      }),
    ).to.include('zeroed');
  });
});

describe('FrameTable', () => {
  it('counts up to its maximum, then refuses or wraps, and has nothing to give below zero', () => {
    const frames = new FrameTable(4, 2);
    const frame = pfn(1);
    expect([frames.take(frame, 'refuse'), frames.take(frame, 'refuse'), frames.take(frame, 'refuse')]).to.deep.equal([true, true, false]);
    expect(frames.refs[frame]).to.equal(2);
    expect([frames.drop(frame), frames.drop(frame), frames.drop(frame)]).to.deep.equal([1, 0, -1]);
    frames.refs[frame] = 2;
    expect(frames.take(frame, 'wrap')).to.equal(true);
    expect(frames.refs[frame]).to.equal(0);
  });

  it('knows which frames exist: not the kernel’s own, none past the end', () => {
    const frames = new FrameTable(4, 2);
    expect([0, 1, 3, 4, 2 ** 22].map((frame) => frames.exists(pfn(frame)))).to.deep.equal([false, true, true, false, false]);
  });
});
