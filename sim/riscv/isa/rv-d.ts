/** RV32D and RV64D: double-precision floating point. @see RISC-V Unprivileged ISA, chapter "D" */
import type { Effect, Expression, FloatOperator } from '../semantics.ts';
import { row, type Row } from './row.ts';
import { and, box, constant, f, f1, f2, f3, float, load, or, rs1, sext32, store, unbox, x, xor, zext32 } from './trees.ts';

const SIGN = constant(0x8000_0000_0000_0000n);
const MAGNITUDE = constant(0x7fff_ffff_ffff_ffffn);
const neg = (value: Expression): Expression => xor(value, SIGN);

/** Computes with doubles; the result is a double, or an integer. */
const double = (name: FloatOperator, ...args: Expression[]): Effect => f(float(name, 'd', ...args));
const integer = (name: FloatOperator, ...args: Expression[]): Effect => x(float(name, 'd', ...args));
/** As `integer`, and the word is sign-extended, an unsigned one too. */
const word = (name: FloatOperator): Effect => x(sext32(float(name, 'd', f1)));
const withSign = (sign: Expression): Effect => f(or(and(f1, MAGNITUDE), and(sign, SIGN)));

// prettier-ignore
export const RV_D: readonly Row[] = [
  row('fld       rd rs1 imm12               14..12=3 6..2=0x01 1..0=3', f(load(8, 'signed'))),
  row('fsd       rs2 rs1 imm12hi imm12lo    14..12=3 6..2=0x09 1..0=3', store(8, f2)),
  row('fmadd.d   rd rs1 rs2 rs3 rm          26..25=1 6..2=0x10 1..0=3', double('fma', f1, f2, f3)),
  row('fmsub.d   rd rs1 rs2 rs3 rm          26..25=1 6..2=0x11 1..0=3', double('fma', f1, f2, neg(f3))),
  row('fnmsub.d  rd rs1 rs2 rs3 rm          26..25=1 6..2=0x12 1..0=3', double('fma', neg(f1), f2, f3)),
  row('fnmadd.d  rd rs1 rs2 rs3 rm          26..25=1 6..2=0x13 1..0=3', double('fma', neg(f1), f2, neg(f3))),
  row('fadd.d    rd rs1 rs2     rm       31..27=0x00 26..25=1 6..2=0x14 1..0=3', double('add', f1, f2)),
  row('fsub.d    rd rs1 rs2     rm       31..27=0x01 26..25=1 6..2=0x14 1..0=3', double('sub', f1, f2)),
  row('fmul.d    rd rs1 rs2     rm       31..27=0x02 26..25=1 6..2=0x14 1..0=3', double('mul', f1, f2)),
  row('fdiv.d    rd rs1 rs2     rm       31..27=0x03 26..25=1 6..2=0x14 1..0=3', double('div', f1, f2)),
  row('fsqrt.d   rd rs1 24..20=0 rm      31..27=0x0B 26..25=1 6..2=0x14 1..0=3', double('sqrt', f1)),
  row('fsgnj.d   rd rs1 rs2     14..12=0 31..27=0x04 26..25=1 6..2=0x14 1..0=3', withSign(f2)),
  row('fsgnjn.d  rd rs1 rs2     14..12=1 31..27=0x04 26..25=1 6..2=0x14 1..0=3', withSign(neg(f2))),
  row('fsgnjx.d  rd rs1 rs2     14..12=2 31..27=0x04 26..25=1 6..2=0x14 1..0=3', withSign(xor(f1, f2))),
  row('fmin.d    rd rs1 rs2     14..12=0 31..27=0x05 26..25=1 6..2=0x14 1..0=3', double('min', f1, f2)),
  row('fmax.d    rd rs1 rs2     14..12=1 31..27=0x05 26..25=1 6..2=0x14 1..0=3', double('max', f1, f2)),
  row('fcvt.s.d  rd rs1 24..20=1 rm      31..27=0x08 26..25=0 6..2=0x14 1..0=3', f(box(float('fromD', 's', f1)))),
  row('fcvt.d.s  rd rs1 24..20=0 rm      31..27=0x08 26..25=1 6..2=0x14 1..0=3', double('fromS', unbox(f1))),
  row('feq.d     rd rs1 rs2     14..12=2 31..27=0x14 26..25=1 6..2=0x14 1..0=3', integer('eq', f1, f2)),
  row('flt.d     rd rs1 rs2     14..12=1 31..27=0x14 26..25=1 6..2=0x14 1..0=3', integer('lt', f1, f2)),
  row('fle.d     rd rs1 rs2     14..12=0 31..27=0x14 26..25=1 6..2=0x14 1..0=3', integer('le', f1, f2)),
  row('fclass.d  rd rs1 24..20=0 14..12=1 31..27=0x1C 26..25=1 6..2=0x14 1..0=3', integer('class', f1)),
  row('fcvt.w.d  rd rs1 24..20=0 rm      31..27=0x18 26..25=1 6..2=0x14 1..0=3', word('toW')),
  row('fcvt.wu.d rd rs1 24..20=1 rm      31..27=0x18 26..25=1 6..2=0x14 1..0=3', word('toWu')),
  row('fcvt.d.w  rd rs1 24..20=0 rm      31..27=0x1A 26..25=1 6..2=0x14 1..0=3', double('fromW', sext32(rs1))),
  row('fcvt.d.wu rd rs1 24..20=1 rm      31..27=0x1A 26..25=1 6..2=0x14 1..0=3', double('fromWu', zext32(rs1))),

  // RV64D.
  row('fcvt.l.d  rd rs1 24..20=2 rm      31..27=0x18 26..25=1 6..2=0x14 1..0=3', integer('toL', f1)),
  row('fcvt.lu.d rd rs1 24..20=3 rm      31..27=0x18 26..25=1 6..2=0x14 1..0=3', integer('toLu', f1)),
  row('fmv.x.d   rd rs1 24..20=0 14..12=0 31..27=0x1C 26..25=1 6..2=0x14 1..0=3', x(f1)),
  row('fcvt.d.l  rd rs1 24..20=2 rm      31..27=0x1A 26..25=1 6..2=0x14 1..0=3', double('fromL', rs1)),
  row('fcvt.d.lu rd rs1 24..20=3 rm      31..27=0x1A 26..25=1 6..2=0x14 1..0=3', double('fromLu', rs1)),
  row('fmv.d.x   rd rs1 24..20=0 14..12=0 31..27=0x1E 26..25=1 6..2=0x14 1..0=3', f(rs1)),
];
