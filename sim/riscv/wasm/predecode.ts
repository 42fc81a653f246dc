/**
 * The pool of decoded pages: which frames are kept decoded, and the decoding, a run of instructions at a time.
 *
 * A decoded page belongs to a frame, not to an address: it is the same wherever the frame is mapped, in any process. It is true to
 * the frame's bytes, because everyone who writes to a frame marked in `codeFrames` has it forgotten first or at once; only the
 * instruction that straddles the end is compared with its bytes each time, as the second half is another frame's. All its
 * slots are then empty again, so that a loop that still stands in it finds nothing to execute and asks. When the pool is used
 * up, everything is forgotten and decoding starts anew, which costs little and needs no bookkeeping of age.
 */
import { assert, PAGE_BYTES } from '../../../kernel-model/index.ts';
import { decode, type Instruction } from '../decode.ts';
import type { HartMemory } from '../hart.ts';
import { OP_END, OP_ILLEGAL, OP_STRADDLER, OP_UNDECODED, opFor } from './handlers.ts';
import { CODE_AT, DECODED_PAGE_BYTES, PAGE_SLOTS, SLOT_BYTES, type Layout } from './layout.ts';
import { STRADDLER_FIRST, STRADDLER_OP, STRADDLER_SECOND } from './layout.ts';
import { FCSR_FIELDS, IMM, MASK, RD, RM, RS1, RS3, SHAPES, SHIFT, ZIMM } from './slot.ts';

/** Bytes of slots for one byte of code. */
const SLOT_SCALE = SLOT_BYTES / 2;
/** Not the value of a halfword. */
const NO_HALF = -1;

/** Compressed instructions decoded so far, by their 16 bits: programs are made of few of them. */
const COMPRESSED = new Map<number, Instruction | undefined>();

function decoded(word: number): Instruction | undefined {
  if ((word & 3) === 3) return decode(word);
  let known = COMPRESSED.get(word);
  if (known === undefined) COMPRESSED.set(word, (known = decode(word)));
  return known;
}

export class DecodedPages {
  private readonly memory: HartMemory;
  private readonly layout: Layout;
  private readonly view: DataView;
  /** For each page of the pool the frame it belongs to, or -1. */
  private readonly owners: Int32Array;
  private readonly free: number[] = [];
  private readonly mark: (frame: number) => void;

  /** @param mark - makes sure that stores to the frame are noticed from now on */
  constructor(memory: HartMemory, layout: Layout, mark: (frame: number) => void) {
    this.memory = memory;
    this.layout = layout;
    this.mark = mark;
    this.view = new DataView(memory.wasm.buffer);
    const pages = Math.floor((memory.reserved + memory.reservedBytes - layout.pool) / DECODED_PAGE_BYTES);
    assert(pages >= 1, 'the reserved area has room for a decoded page', { reservedBytes: memory.reservedBytes });
    this.owners = new Int32Array(pages).fill(-1);
    for (let index = pages - 1; index >= 0; index--) this.free.push(index);
  }

  /** Address of the frame's decoded page; a new one has nothing decoded. */
  pageOf(frame: number): number {
    const known = this.view.getInt32(this.entryOf(frame), true);
    if (known !== 0) return known;
    if (this.free.length === 0) this.forgetAll();
    const index = this.free.pop()!;
    const page = this.layout.pool + index * DECODED_PAGE_BYTES;
    this.owners[index] = frame;
    this.view.setInt32(this.entryOf(frame), page, true);
    this.clear(page);
    this.view.setInt32(page + CODE_AT, this.memory.frameBase + frame * PAGE_BYTES, true);
    return page;
  }

  /** Forgets what is decoded of a frame, if anything. */
  forget(frame: number): void {
    const page = this.view.getInt32(this.entryOf(frame), true);
    this.memory.codeFrames[frame] = 0;
    if (page === 0) return;
    this.view.setInt32(this.entryOf(frame), 0, true);
    const index = this.indexOf(page);
    this.owners[index] = -1;
    this.free.push(index);
    this.clear(page);
  }

  forgetAll(): void {
    for (const frame of this.owners.filter((owner) => owner >= 0)) this.forget(frame);
  }

  /** Whether the page belongs to a frame, and not to the past. */
  isCurrent(page: number): boolean {
    return page !== 0 && this.owners[this.indexOf(page)]! >= 0;
  }

