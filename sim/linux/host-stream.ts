/**
 * Standard input and output that are no terminal: bytes the host gives, and a callback for bytes it gets.
 */
import type { Errno } from './errno.ts';
import { POLLHUP, POLLIN, POLLOUT, type Stream } from './fs/stream.ts';

/** Bytes from the host, in order, until it says that there are no more. */
export class HostInput implements Stream {
  readonly seekable = false;
  private chunks: Uint8Array[] = [];
  private ended = false;

  feed(bytes: Uint8Array): void {
    if (bytes.length > 0) this.chunks.push(bytes);
  }

  end(): void {
    this.ended = true;
  }

  read(_offset: number, lengthBytes: number): Uint8Array | Errno {
    const chunk = this.chunks[0];
    if (chunk === undefined) return this.ended || lengthBytes === 0 ? new Uint8Array(0) : 'EAGAIN';
    if (chunk.length > lengthBytes) this.chunks[0] = chunk.subarray(lengthBytes);
    else this.chunks.shift();
    return chunk.slice(0, lengthBytes);
  }

  write(): Errno {
    return 'EBADF';
  }

  poll(): number {
    return (this.chunks.length > 0 ? POLLIN : 0) | (this.ended ? POLLIN | POLLHUP : 0);
  }

  readableBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }
}

export const hostOutput = (show: (bytes: Uint8Array) => void): Stream => ({
  seekable: false,
  read: () => 'EBADF',
  write: (_offset, bytes) => {
    show(bytes.slice());
    return bytes.length;
  },
  poll: () => POLLOUT,
});
