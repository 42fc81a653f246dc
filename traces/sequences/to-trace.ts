/**
 * A sequence as a trace of faultline, so that it replays like any other.
 *
 * What the recorder set up comes first: everything outside the arena is filled with private PROT_NONE mappings, and the two files are
 * written page by page, which leaves all of their pages in the page cache. Then comes one op for each op of the sequence that asks
 * the kernel anything. Process K of the sequence is process K + 1 of the trace.
 */
import type { Trace } from '../codec.ts';
import type { Op, OpOf } from '../op.ts';
import { addressOf, ARENAS, type Mode } from './arena.ts';
import {
  PROCESSES_MAX,
  type AdviceName,
  type FileName,
  type MapLetter,
  type ProtLetter,
  type RemapLetter,
  type SequenceOp,
  type SequenceOpOf,
} from './op.ts';
import { reachesOutside } from './reach.ts';
import type { StepResult } from './result.ts';
import type { Sequence } from './sequence.ts';

/** An op of the sequence: where it stands in the trace, or what is answered without asking a kernel. */
export type Step =
  | { readonly op: SequenceOp; readonly at: number }
  | { readonly op: SequenceOp; readonly at: undefined; readonly answer: StepResult; readonly isProcessThere: boolean };

export interface SequenceTrace {
  readonly trace: Trace;
  /** One step an op of the sequence. */
  readonly steps: readonly Step[];
  /** Ops of the trace before the first of the sequence. */
  readonly setupOps: number;
}

/** Sizes of f0 and f1 at the beginning, in bytes. */
const FILE_SIZES: readonly [number, number] = [5 * 4096 + 0x123, 3 * 4096];
/** First address that a program may have, and first that it may not. */
const USER_START = 0x1_0000;
const USER_END = 2 ** 47 - 4096;
const PAGE_BYTES = 4096;
/** Frames of the machine: every process may have a copy of its whole arena, and nothing may run out. */
const FRAMES: Readonly<Record<Mode, number>> = { small: 2048, huge: 32768, brk: 2048 };

/** @throws RangeError never for a parsed sequence */
export function traceOfSequence(sequence: Sequence, note?: string): SequenceTrace {
  const ops: Op[] = [...fillerOps(sequence.mode), ...fileOps()];
  const setupOps = ops.length;
  const processes = new Processes();
  const steps = sequence.ops.map((op): Step => {
    const answer = processes.refusal(op) ?? (reachesOutside(op, sequence.mode) ? { r: 'SKIP' } : descriptorAnswer(op));
    if (answer !== undefined) return { op, at: undefined, answer, isProcessThere: processes.has(op.process) };
    ops.push(traceOp(op, processes.next));
    processes.note(op);
    return { op, at: ops.length - 1 };
  });
  return { trace: { header: headerOf(sequence.mode, note), ops }, steps, setupOps };
}

function headerOf(mode: Mode, note: string | undefined): Trace['header'] {
  const file = (path: string) => ({ path, size: 0, content: { base64: '' } });
  return {
    faultline: 1,
    kernel: { name: 'linux', frames: FRAMES[mode], hugePages: 512, ...(mode === 'brk' ? { heapStart: ARENAS.brk.start } : {}) },
    files: [file(PATHS.f0), file(PATHS.f1)],
    ...(note === undefined ? {} : { source: { tool: 'mm-sequences', note } }),
  };
}

// ---- The setup.

function fillerOps(mode: Mode): Op[] {
  const { start, pages } = ARENAS[mode];
  const fill = (from: number, to: number): Op => ({
    pid: 1,
    op: 'mmap',
    addr: from,
    length: to - from,
    prot: 'none',
    flags: ['private', 'anonymous', 'fixed', 'noreserve'],
  });
  return [fill(USER_START, start), fill(start + pages * PAGE_BYTES, USER_END)];
}

function fileOps(): Op[] {
  return FILE_SIZES.flatMap((size, file) =>
    Array.from({ length: Math.ceil(size / PAGE_BYTES) }, (_, page): Op => {
      const offset = page * PAGE_BYTES;
      const length = Math.min(PAGE_BYTES, size - offset);
      return { pid: 1, op: 'write', path: file === 0 ? PATHS.f0 : PATHS.f1, offset, length, value: pageValue(file, page) };
    }),
  );
}

