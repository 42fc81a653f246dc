/** One event of a kernel's log, its fields as numbers and texts, or what is wrong with it. */
import { EVENT_FIELDS, hex, type EventType } from '../../kernel-model/index.ts';
import { numberField, numberOf, type KevlarEvent } from '../../traces/import/kevlar-line.ts';

/** A value of a field: lists are lists of records. */
export type FieldValue = number | string | boolean | readonly Readonly<Record<string, FieldValue>>[];

export interface LogEvent {
  readonly type: string;
  /** Does the model know this event? Others are only counted. */
  readonly isKnown: boolean;
  readonly pid: number | undefined;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

type Form = string | readonly (readonly [string, Form])[];
const OPTIONAL: ReadonlySet<string> = new Set(['vma_start', 'vma_end', 'vma_type', 'error']);

/** The event with its fields read; a text if one that it must have is missing or of another kind. */
export function readEvent({ type, fields: raw }: KevlarEvent): LogEvent | string {
  const pid = numberField(raw, 'pid') ?? numberField(raw, 'parent_pid');
  if (!(type in EVENT_FIELDS)) return { type, isKnown: false, pid, fields: {} };
  const fields = readFields(EVENT_FIELDS[type as EventType], raw, type);
  return typeof fields === 'string' ? fields : { type, isKnown: true, pid, fields };
}

function readFields(
  table: readonly (readonly [string, Form])[],
  raw: Readonly<Record<string, unknown>>,
  type: string,
): Readonly<Record<string, FieldValue>> | string {
  const fields: Record<string, FieldValue> = {};
  for (const [name, form] of table) {
    const value = raw[name];
    if (value === undefined && OPTIONAL.has(name)) continue;
    const read = readValue(form, value, type);
    if (read === undefined) return `${type} has no ${name}, or not of its kind`;
    if (typeof read === 'string' && typeof form !== 'string') return read;
    fields[name] = read;
  }
  return fields;
}

function readValue(form: Form, value: unknown, type: string): FieldValue | undefined {
  if (form === 'hex' || form === 'decimal') return numberOf(value);
  if (form === 'string') return typeof value === 'string' ? value : undefined;
  if (form === 'boolean') return typeof value === 'boolean' ? value : undefined;
  if (!Array.isArray(value) || typeof form === 'string') return undefined;
  const rows = value.map((row) =>
    typeof row === 'object' && row !== null ? readFields(form, row as Record<string, unknown>, type) : 'no row',
  );
  const wrong = rows.find((row) => typeof row === 'string');
  return wrong ?? (rows as readonly Readonly<Record<string, FieldValue>>[]);
}

/** The first field in which two events differ, in one sentence; undefined if they are equal. */
export function fieldDifference(event: LogEvent, expected: LogEvent): string | undefined {
  if (event.type !== expected.type) return `the model's next event of these kinds is ${expected.type}${placeOf(expected)}`;
  for (const name of new Set([...Object.keys(expected.fields), ...Object.keys(event.fields)])) {
    const [found, wanted] = [event.fields[name], expected.fields[name]];
    if (JSON.stringify(found) !== JSON.stringify(wanted))
      return `${name} is ${valueText(name, found)}, the model's is ${valueText(name, wanted)}`;
  }
  return undefined;
}

const placeOf = ({ pid, fields: { vaddr } }: LogEvent): string =>
  `${pid === undefined ? '' : ` of process ${pid}`}${typeof vaddr === 'number' ? ` at ${hex(vaddr)}` : ''}`;

function valueText(name: string, value: FieldValue | undefined): string {
  if (typeof value === 'number') return ['pid', 'status', 'len', 'pages', 'index'].includes(name) ? String(value) : hex(value);
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 300);
}
