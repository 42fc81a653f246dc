/**
 * RV32A and RV64A: atomics. @see RISC-V Unprivileged ISA, chapter "A"
 *
 * What a word in memory held is sign-extended, which keeps the order of unsigned words too.
 */
import { row, type Row } from './row.ts';
import { add, amo, and, choose, lr, lt, ltu, old, or, rs2, sc, sext32, xor } from './trees.ts';

const word = sext32(rs2);

// prettier-ignore
export const RV_A: readonly Row[] = [
  row('lr.w      rd rs1 24..20=0 aq rl 31..29=0 28..27=2 14..12=2 6..2=0x0B 1..0=3', lr(4)),
  row('sc.w      rd rs1 rs2      aq rl 31..29=0 28..27=3 14..12=2 6..2=0x0B 1..0=3', sc(4)),
  row('amoswap.w rd rs1 rs2      aq rl 31..29=0 28..27=1 14..12=2 6..2=0x0B 1..0=3', amo(4, rs2)),
  row('amoadd.w  rd rs1 rs2      aq rl 31..29=0 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, add(old, rs2))),
  row('amoxor.w  rd rs1 rs2      aq rl 31..29=1 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, xor(old, rs2))),
  row('amoand.w  rd rs1 rs2      aq rl 31..29=3 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, and(old, rs2))),
  row('amoor.w   rd rs1 rs2      aq rl 31..29=2 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, or(old, rs2))),
  row('amomin.w  rd rs1 rs2      aq rl 31..29=4 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, choose(lt(old, word), old, word))),
  row('amomax.w  rd rs1 rs2      aq rl 31..29=5 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, choose(lt(word, old), old, word))),
  row('amominu.w rd rs1 rs2      aq rl 31..29=6 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, choose(ltu(old, word), old, word))),
  row('amomaxu.w rd rs1 rs2      aq rl 31..29=7 28..27=0 14..12=2 6..2=0x0B 1..0=3', amo(4, choose(ltu(word, old), old, word))),

  // RV64A.
  row('lr.d      rd rs1 24..20=0 aq rl 31..29=0 28..27=2 14..12=3 6..2=0x0B 1..0=3', lr(8)),
  row('sc.d      rd rs1 rs2      aq rl 31..29=0 28..27=3 14..12=3 6..2=0x0B 1..0=3', sc(8)),
  row('amoswap.d rd rs1 rs2      aq rl 31..29=0 28..27=1 14..12=3 6..2=0x0B 1..0=3', amo(8, rs2)),
  row('amoadd.d  rd rs1 rs2      aq rl 31..29=0 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, add(old, rs2))),
  row('amoxor.d  rd rs1 rs2      aq rl 31..29=1 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, xor(old, rs2))),
  row('amoand.d  rd rs1 rs2      aq rl 31..29=3 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, and(old, rs2))),
  row('amoor.d   rd rs1 rs2      aq rl 31..29=2 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, or(old, rs2))),
  row('amomin.d  rd rs1 rs2      aq rl 31..29=4 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, choose(lt(old, rs2), old, rs2))),
  row('amomax.d  rd rs1 rs2      aq rl 31..29=5 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, choose(lt(rs2, old), old, rs2))),
  row('amominu.d rd rs1 rs2      aq rl 31..29=6 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, choose(ltu(old, rs2), old, rs2))),
  row('amomaxu.d rd rs1 rs2      aq rl 31..29=7 28..27=0 14..12=3 6..2=0x0B 1..0=3', amo(8, choose(ltu(rs2, old), old, rs2))),
];
