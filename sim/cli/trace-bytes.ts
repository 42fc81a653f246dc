/**
 * The bytes of a trace file, decompressed: plain, gzip or zstd, told apart by their first bytes and never by the name.
 *
 * A compressed file from a stranger is small and its content need not be: input is fed in steps whose output is bounded, so that the
 * reader can stop at its limit, and a zstd window above 128 MiB is refused before it is allocated. Everything decompressed before a
 * defect is given out before the defect is reported. fzstd does not verify checksums, nor does this file.
 */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';

/** The compressed data are cut off or damaged. `message` completes the sentence "the file …". */
export class CompressionError extends Error {
  override readonly name = 'CompressionError';
}

/** Compressed bytes fed in one step: deflate grows 1,032-fold at most, so a step gives less than 5 MB. */
const STEP_BYTES = 4096;
/** As the zstd tool refuses without `--long`. */
const ZSTD_WINDOW_MAX = 128 * 2 ** 20;

/** The decompressed bytes of a file; `-` is standard input. @throws CompressionError, or the error of the file system */
export async function* readBytes(path: string): AsyncGenerator<Uint8Array> {
  const input: AsyncIterable<Buffer> = path === '-' ? process.stdin : createReadStream(path);
  const chunks = withHead(input, 4);
  const { value: head } = await chunks.next();
  if (head === undefined) return;
  if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzip(prepend(head, chunks));
  else if (isZstd(head)) yield* unzstd(prepend(head, chunks));
  else yield* prepend(head, chunks);
}

/** The same bytes, the first chunk at least `bytes` long unless the input is shorter. */
async function* withHead(input: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of input) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < bytes) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined && head.length > 0) yield head;
  return undefined;
}

async function* prepend(head: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield head;
  yield* rest;
}

// gzip

async function* gunzip(input: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  let output: Buffer[] = [];
  let failure: Error | undefined;
  stream.on('data', (chunk: Buffer) => output.push(chunk));
  stream.on('error', (error) => (failure = error));
  const closed = new Promise<void>((done) => stream.once('close', done));
  try {
    for await (const step of steps(input)) {
      await Promise.race([closed, new Promise<void>((done) => stream.write(step, () => done()))]);
      yield* output;
      output = [];
      if (failure !== undefined) throw gzipError(failure);
    }
    stream.end();
    await closed;
    yield* output;
    if (failure !== undefined) throw gzipError(failure);
  } finally {
    stream.destroy();
  }
}

async function* steps(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += STEP_BYTES) yield chunk.subarray(at, at + STEP_BYTES);
  }
}

const gzipError = (error: Error): CompressionError =>
  new CompressionError(
    error.message === 'unexpected end of file' ? 'is gzip data that end early' : `is damaged gzip data (${error.message})`,
  );

// zstd: the frames are walked here, so that fzstd sees one block at a time and no window that is too large.

const ZSTD_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

function isZstd(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const magic = bytes.readUInt32LE(0);
  return magic === ZSTD_MAGIC || (magic & ~15) >>> 0 === SKIPPABLE_MAGIC;
}

/** Bytes still to come, taken in exact amounts. */
class ByteQueue {
  private held: Buffer = Buffer.alloc(0);
  private readonly input: AsyncIterator<Buffer>;

  constructor(input: AsyncIterable<Buffer>) {
    this.input = input[Symbol.asyncIterator]();
  }

  async isEmpty(): Promise<boolean> {
    return (await this.fill(1)) < 1;
  }

  /** The next `count` bytes, which stay. @throws CompressionError if the input ends before */
  async peek(count: number): Promise<Buffer> {
    if ((await this.fill(count)) < count) throw new CompressionError('is zstd data that end early');
    return this.held.subarray(0, count);
  }

  /** The next `count` bytes. @throws CompressionError if the input ends before */
  async take(count: number): Promise<Buffer> {
    const bytes = await this.peek(count);
    this.held = this.held.subarray(count);
    return bytes;
  }

  async close(): Promise<void> {
    await this.input.return?.();
  }

  /** Holds `count` bytes, fewer only if the input ends; gives how many it holds. */
  private async fill(count: number): Promise<number> {
    const parts = [this.held];
    let length = this.held.length;
    while (length < count) {
      const next = await this.input.next();
      if (next.done === true) break;
      parts.push(next.value);
      length += next.value.length;
    }
    if (parts.length > 1) this.held = Buffer.concat(parts);
    return length;
  }
}

async function* unzstd(input: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const queue = new ByteQueue(input);
  try {
    while (!(await queue.isEmpty())) {
      const start = await queue.peek(4);
      if (!isZstd(start)) throw new CompressionError('is zstd data followed by something else');
      if (start.readUInt32LE(0) === ZSTD_MAGIC) yield* unzstdFrame(queue);
      else await skipFrame(queue);
    }
  } finally {
    await queue.close();
  }
}

async function skipFrame(queue: ByteQueue): Promise<void> {
  let left = (await queue.take(8)).readUInt32LE(4);
  for (; left > 0; left -= Math.min(left, STEP_BYTES)) await queue.take(Math.min(left, STEP_BYTES));
}

/** One frame: header, blocks, checksum. @see RFC 8878 section 3.1.1 */
async function* unzstdFrame(queue: ByteQueue): AsyncGenerator<Uint8Array> {
  let output: Uint8Array[] = [];
  const frame = new Decompress((chunk) => output.push(chunk.slice()));
  const header = await takeFrameHeader(queue);
  const hasChecksum = (header[4]! & 4) !== 0;
  let pending: Uint8Array = header;
  for (let last = false; !last;) {
    const blockHeader = (await queue.peek(3)).readUIntLE(0, 3);
    last = (blockHeader & 1) === 1;
    const isRle = ((blockHeader >> 1) & 3) === 1;
    const block = await queue.take(3 + (isRle ? 1 : blockHeader >> 3));
    pending = Buffer.concat([pending, block, last && hasChecksum ? await queue.take(4) : Buffer.alloc(0)]);
    // fzstd wants 18 bytes before it looks at a frame.
    if (pending.length < 18 && !last) continue;
    pushBlock(frame, pending, last);
    pending = Buffer.alloc(0);
    yield* output;
    output = [];
  }
}

function pushBlock(frame: Decompress, bytes: Uint8Array, last: boolean): void {
  try {
    frame.push(bytes, last);
  } catch (error) {
    throw new CompressionError(`is damaged zstd data (${(error as Error).message})`);
  }
}

/** Takes a frame's header, having refused a window that no honest trace needs. */
async function takeFrameHeader(queue: ByteQueue): Promise<Buffer> {
  const [descriptor, window] = (await queue.peek(6)).subarray(4) as unknown as [number, number];
  const isSingle = (descriptor & 32) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const header = await queue.take(5 + (isSingle ? 0 : 1) + dictionaryBytes + sizeBytes);
  const bytes = isSingle ? contentSize(header, sizeBytes) : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  if (bytes > ZSTD_WINDOW_MAX)
    throw new CompressionError(`is zstd data with a window of ${bytes} bytes, above the limit of ${ZSTD_WINDOW_MAX}`);
  return header;
}

function contentSize(header: Buffer, sizeBytes: number): number {
  const at = header.length - sizeBytes;
  if (sizeBytes === 8) return Number(header.readBigUInt64LE(at));
  return header.readUIntLE(at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}
