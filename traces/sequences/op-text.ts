/** The line of an op, both ways without loss. @see op.ts for the grammar */
import { show, TraceError, type Where } from '../format-error.ts';
import { formatPlace, parsePlace } from './arena.ts';
import {
  ADVICES,
  OP_NAMES,
  PROCESSES_MAX,
  WORDS,
  type FileName,
  type MapLetter,
  type OpName,
  type ProtLetter,
  type RemapLetter,
  type SequenceOp,
  type Words,
} from './op.ts';

/** A word is text or a value of its kind. */
interface WordKind<Value> {
  parse(text: string, where: Where, field: string): Value;
  format(value: Value): string;
}

const FILES: readonly FileName[] = ['f0', 'f1', 'f2', 'bad'];
const MAP_LETTERS: readonly MapLetter[] = ['-', 'p', 's', 'sv', 'a', 'F', 'N', 'R', 'P', 'L', 'G', 'U'];
const REMAP_LETTERS: readonly RemapLetter[] = ['m', 'f', 'd'];
const PROT_LETTERS: readonly ProtLetter[] = ['r', 'w', 'x', 'D'];
const LENGTH_END = 2n ** 64n;
/** Longer ones are those that a trace can hold: see `Length` in traces/field.ts. */
const LENGTH_MAX = 2n ** 47n;
const LENGTH_WANTED = 'a length such as 0x3000; beyond 2^47 a multiple of 0x1000, or 0xffffffffffffffff';
/** File offsets and sizes: bounds what a line can make a run hold in memory. */
const OFFSET_MAX = 2 ** 30;

function fail(text: string, where: Where, field: string, wanted: string): never {
  throw new TraceError(where, field, `is ${show(text)}, but must be ${wanted}`);
}

function oneOf<Word extends string>(words: readonly Word[]): WordKind<Word> {
  return {
    parse: (text, where, field) => words.find((word) => word === text) ?? fail(text, where, field, `one of ${words.join(', ')}`),
    format: (word) => word,
  };
}

/** A list without repetition; `-` is the empty one. */
function listOf<Word extends string>(words: readonly Word[], separator: string): WordKind<readonly Word[]> {
  const parse: WordKind<readonly Word[]>['parse'] = (text, where, field) => {
    if (text === '-') return [];
    const found = text.split(separator).map((part) => words.find((word) => word === part));
    if (found.includes(undefined) || new Set(found).size < found.length)
      return fail(text, where, field, `- or some of ${words.join(' ')}, each once${separator === '' ? '' : `, with ${separator} between`}`);
    return found as Word[];
  };
  return { parse, format: (list) => (list.length === 0 ? '-' : list.join(separator)) };
}

const number = (maximum: number): WordKind<number> => ({
  parse(text, where, field) {
    const value = /^(0x[0-9a-f]{1,12}|\d{1,12})$/.test(text) ? Number(text) : NaN;
    return value <= maximum ? value : fail(text, where, field, `a number from 0 to 0x${maximum.toString(16)}`);
  },
  format: (value) => `0x${value.toString(16)}`,
});

const length: WordKind<bigint> = {
  parse(text, where, field) {
    const value = /^(0x[0-9a-f]{1,16}|\d{1,20})$/.test(text) ? BigInt(text) : LENGTH_END;
    const isExact = value <= LENGTH_MAX || value % 4096n === 0n || value === LENGTH_END - 1n;
    return value < LENGTH_END && isExact ? value : fail(text, where, field, LENGTH_WANTED);
  },
  format: (value) => `0x${value.toString(16)}`,
};

const file = oneOf(FILES);

const KINDS: { readonly [Kind in keyof Words]: WordKind<Words[Kind]> } = {
  place: { parse: parsePlace, format: formatPlace },
  length,
  offset: number(OFFSET_MAX),
  byte: number(255),
  prot: listOf(PROT_LETTERS, ''),
  mapFlags: listOf(MAP_LETTERS, ','),
  remapFlags: listOf(REMAP_LETTERS, ''),
  advice: oneOf(ADVICES),
  backing: {
    parse: (text, where, field) => (text === '-' ? undefined : file.parse(text, where, field)),
    format: (name) => name ?? '-',
  },
  file,
};

const kindsOf = (op: OpName): [field: string, kind: WordKind<unknown>][] =>
  Object.entries(WORDS[op]).map(([field, kind]) => [field, KINDS[kind] as WordKind<unknown>]);

/** The line of an op, without its line end; `@K` stands before it if it is not the first process's. */
export function formatSequenceOp(op: SequenceOp): string {
  return op.process === 0 ? formatBare(op) : `@${op.process} ${formatBare(op)}`;
}

/** As `formatSequenceOp`, without the process. */
export function formatBare(op: SequenceOp): string {
  const fields = op as unknown as Readonly<Record<string, unknown>>;
  return [op.op, ...kindsOf(op.op).map(([field, kind]) => kind.format(fields[field]))].join(' ');
}

/** @throws TraceError naming the word that is wrong */
export function parseSequenceOp(line: string, where: Where): SequenceOp {
  const words = line.trim().split(/\s+/);
  const [, process] = /^@(\d)$/.exec(words[0]!) ?? [];
  if (process !== undefined && Number(process) >= PROCESSES_MAX)
    throw new TraceError(where, 'process', `is @${process}, but must be one from @0 to @${PROCESSES_MAX - 1}`);
  const bare = process === undefined ? words : words.slice(1);
  return parseBare(bare, Number(process ?? 0), where);
}

/** The op of process `process` with these words. @throws TraceError naming the word that is wrong */
function parseBare([name, ...words]: readonly string[], process: number, where: Where): SequenceOp {
  const op = OP_NAMES.find((known) => known === name);
  if (op === undefined) throw new TraceError(where, 'op', `${show(name ?? '')} is no op (name one of ${OP_NAMES.join(', ')})`);
  const kinds = kindsOf(op);
  if (words.length !== kinds.length) {
    const wanted = kinds.length === 0 ? 'stands alone' : `is followed by ${kinds.map(([field]) => field.toUpperCase()).join(' ')}`;
    throw new TraceError(where, 'op', `${op} has ${words.length} words behind it, but ${wanted}`);
  }
  const fields = kinds.map(([field, kind], i): [string, unknown] => [field, kind.parse(words[i]!, where, field)]);
  return { op, process, ...Object.fromEntries(fields) } as SequenceOp;
}
