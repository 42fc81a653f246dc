/**
 * What a kernel may answer because it ran out of frames or its store failed, and when the reference can no longer follow it.
 *
 * Both happen to a kernel, not to the reference, which cannot know how far a call has come.
 */
import type { DesignName, Kernel } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Result } from '../trace-hart.ts';

/** Calls that go through several pages or VMAs. */
const HALF_WAY: ReadonlySet<Op['op']> = new Set(['mremap', 'madvise', 'mprotect', 'munmap', 'mlock', 'mmap', 'pwrite']);

const EXCUSES: ReadonlySet<Result> = new Set<Result>(['ENOMEM', 'EAGAIN', 'SIGKILL', 'EFAULT', 'EIO', 'SIGBUS']);

export class Trouble {
  private readonly kernel: Kernel;
  private before = 0;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** An op begins. */
  begin(): void {
    this.before = this.count();
  }

  /** Did the op want for a frame, or for a store that works? */
  get isThere(): boolean {
    return this.count() !== this.before;
  }

  /** Is the result one that trouble explains: that the kernel says so, or did less? */
  excuses({ op }: Op, result: Result): boolean {
    return this.isThere && (typeof result === 'number' ? op !== 'touch' : EXCUSES.has(result));
  }

  /** May the op have been left half-way, in a state that only the kernel knows? */
  leavesHalf(op: Op, result: Result): boolean {
    return this.isThere && stopsHalfWay(this.kernel.design.name, op, result);
  }

  private count(): number {
    return this.kernel.counts.refusedFrames + this.kernel.counts.storeErrors;
  }
}

/** Calls of linux leave what they have done when they fail; copies by the kernel, and accesses to several pages, stop short. */
function stopsHalfWay(design: DesignName, op: Op, result: Result): boolean {
  if (design !== 'linux') return false;
  if (op.op === 'touch') return typeof result === 'string' && (op.width !== undefined || op.pages !== undefined);
  if (op.op === 'copyIn' || op.op === 'copyOut' || op.op === 'pread') return result !== op.length;
  return HALF_WAY.has(op.op) && (typeof result === 'string' || op.op === 'pwrite');
}
