/**
 * What an import says of itself: what it read, what it skipped, what it assumed, and which facts the recording lacks.
 *
 * Remarks of one wording are counted together, with the lines of the first few: a recording of a million lines may have one remark
 * on each. What is missing is said once, with the option that supplies it.
 */

/** Lines that a remark names. */
const LINES_KEPT = 5;

export interface Remark {
  readonly what: string;
  readonly count: number;
  /** Of the first few; 0 is the recording as a whole. */
  readonly lines: readonly number[];
}

export interface ImportReport {
  /** Lines by what they were. */
  readonly read: Readonly<Record<string, number>>;
  readonly skipped: readonly Remark[];
  readonly assumed: readonly Remark[];
  readonly missing: readonly string[];
}

/** Collects the report while an import runs. */
export class ReportBook {
  private readonly kinds = new Map<string, number>();
  private readonly skips = new Map<string, { count: number; lines: number[] }>();
  private readonly assumptions = new Map<string, { count: number; lines: number[] }>();
  private readonly lacks = new Set<string>();

  /** A line of this kind was understood. */
  read(kind: string): void {
    this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
  }

  /** The line is not in the trace, and why. */
  skip(what: string, line: number): void {
    note(this.skips, what, line);
  }

  /** The trace says more than the recording. */
  assume(what: string, line: number): void {
    note(this.assumptions, what, line);
  }

  /** A fact that the user can supply. */
  miss(what: string): void {
    this.lacks.add(what);
  }

  finish(): ImportReport {
    return {
      read: Object.fromEntries([...this.kinds].sort(([a], [b]) => (a < b ? -1 : 1))),
      skipped: remarks(this.skips),
      assumed: remarks(this.assumptions),
      missing: [...this.lacks],
    };
  }
}

function note(into: Map<string, { count: number; lines: number[] }>, what: string, line: number): void {
  const known = into.get(what);
  if (known === undefined) into.set(what, { count: 1, lines: [line] });
  else {
    known.count++;
    if (known.lines.length < LINES_KEPT) known.lines.push(line);
  }
}

const remarks = (from: ReadonlyMap<string, { count: number; lines: number[] }>): Remark[] =>
  [...from].map(([what, { count, lines }]) => ({ what, count, lines }));

/** The report as lines of text. */
export function importReportLines({ read, skipped, assumed, missing }: ImportReport): string[] {
  const counts = Object.entries(read).map(([kind, count]) => `${count} ${kind}`);
  return [
    `read       ${counts.join(', ') || 'nothing'}`,
    ...skipped.map((remark) => `skipped    ${remarkText(remark)}`),
    ...assumed.map((remark) => `assumed    ${remarkText(remark)}`),
    ...missing.map((what) => `missing    ${what}`),
  ];
}

function remarkText({ what, count, lines }: Remark): string {
  const known = lines.filter((line) => line > 0);
  const more = count > known.length && known.length > 0 ? ', …' : '';
  const place = known.length === 0 ? '' : ` (line${known.length > 1 ? 's' : ''} ${known.join(', ')}${more})`;
  return `${count > 1 ? `${count} × ` : ''}${what}${place}`;
}
