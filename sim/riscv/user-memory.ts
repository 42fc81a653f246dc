/**
 * User memory as a hart reaches it: translation by the TLB in linear memory, the machine behind it, and accesses across pages.
 *
 * What is kept true for every hart, so that all of them ask the machine the same questions in the same order:
 * - Each access looks its page up, a fetch for each instruction. A fast engine that keeps a translation drops it at each `reach`.
 * - An access that crosses into the next page asks for both before a byte moves, and once more for each part as it moves: what
 *   the second question brought about may have taken the first page away.
 * - A frame whose instructions are kept decoded is marked, and then no TLB entry lets a store to it pass unnoticed.
 * - Watchers are told part by part, after the bytes have moved.
 */
import { PAGE_BYTES, type Access, type Refusal } from '../../kernel-model/index.ts';
import type { HartMemory, Stop } from './hart.ts';
import type { AccessBytes } from './semantics.ts';

const PAGE_MASK = PAGE_BYTES - 1;
/** Bits of a TLB entry's third word; see kernel-model/tlb.ts. */
const RIGHTS: Readonly<Record<Access, number>> = { load: 1 << 1, store: 1 << 2, fetch: 1 << 3 };
const SLOW_SHIFT = 4;

export type Refused = Stop & { readonly why: 'refused' };

export class UserMemory {
  /** Why the latest access that failed did. */
  refused: Refused | undefined;
  private readonly memory: HartMemory;
  private readonly view: DataView;
  private readonly words: Int32Array;
  private readonly stored: (frame: number) => void;
  private readonly watchesLoads: boolean;
  private readonly watchesStores: boolean;
  private asid = -1;

  /** @param stored - told after the program has written to a frame that `codeFrames` marks */
  constructor(memory: HartMemory, stored: (frame: number) => void) {
    this.memory = memory;
    this.view = new DataView(memory.wasm.buffer);
    this.words = new Int32Array(memory.wasm.buffer);
    this.stored = stored;
    this.watchesLoads = memory.watched === 'all';
    this.watchesStores = memory.watched !== 'nothing';
  }

  /** To be called whenever another address space may have become current. */
  enter(): void {
    this.asid = this.memory.asid();
    this.refused = undefined;
  }

  /**
   * Finds the byte at a user address.
   *
   * @param address - a 64-bit pattern, signed or not
   * @returns its byte address in linear memory; -1 if the access is refused, as `refused` says
   */
  place(address: bigint, access: Access): number {
    const found = this.find(nearest(address), access);
    if (typeof found === 'number') return found;
    this.refused = { why: 'refused', access, address: BigInt.asUintN(64, address), refusal: found };
    return -1;
  }

  private find(address: number, access: Access): number | Refusal {
    const { words, memory } = this;
    if (address >= memory.userEnd) return 'SIGSEGV';
    const slot = memory.tlb / 4 + (Math.floor(address / PAGE_BYTES) & (memory.tlbEntries - 1)) * 4;
    const entry = words[slot + 2]!;
    const right = RIGHTS[access];
    const isOpen = (entry & (right | (right << SLOW_SHIFT))) === right;
    return isOpen && this.isEntryFor(slot, address) ? (entry & ~PAGE_MASK) + (address & PAGE_MASK) : memory.reach(address, access);
  }

  private isEntryFor(slot: number, address: number): boolean {
    const { words } = this;
    return words[slot] === (address & ~PAGE_MASK) && words[slot + 1] === Math.floor(address / 2 ** 32) && words[slot + 3] === this.asid;
  }

  /** @returns the bytes as an unsigned pattern; undefined if the access is refused */
  load(address: bigint, bytes: AccessBytes): bigint | undefined {
    const first = bytesInPage(address, bytes);
    if (first < bytes) return this.loadAcross(address, bytes, first);
    const at = this.place(address, 'load');
    return at < 0 ? undefined : this.loadAt(at, address, bytes);
  }

  /** Loads at a byte address that `place` gave for this user address. */
  loadAt(at: number, address: bigint, bytes: AccessBytes): bigint {
    const value = this.valueAt(at, bytes);
    if (this.watchesLoads) this.memory.accessed(nearest(address), bytes, at, false);
    return value;
  }

