/**
 * What a malformed trace says: which file, which line, which field, what is wrong and what to do.
 *
 * The message is one line of printable text, whatever the trace holds: a value that is quoted is shortened and escaped.
 * Wrong input is always a `TraceError`; any other error thrown by this folder is a mistake of the program.
 */

/** Where a record was read. `file` is a name for messages, `line` counts from 1; line 0 is the file as a whole. */
export interface Where {
  readonly file: string;
  readonly line: number;
}

/** A place for values that come from no file: tests, generators. */
export const NOWHERE: Where = { file: '<memory>', line: 1 };

const SHOWN_MAX = 60;

/** The trace is malformed: the mistake of whoever wrote the file. Prints ``FILE:LINE: field `x`: what is wrong (what to do)``. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly file: string;
  readonly line: number;
  /** Path of the field, such as `files[0].segments[1].vaddr`; empty when the whole line is meant. */
  readonly field: string;
  /** What is wrong and what to do, without the place. */
  readonly problem: string;

  constructor(where: Where, field: string, problem: string) {
    const place = where.line === 0 ? where.file : `${where.file}:${where.line}`;
    super(`${place}: ${field === '' ? '' : `field \`${field}\`: `}${problem}`);
    this.file = where.file;
    this.line = where.line;
    this.field = field;
    this.problem = problem;
  }
}

/** A value as a message may quote it: JSON, escaped, at most 60 characters. */
export function show(value: unknown): string {
  const text = typeof value === 'string' && value.length > SHOWN_MAX ? JSON.stringify(value.slice(0, SHOWN_MAX)) : shallow(value);
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text;
}

/** Objects and arrays may be deep or huge, so they are named, not printed. */
function shallow(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'bigint') return `${value}n`;
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return typeof value;
  return JSON.stringify(value);
}
