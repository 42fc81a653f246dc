/** Everything that is wrong in a run: a run of its own with the checker at every change of mappings, in slices beside the visits. */
import type { SuppliedFiles } from '../../traces/content.ts';
import type { TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { headline, isVisible, type Finding } from '../finding.ts';
import { Replay } from '../replay.ts';
import { failureLines } from '../report.ts';
import type { SessionOptions } from './session.ts';
import { SILENT_DIGESTER } from './silent-digester.ts';

export interface FindingView {
  readonly kind: string;
  readonly id: string;
  /** Index of the op; the number of ops for what is found at the end. */
  readonly op: number;
  readonly pid: number | undefined;
  readonly address: number | undefined;
  readonly message: string;
  /** A program could notice. */
  readonly isVisible: boolean;
  /** The report, a line a fact. */
  readonly lines: readonly string[];
}

export interface FindingsSoFar {
  /** Whole percent of the ops that are checked. */
  readonly percent: number;
  readonly isDone: boolean;
  readonly findings: readonly FindingView[];
  /** Index of the one that the verdict names, -1 for none. */
  readonly headline: number;
  /** Once done. */
  readonly verdict: string | undefined;
}

const OPS_BETWEEN_LOOKS = 16;

export class FindingScan {
  private readonly ops: readonly Op[];
  private readonly replay: Replay;
  private at = 0;
  private verdict: string | undefined;
  private readonly views: FindingView[] = [];

  /** @throws ReplayError, TraceError */
  constructor(
    header: TraceHeader,
    ops: readonly Op[],
    { kernel, threshold, supplied }: SessionOptions & { readonly supplied?: SuppliedFiles | undefined },
  ) {
    this.ops = ops;
    const parameters = threshold === undefined ? {} : { assembleThreshold: threshold };
    this.replay = new Replay(header, { kernel, parameters, check: 'changes', keepGoing: true, supplied, digester: SILENT_DIGESTER });
  }

  /** Runs on until `isOutOfTime`. */
  run(isOutOfTime: () => boolean): FindingsSoFar {
    while (this.verdict === undefined) {
      if (this.at >= this.ops.length || !this.replay.step(this.ops[this.at]!)) this.verdict = this.replay.finish().verdict;
      else this.at++;
      if (this.at % OPS_BETWEEN_LOOKS === 0 && isOutOfTime()) break;
    }
    return this.soFar();
  }

  private soFar(): FindingsSoFar {
    const findings = this.replay.checker?.findings ?? [];
    const named = headline(findings);
    this.views.push(...findings.slice(this.views.length).map((finding) => this.view(finding)));
    return {
      percent: Math.floor((this.at / Math.max(1, this.ops.length)) * 100),
      isDone: this.verdict !== undefined,
      findings: [...this.views],
      headline: named === undefined ? -1 : findings.indexOf(named),
      verdict: this.verdict,
    };
  }

  private view(finding: Finding): FindingView {
    const { kind, id, op, pid, address, message } = finding;
    const at = this.ops[op];
    const witness = at === undefined ? undefined : { op: at, image: undefined, window: undefined };
    return { kind, id, op, pid, address, message, isVisible: isVisible(finding), lines: failureLines(finding, witness) };
  }
}
