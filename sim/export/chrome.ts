/**
 * A run in Chrome's trace event format: JSON that chrome://tracing, Perfetto and speedscope open.
 *
 * @see "Trace Event Format", Google, 2016: complete events (X), instants (i), counters (C), metadata (M)
 */
import type { RunRecord } from './run-record.ts';

/** The lines of the file. */
export function* chromeTrace({ kernel, tracks, slices, instants, samples }: RunRecord): Generator<string> {
  yield `{"displayTimeUnit":"ns","otherData":${JSON.stringify({ kernel, time: 'op n begins at n microseconds' })},"traceEvents":[`;
  let separator = '';
  const line = (event: object): string => {
    const text = `${separator}${JSON.stringify(event)}`;
    separator = ',';
    return text;
  };
  for (const { pid, name } of tracks) yield line({ ph: 'M', name: 'process_name', pid, tid: pid, args: { name } });
  for (const { pid, name, start, length, args } of slices)
    yield line({ ph: 'X', cat: 'op', name, pid, tid: pid, ts: start, dur: length, args });
  for (const { pid, name, at, args } of instants)
    yield line({ ph: 'i', s: 't', cat: 'kernel', name, pid, tid: pid, ts: rounded(at), args });
  for (const { name, at, value } of samples) yield line({ ph: 'C', name, pid: 0, tid: 0, ts: rounded(at), args: { value } });
  yield ']}';
}

/** Nanoseconds are the finest that is shown. */
const rounded = (unit: number): number => Math.round(unit * 1000) / 1000;
