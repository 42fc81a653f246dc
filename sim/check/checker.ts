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
import { File, hex, INVARIANTS, Survey, type Kernel, type KernelEvent, type Process } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import { ByteChecker } from './byte-checker.ts';
import { Findings } from './findings.ts';
import { Trouble } from './trouble.ts';
import { vmaDifference } from './vma-difference.ts';
import type { Finding } from '../finding.ts';
import { predict } from '../reference/predict.ts';
import type { Reference } from '../reference/reference.ts';
import type { Result } from '../trace-hart.ts';
import { WarmExecs } from './warm-exec.ts';
import type { Watcher } from '../watcher.ts';

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

export class Checker implements Watcher {
  private readonly kernel: Kernel;
  private readonly reference: Reference;
  private readonly mode: CheckMode;
  private readonly found: Findings;
  private readonly bytes: ByteChecker;
  private readonly trouble: Trouble;
  private readonly survey: Survey;
  private readonly warmExecs = new WarmExecs();
  private readonly framesAtStart: number;
  /** Pages that became visible in this op. */
  private readonly pending: [address: number, pages: number][] = [];
  private changed = false;
  private opName: Op['op'] = 'mark';
  private storeErrorsAtEnd = 0;

  constructor(kernel: Kernel, reference: Reference, mode: CheckMode) {
    this.kernel = kernel;
    this.reference = reference;
    this.mode = mode;
    this.found = new Findings(kernel);
    this.bytes = new ByteChecker(kernel, reference, this.found);
    this.trouble = new Trouble(kernel);
    this.survey = new Survey(kernel);
    this.framesAtStart = kernel.allocator.freeCount();
  }

  get findings(): readonly Finding[] {
    return this.found.list;
  }

  /** Failures that a program could see so far, repeated ones included. */
  get visible(): number {
    return this.found.visible;
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
    this.found.op = index;
    this.opName = op.op;
    this.changed = false;
    this.pending.length = 0;
    this.trouble.begin();
    if (!this.reference.has(op.pid) && this.kernel.processes.size === 1 && this.kernel.processes.has(op.pid as Process['pid']))
      this.reference.spawn(op.pid, this.kernel.parameters.heapStart);
    if (!this.looksAtChanges) return;
    this.warmExecs.before(op);
    if (op.op === 'exec' || op.op === 'exit') this.bytes.sweep(op.pid);
  }

  load({ pid }: Process, address: number, width: number, at: number): void {
    this.bytes.load(pid, address, width, at);
  }

  store({ pid }: Process, address: number, length: number, from: Uint8Array, at: number): void {
    this.bytes.store(pid, address, length, from, at);
  }

  copyIn({ pid }: Process, address: number, bytes: Uint8Array): void {
    // A pwrite may read what it has just written, which the reference has not: it hears of the op when it is over.
    this.bytes.copyIn(pid, address, bytes, this.opName === 'pwrite');
  }

  copyOut({ pid }: Process, address: number, bytes: Uint8Array): void {
    this.bytes.store(pid, address, bytes.length, bytes, 0);
  }

  /** The reference's file has bytes of its own: the kernel's and the reference's must not be the same. */
  program(path: string, bytes: Uint8Array): void {
    this.reference.files.set(path, new File(path, [], bytes.slice(), true));
  }

  read(path: string, offset: number, bytes: Uint8Array): void {
    this.bytes.read(path, offset, bytes);
  }

  after(op: Op, index: number, result: Result): void {
    this.compareOutcome(op, index, result);
    if (!KEEPS_PAGES.has(op.op)) this.bytes.forget();
    const colder = this.looksAtChanges ? this.warmExecs.after(op, result) : undefined;
    if (colder !== undefined) this.found.report('invariant', 'warm-exec-monotone', { pid: op.pid, message: colder });
    const hasFailed = typeof result === 'string' && result.startsWith('E');
    if (this.mode === 'every' || (this.looksAtChanges && this.changed)) {
      if (this.mode === 'every') this.bytes.sweepAll();
      else for (const [address, pages] of this.pending) this.bytes.comparePages(op.pid, address, pages);
      if (op.op !== 'touch') this.compareVmas(op.pid, hasFailed);
      if (op.op === 'fork' && typeof result === 'number') this.bytes.sweep(op.child);
      this.checkInvariants();
      // A call may change VMAs without any event.
    } else if (this.looksAtChanges && !KEEPS_PAGES.has(op.op)) this.compareVmas(op.pid, hasFailed);
    if ((op.op === 'sync' || op.op === 'msync') && result === 0) this.compareStores(op);
  }

  // ---- At the end of a run.

