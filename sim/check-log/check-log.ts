/**
 * Checks a kernel's serial log, line by line, until the first event that the model cannot explain.
 *
 * With nothing but the log it is held against the design (log-witness.ts). With the trace of what ran, the model runs it too, and the
 * log's events, of the kinds that are in the log at all, must be the model's: in order, none missing unless losses are allowed.
 */
import { parseKevlarLine } from '../../traces/import/kevlar-line.ts';
import type { LogVerdict, Unexplained } from './finding.ts';
import { fieldDifference, readEvent, type LogEvent } from './log-event.ts';
import type { LogWitness } from './log-witness.ts';

/** Says why an event cannot be. */
export type Judge = (event: LogEvent) => string | undefined;

export class LogChecker {
  private readonly judges: readonly Judge[];
  private readonly witness: LogWitness;
  private readonly counts = new Map<string, number>();
  private lines = 0;
  private damaged = 0;
  private found: Unexplained | undefined;

  constructor(witness: LogWitness, judges: readonly Judge[] = []) {
    this.witness = witness;
    this.judges = [...judges, (event) => witness.problemWith(event)];
  }

  /** @returns false once an event is unexplained */
  add(text: string): boolean {
    this.lines++;
    const line = parseKevlarLine(text);
    if (line === undefined) return true;
    const event = typeof line === 'string' ? line : readEvent(line);
    if (typeof event === 'string') {
      // A line that another CPU wrote into is lost, not wrong; an event of which a field is missing is.
      if (typeof line === 'string') this.damaged++;
      else this.found = { line: this.lines, event: line.type, why: event };
      return this.found === undefined;
    }
    this.counts.set(event.type, (this.counts.get(event.type) ?? 0) + 1);
    for (const judge of this.judges) {
      const why = judge(event);
      if (why === undefined) continue;
      this.found = { line: this.lines, event: event.type, why };
      return false;
    }
    return true;
  }

  finish(): LogVerdict {
    const remarks: string[] = [];
    if (this.damaged > 0) remarks.push(`${this.damaged} damaged lines were passed over`);
    if (!this.counts.has('page_fault')) remarks.push('no page faults in the log (debug=fault)');
    if (!this.counts.has('vm_audit')) remarks.push('no audits of VMAs in the log (debug=kwab-audit)');
    return {
      unexplained: this.found,
      lines: this.lines,
      events: Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1))),
      processes: this.witness.processes,
      remarks,
    };
  }
}

/** Compares a log with the events of the model on the same trace. */
export class ModelJudge {
  private readonly expected: readonly LogEvent[];
  private readonly isLossy: boolean;
  private at = 0;

  /** @param kinds - the types of events that the log has */
  constructor(expected: readonly LogEvent[], kinds: ReadonlySet<string>, isLossy: boolean) {
    this.expected = expected.filter(({ type }) => kinds.has(type));
    this.isLossy = isLossy;
  }

  problemWith(event: LogEvent): string | undefined {
    if (!event.isKnown) return undefined;
    const next = this.expected[this.at];
    if (next === undefined) return 'the model has no more events of these kinds';
    const difference = fieldDifference(event, next);
    if (difference === undefined) this.at++;
    else if (this.isLossy) return this.skipTo(event) ? undefined : difference;
    return difference;
  }

  private skipTo(event: LogEvent): boolean {
    const found = this.expected.findIndex((other, index) => index > this.at && fieldDifference(event, other) === undefined);
    if (found < 0) return false;
    this.at = found + 1;
    return true;
  }
}