  /** Decodes from the slot at `ip` to an instruction behind which the program does not go on, or that is known. */
  decodeFrom(page: number, ip: number): void {
    const code = this.codeOf(page);
    const frame = this.owners[this.indexOf(page)]!;
    for (let slot = (ip - page) / SLOT_BYTES; slot < PAGE_SLOTS;) {
      const at = page + slot * SLOT_BYTES;
      if (this.view.getUint16(at, true) !== 0) return;
      const low = this.view.getUint16(code + slot * 2, true);
      const isFull = (low & 3) === 3;
      if (isFull && slot === PAGE_SLOTS - 1) {
        this.view.setUint16(at, OP_STRADDLER, true);
        return;
      }
      if (this.memory.codeFrames[frame] === 0) this.mark(frame);
      const word = isFull ? low | (this.view.getUint16(code + slot * 2 + 2, true) << 16) : low;
      const instruction = decoded(word);
      this.view.setUint16(at, this.write(at, slot, instruction), true);
      if (instruction === undefined || (instruction.base.effect.do === 'jump' && instruction.rd === 0)) return;
      slot += instruction.bytes / 2;
    }
  }

  /** Whether four bytes still begin in the last slot of the page; if not, the slot is empty afterwards. */
  hasStraddler(page: number): boolean {
    const slot = PAGE_SLOTS - 1;
    const isFull = (this.view.getUint16(this.codeOf(page) + slot * 2, true) & 3) === 3;
    if (!isFull) this.view.setUint16(page + slot * SLOT_BYTES, OP_UNDECODED, true);
    return isFull;
  }

  /**
   * Decodes the instruction that straddles the end of the page.
   *
   * @param second - the halfword in the next page
   * @returns its op
   */
  decodeStraddler(page: number, second: number): number {
    const slot = PAGE_SLOTS - 1;
    const at = page + slot * SLOT_BYTES;
    const first = this.view.getUint16(this.codeOf(page) + slot * 2, true);
    const op = this.write(at, slot, decode(first | (second << 16)));
    this.view.setInt32(page + STRADDLER_FIRST, first, true);
    this.view.setInt32(page + STRADDLER_SECOND, second, true);
    this.view.setInt32(page + STRADDLER_OP, op, true);
    return op;
  }

  /** The bits of the instruction at a slot of a current page: 16 or 32, unsigned. A straddler must have been decoded. */
  wordAt(page: number, ip: number): number {
    const slot = (ip - page) / SLOT_BYTES;
    const at = this.codeOf(page) + slot * 2;
    const low = this.view.getUint16(at, true);
    if ((low & 3) !== 3) return low;
    const high = slot === PAGE_SLOTS - 1 ? this.view.getInt32(page + STRADDLER_SECOND, true) : this.view.getUint16(at + 2, true);
    return (low | (high << 16)) >>> 0;
  }

  /** Writes the operands. @returns the op */
  private write(at: number, slot: number, instruction: Instruction | undefined): number {
    if (instruction === undefined) return OP_ILLEGAL;
    const { view } = this;
    const { base, rd, rs1, rs2, rs3, rm, imm, csr, bytes } = instruction;
    const target = slot + imm / 2;
    // A straddler's branch goes the long way, because what follows it looks its page up.
    const isStraddler = slot === PAGE_SLOTS - 1 && bytes === 4;
    const { op, isNear } = opFor(instruction, target >= 0 && target < PAGE_SLOTS && !isStraddler);
    view.setUint8(at + RD, rd * 8);
    view.setUint8(at + RS1, rs1 * 8);
    const shape = SHAPES.get(base)!;
    const field = FCSR_FIELDS.get(csr);
    if (field !== undefined) {
      view.setUint8(at + ZIMM, imm);
      view.setUint8(at + SHIFT, field.shift);
      view.setUint8(at + MASK, field.mask);
    } else if (shape.hasImmediate) {
      view.setInt32(at + IMM, isNear ? imm * SLOT_SCALE : imm, true);
    } else {
      view.setUint8(at + RS3, rs3 * 8);
      view.setUint8(at + RM, rm);
    }
    if (shape.rs2At !== undefined) view.setUint8(at + shape.rs2At, rs2 * 8);
    return op;
  }

  private clear(page: number): void {
    this.memory.bytes.fill(0, page, page + DECODED_PAGE_BYTES);
    for (let slot = PAGE_SLOTS; slot < PAGE_SLOTS + 2; slot++) this.view.setUint16(page + slot * SLOT_BYTES, OP_END, true);
    this.view.setInt32(page + STRADDLER_SECOND, NO_HALF, true);
  }

  /** Byte address of the frame that a decoded page belongs to. */
  private codeOf(page: number): number {
    return this.view.getInt32(page + CODE_AT, true) >>> 0;
  }

  private indexOf(page: number): number {
    return (page - this.layout.pool) / DECODED_PAGE_BYTES;
  }

  private entryOf(frame: number): number {
    return this.layout.table + frame * 4;
  }
}
