/**
 * The JSON Schema of a line of a trace, made from the schemas that the codec uses; published as traces/schema.json.
 *
 * It says what a schema can say about one line. Limits, overlapping segments and the order of lines are checked by the code.
 *
 *     node --import tsx/esm --eval "import('./traces/schema.ts').then((m) => process.stdout.write(m.schemaText()))" > traces/schema.json
 */
import { MARK } from './field.ts';
import { HEADER_SCHEMA } from './header.ts';
import { OP_NAMES, OP_SCHEMAS } from './op.ts';

/** The text of traces/schema.json. */
export function schemaText(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A line of a faultline trace',
    description: 'Generated from traces/header.ts and traces/op.ts. The first line is a header, each other line an op.',
    anyOf: [{ $ref: '#/$defs/header' }, ...OP_NAMES.map((name) => ({ $ref: `#/$defs/${name}` }))],
    $defs: { header: HEADER_SCHEMA, ...OP_SCHEMAS },
  };
  return `${JSON.stringify(schema, (key, value: unknown) => (key === MARK ? undefined : value), 2)}\n`;
}
