/** What checking a log says: how far the model can explain it. */

/** The first event that the model cannot explain. */
export interface Unexplained {
  readonly line: number;
  /** The event's type; empty for a line that is damaged. */
  readonly event: string;
  readonly why: string;
}

export interface LogVerdict {
  readonly unexplained: Unexplained | undefined;
  /** Lines read, events by type. */
  readonly lines: number;
  readonly events: Readonly<Record<string, number>>;
  readonly processes: number;
  /** What the log lets nobody check. */
  readonly remarks: readonly string[];
}
