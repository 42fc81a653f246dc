/** RV32M and RV64M: multiplication and division. @see RISC-V Unprivileged ISA, chapter "M" */
import { row, type Row } from './row.ts';
import { div, divu, mul, mulh, mulhsu, mulhu, rem, remu, rs1, rs2, sext32, x, zext32 } from './trees.ts';

// prettier-ignore
export const RV_M: readonly Row[] = [
  row('mul    rd rs1 rs2 31..25=1 14..12=0 6..2=0x0C 1..0=3', x(mul(rs1, rs2))),
  row('mulh   rd rs1 rs2 31..25=1 14..12=1 6..2=0x0C 1..0=3', x(mulh(rs1, rs2))),
  row('mulhsu rd rs1 rs2 31..25=1 14..12=2 6..2=0x0C 1..0=3', x(mulhsu(rs1, rs2))),
  row('mulhu  rd rs1 rs2 31..25=1 14..12=3 6..2=0x0C 1..0=3', x(mulhu(rs1, rs2))),
  row('div    rd rs1 rs2 31..25=1 14..12=4 6..2=0x0C 1..0=3', x(div(rs1, rs2))),
  row('divu   rd rs1 rs2 31..25=1 14..12=5 6..2=0x0C 1..0=3', x(divu(rs1, rs2))),
  row('rem    rd rs1 rs2 31..25=1 14..12=6 6..2=0x0C 1..0=3', x(rem(rs1, rs2))),
  row('remu   rd rs1 rs2 31..25=1 14..12=7 6..2=0x0C 1..0=3', x(remu(rs1, rs2))),

  // RV64M.
  row('mulw   rd rs1 rs2 31..25=1 14..12=0 6..2=0x0E 1..0=3', x(sext32(mul(rs1, rs2)))),
  row('divw   rd rs1 rs2 31..25=1 14..12=4 6..2=0x0E 1..0=3', x(sext32(div(sext32(rs1), sext32(rs2))))),
  row('divuw  rd rs1 rs2 31..25=1 14..12=5 6..2=0x0E 1..0=3', x(sext32(divu(zext32(rs1), zext32(rs2))))),
  row('remw   rd rs1 rs2 31..25=1 14..12=6 6..2=0x0E 1..0=3', x(rem(sext32(rs1), sext32(rs2)))),
  row('remuw  rd rs1 rs2 31..25=1 14..12=7 6..2=0x0E 1..0=3', x(sext32(remu(zext32(rs1), zext32(rs2))))),
];
