/**
 * Finds what is wrong with a kernel as its author would: fuzz it, put right what is to blame, and fuzz what remains.
 *
 * A wrong decision that shows in the first run hides those behind it, so a round ends when nothing new was found for long,
 * and the next one runs on the kernel without what was blamed so far. It ends when a round finds nothing.
 */
import { Campaign, runBatch, traceOfRun, type CampaignOptions, type NewFinding } from '../../properties/fuzz.ts';
import type { Digester } from '../../sim/digest.ts';
import { shrinkTrace } from '../../sim/shrink/shrink.ts';
import type { Trace } from '../../traces/codec.ts';

/** One kind of failure, made small. */
export interface SmallFinding {
  readonly round: number;
  readonly run: number;
  readonly signature: string;
  readonly trace: Trace;
  /** The smallest set of wrong decisions that fails in this way, on this trace. */
  readonly decisions: readonly string[];
}

export interface Round {
  readonly kernel: string;
  readonly runs: number;
  readonly ops: number;
  readonly findings: readonly SmallFinding[];
}

const BATCH = 50;
const REPLAYS_MAX = 5000;

/** @param runs - how many a round makes */
export function* fuzzInRounds(base: string, seed: string, runs: number, digester: Digester): Generator<Round> {
  const blamed: string[] = [];
  const seen = new Set<string>();
  for (let number = 1; ; number++) {
    const kernel = [base, ...blamed].join('~');
    const round = fuzzOnce({ kernel, seed: `${seed}/${number}`, check: 'changes', opsMax: 60 }, { number, runs, seen, digester });
    yield round;
    const fresh = new Set(round.findings.flatMap(({ decisions }) => decisions));
    if (fresh.size === 0) return;
    blamed.push(...fresh);
  }
}

interface Bounds {
  readonly number: number;
  readonly runs: number;
  /** Signatures with what was blamed for them in earlier rounds; new ones are added. */
  readonly seen: Set<string>;
  readonly digester: Digester;
}

function fuzzOnce(options: CampaignOptions, { number, runs, seen, digester }: Bounds): Round {
  const campaign = new Campaign(true);
  const findings: SmallFinding[] = [];
  for (let from = 0; from < runs; from += BATCH) {
    for (const found of campaign.add(runBatch(options, { from, to: Math.min(runs, from + BATCH) }, digester))) {
      const small = makeSmall(options, found, number, digester);
      const key = `${small.signature} ${small.decisions.join(' ')}`;
      if (small.decisions.length === 0 || seen.has(key)) continue;
      seen.add(key);
      findings.push(small);
    }
  }
  return { kernel: options.kernel, runs: campaign.runs, ops: campaign.ops, findings };
}

function makeSmall(options: CampaignOptions, { run, signature, isHeadline }: NewFinding, round: number, digester: Digester): SmallFinding {
  const trace = traceOfRun(options, run);
  const wanted = isHeadline ? undefined : signature;
  const shrunk = shrinkTrace(trace, { digester, check: options.check, wanted, keepGoing: false, replaysMax: REPLAYS_MAX });
  const { header, ops } = shrunk.trace;
  const source = { note: `round ${round}, run ${run}: ${signature}` };
  return { round, run, signature, trace: { header: { ...header, source }, ops: [...ops] }, decisions: [...shrunk.rules] };
}
