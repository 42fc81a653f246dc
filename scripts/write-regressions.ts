/**
 * Makes traces/regressions/: for each wrong decision that one CPU can show, the shortest scene found that shows it; and in
 * linux-mutants/ that of each that `linux` can show, too.
 *
 *     node --import tsx/esm scripts/write-regressions.ts --out traces/regressions
 *
 * A scene fails on the right kernel plus that decision, as its `expect` says, and holds without. What several scenes need to be
 * small is small in all of them: a huge page has four pages, so a region is 16 KiB.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { kernelWith, MUTANTS } from '../kernel-model/index.ts';
import type { Trace } from '../traces/codec.ts';
import type { KernelSpec } from '../traces/header.ts';
import { parseNotation } from '../traces/notation.ts';
import { traceText } from './import-recordings.ts';
import { ASSEMBLY_SCENES } from './regressions/assembly.ts';
import { CACHE_SCENES } from './regressions/cache.ts';
import { EXEC_SCENES } from './regressions/exec.ts';
import { FAILURE_SCENES } from './regressions/failures.ts';
import { FAULT_SCENES } from './regressions/fault.ts';
import { FRAME_SCENES } from './regressions/frames.ts';
import { RANGE_SCENES } from './regressions/ranges.ts';
import { SHARING_SCENES } from './regressions/sharing.ts';
import type { Scene } from './regressions/scene.ts';

export const SCENES: readonly Scene[] = [
  ...CACHE_SCENES,
  ...FAULT_SCENES,
  ...SHARING_SCENES,
  ...RANGE_SCENES,
  ...ASSEMBLY_SCENES,
  ...EXEC_SCENES,
  ...FRAME_SCENES,
  ...FAILURE_SCENES,
];

/** The same decisions on `linux`: the scenes that have a staging there. */
export const LINUX_MUTANT_SCENES: readonly Scene[] = SCENES.flatMap(({ onLinux, ...scene }) =>
  onLinux === undefined ? [] : [{ ...scene, ...onLinux }],
);

/** Frames enough for the largest scene, and few enough that checking all of them after each op costs nothing. */
const SMALL: Partial<KernelSpec> = { frames: 128, hugePages: 4 };

/** A scene as a trace of a right kernel plus its decision. @throws TraceError naming the line of the scene that is no op */
export function traceOf({ id, note, files, kernel, ops, expect }: Scene, right: 'kevlar' | 'linux' = 'kevlar'): Trace {
  const mutant = MUTANTS.find((one) => one.id === id);
  if (mutant === undefined) throw new Error(`there is no wrong decision ${id}`);
  return {
    header: {
      faultline: 1,
      kernel: { name: right === 'kevlar' ? kernelWith(mutant) : `${right}+${id}`, ...SMALL, ...kernel },
      files: [...files],
      source: { note },
      expect: { verdict: 'failed', ...expect },
    },
    ops: parseNotation(ops, id),
  };
}

/** Every file in the folder, by its path there. */
export const FILES: readonly { readonly path: string; readonly text: string }[] = [
  ...SCENES.map((scene) => ({ path: `${scene.id}.jsonl`, text: traceText(traceOf(scene)) })),
  ...LINUX_MUTANT_SCENES.map((scene) => ({ path: `linux-mutants/${scene.id}.jsonl`, text: traceText(traceOf(scene, 'linux')) })),
];

function main(args: string[]): void {
  const { values } = parseArgs({ args, options: { out: { type: 'string' } } });
  if (values.out === undefined) throw new Error('usage: write-regressions.ts --out FOLDER');
  for (const { path, text } of FILES) {
    mkdirSync(dirname(join(values.out, path)), { recursive: true });
    writeFileSync(join(values.out, path), text);
  }
  console.log(`${values.out}: ${FILES.length} traces`);
}

if (import.meta.filename === process.argv[1]) main(process.argv.slice(2));
