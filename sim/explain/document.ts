/**
 * The JSON document of an explanation: one object whose keys keep their names and order.
 *
 * Bytes, addresses and frames are hex strings, ops and counts numbers, what is unknown is null. New keys may be added at the
 * end of an object.
 */
import { hex, type Mutant } from '../../kernel-model/index.ts';
import type { Finding } from '../finding.ts';
import { describeBacking } from '../report.ts';
import type { Explained, Explanation } from './explain.ts';
import { RIGHT_RULES } from './rule-texts.ts';
import { storyOf } from './steps.ts';
import type { Thresholds } from './thresholds.ts';

export function explainedDocument(explained: Explained): object {
  if (explained.kind === 'holds') {
    const { verdict, kernel, threshold, ops, digest } = explained.result;
    return { explained: false, verdict, kernel, threshold, ops, digest };
  }
  const { explanation } = explained;
  const { finding, signature, statement, kernel, threshold, ops, scene, right, replays, leaks } = explanation;
  const { steps, untold } = storyOf(explanation);
  return {
    explained: true,
    kernel: kernel.name,
    threshold,
    ops: ops.length,
    failure: { ...failureDocument(finding), place: signature.place, statement: statement ?? null },
    byte: byteDocument(explanation),
    process: finding.pid === undefined ? null : { pid: finding.pid, execOp: scene?.image?.op ?? null, argv: scene?.image?.argv ?? null },
    story: { steps, untold, leaks },
    needed: explanation.needed ?? null,
    guilt: guiltDocument(explanation),
    right: { kernel: right.kernel, ops: right.ops, failure: right.finding === undefined ? null : failureDocument(right.finding) },
    thresholds: thresholdsDocument(explanation.thresholds),
    replays,
  };
}

function failureDocument({ kind, id, op, pid, address, expected, actual, message }: Finding): object {
  return { kind, id, op, pid: pid ?? null, addr: hexOrNull(address), expected: value(expected), actual: value(actual), message };
}

function byteDocument({ finding, scene }: Explanation): object | null {
  const { byte } = finding;
  if (byte === undefined) return null;
  const { vma, backing, frame, offsetInPage, provenance } = byte;
  const origin = provenance?.origin;
  const offset = origin?.kind === 'file' ? hex(origin.offset + offsetInPage - provenance!.start) : null;
  return {
    vma: vma ?? null,
    vmasOnPage: scene?.vmas ?? [],
    vmasOfFilePage: scene?.sharers ?? [],
    offsetInPage,
    frame: hexOrNull(frame),
    backing:
      typeof backing === 'string'
        ? { kind: backing }
        : { kind: 'file', path: backing.path, offset: hex(backing.offset), text: describeBacking(backing) },
    origin: origin === undefined ? null : { kind: origin.kind, path: 'path' in origin ? origin.path : null, offset, op: provenance!.op },
    hops: provenance?.hops.map(({ from, why, op }) => ({ from: hex(from), why, op })) ?? [],
  };
}

function guiltDocument({ guilt, wrong }: Explanation): object {
  const { kind, decisions, others, of, experiments, triedOn, confirmedOn } = guilt;
  const decision = ({ id, rule, says, source }: Mutant): object => ({ id, rule, wrong: says, right: RIGHT_RULES[rule], source });
  return {
    kind,
    decisions: decisions.map(({ mutant, curesAlone }) => ({ ...decision(mutant), curesAlone, answers: wrong.get(mutant.rule) ?? null })),
    others: others.map((set) => set.map(({ id }) => id)),
    of,
    experiments,
    triedOn,
    confirmedOn,
  };
}

function thresholdsDocument({ own, mostCached, mostCachedAt, rows, failsFrom, failsTo, isMonotone }: Thresholds): object {
  return {
    own,
    mostCached,
    mostCachedAt: mostCachedAt ?? null,
    failsFrom,
    failsTo,
    isMonotone,
    rows: rows.map(({ threshold, outcome, finding, assembledAt, loadsOnly }) => ({
      threshold,
      outcome,
      failure: finding === undefined ? null : failureDocument(finding),
      assembledAt: assembledAt ?? null,
      loadsOnly,
    })),
  };
}

const hexOrNull = (address: number | undefined): string | null => (address === undefined ? null : hex(address));

function value(given: number | string | undefined): string | null {
  if (typeof given !== 'number') return given ?? null;
  return given < 0 ? `-${hex(-given)}` : hex(given);
}
