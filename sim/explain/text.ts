/**
 * An explanation as lines for a terminal of 80 columns: pure, without colours, the same bytes each time.
 *
 * What is wrong; how it came there, op by op; which decisions allowed it; the same ops on the right kernel and at other
 * thresholds. Only dumps of bytes and single long words are wider than the page.
 */
import { floorToPage, hex, PAGE_BYTES, type Mutant, type NamedKernel } from '../../kernel-model/index.ts';
import { isVisible, type Finding } from '../finding.ts';
import { counted, describeBacking } from '../report.ts';
import { signatureOfFinding, signatureText } from '../shrink/signature.ts';
import type { Explanation } from './explain.ts';
import { kernelOnly, type Guilt, type Suspect } from './guilt.ts';
import { capital, fact, rawFact, valueText, wrapped } from './lines.ts';
import { RIGHT_RULES } from './rule-texts.ts';
import { shortText } from './short-text.ts';
import { storyOf, type Step } from './steps.ts';
import type { ThresholdRow } from './thresholds.ts';

/** The whole explanation; the first line is the verdict. */
export function explanationLines(explanation: Explanation): string[] {
  const { finding, kernel, threshold, ops } = explanation;
  const where = finding.op < ops.length ? `op ${finding.op} of ${ops.length}` : `the end of ${counted(ops.length, 'op')}`;
  return [
    `failed: ${finding.kind} ${finding.id} at ${where}`,
    ...wrapped(`on ${kernel.name}, threshold ${threshold}`, 2),
    ...section(
      'in short',
      shortText(explanation).flatMap((text) => wrapped(text, 2)),
    ),
    ...section('what is wrong', wrongLines(explanation)),
    ...section('how it came about', storyLines(explanation)),
    ...section('which decision allowed it', guiltLines(explanation)),
    ...section('on the right kernel', wrapped(rightText(explanation), 2)),
    ...section('at other thresholds', thresholdLines(explanation)),
    ...othersSection(explanation),
  ];
}

const section = (heading: string, lines: readonly string[]): string[] => ['', heading, ...lines];

/** What the same run found besides. */
function othersSection({ finding, result }: Explanation): string[] {
  const others = result.findings.filter((one) => one !== finding);
  if (others.length === 0) return [];
  const lines = others.flatMap(({ kind, id, op }) => fact(`op ${op}`, `${kind} ${id}`));
  return section('also found in this run, each to be explained with --finding', lines);
}

// ---- What is wrong.

function wrongLines({ finding, statement, scene, ops }: Explanation): string[] {
  const { byte, address, pid, message } = finding;
  const window = scene?.window;
  const dump = (bytes: readonly (number | undefined)[]): string => bytes.map((one) => one?.toString(16).padStart(2, '0') ?? '--').join(' ');
  const op = ops[finding.op];
  const program = scene?.image === undefined ? '' : `, which runs ${scene.image.argv.join(' ')} since op ${scene.image.op}`;
  const page = address === undefined ? undefined : floorToPage(address);
  return [
    ...(byte === undefined ? [] : wrapped(`${capital(message)}.`, 2)),
    ...(statement === undefined ? [] : fact('must be', statement)),
    ...(pid === undefined ? [] : fact('process', `pid ${pid}${program}`)),
    ...(byte === undefined ? answerLines(finding) : byteLines(finding, byte)),
    ...(page === undefined
      ? []
      : (scene?.vmas ?? []).flatMap((vma, i) => fact(i === 0 ? 'VMAs' : '', `${vma}${vma === byte?.vma ? '  <- the byte' : ''}`))),
    ...(scene === undefined || scene.sharers.length < 2 || byte === undefined ? [] : sharerLines(finding, scene.sharers)),
    ...(window === undefined ? [] : [...rawFact(hex(window.start), dump(window.expected)), ...rawFact('  found', dump(window.actual))]),
    ...(op === undefined ? fact('when', 'at the end of the run, where every byte and invariant is looked at and every process exits') : []),
  ];
}

function byteLines({ address, expected, actual }: Finding, { backing, offsetInPage, frame, vma }: NonNullable<Finding['byte']>): string[] {
  return [
    ...fact(
      'byte',
      `${hex(address!)}: byte ${offsetInPage} (${hex(offsetInPage)}) of its page${frame === undefined ? '' : `, in frame ${hex(frame)}`}`,
    ),
    ...(vma === undefined ? fact('VMA', 'none: no VMA has this byte') : []),
    ...fact('should be', `${valueText(expected)}, ${describeBacking(backing)}`),
    ...fact('is', valueText(actual)),
  ];
}

function answerLines({ address, expected, actual }: Finding): string[] {
  return [
    ...(address === undefined ? [] : fact('address', hex(address))),
    ...(expected === undefined ? [] : fact('should be', valueText(expected))),
    ...(actual === undefined ? [] : fact('is', valueText(actual))),
  ];
}

