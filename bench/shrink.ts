/**
 * Shrinkers side by side on one failing trace: ours, fast-check's, and delta debugging over complements from the back.
 *
 *     node --import tsx/esm bench/shrink.ts [trace] [--kernel kevlar@m9.8] [--seconds 60] [--peers]
 *
 * All ask the same question (does it fail with the same signature?) of the same evaluator; replays and executed ops are
 * counted, because they travel between machines and seconds do not.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { readTrace } from '../sim/cli/trace-file.ts';
import { createDigester } from '../sim/digest.ts';
import { alignColumns } from '../sim/report.ts';
import { Evaluator, type Candidate, type Outcome } from '../sim/shrink/evaluate.ts';
import { shrinkTrace, type Fixed } from '../sim/shrink/shrink.ts';
import { isSameSignature } from '../sim/shrink/signature.ts';
import type { Op } from '../traces/op.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: 'string', default: 'kevlar@m9.8' },
    threshold: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    peers: { type: 'boolean', default: false },
  },
});
const limitMs = Number(values.seconds) * 1000;
const path = positionals[0] ?? new URL('../traces/recorded/suite20-0x400000.jsonl.gz', import.meta.url).pathname;
const digester = await createDigester();
const evaluator = new Evaluator({ check: 'changes', digester });

/** What a peer sees: does this list of ops still fail the same way? */
class Oracle {
  replays = 0;
  executed = 0;
  best: readonly Op[];
  private readonly start: Candidate;
  private readonly first: Outcome;

  constructor(start: Candidate) {
    this.start = start;
    this.first = evaluator.evaluate(start);
    this.best = start.ops;
  }

  /** The trace up to its failing op, from which every peer starts. */
  get cut(): readonly Op[] {
    return this.start.ops.slice(0, this.first.headline!.op + 1);
  }

  fails(ops: readonly Op[]): boolean {
    const outcome = evaluator.evaluate({ header: this.start.header, ops });
    this.replays++;
    this.executed += outcome.ops;
    const isSame = outcome.headline !== undefined && isSameSignature(outcome.headline, this.first.headline!);
    if (isSame && ops.length < this.best.length) this.best = ops;
    return isSame;
  }
}

/** fast-check's shrinker of a subset, which is what it does to a list of commands. */
function fastCheck(oracle: Oracle): boolean {
  const all = oracle.cut.map((_, i) => i);
  const subsets = fc.subarray(all);
  const property = fc.property(subsets, (kept) => !oracle.fails(kept.map((i) => oracle.cut[i]!)));
  const { interrupted } = fc.check(property, {
    numRuns: 1,
    examples: [[all]],
    interruptAfterTimeLimit: limitMs,
    markInterruptAsFailure: false,
  });
  return !interrupted;
}

/** Delta debugging as picire does it best: complements only, from the back, halving. @returns false when the time was up */
function ddmin(oracle: Oracle): boolean {
  const end = performance.now() + limitMs;
  let ops = oracle.cut;
  for (let size = Math.ceil(ops.length / 2); size >= 1;) {
    let wentAny = false;
    for (let to = ops.length; to > 0; to -= size) {
      if (performance.now() > end) return false;
      const candidate = [...ops.slice(0, Math.max(0, to - size)), ...ops.slice(to)];
      if (!oracle.fails(candidate)) continue;
      ops = candidate;
      wentAny = true;
    }
    if (!wentAny || size > 1) {
      if (size === 1) break;
      size = Math.ceil(size / 2);
    }
  }
  return true;
}

const stepsOf = (ops: readonly Op[]): number => ops.reduce((sum, op) => sum + (op.op === 'touch' ? (op.pages ?? 1) : 1), 0);
const rows: string[][] = [['shrinker', 'ops', 'left', 'pages as ops', 'replays', 'ops executed', 'seconds', 'finished']];

function row(
  name: string,
  before: number,
  left: readonly Op[],
  replays: number,
  executed: number | undefined,
  startedAt: number,
  isDone: boolean,
): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  rows.push([
    name,
    String(before),
    String(left.length),
    String(stepsOf(left)),
    String(replays),
    executed === undefined ? '-' : String(executed),
    seconds,
    isDone ? 'yes' : 'no',
  ]);
}

const read = await readTrace(path);
const kernel = {
  ...read.header.kernel,
  name: values.kernel,
  ...(values.threshold === undefined ? {} : { assembleThreshold: Number(values.threshold) }),
};
const start: Candidate = { header: { ...read.header, kernel }, ops: read.ops };

for (const fixed of [[], ['threshold']] satisfies Fixed[][]) {
  const startedAt = performance.now();
  const result = shrinkTrace(start, { check: 'changes', digester, fixed });
  const name = fixed.length === 0 ? 'faultline' : 'faultline --fix threshold';
  row(name, start.ops.length, result.trace.ops, result.replays, undefined, startedAt, result.isComplete);
}
for (const [name, peer] of values.peers
  ? ([
      ['fast-check', fastCheck],
      ['ddmin, picire style', ddmin],
    ] as const)
  : []) {
  const startedAt = performance.now();
  const oracle = new Oracle(start);
  const isDone = peer(oracle);
  row(name, start.ops.length, oracle.best, oracle.replays, oracle.executed, startedAt, isDone);
}
process.stdout.write(`${alignColumns(rows, new Set([1, 2, 3, 4, 5, 6])).join('\n')}\n`);
