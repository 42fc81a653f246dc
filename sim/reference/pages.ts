/**
 * The reference page by page: what it says of a page is worked out once, and kept until an op may have changed it.
 *
 * Machine code makes thousands of accesses between two ops, all to a few pages. A kept page is what the reference's own `page`
 * and `access` gave, and each store goes to both. Pages that follow a file are never kept: others can change them.
 */
import { floorToPage, PAGE_BYTES } from '../../kernel-model/index.ts';
import type { Reference, ReferenceSpace, WrittenPage } from './reference.ts';

export interface KeptPage {
  readonly space: ReferenceSpace;
  readonly start: number;
  /** May a program load from it? */
  readonly isReadable: boolean;
  /** The bytes that it must show. */
  readonly bytes: Uint8Array;
  /** Where the reference notes what the program wrote to it; undefined before the first store. */
  readonly written: WrittenPage | undefined;
}

/** How many pages are kept, a power of two; a page's number says in which slot. */
const SLOTS = 1024;

export class ReferencePages {
  private readonly reference: Reference;
  private readonly slots: (KeptPage | undefined)[] = new Array<KeptPage | undefined>(SLOTS).fill(undefined);
  /** The process that was asked about last, and its space. */
  private pid = -1;
  private space: ReferenceSpace | undefined;

  constructor(reference: Reference) {
    this.reference = reference;
  }

  /** To be called when anything but a store may have changed the reference. */
  forget(): void {
    this.slots.fill(undefined);
    this.pid = -1;
  }

  /** The page of an address, or undefined for one that follows a file: then the reference itself must be asked, byte by byte. */
  page(pid: number, address: number): KeptPage | undefined {
    if (pid !== this.pid) {
      this.pid = pid;
      this.space = this.reference.space(pid);
    }
    const number = Math.floor(address / PAGE_BYTES);
    const kept = this.slots[number & (SLOTS - 1)];
    if (kept?.space === this.space && kept?.start === number * PAGE_BYTES) return kept;
    return this.work(pid, number * PAGE_BYTES);
  }

  /** A store that happened: `length` bytes at `at` of `from`, within one page. */
  store(pid: number, address: number, length: number, from: Uint8Array, at: number): void {
    const kept = this.page(pid, address);
    if (kept?.written === undefined) {
      this.reference.store(pid, address, from.subarray(at, at + length));
      if (kept !== undefined) this.work(pid, kept.start);
      return;
    }
    const offset = address - kept.start;
    const { bytes, written } = kept;
    for (let i = 0; i < length; i++) {
      bytes[offset + i] = written.bytes[offset + i] = from[at + i]!;
      written.has[offset + i] = 1;
    }
  }

  private work(pid: number, start: number): KeptPage | undefined {
    const { reference } = this;
    if (reference.followsFile(pid, start)) return undefined;
    const space = reference.space(pid);
    const isReadable = reference.access(pid, start, 'load') === 'ok';
    const kept: KeptPage = { space, start, isReadable, bytes: reference.page(pid, start), written: space.written.get(start) };
    this.slots[(start / PAGE_BYTES) & (SLOTS - 1)] = kept;
    return kept;
  }
}

/** Does an access of `length` bytes stay in the page of its first? */
export const isInPage = (address: number, length: number): boolean => address + length <= floorToPage(address) + PAGE_BYTES;
