/**
 * The package `faultline`: what a kernel of your own and your own test suite need.
 *
 *     import { assertHolds, defineKernel, PROPERTIES, Rules } from 'faultline';
 *
 * `examples/own-kernel` shows all of it at work; `faultline COMMAND --kernel FILE` takes the same kernel.
 *
 * @packageDocumentation
 */

// Kernels.
export {
  defineKernel,
  KernelDefinitionError,
  kernelNamed,
  KERNELS,
  RuleError,
  Rules,
  type Design,
  type KernelDefinition,
  type Mutant,
  type NamedKernel,
  type OwnKernel,
  type PageFill,
  type Parameters,
  type RulesClass,
} from '../kernel-model/index.ts';

// Traces.
export { TraceError } from '../traces/format-error.ts';
export type { TraceHeader } from '../traces/header.ts';
export { formatOp, parseOp } from '../traces/notation.ts';
export type { Op } from '../traces/op.ts';
export { decodeTrace, encodeTrace } from './trace-text.ts';

// What can be done with a trace.
export { ReplayError, type ReplayResult } from '../sim/replay.ts';
export type { Finding } from '../sim/finding.ts';
export { ShrinkError, type ShrinkResult } from '../sim/shrink/shrink.ts';
export {
  explain,
  replay,
  shrink,
  type ExplainOptions,
  type Explanation,
  type ReplayOptions,
  type RunnableTrace,
  type RunOptions,
  type ShrinkOptions,
} from './run.ts';

// Random traces, and what must hold of them.
export { fileImages, kernelParameters } from '../properties/arbitraries.ts';
export { generateTrace, type GeneratedTrace, type GenerateOptions } from '../properties/generate.ts';
export { RUN_PROPERTIES as PROPERTIES } from '../properties/properties.ts';
export type { RunProperty } from '../properties/property.ts';
export { traces, type TraceOptions } from './arbitrary.ts';
export { assertHolds, PropertyError, type HoldOptions } from './hold.ts';
