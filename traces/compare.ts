/**
 * Where two sequences of records first differ: two traces, or the events of two runs.
 *
 * Values are compared as JSON values: fields by name in any order, lists by place. An absent field and `undefined` are the same.
 */

/** The first difference. */
export interface Difference {
  /** Which record, from 0. */ readonly index: number;
  /** Path of the field, such as `flags[1]`; empty if one sequence ended, or the records are of different kinds of value. */ readonly field: string;
  /** Its value in the first sequence; undefined if there is none. */ readonly left: unknown;
  /** Its value in the second sequence; undefined if there is none. */ readonly right: unknown;
}

/** The first difference of two sequences, or undefined if they are equal. Reads no further than that. */
export function firstDifference(left: Iterable<unknown>, right: Iterable<unknown>): Difference | undefined {
  const others = right[Symbol.iterator]() as Iterator<unknown, undefined>;
  let index = 0;
  for (const record of left) {
    const { done, value } = others.next();
    if (done === true) return { index, field: '', left: record, right: undefined };
    const found = fieldDifference(record, value, '');
    if (found !== undefined) return { index, ...found };
    index++;
  }
  const { done, value } = others.next();
  return done === true ? undefined : { index, field: '', left: undefined, right: value };
}

type FieldDifference = Omit<Difference, 'index'>;

function fieldDifference(left: unknown, right: unknown, field: string): FieldDifference | undefined {
  if (Object.is(left, right)) return undefined;
  if (Array.isArray(left) && Array.isArray(right)) return listDifference(left, right, field);
  if (!isRecord(left) || !isRecord(right)) return { field, left, right };
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const found = fieldDifference(own(left, key), own(right, key), field === '' ? key : `${field}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function listDifference(left: readonly unknown[], right: readonly unknown[], field: string): FieldDifference | undefined {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const found = fieldDifference(left[index], right[index], `${field}[${index}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const own = (record: Record<string, unknown>, key: string): unknown => (Object.hasOwn(record, key) ? record[key] : undefined);
