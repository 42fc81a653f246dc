/**
 * Loads and stores in WebAssembly: the look-up in the TLB, and the log of accesses.
 *
 * One comparison of an entry covers what could be wrong with the fast way: the page's address, the id of the address space, that
 * the entry is open for this kind of access, and (in the loop) that the address is a multiple of the access's size. An entry is
 * laid out in kernel-model/tlb.ts.
 */
import { PAGE_BYTES } from '../../../kernel-model/index.ts';
import type { AccessBytes } from '../semantics.ts';
import { LOG_RECORD_BYTES, LOG_STORE, type Layout } from './layout.ts';
import type { Code, Label } from './module-writer.ts';
import type { AccessName } from './opcodes.ts';

const TLB_ENTRY_SHIFT = 4;
const PAGE_SHIFT = 12;
const OFFSET_MASK = PAGE_BYTES - 1;
const ASID = 0xffffffff00000000n;

/** Slow bits of the kinds of access. */
export const SLOW = { load: 1 << 5, store: 1 << 6, fetch: 1 << 7 } as const;

/** Locals for a look-up. `asid` has been set; the others are the look-up's own. */
export interface LookupLocals {
  readonly asid: number;
  /** i64 */
  readonly address: number;
  /** i64: the entry's second half. */
  readonly entry: number;
  /** i32 */
  readonly index: number;
}

/**
 * Looks up `locals.address` and leaves it there; goes to `miss` if the TLB does not answer.
 *
 * Pushes nothing: `pushFrame` and `pushHost` say what was found.
 */
export function lookup(code: Code, layout: Layout, locals: LookupLocals, kind: keyof typeof SLOW, aligned: number, miss: Label): void {
  const { address, asid, entry, index } = locals;
  const mask = (layout.tlbEntries - 1) << TLB_ENTRY_SHIFT;
  code
    .get(address)
    .op('i32.wrap_i64')
    .i32(PAGE_SHIFT - TLB_ENTRY_SHIFT)
    .op('i32.shr_u')
    .i32(mask)
    .op('i32.and')
    .tee(index);
  code.access('i64.load', layout.tlb);
  code
    .get(address)
    .i64(-PAGE_BYTES | (aligned - 1))
    .op('i64.and', 'i64.xor');
  code
    .get(index)
    .access('i64.load', layout.tlb + 8)
    .tee(entry);
  code
    .get(asid)
    .op('i64.xor')
    .i64(ASID | BigInt(SLOW[kind]))
    .op('i64.and', 'i64.or');
  code.i64(0).op('i64.ne').brIf(miss);
}

/** Pushes the byte address of the frame that the entry maps (i32). */
export function pushFrame(code: Code, { entry }: LookupLocals): void {
  code.get(entry).op('i32.wrap_i64').i32(-PAGE_BYTES).op('i32.and');
}

/** Pushes the byte address of what lies at the address looked up (i32). */
export function pushHost(code: Code, locals: LookupLocals): void {
  pushFrame(code, locals);
  code.get(locals.address).op('i32.wrap_i64').i32(OFFSET_MASK).op('i32.and', 'i32.or');
}

export const loadName = (bytes: AccessBytes, signed: boolean): AccessName =>
  bytes === 8 ? 'i64.load' : `i64.load${bytes === 1 ? '8' : bytes === 2 ? '16' : '32'}_${signed ? 's' : 'u'}`;

export const storeName = (bytes: AccessBytes): AccessName =>
  bytes === 8 ? 'i64.store' : bytes === 4 ? 'i64.store32' : bytes === 2 ? 'i64.store16' : 'i64.store8';

/**
 * Appends a record to the log.
 *
 * @param end - local with the end of the log, moved on; @param address, value - i64 locals
 */
export function appendRecord(
  code: Code,
  locals: { readonly end: number; readonly address: number; readonly value: number },
  access: { readonly bytes: AccessBytes; readonly isStore: boolean },
): void {
  code.get(locals.end).get(locals.address).access('i64.store');
  code.get(locals.end).get(locals.value).access('i64.store', 8);
  code
    .get(locals.end)
    .i32(access.bytes + (access.isStore ? LOG_STORE : 0))
    .access('i32.store', 16);
  code.get(locals.end).i32(LOG_RECORD_BYTES).op('i32.add').set(locals.end);
}
