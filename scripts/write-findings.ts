/**
 * Writes docs/kevlar-m9.8.1-findings.md and its traces: what the fuzzer finds in the kernel in which all is said to be well.
 *
 *     node --import tsx/esm scripts/write-findings.ts [--runs 2000]
 *
 * Takes some minutes, and gives the same bytes each time.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kernelNamed } from '../kernel-model/index.ts';
import { createDigester, type Digester } from '../sim/digest.ts';
import { explain, type Explanation } from '../sim/explain/explain.ts';
import { replay } from '../sim/replay.ts';
import { readTrace } from '../sim/cli/trace-file.ts';
import type { Trace } from '../traces/codec.ts';
import { findingsDocument, type Meeting, type ToldFinding } from './findings/document.ts';
import { fuzzInRounds, type Round, type SmallFinding } from './findings/rounds.ts';
import { traceText } from './import-recordings.ts';

const KERNEL = 'kevlar@m9.8.1';
const SEED = 'sleeping';
const TRACES = 'traces/findings/kevlar-m9.8.1';
const DOCUMENT = 'docs/kevlar-m9.8.1-findings.md';
const RECORDING = 'traces/recorded/busybox-suite.jsonl.gz';
const top = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { runs: { type: 'string', default: '2000' } } });
  const digester = await createDigester();
  const kernel = kernelNamed(KERNEL);
  if (typeof kernel === 'string') throw new Error(kernel);
  const decisions = kernel.mutants.map(({ id }) => id);

  const rounds: Round[] = [];
  for (const round of fuzzInRounds(KERNEL, SEED, Number(values.runs), digester)) {
    rounds.push(round);
    console.error(`round ${rounds.length}: ${round.findings.length} findings in ${round.runs} runs`);
  }
  const findings = rounds.flatMap((round) => round.findings);
  const told = findings.map((finding, i) => tell(finding, fileName(findings, i), digester));
  rmSync(top(TRACES), { recursive: true, force: true });
  mkdirSync(top(TRACES), { recursive: true });
  for (const { file, trace } of told) writeFileSync(top(`${TRACES}/${file}`), traceText(trace));

  const blamed = decisions.filter((id) => told.some((finding) => finding.decisions.includes(id)));
  const recording = await readTrace(top(RECORDING));
  const meetings = blamed.map((id) => meet(recording, id, digester));
  mkdirSync(top('docs'), { recursive: true });
  writeFileSync(
    top(DOCUMENT),
    findingsDocument({ kernel: KERNEL, seed: SEED, rounds, findings: told, decisions, meetings, recording: RECORDING, traces: TRACES }),
  );
  console.log(`${DOCUMENT}: ${told.length} kinds of failure, ${blamed.length} of ${decisions.length} decisions`);
}

/** `dontneed-does-nothing-zero-gap-2.jsonl`: what is to blame, what is broken, the how-manieth. */
function fileName(findings: readonly SmallFinding[], index: number): string {
  const stem = ({ decisions, trace }: SmallFinding): string => `${decisions.join('+')}-${trace.header.expect!.id}`;
  const own = stem(findings[index]!);
  const before = findings.slice(0, index).filter((finding) => stem(finding) === own).length;
  return `${own}-${before + 1}.jsonl`;
}

function tell(finding: SmallFinding, file: string, digester: Digester): ToldFinding {
  return { ...finding, file, explanation: explanationOf(finding.trace, digester) };
}

function explanationOf(trace: Trace, digester: Digester): Explanation {
  const steps = explain(trace, { check: 'changes', digester });
  for (;;) {
    const step = steps.next();
    if (step.done !== true) continue;
    if (step.value.kind === 'explained') return step.value.explanation;
    throw new Error(`a shrunk trace does not fail: ${trace.header.source?.note ?? ''}`);
  }
}

function meet(recording: Trace, decision: string, digester: Digester): Meeting {
  const { failure } = replay(recording, {
    kernel: `kevlar+${decision}`,
    parameters: { assembleThreshold: 128 },
    check: 'changes',
    digester,
  });
  if (failure === undefined) return { decision, failure: undefined };
  const marks = recording.ops.slice(0, failure.op + 1).filter((op) => op.op === 'mark');
  return { decision, failure: { id: failure.id, op: failure.op, check: marks.at(-1)?.name ?? '' } };
}

await main(process.argv.slice(2));
