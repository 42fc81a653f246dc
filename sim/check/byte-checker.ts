/**
 * Bytes against the reference: what a program loads, what the kernel copies for it, and every mapped page.
 *
 * Stores go to the reference, too. Once the reference can no longer follow the kernel it says nothing more (`isBlind`).
 */
import {
  describeVma,
  floorToPage,
  frameOfPte,
  hex,
  isValid,
  PAGE_BYTES,
  pageOffset,
  pfn,
  vaddrOf,
  vpnOf,
  type AddressSpace,
  type Kernel,
  type Process,
} from '../../kernel-model/index.ts';
import type { ByteReport } from '../finding.ts';
import { isInPage, ReferencePages } from '../reference/pages.ts';
import type { Reference } from '../reference/reference.ts';
import type { Findings } from './findings.ts';

const PAGE_WORDS = PAGE_BYTES / 4;

export class ByteChecker {
  /** The reference says no more: a call was left half-way, and what it has left only the kernel knows. */
  isBlind = false;
  private readonly kernel: Kernel;
  private readonly reference: Reference;
  private readonly findings: Findings;
  private readonly pages: ReferencePages;

  constructor(kernel: Kernel, reference: Reference, findings: Findings) {
    this.kernel = kernel;
    this.reference = reference;
    this.findings = findings;
    this.pages = new ReferencePages(reference);
  }

  /** To be called when anything but a store may have changed the reference. */
  forget(): void {
    this.pages.forget();
  }

  /** Undefined for a process of which the reference knows nothing. */
  spaceOf(pid: number): AddressSpace | undefined {
    return !this.isBlind && this.reference.has(pid) ? this.kernel.processes.get(pid as Process['pid'])?.space : undefined;
  }

  // ---- Accesses.

  load(pid: number, address: number, width: number, at: number): void {
    this.compare(pid, address, width, this.kernel.memory.bytes, at, 'a load');
  }

  /** `length` bytes at `at` of `from` were stored. */
  store(pid: number, address: number, length: number, from: Uint8Array, at: number): void {
    if (this.isBlind || !this.reference.has(pid)) return;
    if (isInPage(address, length)) this.pages.store(pid, address, length, from, at);
    else {
      // A store that crosses pages has gained both before it changes either.
      byPage(address, length, (start) => {
        this.reference.copyPage(pid, floorToPage(start));
      });
      byPage(address, length, (start, bytes) => {
        this.pages.store(pid, start, bytes, from, at + start - address);
      });
    }
  }

  /** The kernel copied these bytes out of the process; pages that follow a file are left out if `skipsFiles`. */
  copyIn(pid: number, address: number, bytes: Uint8Array, skipsFiles: boolean): void {
    byPage(address, bytes.length, (start, length) => {
      if (skipsFiles && this.reference.has(pid) && this.reference.followsFile(pid, start)) return;
      this.compare(pid, start, length, bytes, start - address, 'a copy by the kernel');
    });
  }

  /** Compares what was read, `length` bytes at `at` of `actual`, within one page, with what had to be read. */
  private compare(pid: number, address: number, length: number, actual: Uint8Array, at: number, how: string): void {
    if (this.isBlind) return;
    const page = this.pages.page(pid, address);
    if (page === undefined) {
      for (let i = 0; i < length; i++) this.compareByte(pid, address + i, actual[at + i]!, how);
      return;
    }
    if (!page.isReadable) return; // the outcome tells
    const offset = address - page.start;
    for (let i = 0; i < length; i++) {
      const expected = page.bytes[offset + i]!;
      if (actual[at + i] !== expected) this.wrongByte(pid, address + i, expected, actual[at + i]!, how);
    }
  }

  private compareByte(pid: number, address: number, actual: number, how: string): void {
    if (this.reference.access(pid, address, 'load') === 'SIGSEGV') return; // the outcome tells
    const expected = this.reference.byte(pid, address);
    if (actual !== expected) this.wrongByte(pid, address, expected, actual, how);
  }

