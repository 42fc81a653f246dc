/**
 * Random configurations: every constant that a bug may hide behind, made small where the mask says so.
 *
 * The threshold of assembly lies around the counts that matter: none, one, the pages that the programs have, a region.
 */
import type { FileSpec, KernelSpec } from '../traces/header.ts';
import type { Stream } from '../sim/prng.ts';
import type { SwarmMask } from './swarm.ts';

const PAGE = 4096;

export const drawHugePages = (draw: Stream): 2 | 4 | 8 => draw.pick([2, 4, 4, 8]);

/** Parameters for a run on these files. */
export function drawParameters(
  draw: Stream,
  { limits }: SwarmMask,
  hugePages: 2 | 4 | 8,
  files: readonly FileSpec[],
): Omit<KernelSpec, 'name'> {
  const small = (name: 'frames' | 'refcounts' | 'asids' | 'pools' | 'translations'): boolean => limits.has(name);
  return {
    assembleThreshold: draw.pick(thresholdsFor(hugePages, files)),
    frames: small('frames') ? draw.pick([40, 64, 96, 128]) : 288,
    cpus: 1,
    profile: draw.pick(['fortress', 'balanced', 'performance', 'ludicrous']),
    hugePages,
    faultAroundPages: draw.pick([1, 2, hugePages, 16]),
    prefaultPagesMax: draw.pick([0, 1, 2, 8]),
    refcountMax: small('refcounts') ? draw.pick([2, 3, 5]) : 65535,
    asids: small('asids') ? draw.pick([2, 3]) : 4096,
    singlesMax: small('pools') ? draw.pick([1, 2]) : 16,
    zeroedMax: small('pools') ? draw.pick([1, 2, 4]) : draw.pick([0, 8]),
    tlbEntries: small('translations') ? draw.pick([2, 4]) : 64,
  };
}

/** 0, 1, and around how many pages of a file one region can have: n - 1, n, n + 1; around a whole region; never. */
export function thresholdsFor(hugePages: number, files: readonly FileSpec[]): readonly number[] {
  const counts = files.flatMap(({ segments }) => segments ?? []).map(({ filesz }) => Math.min(hugePages, Math.ceil(filesz / PAGE)));
  const around = counts.flatMap((count) => [count - 1, count, count + 1]);
  return [0, 0, 0, 1, 1, 1, ...around, hugePages, hugePages + 1, 600];
}
