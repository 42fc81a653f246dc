/**
 * The loop: one WebAssembly function that executes decoded instructions until it cannot go on by itself.
 *
 * It calls nothing, so that its state stays in machine registers: the slot, the budget, the decoded page. Whatever is not ordinary
 * (a page that is not in the TLB, an instruction to decode, a float that raises a flag, a full log) leaves the function with a
 * reason and the state in memory; core.ts calls who deals with it, and comes back. Each handler ends by taking the op of the next
 * slot and going back to the one dispatch. The budget is counted down before each instruction, so a count is exact anywhere.
 *
 * The translation of the page being executed is held until control leaves the page or the machine is asked something: until then
 * nothing can have changed it.
 */
import { PAGE_BYTES } from '../../../kernel-model/index.ts';
import { HANDLERS, lengthsOf, opOf, OPS } from './handlers.ts';
import { ENTER_FAR, ENTER_RESUME, OP_END, OP_ILLEGAL, OP_NOTHING, OP_STRADDLER, OP_UNDECODED } from './handlers.ts';
import { CODE_AT, STRADDLER_FIRST, STRADDLER_OP, STRADDLER_SECOND, type Layout } from './layout.ts';
import { emitHandler } from './loop-handlers.ts';
import { countAndFetch, EXITS, goFar, localsOf, next, pushPc, SLOT_SHIFT, storedLocals, temporaries } from './loop.ts';
import type { ExitName, Loop, Running, Watched } from './loop.ts';
import { lookup, pushFrame } from './memory-access.ts';
import { Code, type Label } from './module-writer.ts';
import { I32 } from './opcodes.ts';

/** @returns the function's code; it takes nothing and returns a LEFT_… */
export function fastLoop(layout: Layout, watched: Watched): Code {
  const code = new Code();
  const locals = localsOf(code);
  const stored = storedLocals(locals, layout);
  for (const [local, type, at] of stored) code.i32(0).access(`${type}.load`, at).set(local);
  code.i32(0).access('i64.load', layout.asid).set(locals.lookup.asid);
  const reason = code.local(I32);
  const atTarget = code.block();
  const atIp = code.block();
  // The exits stand behind the loop, the last one opened first.
  const exits = Object.fromEntries(EXITS.toReversed().map(({ name }) => [name, code.block()])) as Record<ExitName, Label>;
  const loop: Loop = { code, layout, watched, ...locals, ...temporaries(code), exits, far: code.loop() };
  emitFar(loop);
  emitDispatch(loop);
  code.op('end', 'unreachable');
  for (const { left, standsAt, budget, resumes } of EXITS) {
    code.op('end');
    if (budget === 'give back') code.get(loop.budget).i32(1).op('i32.add').set(loop.budget);
    if (budget === 'used up') code.i32(0).set(loop.budget);
    if (resumes) code.i32(ENTER_RESUME).set(loop.op);
    code
      .i32(left)
      .set(reason)
      .br(standsAt === 'ip' ? atIp : atTarget);
  }
  code.op('end');
  pushPc(loop);
  code.set(loop.target).op('end');
  for (const [local, type, at] of stored) code.i32(0).get(local).access(`${type}.store`, at);
  return code.get(reason).op('end');
}

