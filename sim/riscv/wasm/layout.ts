/**
 * Where the WebAssembly hart keeps what: byte addresses in linear memory, all within the area reserved for harts.
 *
 *     reserved + 0      x0 … x31, f0 … f31 (i64)
 *              + 0x200  state of the loop (below)
 *              + 0x400  log of accesses, LOG_RECORDS records
 *              + …      table: for each frame the address of its decoded page, or 0 (i32)
 *              + …      pool of decoded pages
 *
 * A decoded page has one 8-byte slot for each halfword of the frame (slot.ts), two more slots that a program runs into when it
 * leaves the page at its end, and what is known of the instruction that straddles the end:
 *
 *     | slot 0 | … | slot 2047 | end | end + 2 bytes | address of the frame (i32) | first half (i32) | second half (i32) | op (i32) |
 */
import { PAGE_BYTES } from '../../../kernel-model/index.ts';
import type { HartMemory } from '../hart.ts';

export const SLOT_BYTES = 8;
export const PAGE_SLOTS = PAGE_BYTES / 2;
/** Two slots behind the last one of the page: a program that runs on stands in the first, or, after a straddler, in the second. */
const END_SLOTS = 2;
/** Offsets within a decoded page: the frame's byte address; what the halfwords of the straddler were, and its op. */
export const CODE_AT = (PAGE_SLOTS + END_SLOTS) * SLOT_BYTES;
export const STRADDLER_FIRST = CODE_AT + 4;
export const STRADDLER_SECOND = CODE_AT + 8;
export const STRADDLER_OP = CODE_AT + 12;
export const DECODED_PAGE_BYTES = STRADDLER_OP + 4;

/** A record of the log: address (i64), value (i64), bytes and kind (i32: bytes, plus LOG_STORE for a store). */
export const LOG_RECORD_BYTES = 24;
export const LOG_STORE = 0x100;
const LOG_RECORDS = 2048;

const LOG = 0x400;
const TABLE = LOG + LOG_RECORDS * LOG_RECORD_BYTES;
const POOL_PAGES_DEFAULT = 1024;

export interface Layout {
  readonly tlb: number;
  readonly tlbEntries: number;
  readonly frameBase: number;
  readonly x: number;
  readonly f: number;
  /** i64: where to go on; valid whenever the loop is not running. */
  readonly pc: number;
  /** i64: virtual address of the page whose decoded page is current, or -1. */
  readonly page: number;
  /** i64: id of the address space, in the upper half as in a TLB entry. */
  readonly asid: number;
  /** i64: address of the reservation that lr made, or -1. */
  readonly reservation: number;
  /** i64: address of an access that goes through the host. */
  readonly address: number;
  /** i64: the value that a store through the host stores. */
  readonly value: number;
  /** i64: where the host puts what it loaded across pages; a page-crossing store leaves its value here for nobody. */
  readonly bounce: number;
  /** Three i64: arguments of a float operation that the host does. Its result comes in the first. */
  readonly floats: number;
  /** A slot: the one that is being executed by `slow`. */
  readonly slot: number;
  /** i32s: */
  readonly fcsr: number;
  readonly budget: number;
  /** Current slot, and the decoded page it lies in. */
  readonly ip: number;
  readonly decoded: number;
  /** How to go on: an op, or one of ENTER_… (handlers.ts). */
  readonly op: number;
  /** End of the log's records so far. */
  readonly logEnd: number;
  readonly log: number;
  readonly logLimit: number;
  readonly table: number;
  readonly pool: number;
}

export function layoutOf({ reserved, tlb, tlbEntries, frameBase, frames }: HartMemory): Layout {
  const at = (offset: number): number => reserved + offset;
  return {
    tlb,
    tlbEntries,
    frameBase,
    x: at(0),
    f: at(0x100),
    pc: at(0x200),
    page: at(0x208),
    asid: at(0x210),
    reservation: at(0x218),
    address: at(0x220),
    value: at(0x228),
    bounce: at(0x230),
    floats: at(0x240),
    slot: at(0x260),
    fcsr: at(0x270),
    budget: at(0x274),
    ip: at(0x278),
    decoded: at(0x27c),
    op: at(0x280),
    logEnd: at(0x284),
    log: at(LOG),
    logLimit: at(TABLE),
    table: at(TABLE),
    pool: at(poolOffset(frames)),
  };
}

const poolOffset = (frames: number): number => Math.ceil((TABLE + frames * 4) / SLOT_BYTES) * SLOT_BYTES;

/**
 * What to reserve for a WasmHart.
 *
 * @param frames - of the machine
 * @param poolPages - pages of code that are kept decoded, 16 KiB each; when they are used up, decoding starts anew
 */
export function hartBytes(frames: number, poolPages = POOL_PAGES_DEFAULT): number {
  return poolOffset(frames) + poolPages * DECODED_PAGE_BYTES;
}
