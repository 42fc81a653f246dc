/** Scenes: a few ops in the notation, and what replaying them gives. */
import type { File, Kernel, Mutant, NamedKernel, Rules } from '../../kernel-model/index.ts';
import { createDigester } from '../../sim/digest.ts';
import { Replay, type ReplayOptions, type ReplayResult } from '../../sim/replay.ts';
import type { FileSpec, KernelSpec, TraceHeader } from '../../traces/header.ts';
import { parseNotation } from '../../traces/notation.ts';
import { PROGRAM } from './files.ts';
import { named } from './model.ts';

export const digester = await createDigester();

/** Two pages of a file that can change. */
export const PLAIN: FileSpec = { path: '/f', size: 8192, immutable: false, content: { seed: '/f' } };

export interface SceneOptions extends Partial<Omit<ReplayOptions, 'digester' | 'parameters'>> {
  readonly spec?: Partial<KernelSpec>;
  readonly files?: readonly FileSpec[];
  readonly expect?: TraceHeader['expect'];
  /** Called before the op of this index, or at the end: damages the kernel. */
  readonly spoil?: (k: Kernel, run: Replay) => void;
  readonly spoilAt?: number;
}

/** The header of a scene: small, with a program and a file that can change. */
export const headerOf = ({ spec, files = [PROGRAM, PLAIN], expect }: SceneOptions = {}): TraceHeader => ({
  faultline: 1,
  kernel: { name: 'kevlar', frames: 256, hugePages: 4, ...spec },
  files: [...files],
  ...(expect === undefined ? {} : { expect }),
});

/** Replays ops in the notation on a small kernel, everything checked after each op unless told otherwise. */
export function play(notation: string, options: SceneOptions = {}): ReplayResult {
  const { spec, files, expect, spoil, spoilAt, ...rest } = options;
  const run = new Replay(headerOf(options), { check: 'every', ...rest, digester });
  const ops = parseNotation(notation);
  for (const [index, op] of ops.entries()) {
    if (index === spoilAt) spoil?.(run.machine.kernel, run);
    if (!run.step(op)) break;
  }
  if (spoilAt === undefined || spoilAt >= ops.length) spoil?.(run.machine.kernel, run);
  return run.finish();
}

/** Findings as `kind id @op`, in order of time. */
export const findingsOf = (result: ReplayResult): readonly string[] => result.findings.map(({ kind, id, op }) => `${kind} ${id} @${op}`);

/** A kernel with a wrong decision that is on no list. */
export function kernelThat(rule: keyof Rules, apply: Mutant['apply']): NamedKernel {
  const kernel = named('kevlar');
  const mutant: Mutant = { id: 'of-a-test', rule, says: '', source: '', section: undefined, brokenBy: [], apply };
  return { ...kernel, name: 'kevlar of a test', mutants: [mutant] };
}

/** The file at a path, which must be there. */
export const fileAt = (k: Kernel, path: string): File => k.files.get(path)!;
