/**
 * Runs a trace at the edge: in slices, so that Ctrl-C is heard and progress is shown, and against the clock.
 */
import { setImmediate } from 'node:timers/promises';
import type { TraceHeader } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { Replay, type ReplayOptions, type ReplayResult } from '../replay.ts';
import type { Witness } from '../report.ts';
import { Twins, type RunDifference } from '../twice.ts';
import type { Terminal } from './terminal.ts';
import { WitnessStand } from './witness.ts';

/** A trace to run: its header, and its ops in batches. */
export interface TraceSource {
  readonly header: TraceHeader;
  readonly ops: AsyncIterable<readonly Op[]> | Iterable<readonly Op[]>;
}

export interface RunOptions extends Omit<ReplayOptions, 'isOutOfTime'> {
  /** Run everything twice and compare. */
  readonly isTwice?: boolean;
  readonly secondsMax?: number | undefined;
  /** `performance.now()` at the start of the command, from which the time counts. */
  readonly startedAt?: number;
  /** Hears the number of ops done, a few times a second. */
  readonly onProgress?: (ops: number) => void;
  /** Is waited for between slices: whoever takes the events may be slow. */
  readonly betweenSlices?: () => Promise<void>;
}

export interface TraceRun {
  readonly result: ReplayResult;
  /** Of the result's failure. */
  readonly witness: Witness | undefined;
  /** Present if the trace was run twice and the runs differ. */
  readonly difference: RunDifference | undefined;
  readonly elapsedMs: number;
}

/** How long the process may be deaf. */
const SLICE_MS = 50;
/** Ops between two looks at the clock. */
const OPS_BETWEEN_LOOKS = 32;

/** @throws TraceError of the source; ReplayError; Interrupted */
export async function runTrace(source: TraceSource, options: RunOptions, terminal: Terminal): Promise<TraceRun> {
  const startedAt = options.startedAt ?? performance.now();
  const runner = startRunner(source.header, options, startedAt);
  const run = runner instanceof Twins ? runner.first : runner;
  const stand = options.check === 'none' ? undefined : new WitnessStand(run);
  let done = 0;
  const slices = new Slices(
    options,
    terminal,
    () => `at op ${done} on ${run.kernel.name}, threshold ${run.machine.kernel.parameters.assembleThreshold}`,
  );
  reading: for await (const batch of source.ops) {
    for (const op of batch) {
      const goesOn = runner.step(op);
      stand?.after(op);
      done++;
      if (!goesOn) break reading;
      if (done % OPS_BETWEEN_LOOKS === 0 && slices.isOver()) await slices.begin(done);
    }
  }
  const result = runner.finish();
  await options.betweenSlices?.();
  const difference = runner instanceof Twins ? runner.difference : undefined;
  return { result, witness: stand?.of(result.failure), difference, elapsedMs: performance.now() - startedAt };
}

function startRunner(header: TraceHeader, options: RunOptions, startedAt: number): Replay | Twins {
  const { secondsMax, isTwice } = options;
  const isOutOfTime = secondsMax === undefined ? undefined : () => performance.now() - startedAt > secondsMax * 1000;
  return isTwice === true ? new Twins(header, { ...options, isOutOfTime }) : new Replay(header, { ...options, isOutOfTime });
}

/** Lets the process look up every so often. */
class Slices {
  private readonly options: RunOptions;
  private readonly terminal: Terminal;
  private readonly where: () => string;
  private end = performance.now() + SLICE_MS;

  constructor(options: RunOptions, terminal: Terminal, where: () => string) {
    this.options = options;
    this.terminal = terminal;
    this.where = where;
  }

  isOver(): boolean {
    return performance.now() > this.end;
  }

  async begin(done: number): Promise<void> {
    this.options.onProgress?.(done);
    await this.options.betweenSlices?.();
    await setImmediate();
    this.terminal.throwIfInterrupted(this.where);
    this.end = performance.now() + SLICE_MS;
  }
}
