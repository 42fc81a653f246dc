/**
 * The trace hart: executes the ops of a trace that a program performs, one RISC-V-like step an op.
 *
 * A touch is a load, a store or a fetch; a call is an `ecall` with the number and the registers of RISC-V Linux.
 */
import { CLONE, MAP, MREMAP, PROT_GROWSDOWN, adviceNumber, type Ecall } from './syscalls.ts';
import type { HartPort } from './hart.ts';
import { decodeResult, signalNumber } from './errno.ts';
import { floorToPage, PAGE_BYTES } from '../kernel-model/index.ts';
import type { Op, OpOf } from '../traces/op.ts';
import { NR } from '../traces/riscv-linux-calls.ts';

/** What an op answered: 0 or a count or an address, or the name of an errno or a signal. */
export type Result = number | string;

/** Ops that a program performs itself. */
export const PROGRAM_OPS = [
  'touch',
  'exec',
  'fork',
  'vfork',
  'exit',
  'wait',
  'mmap',
  'munmap',
  'mprotect',
  'mremap',
  'brk',
  'madvise',
  'msync',
  'mincore',
  'mlock',
  'munlock',
] as const;
export type ProgramOp = OpOf<(typeof PROGRAM_OPS)[number]>;
const PROGRAM_OP_NAMES: ReadonlySet<string> = new Set(PROGRAM_OPS);

export const isProgramOp = (op: Op): op is ProgramOp => PROGRAM_OP_NAMES.has(op.op);

/** Executes one op. `index` is its place in the trace, from which a store without a value takes its bytes. */
export function executeOp(port: HartPort, op: ProgramOp, index: number): Result {
  if (op.op === 'touch') return touch(port, op, index);
  const call = ecallOf(op);
  return call === undefined ? 0 : decodeResult(port.ecall(call));
}

function touch(port: HartPort, op: OpOf<'touch'>, index: number): Result {
  const { addr, access, pages = 1, width = 1 } = op;
  for (let i = 0; i < pages; i++) {
    const address = i === 0 ? addr : floorToPage(addr) + i * PAGE_BYTES;
    const refusal =
      access === 'w'
        ? port.store(address, storedBytes(op, index, i))
        : access === 'r'
          ? port.load(address, width)
          : port.fetch(address, width);
    if (refusal !== undefined) return refusal;
  }
  return 0;
}

/** One scratch array a width, so that a store allocates nothing. */
const SCRATCH = new Map([1, 2, 4, 8].map((width) => [width, new Uint8Array(width)]));

/** The bytes that a store puts down: its value, little-endian, or bytes that tell this op and page from others, never 0. */
function storedBytes({ width = 1, value }: OpOf<'touch'>, index: number, page: number): Uint8Array {
  const bytes = SCRATCH.get(width)!;
  let rest = value === undefined ? 0n : BigInt(value);
  for (let i = 0; i < width; i++) {
    bytes[i] = value === undefined ? patternByte(index, page + i) : Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** A byte from 1 to 255 that tells writes apart. */
export const patternByte = (index: number, offset: number): number => 1 + ((index * 37 + offset * 11) % 255);

const PROT_BITS: Readonly<Record<string, number>> = { r: 1, w: 2, x: 4 };
export const protBits = (prot: string): number =>
  prot === 'none' ? 0 : Object.entries(PROT_BITS).reduce((bits, [letter, bit]) => (prot.includes(letter) ? bits | bit : bits), 0);

function ecallOf(op: Exclude<ProgramOp, OpOf<'touch'>>): Ecall | undefined {
  const call = (number: number, args: readonly number[], attached: Ecall['attached'] = {}): Ecall => ({ number, args, attached });
  switch (op.op) {
    case 'exec':
      return call(NR.execve, [], { path: op.path, argv: op.argv, env: op.env });
    case 'fork':
      return call(NR.clone, [CLONE.SIGCHLD], { child: op.child });
    case 'vfork':
      return call(NR.clone, [CLONE.SIGCHLD | CLONE.VM | CLONE.VFORK], { child: op.child });
    case 'exit':
      return call(NR.exitGroup, [op.status ?? 0], { signal: op.signal === undefined ? undefined : signalNumber(op.signal) });
    case 'wait':
      return undefined; // Reaping changes no memory: a process gives its memory back when it exits.
    case 'mmap':
      return call(NR.mmap, [op.addr, op.length, protBits(op.prot), mapFlags(op), 0, op.offset ?? 0], {
        path: op.path,
        description: op.description,
        readonly: op.readonly,
      });
    case 'munmap':
      return call(NR.munmap, [op.addr, op.length]);
    case 'mprotect':
      return call(NR.mprotect, [op.addr, op.length, protBits(op.prot) + (op.growsdown === true ? PROT_GROWSDOWN : 0)]);
    case 'mremap':
      return call(NR.mremap, [op.addr, op.length, op.newLength, remapFlags(op), op.newAddr ?? 0]);
    case 'brk':
      return call(NR.brk, [op.addr]);
    case 'madvise':
      return call(NR.madvise, [op.addr, op.length, adviceNumber(op.advice)]);
    case 'msync':
      return call(NR.msync, [op.addr, op.length, syncFlags(op)]);
    case 'mincore':
      return call(NR.mincore, [op.addr, op.length, 0]);
    case 'mlock':
      return call(NR.mlock, [op.addr, op.length]);
    case 'munlock':
      return call(NR.munlock, [op.addr, op.length]);
  }
}

const MAP_BITS: Readonly<Record<OpOf<'mmap'>['flags'][number], number>> = {
  private: MAP.PRIVATE,
  shared: MAP.SHARED,
  anonymous: MAP.ANONYMOUS,
  fixed: MAP.FIXED,
  noreplace: MAP.FIXED_NOREPLACE,
  populate: MAP.POPULATE,
  stack: 0,
  growsdown: MAP.GROWSDOWN,
  noreserve: MAP.NORESERVE,
  locked: MAP.LOCKED,
  sharedValidate: MAP.SHARED | MAP.PRIVATE,
  unknown: MAP.UNKNOWN,
};

const mapFlags = (op: OpOf<'mmap'>): number => op.flags.reduce((bits, flag) => bits | MAP_BITS[flag], 0);

const REMAP_BITS: Readonly<Record<OpOf<'mremap'>['flags'][number], number>> = {
  mayMove: MREMAP.MAYMOVE,
  fixed: MREMAP.FIXED,
  dontUnmap: MREMAP.DONTUNMAP,
};

const SYNC_BITS: Readonly<Record<NonNullable<OpOf<'msync'>['flags']>[number], number>> = { async: 1, invalidate: 2, sync: 4 };

const syncFlags = (op: OpOf<'msync'>): number => (op.flags ?? []).reduce((bits, flag) => bits | SYNC_BITS[flag], 0);

const remapFlags = (op: OpOf<'mremap'>): number => op.flags.reduce((bits, flag) => bits | REMAP_BITS[flag], 0);
