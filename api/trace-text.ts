/** Traces as the text of a file: a header, then one op a line, each a JSON object (traces/README.md). */
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp, type Trace } from '../traces/codec.ts';
import type { TraceLimits } from '../traces/header.ts';
import type { RunnableTrace } from './run.ts';

/** The text of a trace, with a line end behind each line; the same trace gives the same text. */
export const encodeTrace = ({ header, ops }: RunnableTrace): string => [encodeHeader(header), ...ops.map(encodeOp), ''].join('\n');

/**
 * The trace of a text, checked field by field: it may come from a stranger.
 *
 * @param file - the name that errors give
 * @throws TraceError that names file, line and field
 */
export function decodeTrace(text: string, file = 'trace', limits?: TraceLimits): Trace {
  const [head = '', ...lines] = text.replace(/\n$/, '').split('\n');
  return {
    header: decodeHeaderLine(head, { file, line: 1 }, limits),
    ops: lines.map((line, i) => decodeOpLine(line, { file, line: i + 2 })),
  };
}
