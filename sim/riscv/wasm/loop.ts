/**
 * What the code of the loop works with: its locals, its exits, and how it moves from slot to slot.
 *
 * The loop's own state is in locals while it runs and in memory (layout.ts) while it does not.
 */
import { ENTER_FAR } from './handlers.ts';
import { SLOT_BYTES, type Layout } from './layout.ts';
import type { LookupLocals } from './memory-access.ts';
import type { Code, Label } from './module-writer.ts';
import { I32, I64 } from './opcodes.ts';
import { IMM } from './slot.ts';

export type Watched = 'nothing' | 'stores' | 'all';

/** Why the loop was left. */
export const LEFT_LIMIT = 0;
/** The instruction at `ip` is for the function `slow`. */
export const LEFT_SLOW = 1;
/** `pc` lies in a page whose decoded page the loop did not find. */
export const LEFT_FAR = 2;
export const LEFT_UNDECODED = 3;
/** The instruction at `ip` straddles the end of the page, and is not known to be what it was. Its budget is taken. */
export const LEFT_STRADDLER = 4;
const LEFT_LOG_FULL = 5;

/** How the loop is left. Where it does not stand at `target`, pc follows from `ip`. */
interface Exit {
  readonly name: string;
  readonly left: number;
  readonly standsAt: 'ip' | 'target';
  /** The instruction that was counted is not done; or the budget, counted below 0, is 0. */
  readonly budget: 'as it is' | 'give back' | 'used up';
  /** On entry take the op of the slot, not the one in hand. */
  readonly resumes: boolean;
}

// prettier-ignore
export const EXITS = [
  { name: 'farLimit',  left: LEFT_LIMIT,     standsAt: 'target', budget: 'used up',   resumes: false },
  { name: 'far',       left: LEFT_FAR,       standsAt: 'target', budget: 'as it is',  resumes: false },
  { name: 'straddler', left: LEFT_STRADDLER, standsAt: 'ip',     budget: 'as it is',  resumes: false },
  { name: 'slow',      left: LEFT_SLOW,      standsAt: 'ip',     budget: 'give back', resumes: false },
  { name: 'undecoded', left: LEFT_UNDECODED, standsAt: 'ip',     budget: 'give back', resumes: false },
  { name: 'limit',     left: LEFT_LIMIT,     standsAt: 'ip',     budget: 'used up',   resumes: true },
  { name: 'logFull',   left: LEFT_LOG_FULL,  standsAt: 'ip',     budget: 'as it is',  resumes: true },
] as const satisfies readonly Exit[];

export type ExitName = (typeof EXITS)[number]['name'];

export interface Locals {
  /** i32: the current slot, the decoded page it lies in, and the op being executed. */
  readonly ip: number;
  readonly decoded: number;
  readonly op: number;
  /** i32: instructions that may follow this one. */
  readonly budget: number;
  /** i32: end of the log of accesses. */
  readonly logEnd: number;
  /** i64: the page's virtual address, and where a far jump goes. */
  readonly page: number;
  readonly target: number;
  /** i64: what is loaded or stored, while it is logged. */
  readonly value: number;
  readonly lookup: LookupLocals;
}

export interface Loop extends Locals {
  readonly code: Code;
  readonly layout: Layout;
  readonly watched: Watched;
  readonly temp: (type: number) => number;
  /** Temporaries may be used again. */
  readonly freeTemps: () => void;
  readonly exits: Readonly<Record<ExitName, Label>>;
  /** Goes to the instruction at `target`, if op is ENTER_FAR. */
  readonly far: Label;
}

/** Inside the dispatch. */
export interface Running extends Loop {
  /** Executes `op`. */
  readonly dispatch: Label;
}

export function localsOf(code: Code): Locals {
  const local = (type: number): number => code.local(type);
  return {
    ip: local(I32),
    decoded: local(I32),
    op: local(I32),
    budget: local(I32),
    logEnd: local(I32),
    page: local(I64),
    target: local(I64),
    value: local(I64),
    lookup: { asid: local(I64), address: local(I64), entry: local(I64), index: local(I32) },
  };
}

/** Which local lies where in memory. */
export const storedLocals = (locals: Locals, layout: Layout): readonly (readonly [local: number, type: 'i32' | 'i64', at: number])[] => [
  [locals.ip, 'i32', layout.ip],
  [locals.decoded, 'i32', layout.decoded],
  [locals.op, 'i32', layout.op],
  [locals.budget, 'i32', layout.budget],
  [locals.logEnd, 'i32', layout.logEnd],
  [locals.page, 'i64', layout.page],
  [locals.target, 'i64', layout.pc],
];

/** Locals that one instruction after the other uses. */
export function temporaries(code: Code): { temp: (type: number) => number; freeTemps: () => void } {
  const made: { type: number; index: number; inUse: boolean }[] = [];
  return {
    temp: (type) => {
      let found = made.find((one) => one.type === type && !one.inUse);
      if (found === undefined) made.push((found = { type, index: code.local(type), inUse: true }));
      found.inUse = true;
      return found.index;
    },
    freeTemps: () => made.forEach((one) => void (one.inUse = false)),
  };
}

/** From a byte of code to the bytes of its slots: times 4. */
export const SLOT_SHIFT = 2;

/** Pushes the address of the instruction at ip. */
export function pushPc({ code, page, ip, decoded }: Locals & { readonly code: Code }): void {
  code.get(ip).get(decoded).op('i32.sub').i32(SLOT_SHIFT).op('i32.shr_u', 'i64.extend_i32_u').get(page).op('i64.add');
}

export function advance({ code, ip }: Loop, bytes: 2 | 4): void {
  code
    .get(ip)
    .i32((bytes / 2) * SLOT_BYTES)
    .op('i32.add')
    .set(ip);
}

/** To the next instruction of the page. */
export function next(loop: Running, bytes: 2 | 4): void {
  advance(loop, bytes);
  countAndFetch(loop);
  loop.code.br(loop.dispatch);
}

/** To the slot that is imm bytes away. */
export function goNear(loop: Running): void {
  const { code, ip } = loop;
  code.get(ip).get(ip).access('i32.load', IMM).op('i32.add').set(ip);
  countAndFetch(loop);
  code.br(loop.dispatch);
}

export function goFar({ code, op, far }: Loop): void {
  code.i32(ENTER_FAR).set(op).br(far);
}

export function countAndFetch({ code, budget, ip, op, exits }: Loop): void {
  code.get(budget).i32(1).op('i32.sub').tee(budget).i32(0).op('i32.lt_s').brIf(exits.limit);
  code.get(ip).access('i32.load16_u').set(op);
}