/** The first 256 bytes of a page of a file, in hex; the rest repeats them. */
const pageValue = (file: number, page: number): string =>
  Array.from({ length: 256 }, (_, at) =>
    fileByte(file, page * PAGE_BYTES + at)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

/** The byte at `offset` of file 0 or 1 at the beginning. */
export const fileByte = (file: number, offset: number): number =>
  (1 + file * 101 + Math.floor(offset / PAGE_BYTES) * 31 + (offset % PAGE_BYTES) * 7) & 255;

// ---- Processes.

/** Which processes there are: that decides LIMIT and NOPROC, without a kernel. */
class Processes {
  private readonly live = new Set([0]);
  /** Index of the next child. */
  next = 1;

  has(process: number): boolean {
    return this.live.has(process);
  }

  refusal({ op, process }: SequenceOp): StepResult | undefined {
    if (!this.has(process)) return { r: 'NOPROC' };
    return op === 'fork' && this.next === PROCESSES_MAX ? { r: 'LIMIT' } : undefined;
  }

  note({ op, process }: SequenceOp): void {
    if (op === 'fork') this.live.add(this.next++);
    else if (op === 'exit') this.live.delete(process);
  }
}

// ---- Ops.

/** f2 is f1 through an open of its own; nothing has the path of a descriptor that is not open. */
const PATHS: Readonly<Record<FileName, string>> = { f0: '/f0', f1: '/f1', f2: '/f1', bad: '/bad' };

/** What a descriptor answers, whatever memory there is: the ops of a trace have paths, which are open for everything. */
function descriptorAnswer(op: SequenceOp): StepResult | undefined {
  const refused = (e: string): StepResult => ({ r: -1, e });
  switch (op.op) {
    case 'nop':
      return { r: 0 };
    case 'fread':
    case 'sysread':
      return op.file === 'bad' ? refused('EBADF') : undefined;
    case 'fwrite':
    case 'syswrite':
      return op.file === 'bad' || op.file === 'f2' ? refused('EBADF') : undefined;
    case 'ftrunc':
      return op.file === 'bad' ? refused('EBADF') : op.file === 'f2' ? refused('EINVAL') : undefined;
    default:
      return undefined;
  }
}

/** The trace's op; `child` is the index of the next process. */
function traceOp(op: SequenceOp, child: number): Op {
  const pid = op.process + 1;
  switch (op.op) {
    case 'mmap':
      return mapOp(op);
    case 'mprotect':
      return {
        pid,
        op: 'mprotect',
        ...range(op),
        prot: protWord(op.prot),
        ...(op.prot.includes('D') ? { growsdown: true as const } : {}),
      };
    case 'mremap':
      return {
        pid,
        op: 'mremap',
        ...range(op),
        newLength: lengthOf(op.newLength),
        flags: op.flags.map((letter) => REMAP_FLAGS[letter]),
        newAddr: addressOf(op.newAddr),
      };
    case 'munmap':
    case 'mlock':
    case 'munlock':
    case 'mincore':
      return { pid, op: op.op, ...range(op) };
    case 'msync':
      return { pid, op: 'msync', ...range(op), flags: ['sync'] };
    case 'madvise':
      return { pid, op: 'madvise', ...range(op), advice: adviceWord(op.advice) };
    case 'brk':
      return { pid, op: 'brk', addr: addressOf(op.addr) };
    case 'w':
      return { pid, op: 'touch', addr: addressOf(op.addr), access: 'w', value: `0x${op.value.toString(16)}` };
    case 'r':
      return { pid, op: 'touch', addr: addressOf(op.addr), access: 'r' };
    case 'fork':
      return { pid, op: 'fork', child: child + 1 };
    case 'exit':
      return { pid, op: 'exit', status: 0 };
    case 'ftrunc':
      return { pid, op: 'truncate', path: PATHS[op.file], size: op.size };
    case 'fwrite':
      return { pid, op: 'write', path: PATHS[op.file], offset: op.offset, length: 1, value: op.value.toString(16).padStart(2, '0') };
    case 'fread':
      return { pid, op: 'read', path: PATHS[op.file], offset: op.offset, length: 1 };
    case 'sysread':
    case 'syswrite': {
      const name = op.op === 'sysread' ? 'pread' : 'pwrite';
      return { pid, op: name, path: PATHS[op.file], offset: op.offset, ...range(op) };
    }
    case 'nop':
      throw new RangeError('a nop asks nothing');
  }
}

function mapOp({ process, addr, length, prot, flags, file, offset }: SequenceOpOf<'mmap'>): OpOf<'mmap'> {
  const backing = file === undefined ? {} : { path: PATHS[file] };
  const open = file === 'f2' ? { description: 1, readonly: true as const } : {};
  return {
    pid: process + 1,
    op: 'mmap',
    addr: addressOf(addr),
    length: lengthOf(length),
    prot: protWord(prot),
    flags: flags.flatMap((letter) => (letter === '-' ? [] : [MAP_FLAGS[letter]])),
    ...backing,
    ...(file === undefined && offset === 0 ? {} : { offset }),
    ...open,
  };
}

const range = ({ addr, length }: { readonly addr: SequenceOpOf<'munmap'>['addr']; readonly length: bigint }) => ({
  addr: addressOf(addr),
  length: lengthOf(length),
});

/** A length as traces have it: a double holds it, but for 2^64 - 1, which is kept as 2^64. */
const lengthOf = (length: bigint): number => Number(length);

const MAP_FLAGS: Readonly<Record<Exclude<MapLetter, '-'>, OpOf<'mmap'>['flags'][number]>> = {
  p: 'private',
  s: 'shared',
  sv: 'sharedValidate',
  a: 'anonymous',
  F: 'fixed',
  N: 'noreplace',
  R: 'noreserve',
  P: 'populate',
  L: 'locked',
  G: 'growsdown',
  U: 'unknown',
};

const REMAP_FLAGS: Readonly<Record<RemapLetter, OpOf<'mremap'>['flags'][number]>> = { m: 'mayMove', f: 'fixed', d: 'dontUnmap' };

const protWord = (letters: readonly ProtLetter[]): OpOf<'mmap'>['prot'] =>
  ((['r', 'w', 'x'] as const).filter((letter) => letters.includes(letter)).join('') || 'none') as OpOf<'mmap'>['prot'];

/** `populate_read` is `populateRead`. */
const adviceWord = (name: AdviceName): OpOf<'madvise'>['advice'] =>
  name === 'bogus' ? 'unknown' : (name.replace(/_(.)/, (_, letter: string) => letter.toUpperCase()) as OpOf<'madvise'>['advice']);