/** The head: to the slot of `target` if op is ENTER_FAR; then, unless an op is given, the first instruction's. */
function emitFar(loop: Loop): void {
  const { code, layout, exits, target, page, decoded, ip, lookup: locals } = loop;
  code.get(loop.op).i32(ENTER_FAR).op('i32.eq').if();
  code.get(loop.budget).op('i32.eqz').brIf(exits.farLimit);
  const samePage = code.block();
  code.get(target).i64(-PAGE_BYTES).op('i64.and').get(page).op('i64.eq').brIf(samePage);
  code.get(target).set(locals.address);
  lookup(code, layout, locals, 'fetch', 1, exits.far);
  pushFrame(code, locals);
  // Four bytes of the table for each frame: its address / 1024.
  code
    .i32(10)
    .op('i32.shr_u')
    .i32(layout.table - layout.frameBase / 1024)
    .op('i32.add')
    .access('i32.load')
    .tee(locals.index);
  code.op('i32.eqz').brIf(exits.far);
  code.get(locals.index).set(decoded);
  code.get(target).i64(-PAGE_BYTES).op('i64.and').set(page);
  code.op('end'); // samePage
  code
    .get(decoded)
    .get(target)
    .op('i32.wrap_i64')
    .i32(PAGE_BYTES - 2)
    .op('i32.and')
    .i32(SLOT_SHIFT)
    .op('i32.shl', 'i32.add')
    .set(ip);
  code.i32(ENTER_RESUME).set(loop.op).op('end');
  code.get(loop.op).i32(ENTER_RESUME).op('i32.eq').if();
  countAndFetch(loop);
  code.op('end');
}

function emitDispatch(loop: Loop): void {
  const { code } = loop;
  const pieces = piecesOf({ ...loop, dispatch: code.loop() });
  const wrong = code.block();
  const labels: Label[] = Array.from({ length: OPS }, () => wrong);
  // The block that ends first was opened last.
  const opened = pieces.map(() => code.block()).reverse();
  pieces.forEach(({ ops }, index) => ops.forEach((op) => (labels[op] = opened[index]!)));
  code.get(loop.op).brTable(labels, wrong);
  for (const { emit } of pieces) {
    code.op('end');
    loop.freeTemps();
    emit();
  }
  code.op('end', 'unreachable', 'end');
}

/** A piece of code, and the ops that lead to it. Each ends with a branch. */
interface Piece {
  readonly ops: readonly number[];
  readonly emit: () => void;
}

function piecesOf(loop: Running): Piece[] {
  const { code, exits } = loop;
  const slow: number[] = [OP_ILLEGAL];
  const pieces: Piece[] = [
    { ops: [OP_UNDECODED], emit: () => code.br(exits.undecoded) },
    { ops: [OP_END], emit: () => emitEnd(loop) },
    { ops: [OP_STRADDLER], emit: () => emitStraddler(loop) },
    { ops: [OP_NOTHING], emit: () => next(loop, 2) },
    { ops: [OP_NOTHING + 1], emit: () => next(loop, 4) },
    { ops: slow, emit: () => code.br(exits.slow) },
  ];
  for (const handler of HANDLERS) {
    for (const bytes of [2, 4] as const) {
      if (handler.variant === 'slow') slow.push(opOf(handler, bytes));
      else if (lengthsOf(handler.row).includes(bytes)) {
        pieces.push({ ops: [opOf(handler, bytes)], emit: () => emitHandler(loop, handler, bytes) });
      }
    }
  }
  return pieces;
}

/** Behind the page's last slot: no instruction, so what was counted for it is given back. */
function emitEnd(loop: Loop): void {
  const { code, budget, target } = loop;
  code.get(budget).i32(1).op('i32.add').set(budget);
  pushPc(loop);
  code.set(target);
  goFar(loop);
}

/** Its other half must be in reach, and both what they were when it was decoded: it alone does not make a frame marked. */
function emitStraddler(loop: Running): void {
  const { code, layout, exits, lookup: locals } = loop;
  code.get(loop.page).i64(PAGE_BYTES).op('i64.add').set(locals.address);
  lookup(code, layout, locals, 'fetch', 1, exits.straddler);
  pushFrame(code, locals);
  code.access('i32.load16_u').get(loop.decoded).access('i32.load', STRADDLER_SECOND).op('i32.ne').brIf(exits.straddler);
  code
    .get(loop.decoded)
    .access('i32.load', CODE_AT)
    .access('i32.load16_u', PAGE_BYTES - 2);
  code.get(loop.decoded).access('i32.load', STRADDLER_FIRST).op('i32.ne').brIf(exits.straddler);
  code.get(loop.decoded).access('i32.load', STRADDLER_OP).set(loop.op).br(loop.dispatch);
}
