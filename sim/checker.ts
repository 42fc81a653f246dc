/**
 * The checker: watches a machine, compares it with the reference reader, and holds its state to the invariants.
 *
 *     end      every load and every outcome; bytes and invariants at the end
 *     changes  also, after each op that changed mappings: every page that became visible, and all invariants;
 *              before a process execs or exits, and after a fork: every mapped page of it
 *     every    all of that after every op, over all processes
 *
 * An invariant that failed once is not asked again. What only the reference can tell is here; the rest is the model's.
 */
import {
  describeVma,
  File,
  floorToPage,
  frameOfPte,
  hex,
  INVARIANTS,
  isValid,
  PAGE_BYTES,
  pageOffset,
  pfn,
  Survey,
  vaddrOf,
  vpnOf,
  type AddressSpace,
  type Invariant,
  type Kernel,
  type KernelEvent,
  type Process,
  type Vma,
} from '../kernel-model/index.ts';
import type { Op } from '../traces/op.ts';
import { isVisible, signatureOf, type ByteReport, type Finding } from './finding.ts';
import type { Watcher } from './watcher.ts';
import { predict } from './predict.ts';
import { isInPage, ReferencePages } from './reference-pages.ts';
import type { Reference } from './reference.ts';
import type { Result } from './trace-hart.ts';
import { WarmExecs } from './warm-exec.ts';

export const CHECK_MODES = ['every', 'changes', 'end', 'none'] as const;
export type CheckMode = (typeof CHECK_MODES)[number];

/** Events that change nothing that an invariant is about. */
const QUIET_EVENTS: ReadonlySet<KernelEvent['type']> = new Set([
  'usercopy',
  'vm_audit',
  'page_verify_ok',
  'cache_hit',
  'page_fault',
  'signal',
]);

/** Ops that change the reference by nothing but stores. */
const KEEPS_PAGES: ReadonlySet<Op['op']> = new Set(['touch', 'copyIn', 'copyOut', 'mark', 'wait']);

/** Ops that go through several pages or VMAs. */
const HALF_WAY: ReadonlySet<Op['op']> = new Set(['mremap', 'madvise', 'mprotect', 'munmap', 'mlock', 'mmap', 'pwrite']);

/** Words of a page. */
const PAGE_WORDS = PAGE_BYTES / 4;

export class Checker implements Watcher {
  readonly findings: Finding[] = [];
  /** Failures that a program could see so far, repeated ones included. */
  visible = 0;
  private readonly kernel: Kernel;
  private readonly reference: Reference;
  private readonly pages: ReferencePages;
  private readonly mode: CheckMode;
  private readonly seen = new Set<string>();
  private readonly pending: [address: number, pages: number][] = [];
  private readonly framesAtStart: number;
  private readonly survey: Survey;
  private readonly warmExecs = new WarmExecs();
  private changed = false;
  private op = 0;
  private opName: Op['op'] = 'mark';
  /** Refused frames and store errors before the op. */
  private troubleBefore = 0;
  private storeErrorsAtEnd = 0;
  /** The reference says no more: a call wanted for a frame half-way, and what it has left only the kernel knows. */
  private isBlind = false;

  constructor(kernel: Kernel, reference: Reference, mode: CheckMode) {
    this.kernel = kernel;
    this.reference = reference;
    this.pages = new ReferencePages(reference);
    this.mode = mode;
    this.survey = new Survey(kernel);
    this.framesAtStart = kernel.allocator.freeCount();
  }

  // ---- Watching.

  event(event: KernelEvent): void {
    if (this.looksAtChanges) this.warmExecs.event(event);
    // When dirty pages are written back is the kernel's choice; what lies behind the file's end goes with them.
    if (event.type === 'write_back' && event.error === undefined) this.reference.files.get(event.path)?.dropTail(event.index);
    if (QUIET_EVENTS.has(event.type)) return;
    this.changed = true;
    if (event.type === 'page_mapped') this.pending.push([event.vaddr, event.pages]);
    else if (event.type === 'cow_copy' || event.type === 'cow_reuse') this.pending.push([event.vaddr, 1]);
  }

  before(op: Op, index: number): void {
    this.op = index;
    this.opName = op.op;
    this.changed = false;
    this.pending.length = 0;
    this.troubleBefore = this.kernel.counts.refusedFrames + this.kernel.counts.storeErrors;
    if (!this.reference.has(op.pid) && this.kernel.processes.size === 1 && this.kernel.processes.has(op.pid as Process['pid']))
      this.reference.spawn(op.pid, this.kernel.parameters.heapStart);
    if (!this.looksAtChanges) return;
    this.warmExecs.before(op);
    if (op.op === 'exec' || op.op === 'exit') this.sweep(op.pid);
  }

