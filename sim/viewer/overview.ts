/**
 * What the timeline shows: of each op the lane of its process and a few flags, and counters at even distances.
 *
 * Made by one run through the whole trace, in slices. A lane belongs to a process as long as it lives and then to another, so there
 * are no more lanes than processes at one time.
 */
import { isValid, type Kernel } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import type { Session } from './session.ts';

/** What happened in an op. */
export const FLAG = { fault: 1, assembly: 2, exec: 4, fork: 8, exit: 16, call: 32, mark: 64 } as const;

/** Counters after an op. */
export interface Sample {
  /** Ops that have run. */
  readonly at: number;
  readonly cachedPages: number;
  readonly residentPages: number;
  readonly faults: number;
  readonly freeFrames: number;
}

/** A part of the overview: the ops [from, from + flags.length). */
export interface OverviewPart {
  readonly from: number;
  readonly lanes: Uint8Array;
  readonly flags: Uint8Array;
  readonly samples: readonly Sample[];
}

const SAMPLES_MAX = 1024;
const LANES_MAX = 256;
const CALLS: ReadonlySet<Op['op']> = new Set(['mmap', 'munmap', 'mprotect', 'mremap', 'brk', 'madvise', 'msync']);

export class Overview {
  private readonly session: Session;
  private readonly lanes = new Lanes();
  private readonly opsBetweenSamples: number;
  private readonly step: () => boolean;
  private at = 0;

  /** @param step - runs one op of the session, and may do more */
  constructor(session: Session, step = (): boolean => session.step()) {
    this.session = session;
    this.step = step;
    this.opsBetweenSamples = Math.max(1, Math.ceil(session.ops.length / SAMPLES_MAX));
  }

  /** Runs on until `isOutOfTime`, asked now and then. @returns what there is new, and whether that is all */
  run(isOutOfTime: () => boolean): OverviewPart & { readonly isDone: boolean } {
    const { session } = this;
    session.seek(this.at); // someone may have visited another moment
    const from = this.at;
    const [lanes, flags] = [new Uint8Array(session.ops.length - from), new Uint8Array(session.ops.length - from)];
    const samples = from === 0 ? [sampleOf(session)] : [];
    let isDone = false;
    do {
      const op = session.ops[session.at];
      const i = session.at - from;
      const before = countsOf(session);
      isDone = op === undefined || !this.step();
      if (isDone) break;
      lanes[i] = this.lanes.of(op!);
      flags[i] = flagsOf(op!, before, countsOf(session));
      if (session.at % this.opsBetweenSamples === 0) samples.push(sampleOf(session));
    } while (session.at % 64 !== 0 || !isOutOfTime());
    this.at = session.at;
    const count = this.at - from;
    return { from, lanes: lanes.slice(0, count), flags: flags.slice(0, count), samples, isDone };
  }
}

interface Counts {
  readonly faults: number;
  readonly assemblies: number;
}

const countsOf = ({ kernel }: Session): Counts => ({ faults: kernel.counts.faults, assemblies: kernel.counts.assemblies });

const KIND_FLAGS: Partial<Readonly<Record<Op['op'], number>>> = {
  exec: FLAG.exec,
  fork: FLAG.fork,
  vfork: FLAG.fork,
  exit: FLAG.exit,
  mark: FLAG.mark,
};

function flagsOf(op: Op, before: Counts, after: Counts): number {
  return (
    (KIND_FLAGS[op.op] ?? (CALLS.has(op.op) ? FLAG.call : 0)) |
    (after.faults > before.faults ? FLAG.fault : 0) |
    (after.assemblies > before.assemblies ? FLAG.assembly : 0)
  );
}

/** Which process has which lane. */
class Lanes {
  private readonly laneOf = new Map<number, number>();
  private readonly taken: boolean[] = [];

  of(op: Op): number {
    const lane = this.laneOf.get(op.pid) ?? this.take(op.pid);
    if (op.op === 'fork' || op.op === 'vfork') this.take(op.child);
    if (op.op === 'exit') {
      this.laneOf.delete(op.pid);
      this.taken[lane] = false;
    }
    return lane;
  }

  private take(pid: number): number {
    const free = this.taken.indexOf(false);
    const lane = Math.min(free < 0 ? this.taken.length : free, LANES_MAX - 1);
    this.taken[lane] = true;
    this.laneOf.set(pid, lane);
    return lane;
  }
}

/** The counters of this moment. */
export function sampleOf({ at, kernel }: Pick<Session, 'at' | 'kernel'>): Sample {
  return {
    at,
    cachedPages: kernel.cache.size,
    residentPages: residentPages(kernel),
    faults: kernel.counts.faults,
    freeFrames: freeFrames(kernel),
  };
}

/** Frames nobody owns: by the free lists, which are far shorter than memory. */
function freeFrames({ allocator }: Kernel): number {
  let count = allocator.pools()[0].length + allocator.pools()[1].length;
  allocator.eachFreeBlock((_block, order) => {
    count += 2 ** order;
  });
  return count;
}

/** Pages mapped, over all address spaces. */
function residentPages(kernel: Kernel): number {
  let count = 0;
  for (const space of kernel.spaces)
    kernel.tables.eachEntry(space.root, (_page, entry, _slot, isHuge) => {
      if (isValid(entry)) count += isHuge ? kernel.parameters.hugePages : 1;
    });
  return count;
}
