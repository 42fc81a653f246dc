/** RV32F and RV64F: single-precision floating point. @see RISC-V Unprivileged ISA, chapter "F" */
import type { Effect, Expression, FloatOperator } from '../semantics.ts';
import { row, type Row } from './row.ts';
import { and, box, constant, f, f1, f2, f3, float, load, or, rs1, sext32, store, unbox, x, xor, zext32 } from './trees.ts';

const a = unbox(f1);
const b = unbox(f2);
const c = unbox(f3);
const SIGN = constant(0x8000_0000n);
const MAGNITUDE = constant(0x7fff_ffffn);
const neg = (value: Expression): Expression => xor(value, SIGN);

/** Computes with singles; the result is a single, or an integer. */
const single = (name: FloatOperator, ...args: Expression[]): Effect => f(box(float(name, 's', ...args)));
const integer = (name: FloatOperator, ...args: Expression[]): Effect => x(float(name, 's', ...args));
/** As `integer`, and the word is sign-extended, an unsigned one too. */
const word = (name: FloatOperator): Effect => x(sext32(float(name, 's', a)));
const withSign = (sign: Expression): Effect => f(box(or(and(a, MAGNITUDE), and(sign, SIGN))));

// prettier-ignore
export const RV_F: readonly Row[] = [
  row('flw       rd rs1 imm12               14..12=2 6..2=0x01 1..0=3', f(box(load(4, 'unsigned')))),
  row('fsw       rs2 rs1 imm12hi imm12lo    14..12=2 6..2=0x09 1..0=3', store(4, f2)),
  row('fmadd.s   rd rs1 rs2 rs3 rm          26..25=0 6..2=0x10 1..0=3', single('fma', a, b, c)),
  row('fmsub.s   rd rs1 rs2 rs3 rm          26..25=0 6..2=0x11 1..0=3', single('fma', a, b, neg(c))),
  row('fnmsub.s  rd rs1 rs2 rs3 rm          26..25=0 6..2=0x12 1..0=3', single('fma', neg(a), b, c)),
  row('fnmadd.s  rd rs1 rs2 rs3 rm          26..25=0 6..2=0x13 1..0=3', single('fma', neg(a), b, neg(c))),
  row('fadd.s    rd rs1 rs2     rm       31..27=0x00 26..25=0 6..2=0x14 1..0=3', single('add', a, b)),
  row('fsub.s    rd rs1 rs2     rm       31..27=0x01 26..25=0 6..2=0x14 1..0=3', single('sub', a, b)),
  row('fmul.s    rd rs1 rs2     rm       31..27=0x02 26..25=0 6..2=0x14 1..0=3', single('mul', a, b)),
  row('fdiv.s    rd rs1 rs2     rm       31..27=0x03 26..25=0 6..2=0x14 1..0=3', single('div', a, b)),
  row('fsqrt.s   rd rs1 24..20=0 rm      31..27=0x0B 26..25=0 6..2=0x14 1..0=3', single('sqrt', a)),
  row('fsgnj.s   rd rs1 rs2     14..12=0 31..27=0x04 26..25=0 6..2=0x14 1..0=3', withSign(b)),
  row('fsgnjn.s  rd rs1 rs2     14..12=1 31..27=0x04 26..25=0 6..2=0x14 1..0=3', withSign(neg(b))),
  row('fsgnjx.s  rd rs1 rs2     14..12=2 31..27=0x04 26..25=0 6..2=0x14 1..0=3', withSign(xor(a, b))),
  row('fmin.s    rd rs1 rs2     14..12=0 31..27=0x05 26..25=0 6..2=0x14 1..0=3', single('min', a, b)),
  row('fmax.s    rd rs1 rs2     14..12=1 31..27=0x05 26..25=0 6..2=0x14 1..0=3', single('max', a, b)),
  row('fcvt.w.s  rd rs1 24..20=0 rm      31..27=0x18 26..25=0 6..2=0x14 1..0=3', word('toW')),
  row('fcvt.wu.s rd rs1 24..20=1 rm      31..27=0x18 26..25=0 6..2=0x14 1..0=3', word('toWu')),
  row('fmv.x.w   rd rs1 24..20=0 14..12=0 31..27=0x1C 26..25=0 6..2=0x14 1..0=3', x(sext32(f1))),
  row('feq.s     rd rs1 rs2     14..12=2 31..27=0x14 26..25=0 6..2=0x14 1..0=3', integer('eq', a, b)),
  row('flt.s     rd rs1 rs2     14..12=1 31..27=0x14 26..25=0 6..2=0x14 1..0=3', integer('lt', a, b)),
  row('fle.s     rd rs1 rs2     14..12=0 31..27=0x14 26..25=0 6..2=0x14 1..0=3', integer('le', a, b)),
  row('fclass.s  rd rs1 24..20=0 14..12=1 31..27=0x1C 26..25=0 6..2=0x14 1..0=3', integer('class', a)),
  row('fcvt.s.w  rd rs1 24..20=0 rm      31..27=0x1A 26..25=0 6..2=0x14 1..0=3', single('fromW', sext32(rs1))),
  row('fcvt.s.wu rd rs1 24..20=1 rm      31..27=0x1A 26..25=0 6..2=0x14 1..0=3', single('fromWu', zext32(rs1))),
  row('fmv.w.x   rd rs1 24..20=0 14..12=0 31..27=0x1E 26..25=0 6..2=0x14 1..0=3', f(box(rs1))),

  // RV64F.
  row('fcvt.l.s  rd rs1 24..20=2 rm      31..27=0x18 26..25=0 6..2=0x14 1..0=3', integer('toL', a)),
  row('fcvt.lu.s rd rs1 24..20=3 rm      31..27=0x18 26..25=0 6..2=0x14 1..0=3', integer('toLu', a)),
  row('fcvt.s.l  rd rs1 24..20=2 rm      31..27=0x1A 26..25=0 6..2=0x14 1..0=3', single('fromL', rs1)),
  row('fcvt.s.lu rd rs1 24..20=3 rm      31..27=0x1A 26..25=0 6..2=0x14 1..0=3', single('fromLu', rs1)),
];
