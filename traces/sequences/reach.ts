/**
 * Which ops are not executed because they would reach outside the open arena: they are answered `SKIP`.
 *
 * Outside the arena lies, on a real machine, the program that runs the sequence. Calls that refuse the length for itself are let through:
 * they change nothing. test/linux/mm-host.c has the same rule.
 */
import { addressOf, ARENAS, type Mode, type Place } from './arena.ts';
import type { SequenceOp } from './op.ts';

const WRAPS = 2n ** 64n;
const USER_BYTES = 2n ** 47n;
const PAGE = 4096n;

const pages = (length: bigint): bigint => ((length + PAGE - 1n) / PAGE) * PAGE;

/** Would the op read or change anything outside the arena of `mode`? */
export function reachesOutside(op: SequenceOp, mode: Mode): boolean {
  const outside = (place: Place, length: bigint): boolean => isOutside(place, length, mode);
  switch (op.op) {
    case 'mmap':
      return (op.flags.includes('F') || op.flags.includes('N')) && op.length < USER_BYTES && outside(op.addr, op.length);
    case 'munmap':
      return op.length < USER_BYTES && outside(op.addr, op.length);
    case 'mremap':
      return outside(op.addr, op.length) || (op.flags.includes('f') && op.newLength < USER_BYTES && outside(op.newAddr, op.newLength));
    case 'mprotect':
    case 'madvise':
    case 'mlock':
    case 'munlock':
    case 'msync':
    case 'mincore':
      return outside(op.addr, op.length);
    case 'sysread':
    case 'syswrite':
      return areBytesOutside(op.addr, op.length, mode);
    case 'w':
    case 'r':
      return areBytesOutside(op.addr, 1n, mode);
    case 'brk':
      return mode !== 'brk';
    default:
      return false;
  }
}

/** Of a range of pages that ends below 2^64: is any byte of it outside? An end above is refused by every call. */
const isOutside = (place: Place, length: bigint, mode: Mode): boolean =>
  BigInt(addressOf(place)) + pages(length) < WRAPS && areBytesOutside(place, pages(length), mode);

function areBytesOutside(place: Place, length: bigint, mode: Mode): boolean {
  const { start, pages: count } = ARENAS[mode];
  const address = BigInt(addressOf(place));
  return address < BigInt(start) || address + length > BigInt(start) + BigInt(count) * PAGE;
}
