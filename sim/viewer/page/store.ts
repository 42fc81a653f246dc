/** The page's state and everything that changes it. Views read it; whoever changes it says so to the one who draws. */
import type { FindingsSoFar, FindingView } from '../findings.ts';
import type { Partings } from '../lockstep.ts';
import type { Moment, Selection } from '../moment.ts';
import { FLAG } from '../overview.ts';
import type { EngineAnswer, EngineRequest, TraceFacts, ViewOptions } from '../protocol.ts';
import { RunOverview } from './run-overview.ts';

export type Phase = 'empty' | 'reading' | 'running' | 'ready';

export interface Engine {
  ask(request: EngineRequest): void;
}

/** Lines of notation asked for at a time. */
const LINES_CHUNK = 64;
const RUN_PAUSE_MS = 120;

export class Store {
  phase: Phase = 'empty';
  /** What went wrong last. */
  error: string | undefined;
  opsRead = 0;
  openedInMs: number | undefined;
  facts: TraceFacts | undefined;
  overview = new RunOverview(0);
  findings: (FindingsSoFar | undefined)[] = [];
  partings: Partings | undefined;
  /** The op that is shown, or asked for; -1 is before the first. */
  op = -1;
  selection: Selection = {};
  moments: readonly Moment[] = [];
  isRunning = false;
  isHelpOpen = false;
  /** Visible part of the timeline, in ops. */
  range: readonly [from: number, to: number] = [0, 1];
  /** Goes up whenever the timeline's data or range change. */
  timelineVersion = 0;
  private readonly engine: Engine;
  private readonly changed: () => void;
  private readonly lines = new Map<number, string>();
  private readonly linesAsked = new Set<number>();
  private requestId = 0;
  private isWaiting = false;
  /** The user chose a moment; findings no longer move it. */
  private hasChosen = false;

  constructor(engine: Engine, changed: () => void) {
    this.engine = engine;
    this.changed = changed;
  }

  get count(): number {
    return this.facts?.ops ?? 0;
  }

  /** The finding that the verdict names; one that no program could notice only when there is nothing worse. */
  get failure(): FindingView | undefined {
    const soFar = this.findings[0];
    const named = soFar?.findings[soFar.headline];
    return named?.isVisible === true || soFar?.isDone === true ? named : undefined;
  }

  open(name: string, file: Blob, options: ViewOptions, op: number | undefined): void {
    Object.assign(this, { phase: 'reading', error: undefined, opsRead: 0, facts: undefined, moments: [], findings: [] });
    Object.assign(this, { partings: undefined, selection: {}, isRunning: false, op: op ?? -1, isWaiting: false });
    this.overview = new RunOverview(0);
    this.hasChosen = op !== undefined;
    this.lines.clear();
    this.linesAsked.clear();
    this.engine.ask({ type: 'open', name, file, options });
    this.changed();
  }

  hear(answer: EngineAnswer): void {
    switch (answer.type) {
      case 'reading':
        this.opsRead = answer.ops;
        break;
      case 'opened':
        this.begin(answer.facts);
        break;
      case 'overview':
        this.overview.add(answer.part);
        this.timelineVersion++;
        break;
      case 'ready':
        this.phase = 'ready';
        this.openedInMs = answer.milliseconds;
        break;
      case 'findings':
        this.takeFindings(answer.side, answer.soFar);
        break;
      case 'partings':
        this.partings = answer.partings;
        break;
      case 'moment':
        this.show(answer.id, answer.moments);
        break;
      case 'ops':
        answer.lines.forEach((line, i) => this.lines.set(answer.from + i, line));
        break;
      case 'failed':
        this.error = answer.message;
        if (this.facts === undefined) this.phase = 'empty';
        break;
    }
    this.changed();
  }

  // ---- Moments.

  goTo(op: number): void {
    this.hasChosen = true;
    this.moveTo(op);
  }

  step(by: number): void {
    this.isRunning = false;
    this.goTo(this.op + by);
  }

  select(selection: Selection): void {
    this.selection = { ...this.selection, ...selection };
    this.ask();
    this.changed();
  }

  /** Looks again at what the op is about. */
  follow(): void {
    this.selection = {};
    this.ask();
    this.changed();
  }

  toggleRun(): void {
    this.isRunning = !this.isRunning;
    if (this.isRunning) this.runOn();
    this.changed();
  }

  /** Goes to the next op with a flag, or with -1 to the one before. @returns whether there is one */
  jump(flag: number, direction: 1 | -1): boolean {
    for (let op = this.op + direction; op >= 0 && op < this.overview.covered; op += direction) {
      if ((this.overview.flags[op]! & flag) === 0) continue;
      this.isRunning = false;
      this.selection = {};
      this.goTo(op);
      return true;
    }
    return false;
  }

