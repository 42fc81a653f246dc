/**
 * Fuzzing as a pure function: run n of a campaign is a function of its seed and n, whoever makes it, in whatever order.
 *
 * A campaign takes the results of runs in the order of their numbers, so its findings do not depend on how many workers
 * make them. A finding is new if nothing before had its signature.
 */
import type { CheckMode } from '../sim/check/checker.ts';
import type { Digester } from '../sim/digest.ts';
import type { Finding } from '../sim/finding.ts';
import { Replay } from '../sim/replay.ts';
import { signatureOfFinding, signatureText } from '../sim/shrink/signature.ts';
import { generateTrace, type GeneratedTrace, type GenerateOptions } from './generate.ts';
import { StateCoverage } from './state-coverage.ts';

/** What makes the runs of a campaign; plain data, so that a worker can be told. */
export interface CampaignOptions extends GenerateOptions {
  readonly kernel: string;
  readonly seed: string;
  readonly check: CheckMode;
}

/** What one run found, as plain data. */
export interface RunReport {
  readonly run: number;
  readonly ops: number;
  readonly findings: readonly FindingReport[];
  /** Features that no run before it in its batch has met. */
  readonly features: readonly number[];
}

export interface FindingReport {
  /** Kind, id and kind of place, as the shrinker compares them. */
  readonly signature: string;
  readonly op: number;
  readonly message: string;
  /** The verdict names it; others are what was seen besides. */
  readonly isHeadline: boolean;
}

/** Runs in a row. */
export type BatchReport = readonly RunReport[];

/** The trace of a run. */
export const traceOfRun = ({ seed, ...options }: CampaignOptions, run: number): GeneratedTrace => generateTrace(`${seed}/${run}`, options);

/** Makes the runs [from, to). @param digester - needed by every replay */
export function runBatch(
  options: CampaignOptions,
  { from, to }: { readonly from: number; readonly to: number },
  digester: Digester,
): BatchReport {
  const features = new Set<number>();
  const runs: RunReport[] = [];
  for (let run = from; run < to; run++) runs.push(oneRun(traceOfRun(options, run), { run, check: options.check, digester, features }));
  return runs;
}

interface OneRun {
  readonly run: number;
  readonly check: CheckMode;
  readonly digester: Digester;
  /** What runs before it have met; what it meets is added. */
  readonly features: Set<number>;
}

function oneRun({ header, ops }: GeneratedTrace, { run, check, digester, features }: OneRun): RunReport {
  const replay = new Replay(header, { digester, check });
  const coverage = new StateCoverage(replay.machine.kernel);
  replay.machine.watch(coverage);
  for (const op of ops) if (!replay.step(op)) break;
  const result = replay.finish();
  const fresh = [...coverage.features].filter((feature) => !features.has(feature));
  for (const feature of fresh) features.add(feature);
  const reportOf = (finding: Finding): FindingReport => ({
    signature: signatureText(signatureOfFinding(finding, ops[finding.op])),
    op: finding.op,
    message: finding.message,
    isHeadline: finding === result.failure,
  });
  return { run, ops: result.ops, findings: result.findings.map(reportOf), features: fresh };
}

/** A signature that was new, and the first run that showed it. */
export interface NewFinding extends FindingReport {
  readonly run: number;
}

/** What a campaign knows so far. */
export class Campaign {
  readonly findings: NewFinding[] = [];
  readonly features = new Set<number>();
  runs = 0;
  ops = 0;
  /** Runs that found something. */
  failedRuns = 0;
  private readonly signatures = new Set<string>();
  private readonly isKeepingGoing: boolean;

  /** @param isKeepingGoing - collect every new signature; otherwise the first run that fails is the last */
  constructor(isKeepingGoing: boolean) {
    this.isKeepingGoing = isKeepingGoing;
  }

  get isOver(): boolean {
    return this.findings.length > 0 && !this.isKeepingGoing;
  }

  /** Takes the next runs; they must follow those before. @returns what was new */
  add(runs: BatchReport): readonly NewFinding[] {
    const known = this.findings.length;
    for (const report of runs) {
      if (this.isOver) break;
      this.addRun(report);
    }
    return this.findings.slice(known);
  }

  private addRun({ run, ops, findings, features }: RunReport): void {
    this.runs++;
    this.ops += ops;
    for (const feature of features) this.features.add(feature);
    if (findings.length > 0) this.failedRuns++;
    // Without going on only what the verdict names counts.
    for (const finding of this.isKeepingGoing ? findings : findings.filter(({ isHeadline }) => isHeadline)) {
      if (this.signatures.has(finding.signature)) continue;
      this.signatures.add(finding.signature);
      this.findings.push({ run, ...finding });
    }
  }
}