/** A file page that two VMAs use is where the trouble starts. */
function sharerLines({ byte }: Finding, sharers: readonly string[]): string[] {
  const path =
    typeof byte?.backing === 'object'
      ? byte.backing.path
      : byte?.provenance?.origin.kind === 'file'
        ? byte.provenance.origin.path
        : 'the file';
  const offset = typeof byte?.backing === 'object' ? byte.backing.offset : originOffset(byte);
  const index = Math.floor(offset / PAGE_BYTES);
  return [
    ...fact('shared', `page ${index} (${hex(index)}) of ${path} has bytes of ${sharers.length} VMAs of this process:`),
    ...sharers.flatMap((vma) => fact('', vma)),
  ];
}

function originOffset(byte: Finding['byte']): number {
  const record = byte?.provenance;
  return record?.origin.kind === 'file' ? record.origin.offset + byte!.offsetInPage - record.start : 0;
}

// ---- The story.

function storyLines(explanation: Explanation): string[] {
  const { steps, untold } = storyOf(explanation);
  const { leaks, finding } = explanation;
  return [
    ...steps.flatMap(stepLines),
    ...(untold === 0 ? [] : wrapped(`${counted(untold, 'other op')} used the same page or frames; replay --events shows them.`, 2)),
    ...leaks
      .slice(0, LEAKS_MAX)
      .flatMap(({ op, use, frames }) => fact(`op ${op}`, `${counted(frames, 'frame')} taken as ${use}, still held`)),
    ...(leaks.length <= LEAKS_MAX ? [] : fact('', `and frames of ${leaks.length - LEAKS_MAX} other ops and uses`)),
    ...(finding.byte !== undefined && finding.byte.provenance === undefined ? wrapped('Where the byte came from was not kept.', 2) : []),
  ];
}

const LEAKS_MAX = 6;

function stepLines({ op, text, facts, wrong }: Step): string[] {
  return [
    ...(text === null ? ['  the end of the run'] : wrapped(`op ${op}  ${text}`, 2, 6)),
    ...facts.flatMap((one) => wrapped(`- ${one}`, 6, 8)),
    ...wrong.flatMap(({ rule, asked, answer, right }) =>
      wrapped(`- wrong: the rule ${rule}${asked === '' ? '' : ` (${asked})`} answers ${answer}; right is ${right}`, 6, 8),
    ),
  ];
}

// ---- The decisions.

function guiltLines(explanation: Explanation): string[] {
  const { guilt, kernel, right } = explanation;
  if (guilt.kind === 'none') return wrapped(noneText(explanation), 2);
  if (guilt.kind === 'right') {
    const layout = kernel.segmentBounds === 'page' && right.finding === undefined;
    const cause = layout
      ? 'It is the layout: this kernel gives segments whole pages, and the design done right does not.'
      : 'No decision that can be switched is to blame; it is the model itself, or a check of it.';
    return wrapped(`Without any of its ${counted(guilt.of, 'wrong decision')} ${kernel.name} fails in the same way. ${cause}`, 2);
  }
  return [
    ...wrapped(`${doersText(explanation)} ${methodText(guilt)}`, 2),
    ...guilt.decisions.flatMap((suspect) => ['', ...suspectLines(explanation, suspect)]),
    ...(guilt.others.length === 0
      ? []
      : ['', ...guilt.others.flatMap((set) => wrapped(`The same without these: ${set.map(({ id }) => id).join(' with ')}.`, 2))]),
  ];
}

function noneText({ kernel, right, wrong }: Explanation): string {
  const rules = [...wrong.keys()];
  if (rules.length > 0)
    return `${kernel.name} lists no wrong decision. Its rules that answered other than the model’s: ${rules.join(', ')}.`;
  if (right.kernel === kernel.name)
    return `${kernel.name} is the design done right: this is a fault of the model, or of a check of it. Please report it with the trace.`;
  return `${kernel.name} lists no wrong decision that could be taken away.`;
}

function doersText({ guilt, kernel }: Explanation): string {
  const count = guilt.decisions.length;
  const all = counted(guilt.of, 'wrong decision');
  const cure = guilt.decisions.filter(({ curesAlone }) => curesAlone).length;
  if (guilt.of === 1) return `The one wrong decision of ${kernel.name}: without it the trace does not fail so.`;
  if (count === 1) return `One of the ${all} of ${kernel.name} is enough alone${cure === 1 ? ', and without it the failure is gone' : ''}.`;
  const gone =
    cure === count
      ? 'without any one of them the failure is gone'
      : cure === 0
        ? 'none of them can be left out, but other sets do the same'
        : `without ${cure} of them the failure is gone`;
  return `${count} of the ${all} of ${kernel.name} do it together: with these alone it fails in the same way, and ${gone}.`;
}

