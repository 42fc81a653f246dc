/**
 * Ops as text for people: `p1 touch w 0x51c000+3`, one line an op, both ways without loss.
 *
 * A line is the process, the op, its main fields in a fixed order, the others as `name=value`, and ` = result` at the end. Words are
 * quoted as in JSON where they hold anything but letters, digits and `_ . / : % @ + , -`; a quoted word is never an option or a sign. Lists are
 * joined with commas, `-` is the empty list. `#` begins a comment. What the values may be is the codec's business: each parsed line
 * goes through it.
 */
import { decodeOp, encodeOp } from './codec.ts';
import { MARK, type Mark } from './field.ts';
import { NOWHERE, show, TraceError, type Where } from './format-error.ts';
import { OP_NAMES, OP_SCHEMAS, type Op, type OpName } from './op.ts';

/** Fields by place, in the order of the line. Optional ones stand last. `addr+pages` is one word. `...` takes the words that are left. */
// prettier-ignore
const PLACES: Readonly<Record<OpName, readonly string[]>> = {
  exec:      ['path', '...argv'],
  fork:      ['child'],
  vfork:     ['child'],
  exit:      ['status'],
  wait:      ['child'],
  mmap:      ['addr', 'length', 'prot', 'flags'],
  munmap:    ['addr', 'length'],
  mprotect:  ['addr', 'length', 'prot'],
  mremap:    ['addr', 'length', 'newLength', 'flags'],
  brk:       ['addr'],
  madvise:   ['addr', 'length', 'advice'],
  msync:     ['addr', 'length', 'flags'],
  mincore:   ['addr', 'length'],
  mlock:     ['addr', 'length'],
  munlock:   ['addr', 'length'],
  touch:     ['access', 'addr+pages'],
  copyIn:    ['addr', 'length'],
  copyOut:   ['addr', 'length'],
  read:      ['path', 'offset', 'length'],
  write:     ['path', 'offset', 'length'],
  pread:     ['path', 'offset', 'addr', 'length'],
  pwrite:    ['path', 'offset', 'addr', 'length'],
  truncate:  ['path', 'size'],
  sync:      ['path'],
  resize:    ['path', 'size'],
  reclaim:   ['pages'],
  pin:       ['id', 'access', 'addr'],
  unpin:     ['id'],
  switchCpu: ['cpu'],
  inject:    ['fault', 'at'],
  mark:      ['name'],
};

/** One op as one line, without its line end. */
export function formatOp(op: Op): string {
  const fields = new Map(Object.entries(JSON.parse(encodeOp(op)) as Record<string, unknown>));
  const take = (field: string): unknown => {
    const value = fields.get(field);
    fields.delete(field);
    return value;
  };
  const words = [`p${take('pid') as number}`, take('op') as string];
  const result = take('result') as string | number | undefined;
  for (const place of PLACES[op.op]) words.push(...placeWords(place, take));
  for (const [field, value] of fields) words.push(...optionWords(field, value));
  if (result !== undefined) words.push('=', String(result));
  return words.join(' ');
}

/**
 * The ops of a text of many lines; blank lines and comments are none.
 *
 * @throws TraceError naming the line, and the field if the codec refuses it
 */
export function parseNotation(text: string, file = '<notation>'): Op[] {
  const ops: Op[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    const where = { file, line: index + 1 };
    const words = wordsOf(line, where);
    if (words.length > 0) ops.push(parseWords(words, where));
  });
  return ops;
}

/** The op of one line. @throws TraceError if it holds none, or more than one line */
export function parseOp(line: string): Op {
  const words = wordsOf(line, NOWHERE);
  if (words.length === 0) throw new TraceError(NOWHERE, '', 'holds no op');
  return parseWords(words, NOWHERE);
}

// Formatting.

