/**
 * The replays that an explanation is made of: one after another, in slices, with the files' bytes made once.
 *
 * Everything here is a function of the trace and the options. A replay yields what it is for and how far it is, so that
 * whoever drives it can show progress, look up and give up.
 */
import type { NamedKernel } from '../../kernel-model/index.ts';
import { fileBytes, type SuppliedFiles } from '../../traces/content.ts';
import type { FileSpec, TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import type { CheckMode } from '../check/checker.ts';
import type { Digester } from '../digest.ts';
import type { Finding } from '../finding.ts';
import { Replay, type ReplayResult } from '../replay.ts';
import { isSameSignature, signatureOfFinding, type Signature } from '../shrink/signature.ts';
import type { Watcher } from '../watcher.ts';

/** What an explanation is doing, and how many ops it has replayed so far. */
export interface Progress {
  readonly doing: string;
  readonly ops: number;
}

/** Something long that says now and then how far it is. */
export type Explaining<Result> = Generator<Progress, Result, unknown>;

export interface Run {
  readonly doing: string;
  readonly kernel: NamedKernel;
  readonly ops: readonly Op[];
  /** Instead of the trace's own. */
  readonly threshold?: number | undefined;
  /** Instead of the explanation's. */
  readonly check?: CheckMode;
  readonly keepGoing?: boolean;
  readonly watcherOf?: (replay: Replay) => Watcher;
}

/** Ops between two looks up. */
const SLICE_OPS = 128;

/** Replays the ops of one trace on many kernels. */
export class Bench {
  readonly header: TraceHeader;
  readonly check: CheckMode;
  /** Replays so far. */
  replays = 0;
  private opsDone = 0;
  private readonly digester: Digester;
  private readonly supplied: SuppliedFiles;

  constructor(
    header: TraceHeader,
    options: { readonly check: CheckMode; readonly digester: Digester; readonly supplied?: SuppliedFiles | undefined },
  ) {
    const supplied = new Map(options.supplied);
    const { expect: _, ...rest } = header;
    this.header = { ...rest, files: header.files.map((file, i) => prepared(file, `explain-${i}`, supplied)) };
    this.supplied = supplied;
    this.check = options.check;
    this.digester = options.digester;
  }

  /** @throws ReplayError, TraceError */
  *run({ doing, kernel, ops, threshold, check, keepGoing, watcherOf }: Run): Explaining<ReplayResult> {
    this.replays++;
    yield { doing, ops: this.opsDone };
    const parameters = threshold === undefined ? {} : { assembleThreshold: threshold };
    const { digester, supplied } = this;
    const replay = new Replay(this.header, { kernel, check: check ?? this.check, keepGoing, digester, supplied, parameters });
    if (watcherOf !== undefined) replay.machine.watch(watcherOf(replay));
    for (const op of ops) {
      const goesOn = replay.step(op);
      if (++this.opsDone % SLICE_OPS === 0) yield { doing, ops: this.opsDone };
      if (!goesOn) break;
    }
    return replay.finish();
  }
}

/** The same file with its bytes made: what is left to do for a replay is a copy. */
function prepared(file: FileSpec, digest: string, supplied: Map<string, Uint8Array>): FileSpec {
  if (!('seed' in file.content)) return file;
  supplied.set(digest, fileBytes(file));
  const { patches: _, ...rest } = file;
  return { ...rest, content: { sha256: digest } };
}

/** The finding that is the same failure, if the run made it. */
export const findingLike = ({ findings }: ReplayResult, ops: readonly Op[], signature: Signature): Finding | undefined =>
  findings.find((finding) => isSameSignature(signatureOfFinding(finding, ops[finding.op]), signature));
