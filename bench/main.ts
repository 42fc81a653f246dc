/**
 * Benchmarks: replay with and without checks, reading a trace, snapshots, memory. `npm run bench` prints the table;
 * with `--write` it also puts it into the README.
 *
 * Every figure is the median of several runs after a warm-up, in one process. Beside what it measures stands a peer
 * measured in the same run, because this machine's speed is not yours: ratios travel, absolute figures do not.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Bench } from 'tinybench';
import { restoreSnapshot, takeSnapshot } from '../kernel-model/index.ts';
import { openTrace, readTrace, writeTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { replay, Replay, type ReplayOptions } from '../sim/replay.ts';
import type { Trace } from '../traces/codec.ts';
import { riscvRows } from './riscv.ts';
import { touchHeavyTrace } from './touch-heavy.ts';

const RUNS = 5;
const RECORDED = new URL('../traces/recorded/suite20.jsonl.gz', import.meta.url);

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly peer: string;
}

const digester = await createDigester();

/** Median milliseconds of `RUNS` runs after one warm-up. */
async function medianOf(name: string, run: () => void | Promise<void>): Promise<number> {
  process.stderr.write(`${name} …\n`);
  const bench = new Bench({ iterations: RUNS, time: 0, warmupIterations: 1, warmupTime: 0 });
  bench.add(name, run);
  await bench.run();
  const result = bench.tasks[0]!.result;
  if (!('latency' in result)) throw new Error(`${name} did not finish`);
  return result.latency.p50;
}

const millions = (perSecond: number): string => `${(perSecond / 1e6).toFixed(2)} M/s`;

function replayOnce(trace: Trace, options: Omit<ReplayOptions, 'digester'>): void {
  const result = replay(trace, { digester, ...options });
  if (result.verdict !== 'held') throw new Error(`the replay ${result.verdict}: ${result.failure?.message ?? ''}`);
}

async function touchRows(): Promise<readonly Row[]> {
  const trace = touchHeavyTrace(1_000_000);
  const bytes = new Uint8Array(2 ** 24);
  const bare = await medianOf('bare loop', () => {
    for (const op of trace.ops) if (op.op === 'touch') bytes[op.addr % 2 ** 24]!++;
  });
  const peer = `bare loop over the same ops: ${millions(trace.ops.length / (bare / 1000))}`;
  const rows: Row[] = [];
  for (const [check, what] of [
    ['none', 'replay of 10^6 touches, `--check none`'],
    ['end', 'the same, every load compared with the reference (`--check end`)'],
  ] as const) {
    const ms = await medianOf(what, () => {
      replayOnce(trace, { check });
    });
    rows.push({ what, figure: millions(trace.ops.length / (ms / 1000)), peer });
  }
  return [...rows, await fromFileRow(trace)];
}

/** The whole way, as the command goes it: read, decode, replay. */
async function fromFileRow(trace: Trace): Promise<Row> {
  const path = join(mkdtempSync(join(tmpdir(), 'faultline-bench-')), 'touches.jsonl');
  await writeTrace(path, trace.header, trace.ops);
  const bytes = statSync(path).size;
  const ms = await medianOf('from a file', async () => {
    const { header, ops: batches } = await openTrace(path);
    const run = new Replay(header, { digester, check: 'none' });
    for await (const batch of batches) for (const op of batch) run.step(op);
    run.finish();
  });
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const parse = await medianOf('JSON.parse', () => {
    for (const line of lines) JSON.parse(line);
  });
  rmSync(path);
  return {
    what: `reading that trace from a file (${(bytes / 2 ** 20).toFixed(0)} MiB) and replaying it, \`--check none\``,
    figure: millions(lines.length / (ms / 1000)),
    peer: `JSON.parse of its lines alone: ${millions(lines.length / (parse / 1000))}`,
  };
}

async function recordedRows(): Promise<readonly Row[]> {
  const path = RECORDED.pathname;
  const trace = await readTrace(path);
  const text = gunzipSync(readFileSync(path)).toString();
  const lines = text.split('\n').filter((line) => line !== '');
  const parse = await medianOf('JSON.parse', () => {
    for (const line of lines) JSON.parse(line);
  });
  const read = await medianOf('read', async () => {
    await readTrace(path);
  });
  const rows: Row[] = [
    {
      what: `reading the recorded BusyBox suite (${trace.ops.length} ops, gzip)`,
      figure: `${read.toFixed(0)} ms`,
      peer: `JSON.parse of its lines alone: ${parse.toFixed(0)} ms`,
    },
  ];
  const none = await medianOf('recorded none', () => {
    replayOnce(trace, { check: 'none' });
  });
  for (const [check, what] of [
    ['end', 'replaying it, loads and outcomes compared (`--check end`)'],
    ['changes', 'all invariants after every change of mappings, every visible byte (`--check changes`)'],
  ] as const) {
    const ms = await medianOf(what, () => {
      replayOnce(trace, { check });
    });
    rows.push({ what, figure: `${ms.toFixed(0)} ms`, peer: `\`--check none\`: ${none.toFixed(0)} ms` });
  }
  return [...rows, await snapshotRow(trace)];
}

async function snapshotRow(trace: Trace): Promise<Row> {
  const run = new Replay(trace.header, { digester, check: 'none' });
  for (const op of trace.ops.slice(0, 20_000)) run.step(op);
  const { kernel } = run.machine;
  const snapshot = takeSnapshot(kernel);
  const take = await medianOf('snapshot', () => {
    takeSnapshot(kernel);
  });
  const restore = await medianOf('restore', () => {
    restoreSnapshot(kernel, snapshot);
  });
  const copy = await medianOf('copy', () => {
    snapshot.bytes.slice();
  });
  return {
    what: `snapshot and restore in mid-run (${(snapshot.bytes.length / 2 ** 20).toFixed(1)} MiB of frames)`,
    figure: `${take.toFixed(1)} and ${restore.toFixed(1)} ms`,
    peer: `copying those bytes: ${copy.toFixed(1)} ms`,
  };
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, figure, peer }) => `| ${what} | ${figure} | ${peer} |`);
  const machine = `Node ${process.versions.node}, one core of ${cpus()[0]?.model.trim() ?? 'an unknown processor'}; medians of ${RUNS}; peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB for all of it.`;
  return ['| what | figure | beside it, same run |', '| --- | --- | --- |', ...lines, '', machine].join('\n');
}

const text = table([...(await touchRows()), ...(await recordedRows()), ...riscvRows()]);
console.log(text);
if (process.argv.includes('--write')) {
  const readme = new URL('../README.md', import.meta.url);
  writeFileSync(readme, readFileSync(readme, 'utf8').replace(/(<!-- bench -->\n)[^]*?(<!-- \/bench -->)/, `$1\n${text}\n\n$2`));
}
