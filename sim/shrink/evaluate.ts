/**
 * Evaluating a candidate: one replay, and what of it a shrinker has to know, as plain data.
 *
 * A worker thread can do it as well as the caller: an outcome is a function of the candidate and the options. Files from
 * a seed are made once and then copied, because making a megabyte takes longer than replaying ten ops.
 */
import type { Kernel } from '../../kernel-model/index.ts';
import { fileBytes, type SuppliedFiles } from '../../traces/content.ts';
import { TraceError } from '../../traces/format-error.ts';
import type { FileSpec, TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Digester } from '../digest.ts';
import type { Finding } from '../finding.ts';
import { Replay, ReplayError, type ReplayResult } from '../replay.ts';
import type { Watcher } from '../watcher.ts';
import { signatureOfFinding, type Signature } from './signature.ts';

/** A trace that may fail. */
export interface Candidate {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

/** A failure and the op at which it is found; the number of ops for what is found at the end. */
export interface Failure extends Signature {
  readonly op: number;
}

/** What a replay gave. */
export interface Outcome {
  /** What the verdict names. */
  readonly headline: Failure | undefined;
  /** Every finding, in order of time. */
  readonly findings: readonly Failure[];
  readonly digest: string;
  readonly ops: number;
  readonly assemblies: number;
  /** The time was up before the run was. */
  readonly isCutShort: boolean;
}

export interface EvaluateOptions {
  readonly check: CheckMode;
  readonly digester: Digester;
  /** Go on past failures: a finding behind the first is wanted. */
  readonly keepGoing?: boolean | undefined;
  readonly isOutOfTime?: (() => boolean) | undefined;
  readonly supplied?: SuppliedFiles | undefined;
}

/** Something long that yields now and then, so that whoever drives it can look up. */
export type Sliced<Result> = Generator<Pause, Result, unknown>;

export interface Pause {
  readonly kind: 'pause';
}

export interface Examination {
  readonly outcome: Outcome;
  readonly result: ReplayResult;
}

const PAUSE: Pause = { kind: 'pause' };
/** Ops between two pauses. */
const SLICE_OPS = 256;

/** Runs something sliced to its end. */
function drain<Result>(sliced: Sliced<Result>): Result {
  for (;;) {
    const step = sliced.next();
    if (step.done === true) return step.value;
  }
}

function* stepping(replay: Replay, ops: readonly Op[], count: number): Sliced<void> {
  for (let i = 0; i < count && replay.step(ops[i]!); i++) if (i % SLICE_OPS === SLICE_OPS - 1) yield PAUSE;
}

/** Replays candidates. */
export class Evaluator {
  private readonly options: EvaluateOptions;
  private readonly made = new Map<string, { readonly digest: string; readonly bytes: Uint8Array }>();

  constructor(options: EvaluateOptions) {
    this.options = options;
  }

  /** One replay with all checks. A candidate that cannot be run at all has no failure. */
  evaluate(candidate: Candidate): Outcome {
    return drain(this.evaluating(candidate));
  }

  /** The same, in slices. */
  *evaluating(candidate: Candidate): Sliced<Outcome> {
    try {
      return (yield* this.examine(candidate, this.options.isOutOfTime)).outcome;
    } catch (error) {
      if (error instanceof ReplayError || error instanceof TraceError || error instanceof RangeError) return NOTHING;
      throw error;
    }
  }

  /** One replay with all checks and to its end, whatever the time; the findings in full. @throws ReplayError, TraceError */
  *running(candidate: Candidate, watcherOf?: (kernel: Kernel) => Watcher): Sliced<Examination> {
    return yield* this.examine(candidate, undefined, watcherOf);
  }

  private *examine(
    candidate: Candidate,
    isOutOfTime: (() => boolean) | undefined,
    watcherOf?: (kernel: Kernel) => Watcher,
  ): Sliced<Examination> {
    const replay = this.begin(candidate, this.options.check, isOutOfTime);
    if (watcherOf !== undefined) replay.machine.watch(watcherOf(replay.machine.kernel));
    yield* stepping(replay, candidate.ops, candidate.ops.length);
    const result = replay.finish();
    return { outcome: outcomeOf(candidate, result), result };
  }

  /** One replay of the first `count` ops without any check; it has the digest of the checked one. */
  *runningUnchecked(candidate: Candidate, count: number): Sliced<string> {
    const replay = this.begin(candidate, 'none');
    yield* stepping(replay, candidate.ops, count);
    return replay.finish().digest;
  }

  private begin({ header }: Candidate, check: CheckMode, isOutOfTime?: () => boolean): Replay {
    const { digester, keepGoing } = this.options;
    const supplied = new Map(this.options.supplied);
    const { expect: _, ...rest } = header;
    const files = header.files.map((file) => this.prepared(file, supplied));
    // Provenance is part of a signature, and costs nothing of the digest.
    return new Replay({ ...rest, files }, { check, keepGoing, isOutOfTime, digester, supplied, parameters: { provenance: true } });
  }

  /** The same file with its bytes made: what is left to do for a replay is a copy. */
  private prepared(file: FileSpec, supplied: Map<string, Uint8Array>): FileSpec {
    if (!('seed' in file.content) || file.size < PREPARED_BYTES_MIN) return file;
    const key = JSON.stringify({ ...file, links: [] });
    let made = this.made.get(key);
    if (made === undefined) {
      if (this.made.size >= PREPARED_MAX) this.made.clear();
      const digest = `faultline-${this.made.size}`;
      this.made.set(key, (made = { digest, bytes: fileBytes(file) }));
    }
    supplied.set(made.digest, made.bytes);
    const { patches: _patches, ...rest } = file;
    return { ...rest, content: { sha256: made.digest } };
  }
}

const PREPARED_BYTES_MIN = 65536;
const PREPARED_MAX = 16;

const NOTHING: Outcome = { headline: undefined, findings: [], digest: '', ops: 0, assemblies: 0, isCutShort: false };

function outcomeOf({ ops }: Candidate, { failure, findings, digest, ops: done, assemblies, verdict }: ReplayResult): Outcome {
  const failureOf = (finding: Finding): Failure => ({ ...signatureOfFinding(finding, ops[finding.op]), op: finding.op });
  return {
    headline: failure === undefined ? undefined : failureOf(failure),
    findings: findings.map(failureOf),
    digest,
    ops: done,
    assemblies,
    isCutShort: verdict === 'limit',
  };
}
