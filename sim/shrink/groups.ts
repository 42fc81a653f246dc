/**
 * Groups: ops that belong together, for traces that no slice has made short.
 *
 * A process with its descendants, the life of a program from one exec to the next, the life of a mapping, a run of
 * touches. Each is left out whole, so that what is left still makes sense.
 */
import type { Op } from '../../traces/op.ts';
import { deleteElements } from './delete.ts';
import type { Shrinker, Stepping } from './shrinker.ts';

type Elements = readonly (readonly number[])[];

/** Leaves out groups of ops, the larger kinds first. */
export function* deleteGroups(shrinker: Shrinker): Stepping<void> {
  for (const groups of [subtrees, generations, mappings, touchRuns]) {
    if (shrinker.isOver) return;
    yield* deleteElements(shrinker, 'groups', groups);
  }
}

/** Each forked process with all that descend from it: their ops, the fork, and the waits for them. */
function subtrees(ops: readonly Op[]): Elements {
  const parentOf = new Map<number, number>();
  for (const op of ops) if (isFork(op)) parentOf.set(op.child, op.pid);
  const members = new Map<number, number[]>([...parentOf.keys()].map((pid) => [pid, []]));
  ops.forEach((op, index) => {
    const about = isFork(op) || (op.op === 'wait' && op.child !== undefined) ? op.child! : op.pid;
    for (let pid: number | undefined = about, depth = 0; pid !== undefined && depth < DEPTH_MAX; pid = parentOf.get(pid), depth++)
      members.get(pid)?.push(index);
  });
  return inOrder([...members.values()]);
}

/** Further ancestors than these have no group of their own. */
const DEPTH_MAX = 64;

const isFork = (op: Op): op is Extract<Op, { op: 'fork' | 'vfork' }> => op.op === 'fork' || op.op === 'vfork';

/** What a process does from an exec up to its next one, the exec included. */
function generations(ops: readonly Op[]): Elements {
  const current = new Map<number, number[]>();
  const all: number[][] = [];
  ops.forEach((op, index) => {
    if (op.op === 'exec' || !current.has(op.pid)) {
      const fresh: number[] = [];
      current.set(op.pid, fresh);
      all.push(fresh);
    }
    current.get(op.pid)!.push(index);
  });
  return inOrder(all);
}

/** An mmap with every op of its process in the range that it was recorded to give. */
function mappings(ops: readonly Op[]): Elements {
  const live = new Map<number, { readonly start: number; readonly end: number; readonly members: number[] }[]>();
  const all: number[][] = [];
  ops.forEach((op, index) => {
    if (op.op === 'mmap') {
      const start = typeof op.result === 'number' ? op.result : op.addr;
      const members = [index];
      all.push(members);
      live.set(op.pid, [...(live.get(op.pid) ?? []).slice(-LIVE_MAX), { start, end: start + op.length, members }]);
    } else if ('addr' in op) {
      const { addr } = op;
      live
        .get(op.pid)
        ?.findLast(({ start, end }) => start <= addr && addr < end)
        ?.members.push(index);
    }
  });
  return inOrder(all);
}

/** Mappings of a process that are looked through for an address. */
const LIVE_MAX = 64;

/** Touches of one process that follow one another. */
function touchRuns(ops: readonly Op[]): Elements {
  const runs: number[][] = [];
  ops.forEach((op, index) => {
    if (op.op !== 'touch') return;
    const before = ops[index - 1];
    if (before?.op === 'touch' && before.pid === op.pid) runs.at(-1)!.push(index);
    else runs.push([index]);
  });
  return runs;
}

/** Groups by their first op, without empty ones. */
const inOrder = (groups: readonly (readonly number[])[]): Elements =>
  groups.filter((group) => group.length > 0).sort((a, b) => a[0]! - b[0]!);
