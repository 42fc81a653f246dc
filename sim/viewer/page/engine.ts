/**
 * The worker: reads the trace, runs it once for the timeline, answers visits, and looks for what is wrong in between.
 *
 * Work is done in slices, and after each slice what was asked in the meantime is answered first. Only the newest visit counts.
 */
import { kernelOf, type OwnKernel } from '../../../kernel-model/index.ts';
import { FindingScan, type FindingsSoFar } from '../findings.ts';
import { Lockstep } from '../lockstep.ts';
import { momentAt } from '../moment.ts';
import { Overview } from '../overview.ts';
import type { EngineAnswer, EngineRequest, MomentRequest, OpenRequest, TraceFacts, ViewOptions } from '../protocol.ts';
import { Session, type SessionOptions } from '../session.ts';
import type { TraceHeader } from '../../../traces/header.ts';
import { formatOp } from '../../../traces/notation.ts';
import type { Op } from '../../../traces/op.ts';
import { bytesOfBase64, readTraceFile } from './read-file.ts';

const SLICE_MS = 25;
/** After a visit the page has the machine to itself for so long, to show it. */
const PAUSE_MS = 50;

interface Trace {
  readonly header: TraceHeader;
  readonly ops: readonly Op[];
}

/** A slice of background work. @returns true when there is no more of it */
type Work = (isOutOfTime: () => boolean) => boolean;

class Engine {
  private trace: Trace | undefined;
  private sessions: readonly Session[] = [];
  private work: Work[] = [];
  private asked: MomentRequest | undefined;
  private isWorking = false;

  async hear(request: EngineRequest): Promise<void> {
    if (request.type === 'open') await this.open(request);
    else if (request.type === 'moment') {
      this.asked = request;
      this.goOn();
    } else if (this.trace !== undefined) {
      const ops = this.trace.ops.slice(request.from, request.from + request.count);
      say({ type: 'ops', from: request.from, lines: ops.map(formatOp) });
    }
  }

  private async open({ file, name, options }: OpenRequest): Promise<void> {
    const startedAt = performance.now();
    this.work = [];
    this.asked = undefined;
    this.sessions = [];
    const trace = await readTraceFile(file, name, (ops) => say({ type: 'reading', ops }));
    this.trace = trace;
    const sides = sidesOf(options);
    this.sessions = sides.map((side) => new Session(trace.header, trace.ops, side));
    say({ type: 'opened', facts: factsOf(name, this.sessions) });
    this.work = [this.overviewWork(startedAt), ...sides.map((side, i) => findingsWork(trace, side, i))];
    this.goOn();
  }

  private overviewWork(startedAt: number): Work {
    const [first, second] = this.sessions;
    const lockstep = second === undefined ? undefined : new Lockstep(first!, second);
    const overview = new Overview(first!, lockstep === undefined ? undefined : () => lockstep.step());
    return (isOutOfTime) => {
      const { isDone, ...part } = overview.run(isOutOfTime);
      say({ type: 'overview', part });
      if (!isDone) return false;
      if (lockstep !== undefined) say({ type: 'partings', partings: lockstep.partings });
      say({ type: 'ready', milliseconds: performance.now() - startedAt });
      return true;
    };
  }

  private goOn(): void {
    if (this.isWorking) return;
    this.isWorking = true;
    nextTurn(() => {
      this.isWorking = false;
      if (this.answer()) setTimeout(() => this.goOn(), PAUSE_MS);
      else this.workOn();
    });
  }

  /** Answers the newest visit that was asked for. @returns whether there was one */
  private answer(): boolean {
    const { asked } = this;
    if (asked === undefined || this.sessions.length === 0) return false;
    this.asked = undefined;
    const [first, ...others] = this.sessions;
    const moment = momentAt(first!, asked.op, asked.selection);
    // The other kernel shows the same place.
    const selection = { ...asked.selection, pid: moment.pid, address: moment.address };
    say({ type: 'moment', id: asked.id, moments: [moment, ...others.map((session) => momentAt(session, asked.op, selection))] });
    return true;
  }

  private workOn(): void {
    const [current] = this.work;
    if (current === undefined) return;
    const endsAt = performance.now() + SLICE_MS;
    if (current(() => performance.now() > endsAt)) this.work.shift();
    this.goOn();
  }
}

function sidesOf({ kernel, against, threshold, supplied = {} }: ViewOptions): readonly SessionOptions[] {
  const files = new Map(Object.entries(supplied).map(([digest, text]) => [digest, bytesOfBase64(text)] as const));
  const side = { kernel, threshold, supplied: files };
  return against === undefined ? [side] : [side, { ...side, kernel: against }];
}

function findingsWork({ header, ops }: Trace, side: SessionOptions, index: number): Work {
  let scan: FindingScan | undefined;
  let said: FindingsSoFar | undefined;
  return (isOutOfTime) => {
    scan ??= new FindingScan(header, ops, side);
    const soFar = scan.run(isOutOfTime);
    if (said === undefined || isNews(soFar, said)) say({ type: 'findings', side: index, soFar: (said = soFar) });
    return soFar.isDone;
  };
}

/** Would the page look different? */
const isNews = (soFar: FindingsSoFar, said: FindingsSoFar): boolean =>
  soFar.isDone || soFar.percent !== said.percent || soFar.findings.length !== said.findings.length;

function factsOf(name: string, sessions: readonly Session[]): TraceFacts {
  const { header, ops, kernel } = sessions[0]!;
  const { assembleThreshold, frames, hugePages } = kernel.parameters;
  return {
    name,
    ops: ops.length,
    kernels: sessions.map((session) => session.kernelName),
    threshold: assembleThreshold,
    frames,
    hugePages,
    note: header.source?.note,
    expectedOp: header.expect?.op,
  };
}

/** The worker's own scope, which the types of a window know by another name. */
interface Scope {
  postMessage(answer: EngineAnswer): void;
  onmessage: (event: MessageEvent<EngineRequest>) => void;
  /** Kernels of a user's own, put there by scripts before this one (sim/cli/kernel-script.ts). */
  readonly ownKernels?: readonly OwnKernel[];
}
const scope = self as unknown as Scope;
const say = (answer: EngineAnswer): void => scope.postMessage(answer);

/** A turn later, so that messages are heard first; timers would wait 4 ms each time. */
const turns = new MessageChannel();
let turn: (() => void) | undefined;
turns.port1.onmessage = () => guarded(() => turn?.());
function nextTurn(act: () => void): void {
  turn = act;
  turns.port2.postMessage(0);
}

function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    fail(error);
  }
}

const fail = (error: unknown): void => say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });

// Made by another copy of faultline: what they were defined by counts.
for (const { definition, decisions } of scope.ownKernels ?? []) kernelOf(definition, decisions);

const engine = new Engine();
scope.onmessage = ({ data }) => void engine.hear(data).catch(fail);