  load(process: Process, address: number, width: number, at: number): void {
    this.compare(process.pid, address, width, this.kernel.memory.bytes, at, 'a load');
  }

  store(process: Process, address: number, length: number, from: Uint8Array, at: number): void {
    if (this.isBlind || !this.reference.has(process.pid)) return;
    if (isInPage(address, length)) this.pages.store(process.pid, address, length, from, at);
    else {
      // A store that crosses pages has gained both before it changes either.
      this.byPage(address, length, (start) => {
        this.reference.copyPage(process.pid, floorToPage(start));
      });
      this.byPage(address, length, (start, bytes) => {
        this.pages.store(process.pid, start, bytes, from, at + start - address);
      });
    }
  }

  copyIn(process: Process, address: number, bytes: Uint8Array): void {
    this.byPage(address, bytes.length, (start, length) => {
      // A pwrite may read what it has just written, which the reference has not: it hears of the op when it is over.
      if (this.opName === 'pwrite' && this.reference.has(process.pid) && this.reference.followsFile(process.pid, start)) return;
      this.compare(process.pid, start, length, bytes, start - address, 'a copy by the kernel');
    });
  }

  copyOut(process: Process, address: number, bytes: Uint8Array): void {
    this.store(process, address, bytes.length, bytes, 0);
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

  private byPage(address: number, length: number, act: (start: number, length: number) => void): void {
    for (let done = 0; done < length;) {
      const piece = Math.min(length - done, PAGE_BYTES - pageOffset(address + done));
      act(address + done, piece);
      done += piece;
    }
  }

  /** The reference's file has bytes of its own: the kernel's and the reference's must not be the same. */
  program(path: string, bytes: Uint8Array): void {
    this.reference.files.set(path, new File(path, [], bytes.slice(), true));
  }

  read(path: string, offset: number, bytes: Uint8Array): void {
    const truth = this.isBlind ? undefined : this.reference.files.get(path)?.readWithTail(offset, bytes.length);
    const at = truth === undefined ? -1 : bytes.findIndex((byte, i) => byte !== truth[i]);
    if (truth === undefined || at < 0) return;
    const message = `reading ${path} gives ${hex(bytes[at]!)} at byte ${offset + at}, where there must be ${hex(truth[at]!)}`;
    this.report('reference', 'content-ref', { expected: truth[at]!, actual: bytes[at]!, message });
  }

  after(op: Op, index: number, result: Result): void {
    this.compareOutcome(op, index, result);
    if (!KEEPS_PAGES.has(op.op)) this.pages.forget();
    const colder = this.looksAtChanges ? this.warmExecs.after(op, result) : undefined;
    if (colder !== undefined) this.report('invariant', 'warm-exec-monotone', { pid: op.pid, message: colder });
    if (this.mode === 'every' || (this.looksAtChanges && this.changed)) {
      if (this.mode === 'every') this.sweepAll();
      else for (const [address, pages] of this.pending) this.comparePages(op.pid, address, pages);
      if (op.op !== 'touch') this.compareVmas(op.pid, typeof result === 'string' && result.startsWith('E'));
      if (op.op === 'fork' && typeof result === 'number') this.sweep(op.child);
      this.checkInvariants();
      // A call may change VMAs without any event.
    } else if (this.looksAtChanges && !KEEPS_PAGES.has(op.op))
      this.compareVmas(op.pid, typeof result === 'string' && result.startsWith('E'));
    if ((op.op === 'sync' || op.op === 'msync') && result === 0) this.compareStores(op);
  }

  // ---- At the end of a run.

  /** Every mapped byte and, if nothing went wrong visibly, every VMA of every process, and every invariant. */
  checkAll(index: number): void {
    this.op = index;
    if (this.visible === 0) for (const pid of this.kernel.processes.keys()) this.compareVmas(pid, false);
    this.sweepAll();
    this.checkInvariants();
    this.storeErrorsAtEnd = this.kernel.counts.storeErrors;
  }

  /** To be called when every process is gone, everything is written back and the caches are dropped. */
  checkLeaks(index: number): void {
    this.op = index;
    const missing = this.framesAtStart - this.kernel.allocator.freeCount();
    if (missing !== 0)
      this.report('invariant', 'no-leak', {
        message: `${missing} frames are not free although every process has exited and the caches are empty`,
      });
    const isWritten = this.kernel.counts.storeErrors === this.storeErrorsAtEnd;
    if (isWritten && this.visible === 0) this.compareStores({ pid: 0, op: 'sync' });
  }

  /** What the kernel under test threw. */
  kernelBug(message: string): void {
    this.report('invariant', 'kernel-bug', { message });
  }

  private get looksAtChanges(): boolean {
    return this.mode === 'changes' || this.mode === 'every';
  }

  // ---- Outcomes.

  private compareOutcome(op: Op, index: number, result: Result): void {
    if (result === 'stuck') {
      const address = 'addr' in op ? op.addr : undefined;
      this.report('invariant', 'fault-progress', {
        pid: op.pid,
        address,
        message: `the access faults without end (${this.kernel.parameters.faultsMax} faults and more)`,
      });
      return;
    }
    if (this.isBlind) return;
    this.reference.isPopulated = this.isTroubled() ? (pid, start) => this.hasCopy(pid, start) : () => true;
    const expected = predict(this.reference, op, result, index);
    if (this.isTroubled() && this.stopsHalfWay(op, result)) this.isBlind = true;
    if (expected === undefined || expected === result || this.isExcused(op, result)) return;
    this.report('outcome', 'outcome-ref', {
      pid: op.pid,
      address: 'addr' in op ? op.addr : undefined,
      expected,
      actual: result,
      message: `${op.op} answered ${showResult(result)}, the reference says ${showResult(expected)}`,
    });
  }

  /** A kernel may run out of frames, or its store may fail, and then say so or stop half-way; the reference cannot know. */
  private isExcused(op: Op, result: Result): boolean {
    if (!this.isTroubled()) return false;
    return typeof result === 'number' ? op.op !== 'touch' : ['ENOMEM', 'EAGAIN', 'SIGKILL', 'EFAULT', 'EIO', 'SIGBUS'].includes(result);
  }

  /** Calls of linux leave what they have done when they fail; copies by the kernel, and stores across pages, stop short. */
  private stopsHalfWay(op: Op, result: Result): boolean {
    if (this.reference.design.name !== 'linux') return false;
    if (op.op === 'touch') return typeof result === 'string' && op.width !== undefined;
    if (op.op === 'copyIn' || op.op === 'copyOut' || op.op === 'pread') return result !== op.length;
    return HALF_WAY.has(op.op) && (typeof result === 'string' || op.op === 'pwrite');
  }

  /** Did the op want for a frame, or for a store that works? */
  private isTroubled(): boolean {
    const { refusedFrames, storeErrors } = this.kernel.counts;
    return refusedFrames + storeErrors !== this.troubleBefore;
  }

  /** Does a process have a page of its own at an address, and not the cached one? */
  private hasCopy(pid: number, start: number): boolean {
    const space = this.spaceOf(pid);
    const entry = space === undefined ? 0 : this.kernel.tables.entryOf(space.root, vpnOf(start));
    let isCached = false;
    this.kernel.cache.eachPage((_file, _index, { frame }) => {
      if (frame === frameOfPte(entry)) isCached = true;
    });
    return isValid(entry) && !isCached;
  }

  // ---- Bytes.

  private sweepAll(): void {
    for (const pid of this.kernel.processes.keys()) this.sweep(pid);
  }

  /** Compares every mapped page of a process. */
  private sweep(pid: number): void {
    const space = this.spaceOf(pid);
    if (space === undefined) return;
    this.kernel.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
      if (isValid(entry)) this.comparePages(pid, vaddrOf(page), isHuge ? this.kernel.parameters.hugePages : 1);
    });
  }

  /** Undefined for a process of which the reference knows nothing. */
  private spaceOf(pid: number): AddressSpace | undefined {
    return !this.isBlind && this.reference.has(pid) ? this.kernel.processes.get(pid as Process['pid'])?.space : undefined;
  }

  private comparePages(pid: number, address: number, pages: number): void {
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

  private wrongByte(pid: number, address: number, expected: number, actual: number, how: string): void {
    const byte = this.byteReport(pid, address);
    const writer = byte.provenance?.origin;
    const isForeign = writer?.kind === 'write' && writer.pid !== pid;
    const id = isForeign ? 'fork-isolation' : byte.backing === 'zero' ? 'zero-gap' : 'content-ref';
    const message = `${how} shows ${hex(actual)} at ${hex(address)}, where there must be ${hex(expected)}`;
    this.report('reference', id, { pid, address, expected, actual, message, byte });
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

  // ---- VMAs, stores, invariants.

  /** The kernel's VMAs, seen as a map from address to what is there, must equal the reference's. */
  private compareVmas(pid: number, hasFailed: boolean): void {
    const space = this.spaceOf(pid);
    if (space === undefined) return;
    const actual = normalized(space.vmas.ascending);
    const expected = normalized([...this.reference.space(pid).vmas].sort((a, b) => a.start - b.start));
    const at = expected.findIndex((line, i) => line !== actual[i]);
    if (at < 0 && actual.length === expected.length) return;
    const i = at < 0 ? expected.length : at;
    const message = `the VMAs differ from the reference: ${actual[i] ?? 'nothing'} instead of ${expected[i] ?? 'nothing'}`;
    this.report('invariant', hasFailed ? 'error-atomic' : 'vma-map-ref', { pid, expected: expected[i], actual: actual[i], message });
  }

  /** After a successful sync the store must hold what the reference has. */
  private compareStores(op: Op): void {
    if (this.isBlind) return;
    const path = op.op === 'sync' ? op.path : undefined;
    const files =
      op.op === 'sync' ? (path === undefined ? [...new Set(this.kernel.files.values())] : [this.kernel.files.get(path)]) : this.filesIn(op);
    for (const file of files) {
      if (file === undefined || file.immutable) continue;
      const truth = this.reference.files.get(file.path);
      if (truth === undefined) continue; // shared anonymous memory has no store
      const at = file.firstDifference(truth);
      if (at === undefined || (op.op === 'msync' && file.size === truth.size)) continue; // msync was only asked for a range
      const message = `${op.op} succeeded, but the store of ${file.path} differs from what was written, at byte ${at}`;
      this.report('invariant', 'dirty-durable', { pid: op.pid === 0 ? undefined : op.pid, message });
    }
  }

  private filesIn(op: Op): readonly (File | undefined)[] {
    if (op.op !== 'msync') return [];
    return this.reference.isCovered(op.pid, op.addr, op.addr + op.length)
      ? (this.spaceOf(op.pid)?.vmas.overlapping(op.addr, op.addr + op.length) ?? []).map((vma) => vma.backing?.file)
      : [];
  }

  private checkInvariants(): void {
    this.survey.renew();
    for (const invariant of INVARIANTS)
      if (!this.seen.has(signatureOf({ kind: 'invariant', id: invariant.id }))) this.checkInvariant(invariant);
  }

  private checkInvariant(invariant: Invariant): void {
    const violation = invariant.check(this.kernel, this.survey);
    if (violation !== undefined) this.report('invariant', invariant.id, violation);
  }

  private report(
    kind: Finding['kind'],
    id: string,
    facts: {
      message: string;
      pid?: number | undefined;
      address?: number | undefined;
      expected?: Finding['expected'];
      actual?: Finding['actual'];
      byte?: ByteReport;
    },
  ): void {
    const { message, pid, address, expected, actual, byte } = facts;
    const finding: Finding = { kind, id, op: this.op, pid, address, expected, actual, message, execs: this.kernel.counts.execs, byte };
    if (isVisible(finding)) this.visible++;
    if (this.seen.has(signatureOf(finding))) return;
    this.seen.add(signatureOf(finding));
    this.findings.push(finding);
  }
}

const showResult = (result: Result): string => (typeof result === 'string' ? result : result > 4096 ? hex(result) : String(result));

/** VMAs as lines, neighbours that continue each other joined. */
function normalized(vmas: readonly Vma[]): readonly string[] {
  const joined: Vma[] = [];
  for (const vma of vmas) {
    const last = joined.at(-1);
    if (last !== undefined && continues(last, vma)) joined[joined.length - 1] = { ...last, end: vma.end };
    else joined.push(vma);
  }
  return joined.map((vma) => describeVma({ ...vma, role: 'mapping' }));
}

function continues(a: Vma, b: Vma): boolean {
  if (a.end !== b.start || a.prot !== b.prot || a.shared !== b.shared || a.backing?.file.path !== b.backing?.file.path) return false;
  return a.backing === undefined || a.backing.offset + (a.end - a.start) === b.backing!.offset;
}