/** The words at one place: none if the field is absent. */
function placeWords(place: string, take: (field: string) => unknown): string[] {
  const [field, extra] = splitPlace(place);
  const value = take(field);
  if (value === undefined) return [];
  if (place.startsWith('...')) return argvWords(value as string[]);
  const added = extra === undefined ? undefined : (take(extra) as number | undefined);
  return [formatValue(field, value) + (added === undefined ? '' : `+${added}`)];
}

/** `...argv` is `argv`; `addr+pages` are `addr` and `pages`. */
function splitPlace(place: string): [field: string, extra: string | undefined] {
  const [field, extra] = place.replace(/^\.\.\./, '').split('+');
  return [field!, extra];
}

const PLAIN = /^[A-Za-z0-9_./:%@+,-]+$/;
/** Words that mean something else where a string is written: the empty list. */
const quote = (text: string): string => (PLAIN.test(text) && text !== '-' ? text : JSON.stringify(text));

const argvWords = (argv: readonly string[]): string[] => (argv.length === 0 ? ['-'] : argv.map(quote));

/** A list of strings is an option for each; the other lists are of plain words. */
function optionWords(field: string, value: unknown): string[] {
  if (field === 'env') return (value as string[]).length === 0 ? ['env=-'] : (value as string[]).map((entry) => `env=${quote(entry)}`);
  if (field === 'argv') return argvWords(value as string[]);
  return [`${field}=${formatValue(field, value)}`];
}

function formatValue(field: string, value: unknown): string {
  if (field === 'child') return `p${value as number}`;
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',');
  return typeof value === 'string' ? quote(value) : String(value);
}

// Parsing.

/** A word of a line. `option` is the name before `=`; a quoted text is a string and nothing else. */
interface Word {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly option?: string;
}

const WORD = /\s*(?:(#.*)|(?:([A-Za-z]+)=)?(?:("[^"\\]*(?:\\.[^"\\]*)*")|([A-Za-z0-9_./:%@+,-]+))(?=\s|$)|(=)(?=\s|$))/y;

function wordsOf(line: string, where: Where): Word[] {
  const words: Word[] = [];
  const text = line.trimEnd();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const from = WORD.lastIndex;
    const match = WORD.exec(text);
    if (match === null)
      throw new TraceError(
        where,
        '',
        `column ${from + 1}: ${show(text.slice(from).trim())} is no word (quote words with other signs as in JSON)`,
      );
    const [, comment, option, quoted, plain, sign] = match;
    if (comment !== undefined) break;
    const value = quoted === undefined ? (plain ?? sign!) : unquote(quoted, where);
    words.push({ text: value, isQuoted: quoted !== undefined, ...(option === undefined ? {} : { option }) });
  }
  return words;
}

function unquote(quoted: string, where: Where): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw new TraceError(where, '', `${show(quoted)} is no JSON string`);
  }
}

function parseWords(words: readonly Word[], where: Where): Op {
  const [process, name, ...rest] = words as [Word, Word | undefined, ...Word[]];
  const op = OP_NAMES.find((known) => known === name?.text);
  if (op === undefined)
    throw new TraceError(
      where,
      'op',
      `${name === undefined ? 'is missing' : `${show(name.text)} is no op`} (name one of: ${OP_NAMES.join(', ')})`,
    );
  const row = new Row(op, where);
  row.set('pid', pidOf(process, where, 'pid'));
  const sign = rest.findIndex((word) => word.text === '=' && !word.isQuoted && word.option === undefined);
  if (sign >= 0) {
    if (rest.length !== sign + 2) throw new TraceError(where, 'result', 'one word must follow the sign `=`, at the end of the line');
    row.setWord('result', rest[sign + 1]!);
  }
  const fields = sign < 0 ? rest : rest.slice(0, sign);
  parsePlaces(
    row,
    op,
    fields.filter(({ option }) => option === undefined),
    where,
  );
  for (const word of fields) if (word.option !== undefined) row.setWord(word.option, word);
  return decodeOp(row.record(), where);
}