const methodText = ({ experiments, triedOn, confirmedOn }: Guilt): string =>
  `Found by taking decisions away, in ${counted(experiments, 'replay')} of ${triedOn === confirmedOn ? counted(triedOn, 'op') : `${counted(triedOn, 'op')} that matter, confirmed on all ${confirmedOn}`}.`;

function suspectLines({ wrong, kernel, guilt }: Explanation, { mutant, curesAlone }: Suspect): string[] {
  const { id, rule, says, source, section: number } = mutant;
  const answers = wrong.get(rule);
  const often =
    answers === undefined
      ? 'gave no answer that the right rule would not give'
      : `answered wrongly ${counted(answers.count, 'time')}, first at op ${answers.first.op}, last at op ${answers.last.op}`;
  const right = (RIGHT_RULES as Readonly<Record<string, string | undefined>>)[rule];
  return [
    `  ${id}, the rule ${rule}`,
    ...fact('wrong', `${capital(says)}.`, 4),
    ...(right === undefined ? [] : fact('right', right, 4)),
    ...fact('here', often, 4),
    ...(source === '' ? [] : fact('source', `${source}${number === undefined ? '' : `; no. ${number} of the bugs asleep at M9.8.1`}`, 4)),
    ...(guilt.of === 1
      ? []
      : fact('without', `${kernelWithout(kernel, mutant)}: ${curesAlone ? 'does not fail so' : 'still fails, by another set'}`, 4)),
  ];
}

const kernelWithout = (kernel: NamedKernel, mutant: Mutant): string =>
  kernelOnly(
    kernel,
    kernel.mutants.filter((one) => one !== mutant),
  ).name;

// ---- Otherwise.

function rightText({ right, kernel }: Explanation): string {
  const ops = counted(right.ops, 'op');
  if (right.kernel === kernel.name) return 'This is the right kernel.';
  if (right.finding === undefined) return `${right.kernel} holds over the same ${ops}: every byte, every answer, every invariant.`;
  return `${right.kernel} does not hold either: ${right.finding.id}, op ${right.finding.op}: ${right.finding.message}. That is a fault of the model or of a check of it.`;
}

function thresholdLines(explanation: Explanation): string[] {
  const { thresholds } = explanation;
  return [
    ...thresholds.rows.map((row) => rowLine(row, explanation)).flatMap((text) => wrapped(text, 2, 9)),
    ...wrapped(thresholdText(explanation), 2),
  ];
}

function rowLine({ threshold, outcome, finding, assembledAt, loadsOnly }: ThresholdRow, { thresholds, ops }: Explanation): string {
  const assembly = assembledAt === undefined ? 'nothing is assembled' : `first assembly at op ${assembledAt}`;
  const at =
    finding === undefined
      ? ''
      : finding.op < ops.length
        ? ` at op ${finding.op}${finding.pid === undefined ? '' : `, pid ${finding.pid}`}`
        : ' at the end';
  const scope = loadsOnly ? `no wrong load or answer in ${counted(ops.length, 'op')}` : 'holds';
  const what =
    outcome === 'holds'
      ? scope
      : outcome === 'same'
        ? `fails so${at}`
        : `fails otherwise${at}: ${signatureText(signatureOfFinding(finding!, ops[finding!.op]))}`;
  return `${String(threshold).padStart(4)}${threshold === thresholds.own ? '*' : ' '}  ${what}; ${assembly}`;
}

function thresholdText({ thresholds, finding }: Explanation): string {
  const { mostCached, mostCachedAt, failsFrom, failsTo, own, rows } = thresholds;
  const most =
    mostCachedAt === undefined
      ? 'No exec finds a cached page of its program.'
      : `The most pages of a region that an exec finds cached are ${mostCached} (op ${mostCachedAt}); above that nothing is assembled.`;
  const isAlways = failsTo === null && failsFrom === 0;
  if (isAlways) return `* is this run. The threshold has no part in it. ${most}`;
  const from = failsFrom === null || failsFrom === 0 ? '' : `from ${failsFrom} `;
  const to = failsTo === null ? 'on, assembly or not' : `to ${failsTo}`;
  const range =
    failsTo === null ? `It fails so ${from}${to}.` : `It fails so ${from}up ${to}${failsTo === mostCached ? ', and nowhere above' : ''}.`;
  const isHalved = (failsFrom ?? 0) > 0 || (failsTo !== null && failsTo !== mostCached && failsTo !== own);
  const holes = thresholds.isMonotone
    ? isHalved
      ? ' Found by halving: not every threshold between was tried.'
      : ''
    : ' Not at every threshold between: see above.';
  const silent = isVisible(finding)
    ? ''
    : rows.some(({ loadsOnly }) => loadsOnly)
      ? ' No program notices this failure, so of later ops only loads and answers were compared.'
      : '';
  return `* is this run. ${range}${holes}${silent} ${most}`;
}
