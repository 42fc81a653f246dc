/** Findings as a document: what is wrong, most visible first, each with its trace, its explanation, and the rule to change. */
import { MUTANTS, type Mutant } from '../../kernel-model/index.ts';
import type { Explanation } from '../../sim/explain/explain.ts';
import { RIGHT_RULES } from '../../sim/explain/rule-texts.ts';
import { shortText } from '../../sim/explain/short-text.ts';
import { formatOp } from '../../traces/notation.ts';
import type { Round, SmallFinding } from './rounds.ts';

/** A finding with the name of its trace file and what explain says of it. */
export interface ToldFinding extends SmallFinding {
  readonly file: string;
  readonly explanation: Explanation;
}

/** What a recording of real programs does with one wrong decision alone. */
export interface Meeting {
  readonly decision: string;
  /** The first failure that a program can see, else the first broken invariant; undefined if the recording holds. */
  readonly failure: { readonly id: string; readonly op: number; readonly check: string } | undefined;
}

export interface FindingsReport {
  readonly kernel: string;
  readonly seed: string;
  readonly rounds: readonly Round[];
  readonly findings: readonly ToldFinding[];
  /** Every wrong decision of the kernel. */
  readonly decisions: readonly string[];
  readonly meetings: readonly Meeting[];
  readonly recording: string;
  /** Folder of the traces, from the top of the project. */
  readonly traces: string;
}

export function findingsDocument(report: FindingsReport): string {
  const sections = sectionsOf(report.findings);
  const runs = report.rounds.reduce((sum, { runs }) => sum + runs, 0);
  return [
    `# What sleeps in ${report.kernel}`,
    '',
    `At M9.8.1 the post says that all is well: every check passes, and no assembled page fails its verification. The fuzzer disagrees. In ${runs} random runs it found ${report.findings.length} kinds of failure, which come down to ${new Set(report.findings.flatMap(({ decisions }) => decisions)).size} wrong decisions. Each has a trace of ${range(report.findings.map(({ trace }) => trace.ops.length))} operations that shows it.`,
    '',
    'This is a model of the kernel, made from its source. So each entry is a claim about one decision, with the operations that put it to the test on the real kernel.',
    '',
    `It was found in rounds, as its author would: fuzz (seed \`${report.seed}\`), put right what is to blame, fuzz what remains. ${report.rounds.map(roundText).join(' ')} \`node --import tsx/esm scripts/write-findings.ts\` makes all of it again, byte for byte.`,
    '',
    '    faultline explain TRACE      # why it fails, at which thresholds, and the decision to blame',
    '    faultline view TRACE         # the same to look at',
    '    faultline replay TRACE --kernel kevlar    # the design done right holds on the same operations',
    '',
    `Counters and caches are small in these traces (\`refcountMax\` 1 or 2 stands for Kevlar's 65,535), so that what takes a day in a kernel takes a few operations here. The header of a trace says what is small in it.`,
    '',
    ...overview(report, sections),
    '',
    ...sections.flatMap((section, i) => sectionLines(section, i + 1, report)),
    ...unseenLines(report),
    '',
  ].join('\n');
}

/** Findings with the same decisions to blame. */
interface Section {
  readonly decisions: readonly Mutant[];
  /** The most telling first. */
  readonly findings: readonly ToldFinding[];
}

function sectionsOf(findings: readonly ToldFinding[]): readonly Section[] {
  const groups = new Map<string, ToldFinding[]>();
  for (const finding of findings) {
    const key = finding.decisions.join(' ');
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()]
    .map((group) => ({ decisions: group[0]!.decisions.map(mutantOf), findings: [...group].sort((a, b) => rank(a) - rank(b)) }))
    .sort((a, b) => a.decisions.length - b.decisions.length || rank(a.findings[0]!) - rank(b.findings[0]!));
}

const mutantOf = (id: string): Mutant => MUTANTS.find((mutant) => mutant.id === id)!;

