/**
 * The code of one handler in the loop: the row's effect on registers and memory, then the way to the next slot.
 */
import type { Effect } from '../semantics.ts';
import { pushCondition, pushValue, type LoadNode, type Scene } from './emit-expression.ts';
import { pushFloatInline } from './fast-float.ts';
import { isDirect, isNear, type Handler, type Variant } from './handlers.ts';
import { advance, goFar, goNear, next, pushPc, type Running } from './loop.ts';
import { appendRecord, loadName, lookup, pushHost, storeName } from './memory-access.ts';
import type { Code } from './module-writer.ts';
import { I32 } from './opcodes.ts';
import { MASK, RD, RS1, SHIFT, ZIMM } from './slot.ts';

export function emitHandler(loop: Running, { row, variant }: Handler, bytes: 2 | 4): void {
  const { code } = loop;
  const scene: Scene = {
    code,
    layout: loop.layout,
    row,
    bytes,
    pushSlot: () => code.get(loop.ip),
    pushPc: () => pushPc(loop),
    pushLoad: (inner, load) => pushLoad(loop, inner, load),
    pushFloat: (inner, float) => pushFloatInline(inner, float, { isTruncating: variant === 'truncating', otherwise: loop.exits.slow }),
    temp: loop.temp,
    old: -1,
  };
  const { effect } = row;
  switch (effect.do) {
    case 'x':
    case 'f':
      code.get(loop.ip).access('i32.load8_u', RD);
      pushValue(scene, effect.value);
      code.access('i64.store', effect.do === 'x' ? loop.layout.x : loop.layout.f);
      if (isLogged(loop, effect)) checkLog(loop, bytes);
      break;
    case 'store':
      emitStore(loop, scene, effect);
      if (isLogged(loop, effect)) checkLog(loop, bytes);
      break;
    case 'branch':
      pushCondition(scene, effect.condition);
      code.if();
      if (isNear(variant)) goNear(loop);
      else {
        pushValue(scene, { op: 'binary', name: 'add', a: { op: 'pc' }, b: { op: 'imm' } });
        code.set(loop.target);
        goFar(loop);
      }
      code.op('end');
      break;
    case 'jump':
      emitJump(loop, scene, effect, variant);
      return;
    case 'csr':
      emitFcsr(loop, effect, variant === 'plain');
      break;
    default:
      break;
  }
  next(loop, bytes);
}

function emitJump(loop: Running, scene: Scene, { target }: Extract<Effect, { do: 'jump' }>, variant: Variant): void {
  const { code } = loop;
  if (!isNear(variant)) {
    pushValue(scene, target);
    if (!isDirect(target)) code.i64(-2).op('i64.and');
    code.set(loop.target);
  }
  if (variant !== 'no rd' && variant !== 'near, no rd') {
    code.get(loop.ip).access('i32.load8_u', RD);
    pushValue(scene, { op: 'next' });
    code.access('i64.store', loop.layout.x);
  }
  if (isNear(variant)) goNear(loop);
  else goFar(loop);
}

/** Reads and writes a field of fcsr. To set or clear nothing is to write what is there. */
function emitFcsr(loop: Running, { rule, value }: Extract<Effect, { do: 'csr' }>, isRead: boolean): void {
  const { code, layout, ip } = loop;
  const [fcsr, before, after] = [loop.temp(I32), loop.temp(I32), loop.temp(I32)];
  const shift = (): Code => code.get(ip).access('i32.load8_u', SHIFT);
  const mask = (): Code => code.get(ip).access('i32.load8_u', MASK);
  code.i32(0).access('i32.load', layout.fcsr).tee(fcsr);
  shift().op('i32.shr_u');
  mask().op('i32.and').set(before).get(ip);
  if (value.op === 'imm') code.access('i32.load8_u', ZIMM);
  else code.access('i32.load8_u', RS1).access('i32.load', layout.x);
  code.set(after);
  if (rule === 'set') code.get(before).get(after).op('i32.or').set(after);
  if (rule === 'clear') code.get(before).get(after).i32(-1).op('i32.xor', 'i32.and').set(after);
  // The field changes by `before ^ after`.
  code.i32(0).get(before).get(after).op('i32.xor');
  mask().op('i32.and');
  shift().op('i32.shl').get(fcsr).op('i32.xor').access('i32.store', layout.fcsr);
  if (!isRead) return;
  code.get(ip).access('i32.load8_u', RD).get(before).op('i64.extend_i32_u').access('i64.store', layout.x);
}

function pushLoad(loop: Running, scene: Scene, { address, bytes, signed }: LoadNode): void {
  const { code, value, lookup: locals } = loop;
  pushValue(scene, address);
  code.set(locals.address);
  lookup(code, loop.layout, locals, 'load', bytes, loop.exits.slow);
  pushHost(code, locals);
  code.access(loadName(bytes, signed));
  if (loop.watched !== 'all') return;
  code.set(value);
  appendRecord(code, { end: loop.logEnd, address: locals.address, value }, { bytes, isStore: false });
  code.get(value);
}

function emitStore(loop: Running, scene: Scene, { address, bytes, value }: Extract<Effect, { do: 'store' }>): void {
  const { code, lookup: locals } = loop;
  pushValue(scene, address);
  code.set(locals.address);
  lookup(code, loop.layout, locals, 'store', bytes, loop.exits.slow);
  pushHost(code, locals);
  pushValue(scene, value);
  if (loop.watched !== 'nothing') code.tee(loop.value);
  code.access(storeName(bytes));
  if (loop.watched !== 'nothing') {
    appendRecord(code, { end: loop.logEnd, address: locals.address, value: loop.value }, { bytes, isStore: true });
  }
}

function isLogged({ watched }: Running, effect: Effect): boolean {
  if (effect.do === 'store') return watched !== 'nothing';
  return (
    watched === 'all' && 'value' in effect && (effect.value.op === 'load' || (effect.value.op === 'unary' && effect.value.a.op === 'load'))
  );
}

/** Leaves behind the instruction if the log is full. */
function checkLog(loop: Running, bytes: 2 | 4): void {
  const { code, layout, logEnd } = loop;
  code.get(logEnd).i32(layout.logLimit).op('i32.eq').if();
  advance(loop, bytes);
  code.br(loop.exits.logFull).op('end');
}