  private loadAcross(address: bigint, bytes: AccessBytes, first: number): bigint | undefined {
    const second = address + BigInt(first);
    if (this.place(address, 'load') < 0 || this.place(second, 'load') < 0) return undefined;
    const low = this.loadPart(address, first);
    const high = low === undefined ? undefined : this.loadPart(second, bytes - first);
    return low === undefined || high === undefined ? undefined : low | (high << BigInt(8 * first));
  }

  private loadPart(address: bigint, bytes: number): bigint | undefined {
    const at = this.place(address, 'load');
    if (at < 0) return undefined;
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.view.getUint8(at + i));
    if (this.watchesLoads) this.memory.accessed(nearest(address), bytes, at, false);
    return value;
  }

  /** Stores the low `bytes` bytes of `value`. @returns false if the access is refused, and then nothing is stored */
  store(address: bigint, bytes: AccessBytes, value: bigint): boolean {
    const first = bytesInPage(address, bytes);
    if (first < bytes) return this.storeAcross(address, bytes, first, value);
    const at = this.place(address, 'store');
    if (at < 0) return false;
    this.storeAt(at, address, bytes, value);
    return true;
  }

  private storeAcross(address: bigint, bytes: AccessBytes, first: number, value: bigint): boolean {
    const second = address + BigInt(first);
    if (this.place(address, 'store') < 0 || this.place(second, 'store') < 0) return false;
    return this.storePart(address, first, value) && this.storePart(second, bytes - first, value >> BigInt(8 * first));
  }

  private storePart(address: bigint, bytes: number, value: bigint): boolean {
    const at = this.place(address, 'store');
    if (at < 0) return false;
    for (let i = 0; i < bytes; i++) this.view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
    this.noteStore(nearest(address), bytes, at);
    return true;
  }

  /** Stores at a byte address that `place` gave for this user address. */
  storeAt(at: number, address: bigint, bytes: AccessBytes, value: bigint): void {
    if (bytes === 8) this.view.setBigInt64(at, value, true);
    else {
      const low = Number(BigInt.asIntN(32, value));
      if (bytes === 4) this.view.setInt32(at, low, true);
      else if (bytes === 2) this.view.setInt16(at, low, true);
      else this.view.setInt8(at, low);
    }
    this.noteStore(nearest(address), bytes, at);
  }

  private noteStore(address: number, bytes: number, at: number): void {
    const frame = this.frameAt(at);
    if (this.memory.codeFrames[frame] !== 0) this.stored(frame);
    if (this.watchesStores) this.memory.accessed(address, bytes, at, true);
  }

  private valueAt(at: number, bytes: AccessBytes): bigint {
    if (bytes === 8) return this.view.getBigUint64(at, true);
    if (bytes === 4) return BigInt(this.view.getUint32(at, true));
    return BigInt(bytes === 2 ? this.view.getUint16(at, true) : this.view.getUint8(at));
  }

  /** Sixteen bits of an instruction, at a byte address that `place` gave. */
  halfAt(at: number): number {
    return this.view.getUint16(at, true);
  }

  frameAt(at: number): number {
    return (at - this.memory.frameBase) >>> 12;
  }

  /** Marks a frame as held decoded: from now on each store to it is seen. */
  markCode(frame: number): void {
    const { words, memory } = this;
    memory.codeFrames[frame] = 1;
    const base = memory.frameBase + frame * PAGE_BYTES;
    const last = memory.tlb / 4 + (memory.tlbEntries - 1) * 4;
    for (let slot = memory.tlb / 4; slot <= last; slot += 4) {
      if ((words[slot + 2]! & ~PAGE_MASK) === base) words[slot + 2]! |= RIGHTS.store << SLOW_SHIFT;
    }
  }
}

/** A pattern as an unsigned number: exact below 2^53, and a number that is not below userEnd above. */
const nearest = (address: bigint): number => Number(BigInt.asUintN(64, address));

/** How many of `bytes` bytes from `address` on lie in its page. */
function bytesInPage(address: bigint, bytes: number): number {
  return Math.min(bytes, PAGE_BYTES - Number(address & 0xfffn));
}
