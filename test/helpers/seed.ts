/**
 * The seed of a test run and how much work it does. mocha loads this file before all tests (.mocharc.cjs).
 *
 * `SEED=… npm test` repeats a run exactly. `RUNS=1 npm test` is what CI runs; without RUNS a quarter of the cases is drawn, and what
 * takes long is left out. `RUNS=10` draws ten times as many as CI.
 * Without SEED it is '1': outside CI a run is the same every time. CI takes the seed from the commit.
 */
import type { Context, Runner } from 'mocha';
import fc from 'fast-check';

const RUNS_DEFAULT = 100;

/** Any text that is not empty. */
export const seed: string = process.env['SEED'] || '1';
const scale = readScale(process.env['RUNS'] || '0.25');

/** Skips a test that takes long, and says how it is run, unless RUNS is 1 or more. */
export function onlyThoroughly(context: Context): void {
  if (scale >= 1) return;
  console.log('      skipped: takes long (RUNS=1 npm test)');
  context.skip();
}

/** The number of cases for a property that with RUNS=1 draws `count`, at least one. */
export const runs = (count: number): number => Math.max(1, Math.round(count * scale));

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: int32Of(seed), numRuns: runs(RUNS_DEFAULT) });

/** Puts the seed into the first line of the report: the title of the root suite, which a parallel run has not. */
export function mochaGlobalSetup(this: Runner & { isParallelMode?: () => boolean }): void {
  const title = `faultline SEED=${seed}` + ` RUNS=${scale}`;
  this.suite.title = title;
  if (this.isParallelMode?.() === true) console.log(title);
}

function readScale(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`RUNS=${text}: a number above 0, such as 10 or 0.1`);
}

/** fast-check takes a 32-bit number: one that is written as such is taken as it is, any other text is hashed (FNV-1a). */
function int32Of(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && String(value | 0) === text) return value;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash | 0;
}
