/** Where a guest's standard input comes from: a file, a pipe, or a terminal in raw mode. */
import { createReadStream } from 'node:fs';
import type { ReadStream } from 'node:tty';
import type { WindowSize } from '../linux/tty.ts';
import { UsageError } from './terminal.ts';

/** Ends a run in a terminal, where Ctrl-C goes to the guest. */
const ESCAPE = 0x1d; // Ctrl-]

export interface GuestInput {
  /** Set if a terminal is at the other end: its size now. */
  readonly size: WindowSize | undefined;
  /** What has come since the last time, without waiting. */
  arrived(): Uint8Array[];
  /** Waits for more, or for another size, which is no bytes. @returns undefined at the end */
  next(): Promise<Uint8Array | undefined>;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** @param path - of a file; undefined for this process's own standard input */
export function openInput(path: string | undefined, output: { readonly isTTY?: boolean } = process.stdout): GuestInput {
  if (path !== undefined) return streamInput(() => createReadStream(path), path);
  return process.stdin.isTTY && output.isTTY === true ? new KeyboardInput(process.stdin) : streamInput(() => process.stdin, '<stdin>');
}

/** A file or a pipe is not read before the guest asks. */
function streamInput(open: () => AsyncIterable<Uint8Array> & { destroy(): unknown }, name: string): GuestInput {
  let stream: ReturnType<typeof open> | undefined;
  let chunks: AsyncIterator<Uint8Array> | undefined;
  return {
    size: undefined,
    arrived: () => [],
    next: async () => {
      stream ??= open();
      chunks ??= stream[Symbol.asyncIterator]();
      try {
        const next = await chunks.next();
        return next.done === true ? undefined : next.value;
      } catch (error) {
        throw new UsageError(`${name}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
      }
    },
    close: () => {
      stream?.destroy();
    },
  };
}

/** Of a terminal that does not know its size. */
const DEFAULT_SIZE: WindowSize = { rows: 24, columns: 80 };

/** Bytes as they are typed: nothing is edited or interpreted on this side but Ctrl-]. */
class KeyboardInput implements GuestInput {
  private readonly keyboard: ReadStream;
  private chunks: Uint8Array[] = [];
  private isOver = false;
  private wake: () => void = () => undefined;
  private readonly onData = (chunk: Uint8Array): void => {
    if (chunk.includes(ESCAPE)) this.isOver = true;
    else this.chunks.push(chunk);
    this.wake();
  };
  private readonly onEnd = (): void => {
    this.isOver = true;
    this.wake();
  };

  private readonly onResize = (): void => {
    this.chunks.push(new Uint8Array(0));
    this.wake();
  };

  constructor(keyboard: ReadStream) {
    this.keyboard = keyboard;
    keyboard.setRawMode(true);
    keyboard.on('data', this.onData).on('end', this.onEnd);
    process.stdout.on('resize', this.onResize);
    process.once('exit', this.restore);
  }

  get size(): WindowSize {
    const { rows, columns } = process.stdout;
    return { rows: rows || DEFAULT_SIZE.rows, columns: columns || DEFAULT_SIZE.columns };
  }

  /** @throws Escaped if Ctrl-] was pressed or the terminal is gone */
  arrived(): Uint8Array[] {
    if (this.isOver) throw new Escaped();
    const chunks = this.chunks;
    this.chunks = [];
    return chunks;
  }

  async next(): Promise<Uint8Array> {
    if (this.chunks.length === 0 && !this.isOver) await new Promise<void>((wake) => (this.wake = wake));
    if (this.isOver) throw new Escaped();
    return this.chunks.shift()!;
  }

  close(): void {
    this.keyboard.off('data', this.onData).off('end', this.onEnd);
    process.stdout.off('resize', this.onResize);
    this.restore();
    process.off('exit', this.restore);
    this.keyboard.pause();
  }

  private readonly restore = (): void => void this.keyboard.setRawMode(false);
}

/** The user left the terminal. */
export class Escaped extends Error {
  override readonly name = 'Escaped';
}
