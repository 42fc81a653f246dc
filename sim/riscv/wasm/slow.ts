/**
 * One instruction, executed in full: whatever the loop leaves to it.
 *
 * Made from the same rows as the loop. Accesses look the TLB up once more, for any alignment within a page, and else ask the
 * host; atomics, control registers and the floats that need it are here only. What is not done stops: the function's result
 * says why, and nothing has changed then. The instruction's slot is copied first, because an access may make its page vanish.
 */
import type { Effect, Expression } from '../semantics.ts';
import { BASE_ROWS } from '../isa/index.ts';
import type { Row } from '../isa/row.ts';
import { pushRegisterOffset, pushValue, type FloatNode, type LoadNode, type Scene } from './emit-expression.ts';
import { isProvable, pushExact } from './exact-float.ts';
import { FRM, pushFcsr } from './fast-float.ts';
import { pushFused } from './fused-float.ts';
import { temporaries, type Watched } from './loop.ts';
import { DYNAMIC, ENTER_FAR, HANDLERS, OP_ILLEGAL, opOf, OPS, RNE } from './handlers.ts';
import { LOG_RECORD_BYTES, type Layout } from './layout.ts';
import { appendRecord, loadName, lookup, pushHost, storeName, type SLOW } from './memory-access.ts';
import { Code, type Label } from './module-writer.ts';
import { I32, I64 } from './opcodes.ts';
import { RD, RM } from './slot.ts';

/** Results of `slow` and of the host's functions: done, or what the run stops with. */
export const DONE = 0;
/** The host knows why. */
export const STOP_REFUSED = 1;
export const STOP_ECALL = 2;
export const STOP_BREAKPOINT = 3;
export const STOP_ILLEGAL = 4;
/** `layout.address` has the address. */
export const STOP_MISALIGNED_LOAD = 5;
export const STOP_MISALIGNED_STORE = 6;

/** What the host returns for an access that is refused, instead of a byte address. */
export const NOWHERE = -1;

/** Indices of functions that `slow` calls. */
export interface Callees {
  /** (address: i64, bytes: i32) → byte address in linear memory, or NOWHERE; `locate` below. */
  readonly locateLoad: number;
  readonly locateStore: number;
  /** (operation, rm) → DONE or STOP_ILLEGAL; see hart.ts. */
  readonly float: number;
  readonly counter: number;
  readonly fenceI: number;
  readonly drain: number;
}

/** Number of a float operation, as the host is told it. */
export const FLOAT_NODES: readonly FloatNode[] = BASE_ROWS.flatMap(({ effect }) => ('value' in effect ? floatsIn(effect.value) : []));

function floatsIn(node: Expression): FloatNode[] {
  if (node.op === 'float') return [node];
  return node.op === 'unary' ? floatsIn(node.a) : [];
}

interface Place {
  readonly code: Code;
  readonly layout: Layout;
  readonly watched: Watched;
  readonly callees: Callees;
  readonly address: number;
  readonly host: number;
  readonly value: number;
  readonly logEnd: number;
}

/** @returns the function's code; it takes nothing and returns DONE or a STOP_… */
export function slowFunction(layout: Layout, watched: Watched, callees: Callees): Code {
  const code = new Code();
  const { temp, freeTemps } = temporaries(code);
  const old = code.local(I64);
  const place: Place = {
    code,
    layout,
    watched,
    callees,
    address: code.local(I64),
    host: code.local(I32),
    value: code.local(I64),
    logEnd: code.local(I32),
  };
  code.i32(0).i32(0).access('i32.load', layout.ip).access('i64.load').access('i64.store', layout.slot);
  if (watched !== 'nothing') makeRoom(place);
  const done = code.block();
  const wrong = code.block();
  const illegal = code.block();
  const labels: Label[] = Array.from({ length: OPS }, () => wrong);
  labels[OP_ILLEGAL] = labels[OP_ILLEGAL + 1] = illegal;
  const rows = BASE_ROWS.filter(({ effect }) => !['jump', 'branch', 'nothing'].includes(effect.do));
  const opened = rows.map(() => code.block()).reverse();
  for (const handler of HANDLERS) {
    const index = rows.indexOf(handler.row);
    if (index >= 0) for (const bytes of [2, 4] as const) labels[opOf(handler, bytes)] = opened[index]!;
  }
  code.i32(0).access('i32.load', layout.op).brTable(labels, wrong);
  for (const row of rows) {
    code.op('end');
    freeTemps();
    emitEffect(place, sceneOf(place, row, temp, old), row.effect);
    code.br(done);
  }
  code.op('end').i32(STOP_ILLEGAL).op('return');
  code.op('end', 'unreachable', 'end');
  finish(code, layout);
  return code.i32(DONE).op('end');
}

