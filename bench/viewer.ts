/**
 * How soon the viewer opens a trace, and how soon it shows any op of it, in a real browser.
 *
 *     node --import tsx/esm bench/viewer.ts [trace]
 *
 * Without a trace: three BusyBox suites as recorded, one after the other in processes of one parent, some 10^6 ops. Opening
 * ends when the first moment stands on the page; a visit when the page shows the moment of its op.
 */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import { createPrng } from '../sim/prng.ts';
import { readTrace, writeTrace } from '../sim/cli/trace-file.ts';
import type { Trace } from '../traces/codec.ts';
import type { Op } from '../traces/op.ts';

const RECORDING = new URL('../traces/recorded/busybox-suite.jsonl.gz', import.meta.url).pathname;
const COPIES = 3;
/** Pids of one copy and the next are so far apart. */
const PIDS = 10_000;
const VISITS = 40;
const BROWSER = ['CHROMIUM', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
  .map((path) => (path === 'CHROMIUM' ? process.env[path] : path))
  .find((path) => path !== undefined && existsSync(path));

/** A trace `COPIES` times, each in processes of its own. */
function repeated({ header, ops }: Trace): Trace {
  const first = ops[0]!.pid;
  const forks = Array.from({ length: COPIES - 1 }, (_, i): Op => ({ pid: first, op: 'fork', child: first + (i + 1) * PIDS }));
  const shifted = (op: Op, by: number): Op => ({ ...op, pid: op.pid + by, ...('child' in op && { child: op.child + by }) });
  const copies = Array.from({ length: COPIES }, (_, i) => ops.map((op) => shifted(op, i * PIDS)));
  const { expect: _, ...rest } = header;
  return { header: rest, ops: [...forks, ...copies.flat()] };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

if (BROWSER === undefined) throw new Error('no browser was found (apt-get install chromium, or CHROMIUM=PATH)');
const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-viewer-'));
const browser = await chromium.launch({ executablePath: BROWSER, args: ['--no-sandbox'] });
try {
  let path = process.argv[2];
  if (path === undefined) {
    path = join(folder, 'trace.jsonl.gz');
    const { header, ops } = repeated(await readTrace(RECORDING));
    await writeTrace(path, header, ops);
  }
  const { ops } = await readTrace(path);
  const file = join(folder, 'view.html');
  execFileSync(process.execPath, ['dist/sim/cli/main.js', 'view', path, '--out', file]);

  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const opened = performance.now();
  await page.goto(`file://${file}`);
  await page.locator('.panels').waitFor();
  const shown = performance.now() - opened;
  await page.getByText('ops run in').waitFor({ timeout: 120_000 });
  const whole = performance.now() - opened;
  const stream = createPrng('viewer').stream('visits');
  const visits: number[] = [];
  for (let i = 0; i < VISITS; i++) {
    const op = stream.int(ops.length);
    const start = performance.now();
    await page.evaluate(`location.hash = '#op=${op}'`);
    await page.locator(`.panels[data-op="${op}"]`).waitFor();
    visits.push(performance.now() - start);
  }
  console.log(`${ops.length} ops, a page of ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB`);
  console.log(`opens in ${(shown / 1000).toFixed(2)} s, timeline of the whole run after ${(whole / 1000).toFixed(2)} s`);
  console.log(`any op: median ${median(visits).toFixed(0)} ms, slowest ${Math.max(...visits).toFixed(0)} ms of ${VISITS}`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