/** Wrong bytes before wrong answers before broken invariants; then the shortest. */
const rank = ({ explanation, trace }: ToldFinding): number =>
  ['reference', 'outcome', 'invariant'].indexOf(explanation.finding.kind) * 1000 + trace.ops.length;

const range = (counts: readonly number[]): string => `${Math.min(...counts)} to ${Math.max(...counts)}`;

const roundText = ({ runs, findings }: Round, i: number): string => {
  const decisions = new Set(findings.flatMap((finding) => finding.decisions)).size;
  const found = findings.length === 0 ? 'nothing' : `${findings.length} kinds of failure, ${decisions} decisions to blame`;
  return `Round ${i + 1}, ${runs} runs: ${found}.`;
};

// ---- The overview.

function overview({ meetings, recording }: FindingsReport, sections: readonly Section[]): string[] {
  const met = new Map(meetings.map(({ decision, failure }) => [decision, failure]));
  const single = sections.filter(({ decisions }) => decisions.length === 1);
  return [
    '## The wrong decisions',
    '',
    `The last column is what the recorded BusyBox suite (${recording}) meets with that decision alone, at threshold 128.`,
    '',
    '| | decision | is wrong because | a program sees | BusyBox meets it |',
    '| --- | --- | --- | --- | --- |',
    ...single.map(({ decisions: [decision], findings }, i) => {
      const failure = met.get(decision!.id);
      const busybox =
        failure === undefined ? 'no' : `${failure.id} at op ${failure.op}${failure.check === '' ? '' : ` (${failure.check})`}`;
      return `| ${i + 1} | [\`${decision!.id}\`](#${i + 1}-${decision!.id}) | ${decision!.says} | ${whatIsSeen(findings)} | ${busybox} |`;
    }),
    '',
  ];
}

function whatIsSeen(findings: readonly ToldFinding[]): string {
  const kinds = new Set(findings.map(({ explanation }) => explanation.finding.kind));
  const seen = [...(kinds.has('reference') ? ['wrong bytes'] : []), ...(kinds.has('outcome') ? ['wrong answers'] : [])];
  return seen.length === 0 ? 'nothing yet: a broken invariant' : seen.join(', ');
}

// ---- A section.

function sectionLines({ decisions, findings }: Section, number: number, { traces }: FindingsReport): string[] {
  const [first] = findings;
  const path = (finding: ToldFinding): string => `${traces}/${finding.file}`;
  return [
    `## ${number} ${decisions.map(({ id }) => id).join(' + ')}`,
    '',
    ...decisions.flatMap(({ rule, says, source }) => [
      `Kevlar: ${says}. Right (rule \`${rule}\`): ${RIGHT_RULES[rule]} Source: ${source}.`,
      '',
    ]),
    ...(decisions.length > 1 ? ['It takes these decisions together; putting any one of them right ends it.', ''] : []),
    ...shortText(first!.explanation).flatMap((text) => [text, '']),
    ...first!.trace.ops.map((op) => `    ${formatOp(op)}`),
    '',
    '| kind of failure | operations | trace |',
    '| --- | --- | --- |',
    ...findings.map((one) => `| ${one.signature} | ${one.trace.ops.length} | [${one.file}](../${path(one)}) |`),
    '',
  ];
}

// ---- What no run showed.

function unseenLines({ decisions, findings }: FindingsReport): string[] {
  const blamed = new Set(findings.flatMap((finding) => finding.decisions));
  const rest = decisions.filter((id) => !blamed.has(id)).map(mutantOf);
  if (rest.length === 0) return [];
  return [
    '## Not shown by any run',
    '',
    'These decisions of the kernel are wrong too, by its source, and no run of this campaign showed them.',
    '',
    '| decision | is wrong because | why nothing showed |',
    '| --- | --- | --- |',
    ...rest.map(({ id, says, unseen, brokenBy }) => {
      const trace = `[its own trace](../traces/regressions/${id}.jsonl) shows it alone`;
      return `| \`${id}\` | ${says} | ${unseen ?? (brokenBy.length === 0 ? 'costs only speed' : trace)} |`;
    }),
  ];
}
