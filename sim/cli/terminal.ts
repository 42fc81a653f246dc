/**
 * What the commands see of the outside: where text goes, whether someone watches, whether someone pressed Ctrl-C.
 *
 * Results go to standard output and nothing else does; progress and remarks go to standard error. Commands get this as
 * a value, so a test can run them without a process.
 */
import { once } from 'node:events';
import cliProgress from 'cli-progress';
import picocolors from 'picocolors';

/** The two streams of a process, or of a test. */
interface Sink {
  write(text: string | Uint8Array): boolean;
  readonly isTTY?: boolean | undefined;
}

/** How far a long run is. `update` may be called often. */
export interface Progress {
  readonly update: (done: number) => void;
  readonly stop: () => void;
}

export class Terminal {
  readonly interruption: AbortSignal;
  readonly colours: ReturnType<typeof picocolors.createColors>;
  private readonly out: Sink & NodeJS.EventEmitter;
  private readonly err: Sink;

  constructor(out: Sink & NodeJS.EventEmitter, err: Sink, interruption: AbortSignal) {
    this.out = out;
    this.err = err;
    this.interruption = interruption;
    this.colours = picocolors.createColors(out.isTTY === true && picocolors.isColorSupported);
  }

  /** Writes to standard output, and waits while the reader is slow. */
  async write(text: string): Promise<void> {
    if (text !== '' && !this.out.write(text)) await once(this.out, 'drain');
  }

  /** Writes the bytes of a program that runs in here, as they are: to standard output, or with `isError` to standard error. */
  async writeBytes(bytes: Uint8Array, isError = false): Promise<void> {
    if (isError) this.err.write(bytes);
    else if (bytes.length > 0 && !this.out.write(bytes)) await once(this.out, 'drain');
  }

  async writeLines(lines: readonly string[]): Promise<void> {
    await this.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** A remark on standard error. */
  remark(text: string): void {
    this.err.write(`${text}\n`);
  }

  /** A bar on standard error if that is a terminal; without a total a count. */
  progress(what: string, total?: number): Progress {
    if (this.err.isTTY !== true) return { update: () => undefined, stop: () => undefined };
    const format = total === undefined ? `${what} {value} ops` : `${what} [{bar}] {percentage}%`;
    const bar = new cliProgress.SingleBar(
      { format, barsize: 30, clearOnComplete: true, hideCursor: null, stream: this.err as unknown as NodeJS.WritableStream },
      cliProgress.Presets.legacy,
    );
    bar.start(total ?? Number.MAX_SAFE_INTEGER, 0);
    return {
      update: (done) => {
        bar.update(done);
      },
      stop: () => {
        bar.stop();
      },
    };
  }

  /** @throws Interrupted if Ctrl-C was pressed; `where` says how far the command had come */
  throwIfInterrupted(where: () => string): void {
    if (this.interruption.aborted) throw new Interrupted(`interrupted ${where()}`);
  }
}

/** Ctrl-C was pressed; the message says where that was. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** A wrong flag, or two that do not go together: the user's mistake. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
