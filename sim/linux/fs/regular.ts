/** The streams of what has a fixed place in the tree: regular files, computed files, directories. */
import type { Errno } from '../errno.ts';
import type { ComputedFile, Directory, RegularFile } from './inode.ts';
import { POLLIN, POLLOUT, type Stream } from './stream.ts';

/** Largest size of a file, in bytes. */
const FILE_BYTES_MAX = 2 ** 40;

export function regularStream(file: RegularFile, now: () => bigint): Stream {
  return {
    seekable: true,
    read: (offset, lengthBytes) => {
      file.atime = now();
      return file.content.read(offset, lengthBytes);
    },
    write: (offset, bytes) => {
      if (offset + bytes.length > FILE_BYTES_MAX) return 'EFBIG';
      if (bytes.length > 0) file.content.write(offset, bytes);
      touchContent(file, now());
      return bytes.length;
    },
    poll: () => POLLIN | POLLOUT,
  };
}

/** Sets the size; new bytes are zero. */
export function resize(file: RegularFile, sizeBytes: number, now: bigint): 0 | Errno {
  if (sizeBytes < 0) return 'EINVAL';
  if (sizeBytes > FILE_BYTES_MAX) return 'EFBIG';
  file.content.resize(sizeBytes);
  touchContent(file, now);
  return 0;
}

function touchContent(file: RegularFile, now: bigint): void {
  file.version++;
  file.mtime = file.ctime = now;
}

/** What the file was when it was opened. */
export function computedStream(file: ComputedFile): Stream {
  const bytes = file.bytes();
  return {
    seekable: true,
    read: (offset, lengthBytes) => bytes.slice(offset, offset + lengthBytes),
    write: () => 'EACCES',
    poll: () => POLLIN | POLLOUT,
  };
}

export function directoryStream(_directory: Directory): Stream {
  return { seekable: true, read: () => 'EISDIR', write: () => 'EBADF', poll: () => POLLIN | POLLOUT };
}
