/**
 * Schemas that are compiled once, and the error of a value that does not fit: which field, what is there, what must be there.
 *
 * The last is the schema's `description`, which completes the sentence "must be …".
 */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import type { MARK } from './field.ts';
import { type Mark } from './field.ts';
import { show, TraceError, type Where } from './format-error.ts';

/** A schema as the code walks it: the part of JSON Schema that the schemas of this folder use. */
export interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly description?: string;
  readonly [MARK]?: Mark;
}

export interface CompiledSchema {
  readonly schema: Node;
  readonly validator: Validator;
}

export const compileSchema = (schema: TSchema): CompiledSchema => ({ schema: schema, validator: Compile(schema) });

/** The value, which is an object. @throws TraceError if it is none */
export function requireObject(value: unknown, where: Where): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const found = value === undefined ? 'nothing' : show(value);
    throw new TraceError(where, '', `is ${found}, but must be a JSON object (one record a line)`);
  }
  return value as Record<string, unknown>;
}

/**
 * The value, which the schema accepts.
 *
 * @param prefix - stands before what is wrong, such as `mmap: `
 * @throws TraceError naming the first wrong field
 */
export function requireRow(compiled: CompiledSchema, value: unknown, where: Where, prefix = ''): Record<string, unknown> {
  const row = requireObject(value, where);
  if (!compiled.validator.Check(row)) throw firstError(compiled, row, where, prefix);
  return row;
}

/** The error that helps most: an unknown field before a missing one before a wrong one. */
function firstError({ validator, schema }: CompiledSchema, value: unknown, where: Where, prefix: string): TraceError {
  const errors = validator.Errors(value);
  const unknown = errors.find((error) => error.keyword === 'additionalProperties');
  if (unknown !== undefined) {
    const [name] = unknown.params.additionalProperties;
    const node = nodeAt(schema, unknown.schemaPath);
    const known = node.properties === undefined ? node.description : Object.keys(node.properties).join(', ');
    return new TraceError(where, fieldOf(unknown.instancePath, name), `${prefix}is no field (known fields: ${known})`);
  }
  const missing = errors.find((error) => error.keyword === 'required');
  if (missing !== undefined) {
    const [name] = missing.params.requiredProperties;
    return new TraceError(where, fieldOf(missing.instancePath, name), `${prefix}is missing`);
  }
  const [error] = errors;
  if (error === undefined) return new TraceError(where, '', `${prefix}is not as the schema says`);
  const node = nodeAt(schema, error.schemaPath);
  const found = valueAt(value, error.instancePath);
  return new TraceError(
    where,
    fieldOf(error.instancePath),
    `${prefix}is ${show(found)}, but must be ${node.description ?? error.message.replace(/^must be /, '')}`,
  );
}

const steps = (pointer: string): string[] =>
  pointer
    .replace(/^#/, '')
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));

/** The schema a pointer leads to; a union as a whole, for its description says what the members have in common. */
function nodeAt(schema: Node, pointer: string): Node {
  let node: unknown = schema;
  for (const step of steps(pointer)) {
    if (step === 'anyOf' && (node as Node).description !== undefined) break;
    node = (node as Record<string, unknown>)[step];
  }
  return node as Node;
}

function valueAt(value: unknown, pointer: string): unknown {
  let found = value;
  for (const step of steps(pointer)) found = (found as Record<string, unknown>)[step];
  return found;
}

/** A JSON pointer as a path: `/files/0/size` is `files[0].size`. */
function fieldOf(pointer: string, name?: string): string {
  const all = name === undefined ? steps(pointer) : [...steps(pointer), name];
  return all.reduce(
    (path, step) =>
      /^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? show(step).slice(1, -1) : `${path}.${show(step).slice(1, -1)}`,
    '',
  );
}
