/**
 * The reference reader alone, told what a kernel answered to each op of a sequence: what does it say of the answer, and of memory?
 *
 * No kernel model stands between: where a kernel may choose (an address), the recorded choice is what the reference takes over. So
 * the oracle itself can be held against a real kernel, and be a third voice where model and kernel disagree.
 */
import { floorToPage, linuxDesign, PAGE_BYTES, type Access } from '../../kernel-model/index.ts';
import type { Trace } from '../../traces/codec.ts';
import type { Op, OpOf } from '../../traces/op.ts';
import { addressOf, parsePlace, type Arena } from '../../traces/sequences/arena.ts';
import type { StepResult, VmaRow } from '../../traces/sequences/result.ts';
import type { Expected } from '../reference/prediction.ts';
import { predict } from '../reference/predict.ts';
import { signalCode, type SignalCode } from '../reference/linux.ts';
import { Reference } from '../reference/reference.ts';
import type { ReferenceVma } from '../reference/vmas.ts';
import { filesOf } from '../replay.ts';
import type { Result } from '../trace-hart.ts';
import { pageHash, ZERO_PAGE_HASH } from './page-hash.ts';

/** What the reference says of an op. */
export interface Opinion {
  /** What had to be answered; undefined if the answer is one of several that are legal. */
  readonly expected: Expected;
  /** Of a signal. */
  readonly code: SignalCode | undefined;
  /** What a load, or a read of one byte of a file, must give. */
  readonly byte: number | undefined;
}

export class Oracle {
  readonly reference: Reference;

  constructor({ header }: Pick<Trace, 'header'>) {
    const design = linuxDesign(header.kernel.hugePages ?? 512);
    const files = filesOf(header, new Map()).map((file) => [file.path, file] as const);
    this.reference = new Reference(design, new Map(files));
    this.reference.spawn(1, header.kernel.heapStart ?? 0);
  }

  /** Carries out op number `index` as a kernel did that answered `actual`. */
  step(op: Op, actual: Result, index: number): Opinion {
    const { reference } = this;
    const expected = predict(reference, op, actual, index);
    if (op.op === 'touch') return this.touched(op, expected);
    if (op.op === 'pread' && typeof expected === 'number') this.copyFromFile(op, expected);
    const byte = op.op === 'read' ? reference.files.get(op.path)?.byteAt(op.offset) : undefined;
    return { expected, code: undefined, byte };
  }

  /** The VMAs of a process as rows of the recorded format; the list is not normalised. */
  rows(pid: number, arena: Arena): readonly VmaRow[] {
    const [first, end] = [arena.start / PAGE_BYTES, arena.start + arena.pages * PAGE_BYTES];
    const inside = this.reference.ascending(pid).filter((vma) => vma.start >= arena.start && vma.end <= end);
    return inside.map((vma) => rowOf(vma, first));
  }

  /** Hash of the page at `start`, as the recorder makes it. */
  pageHash(pid: number, start: number): string {
    const { reference } = this;
    const isZero = !reference.space(pid).written.has(start) && !reference.followsFile(pid, start);
    return isZero ? ZERO_PAGE_HASH : pageHash(new Int32Array(reference.page(pid, start).buffer), 0);
  }

  private touched(op: OpOf<'touch'>, expected: Expected): Opinion {
    const { reference } = this;
    const access: Access = op.access === 'w' ? 'store' : 'load';
    if (expected !== 0) {
      const isRefused = reference.access(op.pid, op.addr, access) !== 'ok';
      return { expected, code: isRefused ? signalCode(reference, op.pid, op.addr, access) : undefined, byte: undefined };
    }
    if (op.access === 'w') reference.store(op.pid, op.addr, Uint8Array.of(Number(op.value ?? 0)));
    return { expected, code: undefined, byte: op.access === 'r' ? reference.byte(op.pid, op.addr) : undefined };
  }

  /** One byte after the other: the memory may be a mapping of the file. */
  private copyFromFile({ pid, path, offset, addr }: OpOf<'pread'>, length: number): void {
    const file = this.reference.files.get(path);
    if (file === undefined) return;
    for (let i = 0; i < length; i++) this.reference.store(pid, addr + i, Uint8Array.of(file.byteAt(offset + i)));
  }
}

/** The answer of a result line as traces have it: a number, or the name of an errno or a signal. */
export function answerOf(op: Op, { r, e, sig }: StepResult): Result {
  if (sig !== undefined) return `SIG${sig}`;
  if (e !== undefined) return e;
  if (op.op === 'touch') return 0;
  if (op.op === 'fork') return op.child;
  if (typeof r === 'number') return r;
  return addressOf(parsePlace(r ?? '0', { file: 'result', line: 0 }, 'r'));
}

// ---- Rows of the recorded format.

function rowOf(vma: ReferenceVma, first: number): VmaRow {
  const letters = ['r', 'w', 'x'].map((letter, bit) => ((vma.prot >> bit) & 1 ? letter : '-')).join('');
  const path = vma.backing?.file.path;
  const backing = path === undefined ? '-' : path === '/f0' ? 'f0' : path === '/f1' ? 'f1' : 'sa';
  const [start, end] = [vma.start, vma.end].map((address) => floorToPage(address) / PAGE_BYTES - first);
  return [start!, end!, letters + (vma.shared ? 's' : 'p'), backing, (vma.backing?.offset ?? 0) / PAGE_BYTES, ''];
}
