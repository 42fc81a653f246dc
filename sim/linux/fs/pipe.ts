/**
 * A pipe: 64 KiB of bytes between those who hold its read ends and those who hold its write ends.
 *
 * It never blocks; `EAGAIN` says that the caller has to wait. A write of up to 4096 bytes happens whole or not at all.
 */
import type { Errno } from '../errno.ts';

export const PIPE_BYTES = 65536;
/** PIPE_BUF: writes up to this length are not split. */
export const PIPE_ATOMIC_BYTES = 4096;

export class Pipe {
  readers = 0;
  writers = 0;
  /** Ends ever opened, so that who waits for a partner also sees one that has gone again. */
  readersEver = 0;
  writersEver = 0;
  private readonly ring = new Uint8Array(PIPE_BYTES);
  private start = 0;
  private held = 0;

  get length(): number {
    return this.held;
  }

  get room(): number {
    return PIPE_BYTES - this.held;
  }

  /** Takes up to `lengthBytes`. @returns no bytes at the end (nobody writes any more); EAGAIN while there is nothing yet */
  read(lengthBytes: number): Uint8Array | Errno {
    if (this.held === 0) return this.writers === 0 || lengthBytes === 0 ? new Uint8Array(0) : 'EAGAIN';
    const bytes = new Uint8Array(Math.min(lengthBytes, this.held));
    const first = Math.min(bytes.length, PIPE_BYTES - this.start);
    bytes.set(this.ring.subarray(this.start, this.start + first));
    bytes.set(this.ring.subarray(0, bytes.length - first), first);
    this.start = (this.start + bytes.length) % PIPE_BYTES;
    this.held -= bytes.length;
    return bytes;
  }

  /** Puts in what fits. @returns how many bytes; EAGAIN for none; EPIPE when nobody can read them */
  write(bytes: Uint8Array): number | Errno {
    if (this.readers === 0) return 'EPIPE';
    if (bytes.length === 0) return 0;
    if (this.room === 0 || (bytes.length <= PIPE_ATOMIC_BYTES && bytes.length > this.room)) return 'EAGAIN';
    const taken = Math.min(bytes.length, this.room);
    const end = (this.start + this.held) % PIPE_BYTES;
    const first = Math.min(taken, PIPE_BYTES - end);
    this.ring.set(bytes.subarray(0, first), end);
    this.ring.set(bytes.subarray(first, taken), 0);
    this.held += taken;
    return taken;
  }
}
