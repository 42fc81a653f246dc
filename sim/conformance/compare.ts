/**
 * Compares what two kernels answered to the same sequence, op by op and field by field.
 *
 * Lines that only say what changed (hashes) are turned into states first. A page's contents are compared where both have the page, VMA
 * lists as they are and normalised: neighbours that a program cannot tell from one VMA are joined.
 */
import { ARENAS } from '../../traces/sequences/arena.ts';
import type { SequenceOp } from '../../traces/sequences/op.ts';
import { isNotRun, type StepResult, type VmaRow } from '../../traces/sequences/result.ts';
import { decodeRuns } from '../../traces/sequences/run-length.ts';
import type { Recording } from '../../traces/sequences/sequence.ts';
import { HashBook, ZERO_PAGE_HASH } from './page-hash.ts';

/** What is compared, in the order of the reports. */
export const FIELDS = ['outcome', 'byte', 'contents', 'vmaNormalised', 'vmaRaw', 'presence', 'mincore', 'faults', 'brk'] as const;
export type Field = (typeof FIELDS)[number];

export interface Difference {
  readonly sequence: number;
  /** Index of the op in its sequence. */
  readonly index: number;
  readonly op: SequenceOp;
  readonly field: Field;
  /** What the first recording has, and what the second. */
  readonly expected: string;
  readonly actual: string;
}

/** What came of one field of one op: undefined where neither says anything of it. */
export type Comparison = Readonly<Partial<Record<Field, Difference | 'same'>>>;

const NOTHING = 'nothing';

/** One comparison an op. An op that one of the two did not get to differs in its outcome. */
export function compareRecordings(expected: Recording, actual: Recording): Comparison[] {
  const [left, right] = [new Reader(expected), new Reader(actual)];
  return expected.ops.map((op, index) => {
    const [one, other] = [left.next(index), right.next(index)];
    const comparison: Partial<Record<Field, Difference | 'same'>> = {};
    for (const field of FIELDS) {
      const [want, have] = field === 'contents' ? contentsInBoth(one?.contents, other?.contents) : [one?.[field], other?.[field]];
      if (want === undefined && have === undefined) continue;
      const difference = { sequence: expected.id, index, op, field, expected: want ?? NOTHING, actual: have ?? NOTHING };
      comparison[field] = want === have ? 'same' : difference;
    }
    return comparison;
  });
}

/** The fields of an op as texts that are equal when the fields are; undefined where there is none. */
type Texts = { readonly [Name in Exclude<Field, 'contents'>]: string | undefined } & { readonly contents: Contents };

/** Which pages are there, and the hashes of those that are not all zeros. */
interface Contents {
  readonly letters: readonly string[];
  readonly hashes: ReadonlyMap<number, string>;
}

/** Has a page with this letter contents? */
const isThere = (letter: string | undefined): boolean => letter !== undefined && letter !== '.' && letter !== 's';

/** Reads a recording's lines in order. */
class Reader {
  private readonly recording: Recording;
  private readonly hashes = new HashBook();

  constructor(recording: Recording) {
    this.recording = recording;
  }

  next(index: number): Texts | undefined {
    const { ops, results, mode } = this.recording;
    const [op, result] = [ops[index], results[index]];
    if (op === undefined || result === undefined) return undefined;
    for (const [page, hash] of Object.entries(result.d ?? {})) this.hashes.note(op.process, Number(page), hash);
    const contents = this.contents(op.process, result, ARENAS[mode].pages);
    const child = /^P(\d)$/.exec(String(result.r))?.[1];
    if (op.op === 'fork' && child !== undefined) this.hashes.fork(op.process, Number(child));
    return {
      outcome: outcomeText(op, result),
      byte: byteText(op, result),
      vmaRaw: result.v === undefined ? undefined : vmaText(result.v),
      vmaNormalised: result.v === undefined ? undefined : vmaText(normaliseVmas(result.v)),
      presence: result.pg,
      mincore: result.mc,
      faults: result.flt?.join(' '),
      brk: result.brk,
      contents,
    };
  }

  private contents(process: number, { pg }: StepResult, pages: number): Contents {
    const letters = decodeRuns(pg ?? '', pages);
    if (pg !== undefined) this.hashes.keep(process, { has: (page) => isThere(letters[page]) });
    return { letters, hashes: this.hashes.entries(process) };
  }
}

function outcomeText(op: SequenceOp, { r, e, sig, code }: StepResult): string {
  if (sig !== undefined) return `SIG${sig} ${code ?? ''}`.trimEnd();
  if (e !== undefined) return e;
  return op.op === 'r' && typeof r === 'number' ? 'a byte' : String(r ?? NOTHING);
}

function byteText({ op }: SequenceOp, result: StepResult): string | undefined {
  if (op === 'r' && typeof result.r === 'number' && !isNotRun(result)) return String(result.r);
  return result.b === undefined ? undefined : String(result.b);
}

/** The hashes that differ on pages that both have; undefined if there is no such page. */
function contentsInBoth(one: Contents | undefined, other: Contents | undefined): [string | undefined, string | undefined] {
  if (one === undefined || other === undefined) return [undefined, undefined];
  const isInBoth = (page: number): boolean => isThere(one.letters[page]) && isThere(other.letters[page]);
  if (!one.letters.some((_, page) => isInBoth(page))) return [undefined, undefined];
  const hashOf = ({ hashes }: Contents, page: number): string => hashes.get(page) ?? ZERO_PAGE_HASH;
  const pages = [...new Set([...one.hashes.keys(), ...other.hashes.keys()])].filter(isInBoth).sort((a, b) => a - b);
  const wrong = pages.filter((page) => hashOf(one, page) !== hashOf(other, page));
  const text = (contents: Contents): string => wrong.map((page) => `page ${page} ${hashOf(contents, page)}`).join(', ');
  return [text(one), text(other)];
}

// ---- VMA lists.

const vmaText = (rows: readonly VmaRow[]): string =>
  rows.length === 0
    ? 'none'
    : rows
        .map(([start, end, rights, backing, offset, flags]) => `[${start},${end}) ${rights} ${backing} ${offset} ${flags}`.trimEnd())
        .join('; ');

/** Joins neighbours of the same protection, the same backing and contiguous offsets; flags are left out. */
export function normaliseVmas(rows: readonly VmaRow[]): VmaRow[] {
  const joined: VmaRow[] = [];
  for (const [start, end, rights, backing, offset] of rows) {
    const last = joined.at(-1);
    const isSame = last !== undefined && last[1] === start && last[2] === rights && last[3] === backing;
    if (isSame && (backing === '-' || last[4] + last[1] - last[0] === offset)) last[1] = end;
    else joined.push([start, end, rights, backing, offset, '']);
  }
  return joined;
}