  goToFinding(finding: FindingView): void {
    const isByte = finding.pid !== undefined && finding.address !== undefined;
    this.selection = isByte ? { pid: finding.pid, address: finding.address } : {};
    this.goTo(Math.min(finding.op, this.count - 1));
  }

  goToFailure(): void {
    if (this.failure !== undefined) this.goToFinding(this.failure);
  }

  /** Draws everything again, in other colours. */
  redraw(): void {
    this.changed();
  }

  toggleHelp(): void {
    this.isHelpOpen = !this.isHelpOpen;
    this.changed();
  }

  /** The next process, or with -1 the one before. */
  nextProcess(direction: 1 | -1): void {
    const [moment] = this.moments;
    if (moment === undefined || moment.processes.length === 0) return;
    const pids = moment.processes.map(({ pid }) => pid);
    const at = pids.indexOf(moment.pid) + direction;
    this.select({ pid: pids[(at + pids.length) % pids.length], address: undefined, frame: undefined });
  }

  /** The next page with wrong bytes, over and over. */
  nextWrongPage(): void {
    const [moment] = this.moments;
    const pages = moment?.space?.wrongPages ?? [];
    if (moment === undefined || pages.length === 0) return;
    const page = pages.find((start) => start > moment.address) ?? pages[0]!;
    this.select({ pid: moment.pid, address: page, frame: undefined });
  }

  // ---- The timeline's visible part.

  zoom(factor: number, around = this.op): void {
    const [from, to] = this.range;
    const width = Math.max(Math.min(8, this.count), Math.min(this.count, (to - from) * factor));
    const share = Math.max(0, Math.min(1, (around - from) / (to - from)));
    this.setRange(around - share * width, width);
  }

  pan(by: number): void {
    const [from, to] = this.range;
    this.setRange(from + by, to - from);
  }

  showAll(): void {
    this.setRange(0, this.count);
  }

  private setRange(from: number, width: number): void {
    const start = Math.max(0, Math.min(this.count - width, from));
    this.range = [start, start + Math.max(1, width)];
    this.timelineVersion++;
    this.changed();
  }

  // ---- Notation.

  /** The notation of an op, if it is here already; otherwise it is asked for. */
  lineOf(op: number): string | undefined {
    const line = this.lines.get(op);
    const chunk = Math.floor(op / LINES_CHUNK);
    if (line === undefined && !this.linesAsked.has(chunk)) {
      this.linesAsked.add(chunk);
      this.engine.ask({ type: 'ops', from: chunk * LINES_CHUNK, count: LINES_CHUNK });
    }
    return line;
  }

  private begin(facts: TraceFacts): void {
    this.facts = facts;
    this.phase = 'running';
    this.overview = new RunOverview(facts.ops);
    this.range = [0, Math.max(1, facts.ops)];
    if (!this.hasChosen) this.op = Math.min(facts.expectedOp ?? 0, facts.ops - 1);
    this.moveTo(this.op);
  }

  private takeFindings(side: number, soFar: FindingsSoFar): void {
    if (side === 0 && soFar.findings.length !== this.findings[0]?.findings.length) this.timelineVersion++;
    this.findings[side] = soFar;
    this.goToFailureOnce();
  }

  /** The first failure is what people come for. */
  private goToFailureOnce(): void {
    if (this.hasChosen || this.failure === undefined || !this.failure.isVisible) return;
    this.goToFailure();
  }

  private show(id: number, moments: readonly Moment[]): void {
    this.isWaiting = false;
    this.moments = moments;
    if (id !== this.requestId) return;
    this.op = moments[0]!.op; // the run may have ended before the op that was asked for
    if (this.isRunning) setTimeout(() => this.runOn(), RUN_PAUSE_MS);
  }

  private runOn(): void {
    if (!this.isRunning || this.isWaiting) return;
    if (this.op >= this.count - 1) {
      this.isRunning = false;
      this.changed();
    } else this.goTo(this.op + 1);
  }

  private moveTo(op: number): void {
    this.op = Math.max(-1, Math.min(this.count - 1, op));
    const [from, to] = this.range;
    if (this.op < from || this.op >= to) this.setRange(this.op - (to - from) / 2, to - from);
    this.ask();
    this.changed();
  }

  private ask(): void {
    if (this.facts === undefined) return;
    this.isWaiting = true;
    this.engine.ask({ type: 'moment', id: ++this.requestId, op: this.op, selection: this.selection });
  }
}

/** What the jumps of the toolbar and the keys look for. */
export const JUMPS = { fault: FLAG.fault, assembly: FLAG.assembly, exec: FLAG.exec } as const;
