/** Arbitrary ops and headers, made from the schemas themselves: a new op or field is generated without a change here. */
import fc from 'fast-check';
import { ADDRESS_END, MARK, TOUCH_PAGES_MAX } from '../../traces/field.ts';
import { HEADER_SCHEMA, type TraceHeader } from '../../traces/header.ts';
import { OP_NAMES, OP_SCHEMAS, type Op } from '../../traces/op.ts';

interface Node {
  readonly [MARK]?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
}

function value(node: Node): fc.Arbitrary<unknown> {
  if (node[MARK] !== undefined)
    return fc.oneof(
      fc.nat({ max: 255 }).map((pages) => pages * 4096),
      fc.maxSafeNat().map((n) => n % ADDRESS_END),
    );
  if (node.const !== undefined) return fc.constant(node.const);
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map(value));
  if (node.pattern !== undefined) return fc.stringMatching(new RegExp(node.pattern), { maxLength: 64 });
  if (node.items !== undefined) return fc.array(value(node.items), { maxLength: 4 });
  if (node.properties !== undefined) return record(node);
  if (node.type === 'integer')
    return fc.oneof(
      fc.integer({ min: node.minimum!, max: Math.min(node.maximum!, node.minimum! + 9) }),
      fc.maxSafeInteger().map((n) => bounded(Math.abs(n), node)),
    );
  if (node.type === 'boolean') return fc.boolean();
  return fc.string({ unit: 'binary', minLength: node.minLength ?? 0, maxLength: 20 });
}

const bounded = (n: number, { minimum, maximum }: Node): number =>
  minimum! + (n % (Math.min(maximum!, Number.MAX_SAFE_INTEGER - 1) - minimum! + 1));

function record(node: Node): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.fromEntries(Object.entries(node.properties!).map(([key, field]) => [key, value(field)]));
  return fc.record(fields, { requiredKeys: [...(node.required ?? [])] }).map((row) => ({ ...row }));
}

/** Fields that a schema cannot bound together. */
function fitting(op: Op): Op {
  if (op.op !== 'touch') return op;
  const width = op.width ?? 1;
  return {
    ...op,
    addr: Math.min(op.addr, ADDRESS_END - TOUCH_PAGES_MAX * 4096 - 8),
    ...(op.value === undefined ? {} : { value: op.value.slice(0, 2 + 2 * width) }),
  };
}

export const anyOp: fc.Arbitrary<Op> = fc
  .oneof(...OP_NAMES.map((name) => record(OP_SCHEMAS[name] as unknown as Node)))
  .map((op) => fitting(op as Op));

/** Headers whose files are small and do not clash; segments are left to tests of their own. */
export const anyHeader: fc.Arbitrary<TraceHeader> = record(HEADER_SCHEMA as unknown as Node).map((row) => {
  const header = row as TraceHeader;
  const { frames, cpus, ...kernel } = header.kernel;
  return {
    ...header,
    kernel: {
      ...kernel,
      ...(frames === undefined ? {} : { frames: 1 + (frames % 1000) }),
      ...(cpus === undefined ? {} : { cpus: 1 + (cpus % 8) }),
    },
    files: header.files.map(({ path: _, links: __, segments: ___, patches: ____, size, ...file }, index) => ({
      path: `/file${index}`,
      size: size % 65536,
      ...file,
      content: 'base64' in file.content ? { seed: file.content.base64 } : file.content,
    })),
  };
});
