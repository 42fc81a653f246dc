/**
 * A suite of checks for a live guest: what each runs in a shell, what it must print and which status it must have.
 *
 * Checks are data (traces/suites/). Their values come from the same programs under qemu-riscv64 (scripts/suite-expect.ts). Each
 * runs in a fresh folder that holds its files and nothing else, with `ENVIRONMENT` and without input. What depends on the
 * machine has a pattern instead of a text, and a note that says why.
 */
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';

/** Where a check finds itself. */
export const FOLDER = '/tmp/suite';

/** The environment of every check. */
export const ENVIRONMENT: Readonly<Record<string, string>> = { PATH: '/sbin:/usr/sbin:/bin:/usr/bin', HOME: '/root', TZ: 'UTC0' };

const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: '^[a-z0-9_]+$' });

const CheckSchema = Type.Object(
  {
    name: Name,
    /** What `sh -c` is given. */
    command: Type.String({ minLength: 1 }),
    /** The folder's files by name, as text. */
    files: Type.Optional(Type.Record(Type.String(), Type.String())),
    /** Applets that not every BusyBox has; without them the check is skipped. */
    needs: Type.Optional(Type.Array(Type.String(), { minItems: 1 })),
    /** Standard output, whole. */
    stdout: Type.Optional(Type.String()),
    /** A regular expression for standard output, instead of it. */
    pattern: Type.Optional(Type.String({ pattern: '^\\^[\\s\\S]*\\$$' })),
    note: Type.Optional(Type.String()),
    /** Exit status of the shell. */
    status: Type.Integer({ minimum: 0, maximum: 255 }),
  },
  closed,
);

const SuiteSchema = Type.Object(
  {
    /** The programs that gave the values. */
    guests: Type.Array(Type.Object({ program: Type.String(), sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }) }, closed)),
    checks: Type.Array(CheckSchema),
  },
  closed,
);

export type Check = Static<typeof CheckSchema>;
export type Suite = Static<typeof SuiteSchema>;

const validator = Compile(SuiteSchema);

/** Reads a suite from its parsed JSON. @throws Error naming the check or the place that is wrong */
export function readSuite(json: unknown): Suite {
  const [problem] = validator.Errors(json);
  if (problem !== undefined || !validator.Check(json))
    throw new Error(`no suite: ${problem?.instancePath ?? ''} ${problem?.message ?? ''}`);
  const names = new Set<string>();
  for (const { name, stdout, pattern, note } of json.checks) {
    if (names.has(name)) throw new Error(`no suite: two checks are called ${name}`);
    if ((stdout === undefined) === (pattern === undefined)) throw new Error(`no suite: ${name} needs either stdout or a pattern`);
    if (pattern !== undefined && note === undefined) throw new Error(`no suite: ${name} has a pattern, but no note that says why`);
    names.add(name);
  }
  return json;
}

/** What a shell did. */
export interface Outcome {
  readonly stdout: string;
  /** Exit status, or the name of the signal that ended the shell. */
  readonly status: number | string;
}

/** The applets that a check needs and a guest lacks. */
export const missingApplets = ({ needs = [] }: Check, applets: readonly string[]): string[] =>
  needs.filter((name) => !applets.includes(name));

/** @returns undefined if the check passed, else what is wrong with what came */
export function problemOf({ stdout, pattern, status }: Check, came: Outcome): string | undefined {
  if (came.status !== status)
    return typeof came.status === 'string' ? `died of ${came.status}` : `exit status ${came.status}, not ${status}`;
  if (stdout !== undefined && came.stdout !== stdout) return `printed ${quote(came.stdout)}, not ${quote(stdout)}`;
  if (pattern !== undefined && !new RegExp(pattern).test(came.stdout))
    return `printed ${quote(came.stdout)}, which does not match ${pattern}`;
  return undefined;
}

/** Characters of a text that are shown. */
const SHOWN_MAX = 200;

const quote = (text: string): string => (text.length > SHOWN_MAX ? `${JSON.stringify(text.slice(0, SHOWN_MAX))}…` : JSON.stringify(text));
