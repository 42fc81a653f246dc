/** RV32I and RV64I: the base integer instructions. @see RISC-V Unprivileged ISA, chapters "RV32I" and "RV64I" */
import { row, type Row } from './row.ts';
import { add, and, branch, constant, eq, ge, geu, imm, jump, load, lt, ltu, ne, nothing, or, pc } from './trees.ts';
import { rs1, rs2, sext32, sll, sra, srl, store, sub, trap, x, xor, zext32 } from './trees.ts';

/** Shift counts of word instructions are five bits. */
const count32 = and(rs2, constant(31n));

// prettier-ignore
export const RV_I: readonly Row[] = [
  row('lui    rd imm20                          6..2=0x0D 1..0=3', x(imm)),
  row('auipc  rd imm20                          6..2=0x05 1..0=3', x(add(pc, imm))),
  row('jal    rd jimm20                         6..2=0x1B 1..0=3', jump(add(pc, imm))),
  row('jalr   rd rs1 imm12             14..12=0 6..2=0x19 1..0=3', jump(add(rs1, imm))),
  row('beq    rs1 rs2 bimm12hi bimm12lo 14..12=0 6..2=0x18 1..0=3', branch(eq(rs1, rs2))),
  row('bne    rs1 rs2 bimm12hi bimm12lo 14..12=1 6..2=0x18 1..0=3', branch(ne(rs1, rs2))),
  row('blt    rs1 rs2 bimm12hi bimm12lo 14..12=4 6..2=0x18 1..0=3', branch(lt(rs1, rs2))),
  row('bge    rs1 rs2 bimm12hi bimm12lo 14..12=5 6..2=0x18 1..0=3', branch(ge(rs1, rs2))),
  row('bltu   rs1 rs2 bimm12hi bimm12lo 14..12=6 6..2=0x18 1..0=3', branch(ltu(rs1, rs2))),
  row('bgeu   rs1 rs2 bimm12hi bimm12lo 14..12=7 6..2=0x18 1..0=3', branch(geu(rs1, rs2))),
  row('lb     rd rs1 imm12             14..12=0 6..2=0x00 1..0=3', x(load(1, 'signed'))),
  row('lh     rd rs1 imm12             14..12=1 6..2=0x00 1..0=3', x(load(2, 'signed'))),
  row('lw     rd rs1 imm12             14..12=2 6..2=0x00 1..0=3', x(load(4, 'signed'))),
  row('lbu    rd rs1 imm12             14..12=4 6..2=0x00 1..0=3', x(load(1, 'unsigned'))),
  row('lhu    rd rs1 imm12             14..12=5 6..2=0x00 1..0=3', x(load(2, 'unsigned'))),
  row('sb     rs2 rs1 imm12hi imm12lo  14..12=0 6..2=0x08 1..0=3', store(1, rs2)),
  row('sh     rs2 rs1 imm12hi imm12lo  14..12=1 6..2=0x08 1..0=3', store(2, rs2)),
  row('sw     rs2 rs1 imm12hi imm12lo  14..12=2 6..2=0x08 1..0=3', store(4, rs2)),
  row('addi   rd rs1 imm12             14..12=0 6..2=0x04 1..0=3', x(add(rs1, imm))),
  row('slti   rd rs1 imm12             14..12=2 6..2=0x04 1..0=3', x(lt(rs1, imm))),
  row('sltiu  rd rs1 imm12             14..12=3 6..2=0x04 1..0=3', x(ltu(rs1, imm))),
  row('xori   rd rs1 imm12             14..12=4 6..2=0x04 1..0=3', x(xor(rs1, imm))),
  row('ori    rd rs1 imm12             14..12=6 6..2=0x04 1..0=3', x(or(rs1, imm))),
  row('andi   rd rs1 imm12             14..12=7 6..2=0x04 1..0=3', x(and(rs1, imm))),
  row('add    rd rs1 rs2   31..25=0    14..12=0 6..2=0x0C 1..0=3', x(add(rs1, rs2))),
  row('sub    rd rs1 rs2   31..25=0x20 14..12=0 6..2=0x0C 1..0=3', x(sub(rs1, rs2))),
  row('sll    rd rs1 rs2   31..25=0    14..12=1 6..2=0x0C 1..0=3', x(sll(rs1, rs2))),
  row('slt    rd rs1 rs2   31..25=0    14..12=2 6..2=0x0C 1..0=3', x(lt(rs1, rs2))),
  row('sltu   rd rs1 rs2   31..25=0    14..12=3 6..2=0x0C 1..0=3', x(ltu(rs1, rs2))),
  row('xor    rd rs1 rs2   31..25=0    14..12=4 6..2=0x0C 1..0=3', x(xor(rs1, rs2))),
  row('srl    rd rs1 rs2   31..25=0    14..12=5 6..2=0x0C 1..0=3', x(srl(rs1, rs2))),
  row('sra    rd rs1 rs2   31..25=0x20 14..12=5 6..2=0x0C 1..0=3', x(sra(rs1, rs2))),
  row('or     rd rs1 rs2   31..25=0    14..12=6 6..2=0x0C 1..0=3', x(or(rs1, rs2))),
  row('and    rd rs1 rs2   31..25=0    14..12=7 6..2=0x0C 1..0=3', x(and(rs1, rs2))),
  // rd and rs1 are reserved and ignored; fence.tso and pause are fences.
  row('fence  fm pred succ rs1 rd      14..12=0 6..2=0x03 1..0=3', nothing),
  row('ecall  31..20=0 19..7=0                  6..2=0x1C 1..0=3', trap('ecall')),
  row('ebreak 31..20=1 19..7=0                  6..2=0x1C 1..0=3', trap('breakpoint')),

  // RV64I.
  row('lwu    rd rs1 imm12             14..12=6 6..2=0x00 1..0=3', x(load(4, 'unsigned'))),
  row('ld     rd rs1 imm12             14..12=3 6..2=0x00 1..0=3', x(load(8, 'signed'))),
  row('sd     rs2 rs1 imm12hi imm12lo  14..12=3 6..2=0x08 1..0=3', store(8, rs2)),
  row('slli   rd rs1 shamtd 31..26=0    14..12=1 6..2=0x04 1..0=3', x(sll(rs1, imm))),
  row('srli   rd rs1 shamtd 31..26=0    14..12=5 6..2=0x04 1..0=3', x(srl(rs1, imm))),
  row('srai   rd rs1 shamtd 31..26=0x10 14..12=5 6..2=0x04 1..0=3', x(sra(rs1, imm))),
  row('addiw  rd rs1 imm12             14..12=0 6..2=0x06 1..0=3', x(sext32(add(rs1, imm)))),
  row('slliw  rd rs1 shamtw 31..25=0    14..12=1 6..2=0x06 1..0=3', x(sext32(sll(rs1, imm)))),
  row('srliw  rd rs1 shamtw 31..25=0    14..12=5 6..2=0x06 1..0=3', x(sext32(srl(zext32(rs1), imm)))),
  row('sraiw  rd rs1 shamtw 31..25=0x20 14..12=5 6..2=0x06 1..0=3', x(sra(sext32(rs1), imm))),
  row('addw   rd rs1 rs2   31..25=0    14..12=0 6..2=0x0E 1..0=3', x(sext32(add(rs1, rs2)))),
  row('subw   rd rs1 rs2   31..25=0x20 14..12=0 6..2=0x0E 1..0=3', x(sext32(sub(rs1, rs2)))),
  row('sllw   rd rs1 rs2   31..25=0    14..12=1 6..2=0x0E 1..0=3', x(sext32(sll(rs1, count32)))),
  row('srlw   rd rs1 rs2   31..25=0    14..12=5 6..2=0x0E 1..0=3', x(sext32(srl(zext32(rs1), count32)))),
  row('sraw   rd rs1 rs2   31..25=0x20 14..12=5 6..2=0x0E 1..0=3', x(sra(sext32(rs1), count32))),
];
