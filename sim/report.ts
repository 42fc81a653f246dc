/**
 * What a run found, as lines of plain text for people: pure, without colours, the same bytes each time.
 *
 * Lines are as wide as their facts; nothing is cut or wrapped. A wrong byte is told in full: where it is, what should
 * be there and from which file offset, what is there, and where that came from.
 */
import { hex, PAGE_BYTES } from '../kernel-model/index.ts';
import type { Expectation } from '../traces/header.ts';
import { formatOp } from '../traces/notation.ts';
import type { Op } from '../traces/op.ts';
import type { ByteWindow } from './byte-window.ts';
import { describeProvenance, type ByteReport, type Finding } from './finding.ts';
import type { Divergence, ReplayResult } from './replay.ts';

/** The exec that gave a process its program. */
export interface ProgramImage {
  /** Which of the run's execs, from 1. */
  readonly exec: number;
  readonly pid: number;
  readonly argv: readonly string[];
}

/** What was seen of a finding at the moment it was made, beyond what the finding says. */
export interface Witness {
  readonly op: Op;
  readonly image: ProgramImage | undefined;
  readonly window: ByteWindow | undefined;
}

export interface ReportInput {
  readonly result: ReplayResult;
  /** Of the failure. */
  readonly witness: Witness | undefined;
  /** What the trace's header expects. */
  readonly expect: Expectation | undefined;
}

/** The whole report: the verdict, the failure, the run in figures, the other findings, the divergence. */
export function reportLines({ result, witness, expect }: ReportInput): string[] {
  const { failure, findings, divergence } = result;
  const others = findings.filter((finding) => finding !== failure);
  return [
    verdictLine(result),
    ...(expect === undefined ? [] : [expectationLine(result, expect)]),
    ...(failure === undefined ? [] : [...indent(failureLines(failure, witness)), '']),
    ...indent(runLines(result)),
    ...(others.length === 0 ? [] : ['', 'also found', ...indent(others.map(findingLine))]),
    ...(divergence === undefined || result.verdict === 'diverged' ? [] : ['', divergenceLine(divergence)]),
  ];
}

/** One line: `failed: reference zero-gap at op 783`. */
function verdictLine({ verdict, failure, divergence, ops }: ReplayResult): string {
  if (failure !== undefined) return `failed: ${failure.kind} ${failure.id} at op ${failure.op}`;
  if (verdict === 'diverged' && divergence !== undefined) return divergenceLine(divergence);
  if (verdict === 'limit') return `limit: stopped after ${counted(ops, 'op')}, without a failure so far`;
  return verdict;
}

/** Did the run do what the header says it does? */
function expectationLine(result: ReplayResult, expect: Expectation): string {
  const { verdict, failure } = result;
  const expected = describeExpectation(expect);
  if (result.expectation === 'met') return failure === undefined ? `${verdict}, as expected` : `fails as expected: ${expected}`;
  if (expect.verdict === 'failed' && failure === undefined) return `no longer fails: the header expects ${expected}`;
  return `not as expected: the header expects ${expected}`;
}

function describeExpectation({ verdict, kind, id, op, digest }: Expectation): string {
  const what = verdict === 'failed' ? [kind, id].filter((word) => word !== undefined).join(' ') || 'a failure' : verdict;
  return [what, op === undefined ? '' : `at op ${op}`, digest === undefined ? '' : `with digest ${digest}`]
    .filter((part) => part !== '')
    .join(' ');
}

/** The run in figures, one labelled line each. */
function runLines(result: ReplayResult): string[] {
  const { kernel, threshold, ops, faults, assemblies, execs, checks, digest } = result;
  const figures = [counted(ops, 'op'), counted(execs, 'exec'), counted(faults, 'fault'), counted(assemblies, 'assembly', 'assemblies')];
  return labelled([
    ['kernel', `${kernel}, threshold ${threshold}`],
    ['ran', figures.join(', ')],
    ['checks', checks === undefined ? undefined : describeChecks(checks)],
    ['digest', digest],
  ]);
}

