/**
 * Records of a trace: value to record and back, line to record and back.
 *
 * Decoding checks everything, because a trace may come from a stranger: unknown ops and fields, rows that are no objects, numbers out
 * of range, addresses outside user space. A record is always built from the schema's own keys, never by copying keys of the input.
 * Encoding is byte-stable: `pid`, `op`, then the schema's order, no spaces. Validators are compiled once and picked by the op's name;
 * a touch, nine lines in ten of a recording, is checked by hand, and falls back to its validator for the error.
 */
import { ADDRESS_END, LENGTH_MAX, LENGTH_WRAPS, MARK, PID_MAX, TOUCH_PAGES_MAX, type Mark } from './field.ts';
import { show, TraceError, type Where } from './format-error.ts';
import { checkHeader, DEFAULT_LIMITS, HEADER_SCHEMA, type TraceHeader, type TraceLimits } from './header.ts';
import { OP_NAMES, OP_SCHEMAS, type Op, type OpName, type OpOf } from './op.ts';
import { compileSchema, requireObject, requireRow, type CompiledSchema, type Node } from './schema-error.ts';

/** A whole trace in memory. `ops[i]` stands in line `i + 2` of its file. */
export interface Trace {
  readonly header: TraceHeader;
  readonly ops: Op[];
}

/** The header of a trace from its first line's value. @throws TraceError naming the first wrong field */
export function decodeHeader(value: unknown, where: Where, limits: TraceLimits = DEFAULT_LIMITS): TraceHeader {
  const row = requireObject(value, where);
  if (!Object.hasOwn(row, 'faultline')) {
    throw new TraceError(where, 'faultline', 'is missing (the first line of a trace is its header, {"faultline":1,…})');
  }
  if (row['faultline'] !== 1) {
    throw new TraceError(
      where,
      'faultline',
      `is ${show(row['faultline'])}, but this faultline reads version 1 (use the faultline that wrote the trace)`,
    );
  }
  const header = toMemory(HEADER_CODEC.schema, requireRow(HEADER_CODEC, row, where), '', where) as TraceHeader;
  checkHeader(header, where, limits);
  return header;
}

/** An op from its line's value. @throws TraceError naming the first wrong field */
export function decodeOp(value: unknown, where: Where): Op {
  const row = requireObject(value, where);
  if (row['op'] === 'touch') {
    const touch = decodeTouch(row);
    if (touch !== undefined) return touch;
  }
  const codec = codecOf(row, where);
  const op = toMemory(codec.schema, requireRow(codec, row, where, `${row['op'] as string}: `), '', where) as Op;
  if (op.op === 'touch') checkTouch(op, where);
  return op;
}

/** An op from its line. @throws TraceError if the line is no JSON or no op */
export const decodeOpLine = (line: string, where: Where): Op => decodeOp(parseJson(line, where), where);

/** A header from its line. @throws TraceError if the line is no JSON or no header */
export const decodeHeaderLine = (line: string, where: Where, limits?: TraceLimits): TraceHeader =>
  decodeHeader(parseJson(line, where), where, limits);

/** The line of a header, without its line end. @throws RangeError if an address is no address: a mistake of the program */
export const encodeHeader = (header: TraceHeader): string => JSON.stringify(toFile(HEADER_CODEC.schema, header));

/** The line of an op, without its line end. @throws RangeError if an address is no address: a mistake of the program */
export const encodeOp = (op: Op): string => JSON.stringify(toFile(OP_CODECS.get(op.op)!.schema, op));

/** A line's JSON value. @throws TraceError with the column if it is none */
export function parseJson(line: string, where: Where): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    const at = /position (\d+)/.exec((error as Error).message);
    const column = at === null ? '' : `, column ${Number(at[1]) + 1}`;
    throw new TraceError(where, '', `is no JSON${column}: ${show(line)} (each line of a trace is one JSON object)`);
  }
}

const HEADER_CODEC = compileSchema(HEADER_SCHEMA);
const OP_CODECS: ReadonlyMap<unknown, CompiledSchema> = new Map(
  OP_NAMES.map((name): [OpName, CompiledSchema] => [name, compileSchema(OP_SCHEMAS[name])]),
);

function codecOf(row: Record<string, unknown>, where: Where): CompiledSchema {
  if (!Object.hasOwn(row, 'op')) throw new TraceError(where, 'op', `is missing (name one of the ops: ${OP_NAMES.join(', ')})`);
  const codec = OP_CODECS.get(row['op']);
  if (codec === undefined) throw new TraceError(where, 'op', `${show(row['op'])} is no op (name one of: ${OP_NAMES.join(', ')})`);
  return codec;
}

// Decoding a touch by hand.

/** The touch, or nothing if anything about it is unusual. */
function decodeTouch(row: Record<string, unknown>): OpOf<'touch'> | undefined {
  let fields = 0;
  for (const _ in row) fields++;
  const { pid, access, pages } = row;
  const addr = parseAddress(row['addr'], ADDRESS_END - 1);
  if (typeof pid !== 'number' || !(pid >= 1 && pid <= PID_MAX) || pid !== Math.floor(pid)) return undefined;
  if (addr < 0 || (access !== 'r' && access !== 'w' && access !== 'x')) return undefined;
  if (fields === 4) return { pid, op: 'touch', addr, access };
  if (fields !== 5 || typeof pages !== 'number' || !(pages >= 1 && pages <= TOUCH_PAGES_MAX) || pages !== Math.floor(pages))
    return undefined;
  if (addr + pages * 4096 > ADDRESS_END) return undefined;
  return { pid, op: 'touch', addr, access, pages };
}