/** x0 is 0 again, the instruction is counted, and the loop goes on behind it, looking the page up. */
function finish(code: Code, layout: Layout): void {
  code.i32(0).i64(0).access('i64.store', layout.x);
  code.i32(0).i32(0).access('i32.load', layout.budget).i32(1).op('i32.sub').access('i32.store', layout.budget);
  code.i32(0).i32(0).access('i64.load', layout.pc);
  code.i32(0).access('i32.load', layout.op).i32(1).op('i32.and').i32(1).op('i32.shl').i32(2).op('i32.add', 'i64.extend_i32_u');
  code.op('i64.add').access('i64.store', layout.pc);
  code.i32(0).i32(ENTER_FAR).access('i32.store', layout.op);
}

function sceneOf(place: Place, row: Row, temp: (type: number) => number, old: number): Scene {
  const { code, layout } = place;
  return {
    code,
    layout,
    row,
    bytes: 4,
    pushSlot: () => code.i32(layout.slot),
    pushPc: () => code.i32(0).access('i64.load', layout.pc),
    pushLoad: (scene, load) => pushLoad(place, scene, load),
    pushFloat: (scene, float) => pushFloatExactly(place, scene, float),
    temp,
    old,
  };
}

function emitEffect(place: Place, scene: Scene, effect: Effect): void {
  const { code, layout, callees } = place;
  switch (effect.do) {
    case 'x':
    case 'f':
      pushValue(scene, effect.value);
      code.set(place.value);
      writeRegister(place, effect.do === 'x' ? layout.x : layout.f, place.value);
      return;
    case 'store':
      pushValue(scene, effect.address);
      code.set(place.address);
      pushValue(scene, effect.value);
      code.set(place.value);
      emitStore(place, effect.bytes);
      return;
    case 'amo':
      alignedAddress(place, scene, effect.bytes, STOP_MISALIGNED_STORE);
      find(place, callees.locateStore, effect.bytes);
      code.get(place.host).access(loadName(effect.bytes, true)).set(scene.old);
      record(place, scene.old, { bytes: effect.bytes, isStore: false });
      pushValue(scene, effect.value);
      code.set(place.value).get(place.host).get(place.value).access(storeName(effect.bytes));
      record(place, place.value, { bytes: effect.bytes, isStore: true });
      writeRegister(place, layout.x, scene.old);
      return;
    case 'lr':
      alignedAddress(place, scene, effect.bytes, STOP_MISALIGNED_LOAD);
      find(place, callees.locateLoad, effect.bytes);
      code.get(place.host).access(loadName(effect.bytes, true)).set(place.value);
      record(place, place.value, { bytes: effect.bytes, isStore: false });
      code.i32(0).get(place.address).access('i64.store', layout.reservation);
      writeRegister(place, layout.x, place.value);
      return;
    case 'sc':
      emitStoreConditional(place, scene, effect.bytes);
      return;
    case 'csr':
      code.call(callees.counter).op('drop');
      return;
    case 'fenceI':
      code.call(callees.fenceI).op('drop');
      return;
    case 'trap':
      code.i32(effect.why === 'ecall' ? STOP_ECALL : STOP_BREAKPOINT).op('return');
      return;
    default:
      return;
  }
}

/** Fails without an access unless the address is reserved; the reservation is gone in either case. */
function emitStoreConditional(place: Place, scene: Scene, bytes: 4 | 8): void {
  const { code, layout } = place;
  alignedAddress(place, scene, bytes, STOP_MISALIGNED_STORE);
  code.get(place.address).i32(0).access('i64.load', layout.reservation).op('i64.eq').if();
  pushValue(scene, { op: 'x', field: 'rs2' });
  code.set(place.value);
  emitStore(place, bytes);
  code.i64(0).set(place.value).op('else').i64(1).set(place.value).op('end');
  code.i32(0).i64(-1).access('i64.store', layout.reservation);
  writeRegister(place, layout.x, place.value);
}

function writeRegister({ code, layout }: Place, file: number, value: number): void {
  code.i32(layout.slot).access('i32.load8_u', RD).get(value).access('i64.store', file);
}

/** Sets `address` to rs1, which must be a multiple of `bytes`. */
function alignedAddress(place: Place, scene: Scene, bytes: 4 | 8, stop: number): void {
  const { code, layout } = place;
  pushRegisterOffset(scene, 'rs1');
  code.access('i64.load', layout.x).tee(place.address);
  code
    .i64(bytes - 1)
    .op('i64.and')
    .i64(0)
    .op('i64.ne')
    .if();
  code.i32(0).get(place.address).access('i64.store', layout.address);
  code.i32(stop).op('return', 'end');
}

