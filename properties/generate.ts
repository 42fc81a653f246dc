/**
 * Random traces: a trace is a function of its seed.
 *
 * First the mask (what this run uses at all), then files, configuration and ops, each from a stream of its own. The seed
 * and the mask stand in the header, so that a trace tells how to make it again.
 */
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import { createPrng, type Stream } from '../sim/prng.ts';
import { drawHugePages, drawParameters } from './configuration.ts';
import { drawFiles } from './images.ts';
import { designName, programsOf } from './places.ts';
import { Script } from './script.ts';
import { STEPS } from './steps.ts';
import { access } from './steps/parts.ts';
import { describeMask, drawMask, type OpClass, type SwarmMask } from './swarm.ts';

/** A trace that can be replayed as often as one likes. */
export interface GeneratedTrace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

export interface GenerateOptions {
  /** The kernel that the header names. */
  readonly kernel?: string;
  /** Frames, reads and writes of stores may fail. Default true. */
  readonly hasFaults?: boolean;
  /** Ops at most; most traces are shorter. */
  readonly opsMax?: number;
  /** Draw for each run what it uses at all. Default true. */
  readonly isSwarm?: boolean;
  /** Prefer boundaries of VMAs and pages to offsets anywhere. Default true. */
  readonly isBiased?: boolean;
}

const DEFAULTS = { kernel: 'kevlar', hasFaults: true, opsMax: 60, isSwarm: true, isBiased: true } as const;

/** The trace of a seed. */
export function generateTrace(seed: string, options: GenerateOptions = {}): GeneratedTrace {
  const { kernel, hasFaults, opsMax, isSwarm, isBiased } = { ...DEFAULTS, ...options };
  const prng = createPrng(seed);
  const mask = drawMask(prng.stream('mask'), { isSwarm, hasFaults, design: designName(kernel) });
  const hugePages = drawHugePages(prng.stream('region'));
  const files = drawFiles(prng.stream('files'), { layouts: mask.layouts, hugePages, isUniform: !isBiased });
  const parameters = drawParameters(prng.stream('configuration'), mask, hugePages, files);
  const programs = programsOf(files, kernel, hugePages);
  const header: TraceHeader = {
    faultline: 1,
    kernel: { name: kernel, ...parameters },
    files: [...files],
    seed,
    source: { tool: 'faultline', note: describeMask(mask) },
  };
  const script = new Script(prng.stream('ops'), { programs, hugePages, isUniform: !isBiased });
  if (programs.length === 0) return { header, ops: [] };
  writeScript(script, mask, opsMax);
  return { header, ops: script.ops.slice(0, opsMax) };
}

/** Most traces are short: what a bug needs is often little, and short traces are quick. */
const LENGTHS = [0.1, 0.2, 0.4, 0.7, 1] as const;

function writeScript(script: Script, mask: SwarmMask, opsMax: number): void {
  const { draw } = script;
  const length = Math.max(2, Math.round(opsMax * draw.pick(LENGTHS)));
  script.exec(script.actor(), draw.pick(script.programs).path);
  const classes = [...mask.ops];
  while (script.ops.length < length) {
    const chosen = draw.chance(ACCESS_SHARE) ? undefined : pickWeighted(draw, classes);
    if (chosen === undefined) access(script);
    else draw.pick(STEPS[chosen])(script);
  }
}

/** So many steps are plain accesses, whatever the mask. */
const ACCESS_SHARE = 0.3;

function pickWeighted(draw: Stream, classes: readonly (readonly [OpClass, number])[]): OpClass | undefined {
  let at = draw.int(
    Math.max(
      1,
      classes.reduce((sum, [, weight]) => sum + weight, 0),
    ),
  );
  for (const [name, weight] of classes) {
    if (at < weight) return name;
    at -= weight;
  }
  return undefined;
}