function parsePlaces(row: Row, op: OpName, words: readonly Word[], where: Where): void {
  let at = 0;
  for (const place of PLACES[op]) {
    const word = words[at];
    const [field, extra] = splitPlace(place);
    if (word === undefined) return;
    if (place.startsWith('...')) {
      row.set(field, isEmptyList(word) && words.length === at + 1 ? [] : words.slice(at).map(({ text }) => text));
      return;
    }
    const [first, second] = extra === undefined ? [word.text] : word.text.split('+');
    row.setWord(field, { ...word, text: first! });
    if (extra !== undefined && second !== undefined) row.setWord(extra, { ...word, text: second });
    at++;
  }
  if (at < words.length)
    throw new TraceError(
      where,
      '',
      `${op}: ${show(words[at]!.text)} is one word too many (its fields: ${PLACES[op].join(' ')}, others as name=value)`,
    );
}

const isEmptyList = ({ text, isQuoted }: Word): boolean => text === '-' && !isQuoted;

function pidOf({ text, isQuoted }: Word, where: Where, field: string): number {
  if (isQuoted || !/^p\d{1,8}$/.test(text)) throw new TraceError(where, field, `${show(text)} is no process (write p1, p2, …)`);
  return Number(text.slice(1));
}

/** How a field's word becomes a value of the file form, by the field's schema. */
type Kind = 'number' | 'length' | 'text' | 'flag' | 'list' | 'texts' | 'result';

interface Schema {
  readonly [MARK]?: Mark;
  readonly const?: unknown;
  readonly type?: string;
  readonly enum?: readonly unknown[];
}

function kindOf(op: OpName, field: string): Kind | undefined {
  const properties = OP_SCHEMAS[op].properties as Readonly<Record<string, Schema>>;
  if (field === 'result') return 'result';
  if (!Object.hasOwn(properties, field)) return undefined;
  const { [MARK]: mark, const: constant, type, enum: choices } = properties[field]!;
  if (mark === 'length') return 'length';
  if (constant === true) return 'flag';
  if (field === 'argv' || field === 'env') return 'texts';
  if (type === 'array') return 'list';
  return type === 'integer' || typeof choices?.[0] === 'number' ? 'number' : 'text';
}

/** A record in the making; only fields of the op's schema get in. */
class Row {
  private readonly fields = new Map<string, unknown>();
  private readonly op: OpName;
  private readonly where: Where;

  constructor(op: OpName, where: Where) {
    this.op = op;
    this.where = where;
  }

  set(field: string, value: unknown): void {
    if (this.fields.has(field)) throw new TraceError(this.where, field, `${this.op}: is given twice`);
    this.fields.set(field, value);
  }

  setWord(field: string, word: Word): void {
    const kind = kindOf(this.op, field);
    if (kind === undefined)
      throw new TraceError(
        this.where,
        show(field).slice(1, -1),
        `${this.op}: is no field (known fields: ${Object.keys(OP_SCHEMAS[this.op].properties).join(', ')})`,
      );
    if (field === 'child') this.set(field, pidOf(word, this.where, field));
    else if (kind === 'number' || ((kind === 'result' || kind === 'length') && /^\d/.test(word.text) && !word.text.startsWith('0x')))
      this.set(field, this.number(field, word));
    else if (kind === 'flag' && word.text === 'true') this.set(field, true);
    else if (kind === 'list') this.set(field, isEmptyList(word) ? [] : word.text.split(','));
    else if (kind === 'texts') this.append(field, word);
    else this.set(field, word.text);
  }

  record(): Record<string, unknown> {
    return Object.fromEntries([['op', this.op], ...this.fields]);
  }

  private append(field: string, word: Word): void {
    const before = this.fields.get(field) as string[] | undefined;
    this.fields.set(field, isEmptyList(word) ? [] : [...(before ?? []), word.text]);
  }

  private number(field: string, { text }: Word): number {
    if (!/^\d{1,16}$/.test(text)) throw new TraceError(this.where, field, `${this.op}: is ${show(text)}, but must be a whole number`);
    return Number(text);
  }
}