/** Sets `host` to the place of `address`, or returns. */
function find({ code, address, host }: Place, locate: number, bytes: number): void {
  code.get(address).i32(bytes).call(locate).tee(host);
  code.i32(NOWHERE).op('i32.eq').if().i32(STOP_REFUSED).op('return', 'end');
}

function pushLoad(place: Place, scene: Scene, { address, bytes, signed }: LoadNode): void {
  const { code } = place;
  pushValue(scene, address);
  code.set(place.address);
  find(place, place.callees.locateLoad, bytes);
  code.get(place.host).access(loadName(bytes, signed)).set(place.value);
  record(place, place.value, { bytes, isStore: false });
  code.get(place.value);
}

/** Stores `value` at `address`. Across pages the host does it, and what is stored here goes nowhere. */
function emitStore(place: Place, bytes: 1 | 2 | 4 | 8): void {
  const { code, layout } = place;
  code.i32(0).get(place.value).access('i64.store', layout.value);
  find(place, place.callees.locateStore, bytes);
  code.get(place.host).get(place.value).access(storeName(bytes));
  record(place, place.value, { bytes, isStore: true });
}

/** Appends to the log, unless it was the host that accessed memory, and told the watcher. */
function record(place: Place, value: number, access: { bytes: 1 | 2 | 4 | 8; isStore: boolean }): void {
  const { code, layout, logEnd } = place;
  if (place.watched === 'nothing' || (place.watched === 'stores' && !access.isStore)) return;
  code.get(place.host).i32(layout.bounce).op('i32.ne').if();
  code.i32(0).access('i32.load', layout.logEnd).set(logEnd);
  appendRecord(code, { end: logEnd, address: place.address, value }, access);
  code.i32(0).get(logEnd).access('i32.store', layout.logEnd).op('end');
}

/** Room for the two records that an atomic makes, and for the one that the loop makes before it looks. */
function makeRoom({ code, layout, callees }: Place): void {
  code
    .i32(0)
    .access('i32.load', layout.logEnd)
    .i32(layout.logLimit - 2 * LOG_RECORD_BYTES);
  code.op('i32.ge_u').if().call(callees.drain).op('drop', 'end');
}

/** The result without the host if it is provably exact and rounding is to nearest even. */
function pushFloatExactly(place: Place, scene: Scene, node: FloatNode): void {
  const { code, layout, callees } = place;
  const { name, args } = node;
  const found = code.block(I64);
  if (isProvable(name) || name === 'fma') {
    const otherwise = code.block();
    pushFcsr(scene).i32(FRM).op('i32.and').brIf(otherwise);
    code.i32(layout.slot).access('i32.load8_u', RM).i32(DYNAMIC).op('i32.ne');
    code.i32(layout.slot).access('i32.load8_u', RM).i32(RNE).op('i32.ne', 'i32.and').brIf(otherwise);
    if (name === 'fma') pushFused(scene, node, otherwise);
    else pushExact(scene, node, name, otherwise);
    code.br(found).op('end');
  }
  args.forEach((arg, index) => {
    code.i32(0);
    pushValue(scene, arg);
    code.access('i64.store', layout.floats + 8 * index);
  });
  code.i32(FLOAT_NODES.indexOf(node)).i32(layout.slot).access('i32.load8_u', RM).call(callees.float);
  code.if().i32(STOP_ILLEGAL).op('return', 'end');
  code.i32(0).access('i64.load', layout.floats).op('end');
}

/** The function (address: i64, bytes: i32) → byte address: by the TLB if the access lies within a page, else by the host. */
export function locate(layout: Layout, kind: keyof typeof SLOW, ask: number): Code {
  const code = new Code(2);
  const locals = { address: 0, asid: code.local(I64), entry: code.local(I64), index: code.local(I32) };
  const miss = code.block();
  code.get(0).i64(4095).op('i64.and').get(1).op('i64.extend_i32_u', 'i64.add').i64(4096).op('i64.gt_u').brIf(miss);
  code.i32(0).access('i64.load', layout.asid).set(locals.asid);
  lookup(code, layout, locals, kind, 1, miss);
  pushHost(code, locals);
  code.op('return', 'end');
  code.get(0).op('i32.wrap_i64').get(0).i64(32).op('i64.shr_u', 'i32.wrap_i64').get(1).call(ask);
  return code.op('end');
}
