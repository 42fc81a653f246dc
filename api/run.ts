/**
 * What can be done with a trace: replay it, make it small, say why it fails.
 *
 * Each is a function of the trace and the options. The kernel is the one that the trace's header names, unless another is given.
 */
import type { NamedKernel, Parameters } from '../kernel-model/index.ts';
import type { SuppliedFiles } from '../traces/content.ts';
import type { TraceHeader } from '../traces/header.ts';
import type { Op } from '../traces/op.ts';
import type { CheckMode } from '../sim/check/checker.ts';
import { explain as explainSteps } from '../sim/explain/explain.ts';
import { explainedDocument } from '../sim/explain/document.ts';
import { explanationLines } from '../sim/explain/text.ts';
import { kernelToRun, replay as replayTrace, type ReplayResult } from '../sim/replay.ts';
import { shrinkTrace, type ShrinkResult } from '../sim/shrink/shrink.ts';
import { digester } from './digester.ts';

/** A trace that can be run: `traces` and `generateTrace` draw one, `decodeTrace` reads one. */
export interface RunnableTrace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

/** What a run may be told; all of it may be left out. */
export interface RunOptions {
  /** Instead of the header's: its name, or what `defineKernel` gave. */
  readonly kernel?: string | NamedKernel | undefined;
  /** When to compare and check: after `every` op, after `changes` of mappings (the default), at the `end`, or `none`. */
  readonly check?: CheckMode | undefined;
  /** Contents of files that the header names by digest only, by that digest. */
  readonly supplied?: SuppliedFiles | undefined;
}

export interface ReplayOptions extends RunOptions {
  /** Instead of the header's. */
  readonly parameters?: Partial<Parameters> | undefined;
  /** Go on after a failure that a program could notice. */
  readonly keepGoing?: boolean | undefined;
}

/**
 * Runs a trace and checks every byte.
 *
 * @throws ReplayError if the kernel or a parameter does not exist; TraceError if a file's content cannot be had
 */
export const replay = (trace: RunnableTrace, options: ReplayOptions = {}): ReplayResult =>
  replayTrace(trace, { ...options, check: options.check ?? 'changes', digester });

export interface ShrinkOptions extends RunOptions {
  /** Another finding than the verdict's, by its id, as `cache-truth`. */
  readonly finding?: string | undefined;
  /** At most this many replays. */
  readonly replaysMax?: number | undefined;
}

/**
 * The smallest trace that fails as this one does, and the fewest decisions with which it does.
 *
 * The kernel must be known by its name: one of faultline's, or one that `defineKernel` made.
 *
 * @throws ShrinkError if the trace does not fail
 */
export function shrink({ header, ops }: RunnableTrace, options: ShrinkOptions = {}): ShrinkResult {
  const { kernel, finding, check = 'changes', supplied, replaysMax } = options;
  const { name } = kernelToRun(header.kernel, kernel);
  const trace = { header: { ...header, kernel: { ...header.kernel, name } }, ops };
  return shrinkTrace(trace, { check, supplied, replaysMax, wanted: finding, digester });
}

export interface ExplainOptions extends RunOptions {
  /** Another finding than the verdict's, by its id, as `cache-truth`. */
  readonly finding?: string | undefined;
}

export interface Explanation {
  /** In sentences, for a terminal of 80 columns. */
  readonly text: string;
  /** The same as `faultline explain --json` prints it. */
  readonly document: object;
}

/**
 * Why a trace fails: which byte, whence it came, and which decision allowed it.
 *
 * @returns undefined if the trace does not fail
 * @throws ReplayError if the kernel does not exist, or the run has no such finding
 */
export function explain(trace: RunnableTrace, options: ExplainOptions = {}): Explanation | undefined {
  const steps = explainSteps(trace, { ...options, check: options.check ?? 'changes', digester });
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  const explained = step.value;
  if (explained.kind === 'holds') return undefined;
  return { text: explanationLines(explained.explanation).join('\n'), document: explainedDocument(explained) };
}