/** What the schema of a touch cannot say. */
function checkTouch({ addr, pages = 1, width = 1, value = '0x0' }: OpOf<'touch'>, where: Where): void {
  if (addr + (pages - 1) * 4096 + width > ADDRESS_END)
    throw new TraceError(where, 'pages', 'the touch ends above 0x800000000000 (user space ends there)');
  if (value.replace(/^0x0*/, '').length > 2 * width)
    throw new TraceError(where, 'value', `${value} does not fit ${width} bytes (say the width)`);
}

/** The number of a hex string with 1 to 16 lowercase digits, or -1 if it is none or above `maximum`, which is below 2^52. */
function parseAddress(text: unknown, maximum: number): number {
  if (typeof text !== 'string' || text.length < 3 || text.length > 18) return -1;
  if (text.charCodeAt(0) !== 0x30 || text.charCodeAt(1) !== 0x78) return -1;
  let value = 0;
  for (let i = 2; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code >= 0x30 && code <= 0x39 ? code - 0x30 : code >= 0x61 && code <= 0x66 ? code - 0x57 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value <= maximum ? value : -1;
}

// Between the two forms, by the schema.

const MAXIMUM: Readonly<Record<Exclude<Mark, 'length'>, number>> = { address: ADDRESS_END - 1, addressEnd: ADDRESS_END };

/** The memory form of a value that its schema has accepted. */
function toMemory(schema: Node, value: unknown, path: string, where: Where): unknown {
  const mark = schema[MARK];
  if (mark === 'length') return Number(value); // Of the long ones only 0xffffffffffffffff is rounded, to LENGTH_WRAPS.
  if (mark !== undefined) {
    const address = parseAddress(value, MAXIMUM[mark]);
    if (address < 0) throw new TraceError(where, path, `is ${show(value)}, but must be ${schema.description}`);
    return address;
  }
  if (schema.anyOf !== undefined) return toMemory(memberFor(schema.anyOf, value, 'file'), value, path, where);
  if (schema.items !== undefined)
    return (value as unknown[]).map((item, index) => toMemory(schema.items!, item, `${path}[${index}]`, where));
  if (schema.properties === undefined) return value;
  return convertFields(schema.properties, value as Record<string, unknown>, (field, item, key) =>
    toMemory(field, item, path === '' ? key : `${path}.${key}`, where),
  );
}

/** The file form of a record in memory: fields in the schema's order, addresses as text. */
function toFile(schema: Node, value: unknown): unknown {
  const mark = schema[MARK];
  if (mark === 'length') return formatLength(value as number);
  if (mark !== undefined) return formatAddress(value as number, MAXIMUM[mark]);
  if (schema.anyOf !== undefined) return toFile(memberFor(schema.anyOf, value, 'memory'), value);
  if (schema.items !== undefined) return (value as unknown[]).map((item) => toFile(schema.items!, item));
  if (schema.properties === undefined) return value;
  return convertFields(schema.properties, value as Record<string, unknown>, toFile);
}

function convertFields(
  properties: Readonly<Record<string, Node>>,
  from: Record<string, unknown>,
  convert: (schema: Node, value: unknown, key: string) => unknown,
): Record<string, unknown> {
  const to: Record<string, unknown> = {};
  for (const key in properties) {
    if (Object.hasOwn(from, key) && from[key] !== undefined) to[key] = convert(properties[key]!, from[key], key);
  }
  return to;
}

/** The member of a union that a value belongs to: by its type, and among objects by the key they must have. */
function memberFor(members: readonly Node[], value: unknown, form: 'file' | 'memory'): Node {
  const found = members.find((member) => {
    if (member.required !== undefined) return Object.hasOwn(value as object, member.required[0]!);
    const isAddress = form === 'memory' ? typeof value === 'number' : typeof value === 'string' && value.startsWith('0x');
    return member[MARK] === undefined ? !isAddress : isAddress;
  });
  return found ?? members[0]!;
}

/** An address or offset as the file writes it. @throws RangeError if it is none */
function formatAddress(address: number, maximum = LENGTH_MAX): string {
  if (!Number.isInteger(address) || address < 0 || address > maximum) throw new RangeError(`not an address: ${address}`);
  return `0x${address.toString(16)}`;
}

/** A length as the file writes it. @throws RangeError if it is none */
function formatLength(length: number): number | string {
  if (Number.isInteger(length) && length >= 0 && length <= LENGTH_MAX) return length;
  if (length === LENGTH_WRAPS) return '0xffffffffffffffff';
  if (!(length > LENGTH_MAX && length < LENGTH_WRAPS) || length % 4096 !== 0) throw new RangeError(`not a length: ${length}`);
  return `0x${BigInt(length).toString(16).padStart(16, '0')}`;
}
