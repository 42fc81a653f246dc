/** A worker thread of `faultline shrink --jobs`: replays one candidate after the other. */
import { workerData } from 'node:worker_threads';
import type { SuppliedFiles } from '../../traces/content.ts';
import type { CheckMode } from '../check/checker.ts';
import { createDigester } from '../digest.ts';
import { Evaluator, type Candidate, type Outcome } from '../shrink/evaluate.ts';
import { loadKernelModule } from './kernel-module.ts';

/** What every candidate is replayed with. */
export interface WorkerOptions {
  readonly check: CheckMode;
  readonly keepGoing: boolean;
  readonly supplied: SuppliedFiles | undefined;
}

const { module, ...options } = workerData as WorkerOptions & { readonly module: string | undefined };
if (module !== undefined) await loadKernelModule(module);
const evaluator = new Evaluator({ ...options, digester: await createDigester() });

/** The outcome of a candidate. */
export function run(candidate: Candidate): Outcome {
  return evaluator.evaluate(candidate);
}
