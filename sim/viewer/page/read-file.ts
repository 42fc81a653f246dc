/** Reads a trace file in the browser: plain or gzip, told apart by the first bytes. */
import type { TraceHeader } from '../../../traces/header.ts';
import type { Op } from '../../../traces/op.ts';
import { TraceLines } from '../trace-lines.ts';

/** Bytes of a trace after decompression. */
const TOTAL_BYTES_MAX = 2 ** 30;
const BYTES_BETWEEN_REPORTS = 2 ** 23;

/** @throws TraceError, or an error that says what is wrong with the file */
export async function readTraceFile(
  file: Blob,
  name: string,
  onProgress: (ops: number) => void,
): Promise<{ readonly header: TraceHeader; readonly ops: readonly Op[] }> {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if (head[0] === 0x28 && head[1] === 0xb5 && head[2] === 0x2f && head[3] === 0xfd)
    throw new Error(`${name} is zstd data, which a browser cannot read: decompress it, or use faultline view ${name}`);
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const bytes: ReadableStream<Uint8Array> = isGzip ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  const lines = new TraceLines(name);
  const decoder = new TextDecoder();
  const reader = bytes.getReader();
  for (let total = 0, reported = 0; ;) {
    const { done, value } = await readNext(reader, name, lines.ops.length);
    if (done) break;
    total += value.length;
    if (total > TOTAL_BYTES_MAX) throw new Error(`${name} is larger than ${TOTAL_BYTES_MAX} bytes, decompressed`);
    lines.push(decoder.decode(value, { stream: true }));
    if (total - reported > BYTES_BETWEEN_REPORTS) {
      reported = total;
      onProgress(lines.ops.length);
    }
  }
  return lines.end();
}

async function readNext(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  name: string,
  ops: number,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch {
    throw new Error(`${name} is damaged gzip data, after ${ops} ops (fetch or record it again)`);
  }
}

export const bytesOfBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
