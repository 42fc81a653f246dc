/**
 * Swarm masks: what one random run uses at all.
 *
 * Ops can hide bugs as well as show them: a run that drops caches all the time never fills one. So each run draws which
 * classes of ops, of layouts and of small limits it has, and how often each class of ops comes. The mask stands in the
 * trace's header (`source.note`).
 */
import type { DesignName } from '../kernel-model/index.ts';
import type { Stream } from '../sim/prng.ts';

/** Classes of ops; plain accesses belong to every run. */
export const OP_CLASSES = [
  'map',
  'hugeMap',
  'fileMap',
  'unmap',
  'protect',
  'move',
  'heap',
  'advise',
  'fork',
  'vfork',
  'exit',
  'exec',
  'warmUp',
  'kernelCopy',
  'fileChange',
  'fileRead',
  'sync',
  'reclaim',
  'pin',
  'inject',
  'nonsense',
] as const;
/** Those of Linux alone. */
const LINUX_OP_CLASSES = ['wish', 'guard', 'lock', 'hugeOnRequest', 'grow', 'userFile', 'remapForms'] as const;
export type LinuxOpClass = (typeof LINUX_OP_CLASSES)[number];
export type OpClass = (typeof OP_CLASSES)[number] | LinuxOpClass;

/** The classes of ops that a design has. */
const opClassesOf = (design: DesignName): readonly OpClass[] => (design === 'linux' ? [...OP_CLASSES, ...LINUX_OP_CLASSES] : OP_CLASSES);

/** What program images have besides whole pages. */
export const LAYOUT_CLASSES = ['midPage', 'sharedPage', 'sharedFilePage', 'holes', 'hugeSegments', 'zeroTail', 'interpreter'] as const;
export type LayoutClass = (typeof LAYOUT_CLASSES)[number];

/** Which constants are made so small that they run out. */
export const LIMIT_CLASSES = ['frames', 'refcounts', 'asids', 'pools', 'translations'] as const;
export type LimitClass = (typeof LIMIT_CLASSES)[number];

export interface SwarmMask {
  /** How often each class comes; a class that is not there never. */
  readonly ops: ReadonlyMap<OpClass, number>;
  readonly layouts: ReadonlySet<LayoutClass>;
  readonly limits: ReadonlySet<LimitClass>;
}

export interface SwarmOptions {
  /** Draw a mask; without it every run has every class, all equally often. */
  readonly isSwarm: boolean;
  /** Frames, reads and writes of stores may fail. */
  readonly hasFaults: boolean;
  /** Default kevlar. */
  readonly design?: DesignName;
}

const WEIGHTS = [1, 1, 2, 4, 8] as const;

export function drawMask(draw: Stream, { isSwarm, hasFaults, design = 'kevlar' }: SwarmOptions): SwarmMask {
  const allowed = opClassesOf(design).filter((name) => hasFaults || name !== 'inject');
  if (!isSwarm)
    return { ops: new Map(allowed.map((name) => [name, 1])), layouts: new Set(LAYOUT_CLASSES), limits: new Set(['refcounts', 'pools']) };
  // Most runs have few classes, some have nearly all.
  const share = draw.pick([0.2, 0.35, 0.5, 0.8]);
  const ops = new Map<OpClass, number>();
  for (const name of allowed) if (draw.chance(share)) ops.set(name, draw.pick(WEIGHTS));
  return { ops, layouts: subset(draw, LAYOUT_CLASSES, 0.5), limits: subset(draw, LIMIT_CLASSES, 0.25) };
}

function subset<T>(draw: Stream, list: readonly T[], share: number): Set<T> {
  return new Set(list.filter(() => draw.chance(share)));
}

/** `swarm map fork*4 exec | midPage holes | asids`, for the header. */
export function describeMask({ ops, layouts, limits }: SwarmMask): string {
  const weighted = [...ops].map(([name, weight]) => (weight === 1 ? name : `${name}*${weight}`));
  return `swarm ${[weighted, [...layouts], [...limits]].map((names) => (names.length === 0 ? '-' : names.join(' '))).join(' | ')}`;
}
