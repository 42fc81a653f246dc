/** The first difference of two JSONL files: two traces, or the events of two runs. */
import { firstDifference } from '../../traces/compare.ts';
import { show } from '../../traces/format-error.ts';
import { UsageError, type Terminal } from './terminal.ts';
import { readRecords } from './trace-file.ts';

/** Lines that say where the files part, or undefined if they are equal. @throws TraceError, UsageError, Interrupted */
export async function compareFiles(a: string, b: string, terminal: Terminal): Promise<string[] | undefined> {
  if (a === '-' && b === '-') throw new UsageError('both files are standard input: name at least one of them');
  const left = records(a);
  const right = records(b);
  try {
    return await compareRecords({ left, right }, { left: a, right: b }, terminal);
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
}

interface Pair<T> {
  readonly left: T;
  readonly right: T;
}

async function compareRecords(
  { left, right }: Pair<AsyncGenerator<unknown, undefined>>,
  names: Pair<string>,
  terminal: Terminal,
): Promise<string[] | undefined> {
  let isTrace = false;
  for (let index = 0; ; index++) {
    const [one, other] = [await left.next(), await right.next()];
    if (one.done === true && other.done === true) return undefined;
    if (index === 0) isTrace = isHeader(one.value) && isHeader(other.value);
    const found = firstDifference(one.done === true ? [] : [one.value], other.done === true ? [] : [other.value]);
    if (found !== undefined) {
      const place = isTrace ? (index === 0 ? 'header' : `op ${index - 1}`) : `record ${index}`;
      const field = found.field === '' ? '' : `, field ${found.field}`;
      return [
        `${place} (line ${index + 1})${field}`,
        `  ${names.left}: ${valueText(found.left)}`,
        `  ${names.right}: ${valueText(found.right)}`,
      ];
    }
    if (index % 1024 === 0) terminal.throwIfInterrupted(() => `at line ${index + 1}`);
  }
}

const valueText = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  return typeof value === 'object' ? JSON.stringify(value).slice(0, 200) : show(value);
};

const isHeader = (record: unknown): boolean => typeof record === 'object' && record !== null && 'faultline' in record;

async function* records(path: string): AsyncGenerator<unknown, undefined> {
  for await (const batch of readRecords(path)) yield* batch;
  return undefined;
}
