/**
 * Drives a shrink at the edge: answers questions from the journal, on this thread or on several, and writes down each step.
 *
 * Candidates are replayed speculatively, as many at a time as there are threads, and looked at in order; what lies behind the
 * first that fails as wanted is forgotten. So the result does not depend on the number of threads.
 */
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setImmediate } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { evaluatorFor, isSpent, shrinkSteps, traceOfBest, type ShrinkOptions, type ShrinkResult } from '../shrink/shrink.ts';
import type { Candidate, Evaluator, Outcome, Sliced } from '../shrink/evaluate.ts';
import { answerFrom, wantedIn, type Answer, type Question, type Stage } from '../shrink/question.ts';
import type { Best } from '../shrink/shrinker.ts';
import { modulePath } from './kernel-module.ts';
import type { Journal } from './shrink-journal.ts';
import type { WorkerOptions } from './shrink-worker.ts';
import type { Terminal } from './terminal.ts';
import { writeTrace } from './trace-file.ts';

export interface DriveOptions extends ShrinkOptions {
  readonly jobs: number;
  /** Where the best trace so far is written. */
  readonly out: string;
  readonly journal: Journal;
  /** Hears of every smaller trace. */
  readonly onBest?: (best: Best, stage: Stage) => void;
}

/** Threads beyond the machine's only get in each other's way. */
export const jobsMax = (): number => availableParallelism();

/** How long the process may be deaf. */
const SLICE_MS = 50;

/** Shrinks, and writes each smaller trace to `out`. @throws ShrinkError, Interrupted */
export async function driveShrink(trace: Candidate, options: DriveOptions, terminal: Terminal): Promise<ShrinkResult> {
  const driver = new Driver(trace.header.kernel.name, options, terminal);
  try {
    return await driver.run(trace);
  } finally {
    await driver.close();
  }
}

class Driver {
  private readonly options: DriveOptions;
  private readonly terminal: Terminal;
  private readonly evaluator: Evaluator;
  private readonly pool: Piscina | undefined;
  private replays = 0;
  private deafSince = performance.now();
  /** The best trace is newer than its file. */
  private unwritten: Best | undefined;

  constructor(kernel: string, options: DriveOptions, terminal: Terminal) {
    this.options = options;
    this.terminal = terminal;
    this.evaluator = evaluatorFor(options);
    this.pool = options.jobs > 1 ? createPool(kernel, options) : undefined;
  }

  async close(): Promise<void> {
    await this.pool?.destroy();
  }

  async run(trace: Candidate): Promise<ShrinkResult> {
    const { journal, onBest } = this.options;
    const steps = shrinkSteps(trace, this.options, this.evaluator);
    let step = steps.next();
    while (step.done !== true) {
      const { value } = step;
      if (value.kind === 'pause') {
        await this.lookUp();
        step = steps.next();
      } else if (value.kind === 'accepted') {
        this.unwritten = value.best;
        onBest?.(value.best, value.stage);
        step = steps.next();
      } else {
        const known = journal.take();
        if (known === undefined) await this.writeBest();
        step = steps.next(known ?? (await this.answer(value)));
      }
    }
    await writeTrace(this.options.out, step.value.trace.header, step.value.trace.ops);
    if (step.value.isComplete) journal.remove();
    return step.value;
  }

  private async writeBest(): Promise<void> {
    if (this.unwritten === undefined) return;
    const { header, ops } = traceOfBest(this.unwritten);
    this.unwritten = undefined;
    await writeTrace(this.options.out, header, ops);
  }

  /** @returns undefined when the budget is used up */
  private async answer(question: Question): Promise<Answer | undefined> {
    if (isSpent(this.replays, this.options)) return undefined;
    const outcomes = this.pool === undefined ? await this.evaluateHere(question) : await this.evaluateOn(this.pool, question);
    if (this.options.isOutOfTime?.() === true) return undefined;
    const answer = answerFrom(question, outcomes);
    this.replays += answer.failures.length;
    this.options.journal.add(answer);
    return answer;
  }

  private async evaluateHere({ kind, candidates, target }: Question): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const candidate of candidates) {
      const outcome = await this.inSlices(this.evaluator.evaluating(candidate));
      outcomes.push(outcome);
      await this.lookUp();
      if (kind === 'first' && wantedIn(outcome, target) !== undefined) break;
    }
    return outcomes;
  }

  private async inSlices<Result>(sliced: Sliced<Result>): Promise<Result> {
    for (;;) {
      const step = sliced.next();
      if (step.done === true) return step.value;
      await this.lookUp();
    }
  }

  private async evaluateOn(pool: Piscina, { kind, candidates, target }: Question): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const running: Promise<Outcome>[] = [];
    try {
      for (let i = 0; i < candidates.length; i++) {
        while (running.length < candidates.length && running.length < i + this.options.jobs)
          running.push(pool.run(candidates[running.length]!) as Promise<Outcome>);
        const outcome = await running[i]!;
        outcomes.push(outcome);
        this.terminal.throwIfInterrupted(() => 'while shrinking; the output is the best so far');
        if (kind === 'first' && wantedIn(outcome, target) !== undefined) break;
      }
      return outcomes;
    } finally {
      // A task that has begun is let run: to stop it would end its thread.
      for (const one of running.slice(outcomes.length)) one.catch(() => undefined);
    }
  }

  /** Lets the process hear Ctrl-C, every so often. @throws Interrupted */
  private async lookUp(): Promise<void> {
    if (performance.now() - this.deafSince < SLICE_MS) return;
    await setImmediate();
    this.terminal.throwIfInterrupted(() => 'while shrinking; the output is the best so far, and the same command goes on from there');
    this.deafSince = performance.now();
  }
}

function createPool(kernel: string, { jobs, check, keepGoing, wanted, supplied }: DriveOptions): Piscina {
  const isSource = import.meta.url.endsWith('.ts');
  const here = (name: string): URL => new URL(name, import.meta.url);
  const filename = fileURLToPath(here(isSource ? '../../scripts/worker-from-source.mjs' : './shrink-worker.js'));
  const options: WorkerOptions = { check, keepGoing: keepGoing ?? wanted !== undefined, supplied };
  const workerData = { ...options, module: modulePath(kernel), source: here('./shrink-worker.ts').href };
  return new Piscina({ filename, name: 'run', minThreads: jobs, maxThreads: jobs, workerData });
}