  /** A call read these bytes of a file. */
  read(path: string, offset: number, bytes: Uint8Array): void {
    const truth = this.isBlind ? undefined : this.reference.files.get(path)?.readWithTail(offset, bytes.length);
    const at = truth === undefined ? -1 : bytes.findIndex((byte, i) => byte !== truth[i]);
    if (truth === undefined || at < 0) return;
    const message = `reading ${path} gives ${hex(bytes[at]!)} at byte ${offset + at}, where there must be ${hex(truth[at]!)}`;
    this.findings.report('reference', 'content-ref', { expected: truth[at]!, actual: bytes[at]!, message });
  }

  // ---- Pages as mapped.

  sweepAll(): void {
    for (const pid of this.kernel.processes.keys()) this.sweep(pid);
  }

  /** Compares every mapped page of a process. */
  sweep(pid: number): void {
    const space = this.spaceOf(pid);
    if (space === undefined) return;
    this.kernel.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
      if (isValid(entry)) this.comparePages(pid, vaddrOf(page), isHuge ? this.kernel.parameters.hugePages : 1);
    });
  }

  comparePages(pid: number, address: number, pages: number): void {
    const space = this.spaceOf(pid);
    if (space === undefined) return;
    for (let i = 0; i < pages; i++) this.comparePage(pid, space, address + i * PAGE_BYTES);
  }

  /** Compares a mapped page with the reference, if some VMA has a byte in it. */
  private comparePage(pid: number, space: AddressSpace, start: number): void {
    const entry = this.kernel.tables.entryOf(space.root, vpnOf(start));
    if (!isValid(entry) || !this.kernel.frames.exists(frameOfPte(entry)) || this.reference.onPage(pid, start).length === 0) return;
    const expected = this.reference.page(pid, start);
    const expectedWords = new Int32Array(expected.buffer);
    const { words, bytes } = this.kernel.memory;
    const first = this.kernel.memory.wordOf(frameOfPte(entry));
    for (let i = 0; i < PAGE_WORDS; i++) {
      if (expectedWords[i] === words[first + i]) continue;
      const at = this.kernel.memory.byteOf(frameOfPte(entry));
      const offset = [0, 1, 2, 3].map((j) => i * 4 + j).find((j) => expected[j] !== bytes[at + j])!;
      this.wrongByte(pid, start + offset, expected[offset]!, bytes[at + offset]!, 'the page as mapped');
      return;
    }
  }

  /** Does a process have a page of its own at an address, and not the cached one? */
  hasCopy(pid: number, start: number): boolean {
    const space = this.spaceOf(pid);
    const entry = space === undefined ? 0 : this.kernel.tables.entryOf(space.root, vpnOf(start));
    let isCached = false;
    this.kernel.cache.eachPage((_file, _index, { frame }) => {
      if (frame === frameOfPte(entry)) isCached = true;
    });
    return isValid(entry) && !isCached;
  }

  // ---- What is wrong.

  private wrongByte(pid: number, address: number, expected: number, actual: number, how: string): void {
    const byte = this.byteReport(pid, address);
    const writer = byte.provenance?.origin;
    const isForeign = writer?.kind === 'write' && writer.pid !== pid;
    const id = isForeign ? 'fork-isolation' : byte.backing === 'zero' ? 'zero-gap' : 'content-ref';
    const message = `${how} shows ${hex(actual)} at ${hex(address)}, where there must be ${hex(expected)}`;
    this.findings.report('reference', id, { pid, address, expected, actual, message, byte });
  }

  private byteReport(pid: number, address: number): ByteReport {
    const space = this.spaceOf(pid);
    const entry = space === undefined ? 0 : this.kernel.tables.entryOf(space.root, vpnOf(address));
    const frame = entry === 0 ? undefined : frameOfPte(entry);
    const vma = this.reference.containing(pid, address);
    return {
      vma: vma === undefined ? undefined : describeVma(vma),
      backing: this.reference.backingOf(pid, address),
      frame,
      offsetInPage: pageOffset(address),
      provenance: frame === undefined ? undefined : this.kernel.provenance.of(pfn(frame), pageOffset(address)),
    };
  }
}

/** Cuts a range into pieces of one page each. */
function byPage(address: number, length: number, act: (start: number, length: number) => void): void {
  for (let done = 0; done < length;) {
    const piece = Math.min(length - done, PAGE_BYTES - pageOffset(address + done));
    act(address + done, piece);
    done += piece;
  }
}
