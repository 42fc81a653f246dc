/**
 * What a worker thread of `faultline fuzz` does: runs of a campaign, and shrinking what they found.
 *
 * Both are functions of plain data, so it does not matter which worker does what, or how many there are.
 */
import { workerData } from 'node:worker_threads';
import type { Op } from '../../traces/op.ts';
import type { TraceHeader } from '../../traces/header.ts';
import { runBatch, traceOfRun, type BatchReport, type CampaignOptions } from '../../properties/fuzz.ts';
import { createDigester } from '../digest.ts';
import { shrinkTrace } from '../shrink/shrink.ts';
import { loadKernelModule } from './kernel-module.ts';

export interface BatchTask {
  readonly kind: 'batch';
  readonly campaign: CampaignOptions;
  readonly from: number;
  readonly to: number;
}

export interface ShrinkTask {
  readonly kind: 'shrink';
  readonly campaign: CampaignOptions;
  readonly run: number;
  /** The signature to keep, if it is not the verdict's. */
  readonly wanted: string | undefined;
  readonly replaysMax: number;
}

/** A finding made small. */
export interface Shrunk {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
  readonly opsBefore: number;
  readonly replays: number;
  /** The wrong rules that are left. */
  readonly rules: readonly string[];
  /** False if the budget ended it. */
  readonly isComplete: boolean;
}

const digester = await createDigester();
const { module } = workerData as { readonly module: string | undefined };
if (module !== undefined) await loadKernelModule(module);

/** A rule of the user's own threw; as data, because an error loses its class on the way between threads. */
export interface RuleFailure {
  readonly ruleError: string;
}

/** Does one task. */
export function run(task: BatchTask | ShrinkTask): BatchReport | Shrunk | RuleFailure {
  try {
    return task.kind === 'batch' ? runBatch(task.campaign, task, digester) : shrinkRun(task);
  } catch (error) {
    if (error instanceof Error && error.name === 'RuleError') return { ruleError: error.message };
    throw error;
  }
}

function shrinkRun({ campaign, run, wanted, replaysMax }: ShrinkTask): Shrunk {
  const trace = traceOfRun(campaign, run);
  const {
    trace: smallest,
    opsBefore,
    replays,
    rules,
    isComplete,
  } = shrinkTrace(trace, { digester, check: campaign.check, wanted, keepGoing: false, replaysMax }); // a run of a campaign does not go on either
  const { header, ops } = smallest;
  const source = { tool: 'faultline fuzz', note: `run ${run} of seed ${campaign.seed}; ${trace.header.source?.note ?? ''}` };
  return { header: { ...header, seed: trace.header.seed!, source }, ops: [...ops], opsBefore, replays, rules: [...rules], isComplete };
}
