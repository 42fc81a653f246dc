/**
 * Runs a campaign on worker threads, and hears Ctrl-C.
 *
 * Batches are handed out in order and taken back in order; what is under way when the campaign ends is thrown away. So the
 * findings are those of the first runs in a row, with one worker as with many.
 */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { Campaign, type BatchReport, type CampaignOptions, type NewFinding } from '../../properties/fuzz.ts';
import type { BatchTask, RuleFailure, Shrunk, ShrinkTask } from './fuzz-worker.ts';
import { modulePath } from './kernel-module.ts';
import { UsageError, type Terminal } from './terminal.ts';

export interface FuzzOptions {
  readonly campaign: CampaignOptions;
  readonly jobs: number;
  readonly runsMax: number | undefined;
  readonly secondsMax: number | undefined;
  readonly isKeepingGoing: boolean;
  /** Replays that shrinking one finding may take. */
  readonly replaysMax: number;
  /** Hears of each finding when it is shrunk, in order. */
  readonly onFinding: (finding: NewFinding, shrunk: Shrunk) => Promise<void>;
}

export interface FuzzResult {
  readonly campaign: Campaign;
  readonly elapsedMs: number;
}

const RUNS_PER_BATCH = 20;
/** So many batches wait for each worker. */
const BATCHES_AHEAD = 2;
const MS_BETWEEN_REMARKS = 5000;

/** @throws Interrupted, after the findings so far were told */
export async function fuzz(options: FuzzOptions, terminal: Terminal): Promise<FuzzResult> {
  const pool = createPool(options);
  try {
    return await new Fuzzer(options, pool, terminal).run();
  } finally {
    await pool.destroy();
  }
}

function createPool({ jobs, campaign }: FuzzOptions): Piscina {
  const here = (name: string): URL => new URL(name, import.meta.url);
  const filename = fileURLToPath(here(import.meta.url.endsWith('.ts') ? '../../scripts/worker-from-source.mjs' : './fuzz-worker.js'));
  const workerData = { module: modulePath(campaign.kernel), source: here('./fuzz-worker.ts').href };
  return new Piscina({ filename, name: 'run', minThreads: jobs, maxThreads: jobs, workerData });
}

/** The same promise: if nobody waits for it any more, its failure must not end the process. */
function heard<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

class Fuzzer {
  private readonly options: FuzzOptions;
  private readonly pool: Piscina;
  private readonly terminal: Terminal;
  private readonly campaign: Campaign;
  private readonly startedAt = performance.now();
  private remarkedAt = performance.now();
  private nextRun = 0;

  constructor(options: FuzzOptions, pool: Piscina, terminal: Terminal) {
    this.options = options;
    this.pool = pool;
    this.terminal = terminal;
    this.campaign = new Campaign(options.isKeepingGoing);
  }

  async run(): Promise<FuzzResult> {
    const underWay: Promise<BatchReport>[] = [];
    for (;;) {
      while (underWay.length < this.options.jobs * BATCHES_AHEAD && !this.isHandedOut()) underWay.push(heard(this.handOut()));
      const next = underWay.shift();
      if (next === undefined || this.isOutOfTime()) break;
      const found = this.campaign.add(await this.unlessInterrupted(next));
      for (const finding of found) await this.tell(finding);
      this.remark();
      if (this.campaign.isOver) break;
    }
    return { campaign: this.campaign, elapsedMs: performance.now() - this.startedAt };
  }

  private isHandedOut(): boolean {
    const { runsMax } = this.options;
    return runsMax !== undefined && this.nextRun >= runsMax;
  }

  private handOut(): Promise<BatchReport> {
    const from = this.nextRun;
    this.nextRun = Math.min(from + RUNS_PER_BATCH, this.options.runsMax ?? Infinity);
    const task: BatchTask = { kind: 'batch', campaign: this.options.campaign, from, to: this.nextRun };
    return this.ask<BatchReport>(task);
  }

  /** What a worker answers. @throws UsageError if a rule of the user's own threw */
  private async ask<Answer extends BatchReport | Shrunk>(task: BatchTask | ShrinkTask): Promise<Answer> {
    const answer = (await this.pool.run(task)) as Answer | RuleFailure;
    if ('ruleError' in answer) throw new UsageError(answer.ruleError);
    return answer;
  }

  private async tell(finding: NewFinding): Promise<void> {
    const { campaign, replaysMax } = this.options;
    const wanted = finding.isHeadline ? undefined : finding.signature;
    const task: ShrinkTask = { kind: 'shrink', campaign, run: finding.run, wanted, replaysMax };
    const shrunk = await this.unlessInterrupted(this.ask<Shrunk>(task));
    await this.options.onFinding(finding, shrunk);
  }

  private isOutOfTime(): boolean {
    const { secondsMax } = this.options;
    return secondsMax !== undefined && performance.now() - this.startedAt > secondsMax * 1000;
  }

  private remark(): void {
    const now = performance.now();
    if (now - this.remarkedAt < MS_BETWEEN_REMARKS) return;
    this.remarkedAt = now;
    const { runs, features, findings } = this.campaign;
    const rate = Math.round((runs / (now - this.startedAt)) * 1000);
    this.terminal.remark(`${runs} runs, ${rate} a second, ${features.size} situations, ${findings.length} findings`);
  }

  /** @throws Interrupted as soon as Ctrl-C is pressed */
  private async unlessInterrupted<T>(work: Promise<T>): Promise<T> {
    const { interruption } = this.terminal;
    const where = (): string => `after ${this.campaign.runs} runs with ${this.campaign.findings.length} findings`;
    this.terminal.throwIfInterrupted(where);
    let wake = (): void => undefined;
    const pressed = new Promise<void>((resolve) => {
      wake = resolve;
      interruption.addEventListener('abort', wake, { once: true });
    });
    work.catch(() => undefined); // whoever waits for it below hears of it
    await Promise.race([work, pressed]);
    interruption.removeEventListener('abort', wake);
    this.terminal.throwIfInterrupted(where);
    return work;
  }
}