  /** Every mapped byte and, if nothing went wrong visibly, every VMA of every process, and every invariant. */
  checkAll(index: number): void {
    this.found.op = index;
    if (this.visible === 0) for (const pid of this.kernel.processes.keys()) this.compareVmas(pid, false);
    this.bytes.sweepAll();
    this.checkInvariants();
    this.storeErrorsAtEnd = this.kernel.counts.storeErrors;
  }

  /** To be called when every process is gone, everything is written back and the caches are dropped. */
  checkLeaks(index: number): void {
    this.found.op = index;
    const missing = this.framesAtStart - this.kernel.allocator.freeCount();
    if (missing !== 0) {
      const message = `${missing} frames are not free although every process has exited and the caches are empty`;
      this.found.report('invariant', 'no-leak', { message });
    }
    const isWritten = this.kernel.counts.storeErrors === this.storeErrorsAtEnd;
    if (isWritten && this.visible === 0) this.compareStores({ pid: 0, op: 'sync' });
  }

  /** What the kernel under test threw. */
  kernelBug(message: string): void {
    this.found.report('invariant', 'kernel-bug', { message });
  }

  private get looksAtChanges(): boolean {
    return this.mode === 'changes' || this.mode === 'every';
  }

  // ---- Outcomes.

  private compareOutcome(op: Op, index: number, result: Result): void {
    const { pid } = op;
    const address = 'addr' in op ? op.addr : undefined;
    if (result === 'stuck') {
      const message = `the access faults without end (${this.kernel.parameters.faultsMax} faults and more)`;
      this.found.report('invariant', 'fault-progress', { pid, address, message });
      return;
    }
    if (this.bytes.isBlind) return;
    this.reference.isPopulated = this.trouble.isThere ? (owner, start) => this.bytes.hasCopy(owner, start) : () => true;
    const expected = predict(this.reference, op, result, index);
    if (this.trouble.leavesHalf(op, result)) this.bytes.isBlind = true;
    if (expected === undefined || expected === result || this.trouble.excuses(op, result)) return;
    const message = `${op.op} answered ${showResult(result)}, the reference says ${showResult(expected)}`;
    this.found.report('outcome', 'outcome-ref', { pid, address, expected, actual: result, message });
  }

  // ---- VMAs, stores, invariants.

  /** The kernel's VMAs, seen as a map from address to what is there, must equal the reference's. */
  private compareVmas(pid: number, hasFailed: boolean): void {
    const space = this.bytes.spaceOf(pid);
    if (space === undefined) return;
    const difference = vmaDifference(this.reference.ascending(pid), space.vmas.ascending);
    if (difference === undefined) return;
    const { expected, actual } = difference;
    const message = `the VMAs differ from the reference: ${actual ?? 'nothing'} instead of ${expected ?? 'nothing'}`;
    this.found.report('invariant', hasFailed ? 'error-atomic' : 'vma-map-ref', { pid, expected, actual, message });
  }

  /** After a successful sync the store must hold what the reference has. */
  private compareStores(op: Op): void {
    if (this.bytes.isBlind) return;
    for (const file of this.filesOf(op)) {
      const truth = file === undefined || file.immutable ? undefined : this.reference.files.get(file.path);
      if (file === undefined || truth === undefined) continue; // shared anonymous memory has no store
      const at = file.firstDifference(truth);
      if (at === undefined || (op.op === 'msync' && file.size === truth.size)) continue; // msync was only asked for a range
      const message = `${op.op} succeeded, but the store of ${file.path} differs from what was written, at byte ${at}`;
      this.found.report('invariant', 'dirty-durable', { pid: op.pid === 0 ? undefined : op.pid, message });
    }
  }

  /** The files that a sync or an msync is about. */
  private filesOf(op: Op): readonly (File | undefined)[] {
    if (op.op === 'sync') return op.path === undefined ? [...new Set(this.kernel.files.values())] : [this.kernel.files.get(op.path)];
    if (op.op !== 'msync' || !this.reference.isCovered(op.pid, op.addr, op.addr + op.length)) return [];
    const vmas = this.bytes.spaceOf(op.pid)?.vmas.overlapping(op.addr, op.addr + op.length) ?? [];
    return vmas.map((vma) => vma.backing?.file);
  }

  private checkInvariants(): void {
    this.survey.renew();
    for (const { id, check } of INVARIANTS) {
      if (this.found.has('invariant', id)) continue;
      const violation = check(this.kernel, this.survey);
      if (violation !== undefined) this.found.report('invariant', id, violation);
    }
  }
}

const showResult = (result: Result): string => (typeof result === 'string' ? result : result > 4096 ? hex(result) : String(result));
