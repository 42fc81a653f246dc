/** A process's file descriptors: small numbers for open file descriptions, the lowest free one first. */
import type { Errno } from '../errno.ts';
import { release, type OpenFile } from './stream.ts';

export interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** RLIMIT_NOFILE's default. */
export const DESCRIPTORS_MAX = 1024;

export class FdTable {
  private readonly slots = new Map<number, Descriptor>();
  /** Every number below it is in use. */
  private full = 0;
  /** Descriptors are below this number. */
  limit = DESCRIPTORS_MAX;

  get(fd: number): Descriptor | undefined {
    return this.slots.get(fd);
  }

  file(fd: number): OpenFile | undefined {
    return this.slots.get(fd)?.file;
  }

  /** The descriptors in use, ascending. */
  numbers(): readonly number[] {
    return [...this.slots.keys()].sort((a, b) => a - b);
  }

  /** Gives the file the lowest free number from `least` on. @returns EMFILE if there is none; EINVAL if `least` is out of range */
  add(file: OpenFile, closeOnExec: boolean, least = 0): number | Errno {
    if (least < 0 || least >= this.limit) return 'EINVAL';
    let fd = Math.max(least, this.full);
    while (this.slots.has(fd)) fd++;
    if (least <= this.full) this.full = fd;
    if (fd >= this.limit) return 'EMFILE';
    this.put(fd, file, closeOnExec);
    return fd;
  }

  /** Gives the file this number, closing what had it. @returns EBADF for a number out of range */
  replace(fd: number, file: OpenFile, closeOnExec: boolean): number | Errno {
    if (fd < 0 || fd >= this.limit) return 'EBADF';
    file.refs++;
    const old = this.slots.get(fd);
    if (old !== undefined) release(old.file);
    this.slots.set(fd, { file, closeOnExec });
    return fd;
  }

  close(fd: number): 0 | 'EBADF' {
    const slot = this.slots.get(fd);
    if (slot === undefined) return 'EBADF';
    this.slots.delete(fd);
    this.full = Math.min(this.full, fd);
    release(slot.file);
    return 0;
  }

  /** fork: the same descriptions under the same numbers. */
  copy(): FdTable {
    const copy = new FdTable();
    copy.limit = this.limit;
    for (const [fd, { file, closeOnExec }] of this.slots) copy.put(fd, file, closeOnExec);
    return copy;
  }

  closeOnExec(): void {
    for (const fd of this.numbers()) if (this.slots.get(fd)!.closeOnExec) this.close(fd);
  }

  closeAll(): void {
    for (const fd of this.numbers()) this.close(fd);
  }

  private put(fd: number, file: OpenFile, closeOnExec: boolean): void {
    file.refs++;
    this.slots.set(fd, { file, closeOnExec });
  }
}