function describeChecks({ passed, failed, skipped, firstFailed }: NonNullable<ReplayResult['checks']>): string {
  const skips = skipped === 0 ? '' : `, ${skipped} skipped`;
  return `${passed}/${passed + failed} passed${skips}${firstFailed === undefined ? '' : `; the first to fail is ${firstFailed}`}`;
}

/** A failure in full, one labelled line a fact. */
export function failureLines(finding: Finding, witness?: Witness): string[] {
  const { byte, pid } = finding;
  const image = witness?.image;
  return labelled([
    [finding.kind, `${finding.id}: ${finding.message}`],
    ...(byte === undefined ? outcomeFacts(finding) : byteFacts(finding, byte, witness?.window)),
    ['process', pid === undefined ? undefined : `pid ${pid}${image === undefined ? '' : describeImage(image, pid)}`],
    ['at op', `${finding.op}, ${witness === undefined ? 'the end of the run' : formatOp(witness.op)}`],
  ]);
}

/** `, running sh -c ls since exec 7`: the process that execed is named if it is another. */
const describeImage = ({ exec, pid, argv }: ProgramImage, owner: number): string =>
  `, running ${argv.join(' ')} since exec ${exec}${pid === owner ? '' : ` (of pid ${pid})`}`;

type Facts = (readonly [label: string, text: string | undefined])[];

function outcomeFacts({ expected, actual, address }: Finding): Facts {
  return [
    ['address', address === undefined ? undefined : hex(address)],
    ['expected', answerText(expected)],
    ['found', answerText(actual)],
  ];
}

function byteFacts({ address, expected, actual }: Finding, byte: ByteReport, window: ByteWindow | undefined): Facts {
  const { provenance } = byte;
  return [
    ['address', `${hex(address!)}, in ${byte.vma === undefined ? 'no VMA' : `VMA ${byte.vma}`}`],
    ['expected', `${valueText(expected)!}, ${describeBacking(byte.backing)}`],
    ['found', valueText(actual)],
    ['from', provenance === undefined ? undefined : describeProvenance(provenance, byte.offsetInPage)],
    ...windowFacts(window),
  ];
}

/** What a byte should be made of, in words. */
export function describeBacking(backing: ByteReport['backing']): string {
  if (backing === 'zero') return 'zero fill';
  if (backing === 'written') return 'as the program wrote it';
  return `file ${backing.path} at ${hex(backing.offset)}`;
}

function windowFacts(window: ByteWindow | undefined): Facts {
  if (window === undefined) return [];
  const dump = (bytes: ByteWindow['expected']): string => bytes.map((byte) => byte?.toString(16).padStart(2, '0') ?? '--').join(' ');
  return [
    [hex(window.start), `${dump(window.expected)}  expected`],
    ['', `${dump(window.actual)}  found`],
  ];
}

/** A finding in one line. */
const findingLine = ({ kind, id, op, message }: Finding): string => `${kind} ${id}, op ${op}: ${message}`;

const divergenceLine = ({ op, name, recorded, actual }: Divergence): string =>
  `diverged at op ${op}: ${name} answered ${answerText(actual)!}, the recording has ${answerText(recorded)!}`;

/** A byte as hex; text stays as it is. */
const valueText = (value: number | string | undefined): string | undefined => (typeof value === 'number' ? hex(value) : value);

/** What a call answered: a name, an address in hex, a smaller number as it is. */
const answerText = (value: number | string | undefined): string | undefined =>
  typeof value === 'number' ? (value >= PAGE_BYTES ? hex(value) : String(value)) : value;

export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

const LABEL_WIDTH = 10;

/** `label     text`; facts that are unknown are left out. */
function labelled(facts: Facts): string[] {
  return facts.flatMap(([label, text]) => (text === undefined ? [] : [`${label.padEnd(LABEL_WIDTH)} ${text}`]));
}

export const indent = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : `  ${line}`));

/** Rows as columns, one space apart, each as wide as its widest word; numbers stand right. */
export function alignColumns(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const cell = (text: string, column: number): string =>
    right.has(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
  return rows.map((row) => row.map(cell).join(' ').trimEnd());
}
