/** The kill matrix as a table, and who survived it. */
import type { Mutant, NamedKernel } from '../kernel-model/index.ts';
import type { Hunt } from './mutant-matrix.ts';
import type { Unseen } from './mutant-unseen.ts';
import { alignColumns, counted, indent } from './report.ts';

export interface MutantRow {
  readonly mutant: Mutant;
  /** One for each seed. */
  readonly hunts: readonly Hunt[];
  /** Why nothing shows it, if that is known. */
  readonly unseen?: Unseen | undefined;
  /** Ops of its shortest trace, if it has one. */
  readonly shortest: number | undefined;
}

/** A mutant that was not hunted, because nothing shows it. */
export interface UnseenMutant {
  readonly mutant: Mutant;
  readonly unseen: Unseen;
}

export interface Matrix {
  readonly kernel: NamedKernel;
  readonly rows: readonly MutantRow[];
  readonly notHunted: readonly UnseenMutant[];
  /** The right kernel on the same traces, one for each seed. */
  readonly right: readonly Hunt[];
}

const HEADINGS = ['mutant', 'killed by', 'seeds', 'runs', 'seconds', 'slowest', 'shortest', 'rule'];
const RIGHT: ReadonlySet<number> = new Set([2, 3, 4, 5, 6]);

/** What the headings of a table mean. */
export const MATRIX_LEGEND: readonly string[] = [
  'killed by: the named invariants that ended a hunt, the most frequent first; seeds: hunts that ended so',
  'runs, seconds: the median hunt; slowest: the longest in seconds; shortest: ops of the trace in traces/regressions',
];

/** The table: headings, then a line for each mutant. */
export const matrixLines = (rows: readonly MutantRow[]): string[] => alignColumns([HEADINGS, ...rows.map(cellsOf)], RIGHT);

function cellsOf({ mutant, hunts, shortest }: MutantRow): string[] {
  const killed = hunts.filter(({ killedBy }) => killedBy !== undefined);
  return [
    mutant.id,
    killersOf(hunts).join(', ') || '-',
    `${killed.length}/${hunts.length}`,
    String(median(hunts.map(({ runs }) => runs))),
    secondsText(median(hunts.map(({ elapsedMs }) => elapsedMs))),
    secondsText(Math.max(...hunts.map(({ elapsedMs }) => elapsedMs))),
    shortest === undefined ? '-' : String(shortest),
    mutant.rule,
  ];
}

const secondsText = (milliseconds: number): string => (milliseconds / 1000).toFixed(2);

/** The middle one; of an even number the lower of both. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** The ids of the findings that ended hunts, the most frequent first. */
export function killersOf(hunts: readonly Hunt[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { killedBy } of hunts) if (killedBy !== undefined) counts.set(killedBy.id, (counts.get(killedBy.id) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([id]) => id);
}

export const hasSurvived = ({ hunts }: MutantRow): boolean => hunts.some(({ killedBy }) => killedBy === undefined);

/** Who survived in some seed, and why if that is known; empty if nobody did. Whose rule is never asked stands in a table of its own. */
export function survivorLines(kernel: string, rows: readonly MutantRow[], notHunted: readonly UnseenMutant[]): string[] {
  const survivors = rows.filter(hasSurvived).map((row) => `${row.mutant.id}: ${survivalReason(row)}`);
  const asked = notHunted.filter(({ unseen }) => unseen.isAsked).map(({ mutant, unseen }) => `${mutant.id}: not hunted, ${unseen.reason}`);
  const unasked = notHunted.filter(({ unseen }) => !unseen.isAsked).map(({ mutant, unseen }) => [mutant.id, mutant.rule, unseen.reason]);
  return [
    ...section('Survivors', [...survivors, ...asked]),
    ...section(`Not hunted: ${kernel} never asks the rule`, alignColumns(unasked, new Set())),
  ];
}

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : ['', title, ...indent(lines)]);

/** Why a mutant that survived did. */
export const survivalReason = ({ mutant, hunts, unseen }: MutantRow): string =>
  unseen === undefined ? searchText(hunts) : unseenText({ mutant, unseen });

/** Why nothing shows a mutant. */
export const unseenText = ({ mutant, unseen }: UnseenMutant): string =>
  unseen.isAsked ? unseen.reason : `${mutant.rule} is never asked: ${unseen.reason}`;

function searchText(hunts: readonly Hunt[]): string {
  const lost = hunts.filter(({ killedBy }) => killedBy === undefined);
  const others = [...new Set(lost.flatMap(({ first }) => (first === undefined ? [] : [first.finding.id])))];
  const runs = lost.reduce((sum, hunt) => sum + hunt.runs, 0);
  const seen = others.length === 0 ? 'nothing found' : `only ${others.join(', ')} found`;
  const unasked = lost.every(({ asked }) => asked === 0) ? '; its rule was never asked' : '';
  return `${seen} in ${counted(runs, 'run')} of ${counted(lost.length, 'seed')}${unasked}`;
}

/** How the right kernel fared on the same traces. */
export function rightLines(kernel: string, hunts: readonly Hunt[]): string[] {
  const runs = hunts.reduce((sum, hunt) => sum + hunt.runs, 0);
  const alarms = hunts.flatMap(({ killedBy, runs: run }, i) => (killedBy === undefined ? [] : [{ killedBy, run, i }]));
  if (alarms.length === 0) return ['', `${kernel} holds: ${counted(runs, 'run')}, no false alarm`];
  const lines = alarms.map(({ killedBy, run, i }) => `seed ${i + 1}, run ${run}, op ${killedBy.op}: ${killedBy.id}: ${killedBy.message}`);
  return ['', `FALSE ALARMS on ${kernel}`, ...indent(lines)];
}
