/** The ends of a pipe as streams. Holding a stream counts as a reader or a writer until it is closed. */
import { PIPE_ATOMIC_BYTES, type Pipe } from './pipe.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, type Stream } from './stream.ts';

export interface Ends {
  readonly reads: boolean;
  readonly writes: boolean;
}

export function pipeStream(pipe: Pipe, { reads, writes }: Ends): Stream {
  if (reads) {
    pipe.readers++;
    pipe.readersEver++;
  }
  if (writes) {
    pipe.writers++;
    pipe.writersEver++;
  }
  return {
    seekable: false,
    read: (_offset, lengthBytes) => pipe.read(lengthBytes),
    write: (_offset, bytes) => pipe.write(bytes),
    poll: () => (reads ? readable(pipe) : 0) | (writes ? writable(pipe) : 0),
    close: () => {
      if (reads) pipe.readers--;
      if (writes) pipe.writers--;
    },
  };
}

const readable = (pipe: Pipe): number => (pipe.length > 0 ? POLLIN : 0) | (pipe.writers === 0 ? POLLHUP : 0);
/** Room for a whole atomic write, so that whoever waited for it cannot be refused. */
const writable = (pipe: Pipe): number => (pipe.room >= PIPE_ATOMIC_BYTES ? POLLOUT : 0) | (pipe.readers === 0 ? POLLERR : 0);
