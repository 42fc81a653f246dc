/**
 * Failures that properties found: printed so that they can be run again, and stored in `failures/` until they hold.
 *
 * A stored failure is a trace whose `source.note` names its property. `npm test` replays all of them first, `npm test --
 * --replay FILE` or `REPLAY=FILE npm test` only that one. One that holds again is moved to `failures/held/`.
 */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { violationsOf } from '../../properties/properties.ts';
import type { GeneratedTrace } from '../../properties/generate.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import type { Digester } from '../../sim/digest.ts';
import { replay } from '../../sim/replay.ts';
import { encodeHeader, encodeOp } from '../../traces/codec.ts';
import { formatOp } from '../../traces/notation.ts';

const FAILURES = 'failures';
const NOTE = /^property ([\w-]+)/;

/** Something that a property found, as a test throws it. */
export class PropertyFailure extends Error {
  override readonly name = 'PropertyFailure';
}

export interface FailureFacts {
  readonly property: string;
  readonly says: string;
  readonly seed: string;
  /** The trace, as small as it got. */
  readonly trace: GeneratedTrace;
  readonly violations: readonly string[];
}

/** Writes a failing trace down, and makes the error that says how to run it again. */
export function storeFailure(facts: FailureFacts, digester: Digester, folder = FAILURES): PropertyFailure {
  const { property, says, seed, trace } = facts;
  const { verdict, failure, digest } = replay(trace, { digester, check: 'changes' });
  const expect =
    failure === undefined ? undefined : { verdict: 'failed' as const, kind: failure.kind, id: failure.id, op: failure.op, digest };
  const { expect: _, ...header } = trace.header;
  const stored = {
    ...header,
    source: { tool: 'faultline test', note: `property ${property}: ${says}` },
    ...(verdict === 'failed' && expect !== undefined ? { expect } : {}),
  };
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${property}-${seed.replace(/[^\w.-]/g, '_')}.jsonl`);
  writeFileSync(path, [encodeHeader(stored), ...trace.ops.map(encodeOp), ''].join('\n'));
  return new PropertyFailure(describeFailure(facts, failure?.kind ?? 'property', path));
}

/** Kind, property, seed, the trace on one line, and the commands that run it again. */
function describeFailure({ property, says, seed, trace, violations }: FailureFacts, kind: string, path: string): string {
  return [
    `${kind}: ${property} does not hold: ${says}`,
    ...violations.slice(0, 3).map((violation) => `  ${violation}`),
    `  seed     SEED=${seed} npm test`,
    `  kernel   ${trace.header.kernel.name}`,
    `  trace    ${trace.ops.map(formatOp).join('; ')}`,
    `  again    npm test -- --replay ${path}`,
    `  replay   npx faultline replay ${path}`,
    `  explain  npx faultline explain ${path}`,
    `  view     npx faultline view ${path}`,
  ].join('\n');
}

/** The stored failures, in order of their names. */
export function storedFailures(folder = FAILURES): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** The file of `--replay FILE` or `REPLAY=FILE`, if one of them is there. */
export function replayAsked(args: readonly string[], env: Readonly<Record<string, string | undefined>>): string | undefined {
  const at = args.indexOf('--replay');
  const joined = args.find((arg) => arg.startsWith('--replay='))?.slice('--replay='.length);
  return at >= 0 ? args[at + 1] : (joined ?? env['REPLAY']);
}

/** Runs a stored failure again. @throws PropertyFailure if it still fails */
export async function replayStored(path: string, seed: string, digester: Digester): Promise<void> {
  const trace = await readTrace(path);
  const property = NOTE.exec(trace.header.source?.note ?? '')?.[1] ?? 'holds';
  const violations = violationsOf(property, trace, digester);
  if (violations.length > 0)
    throw new PropertyFailure(describeFailure({ property, says: 'a stored failure fails again', seed, trace, violations }, 'stored', path));
}

/** Puts a failure that holds out of the way. @returns where it is now */
export function retire(path: string, folder = FAILURES): string {
  const held = join(folder, 'held');
  mkdirSync(held, { recursive: true });
  const to = join(held, basename(path));
  renameSync(path, to);
  return to;
}
