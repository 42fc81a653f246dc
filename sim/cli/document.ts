/**
 * The JSON document of a replay: what `--json` prints, one object, its first keys fixed in name and order.
 *
 * Bytes, addresses and answers are hex strings, errnos and signals their names, what is unknown is null.
 */
import { hex } from '../../kernel-model/index.ts';
import { describeProvenance, type Finding } from '../finding.ts';
import type { Divergence } from '../replay.ts';
import { describeBacking } from '../report.ts';
import { describeRunDifference } from '../twice.ts';
import type { TraceRun } from './run-trace.ts';

export function replayDocument(run: TraceRun, isTwice = false): object {
  const { result, elapsedMs } = run;
  const { verdict, failure, findings, divergence, kernel, threshold, ops, faults, assemblies, execs, checks, expectation, digest } = result;
  return {
    verdict,
    failure: failure === undefined ? null : { ...findingDocument(failure), ...byteDocument(failure) },
    kernel,
    threshold,
    ops,
    faults,
    assemblies,
    digest,
    elapsedMs: Math.round(elapsedMs),
    opsPerSecond: Math.round((ops / Math.max(elapsedMs, 0.001)) * 1000),
    execs,
    checks: checks === undefined ? null : { ...checks, firstFailed: checks.firstFailed ?? null },
    expectation: expectation ?? null,
    findings: findings.map(findingDocument),
    divergence: divergence === undefined ? null : divergenceDocument(divergence),
    ...(isTwice ? { twice: run.difference === undefined ? 'same' : describeRunDifference(run.difference) } : {}),
  };
}

function findingDocument({ kind, id, op, pid, address, expected, actual, message }: Finding): object {
  return {
    kind,
    id,
    op,
    pid: pid ?? null,
    addr: address === undefined ? null : hex(address),
    expected: valueDocument(expected),
    actual: valueDocument(actual),
    message,
  };
}

/** What is known of a wrong byte. */
function byteDocument({ byte, execs }: Finding): object {
  if (byte === undefined) return { execs };
  return {
    execs,
    vma: byte.vma ?? null,
    backing: describeBacking(byte.backing),
    origin: byte.provenance === undefined ? null : describeProvenance(byte.provenance, byte.offsetInPage),
  };
}

const divergenceDocument = ({ op, name, recorded, actual }: Divergence): object => ({
  op,
  name,
  recorded: valueDocument(recorded),
  actual: valueDocument(actual),
});

function valueDocument(value: number | string | undefined): string | null {
  if (typeof value !== 'number') return value ?? null;
  return value < 0 ? `-${hex(-value)}` : hex(value);
}
