/**
 * RV64C with the loads and stores of D: compressed instructions, and what they stand for. @see RISC-V Unprivileged ISA, chapter "C"
 *
 * Six pairs have overlapping fixed bits; the specific row stands first, and the field of the general one excludes it (fields.ts):
 * addi16sp/lui, jr/mv, jalr/add, ebreak/jalr, ebreak/add; and, the shift by 0 that RV128 reads as 64, slli64/slli, srli64/srli,
 * srai64/srai. Hints (rd = 0, or a count or addend of 0) are what they stand for, which does nothing. C.NOP is c.addi with rd = 0.
 */
import { RV_D } from './rv-d.ts';
import { RV_I } from './rv-i.ts';
import { compressedOf, type Row } from './row.ts';

const compressed = compressedOf([...RV_I, ...RV_D]);

// prettier-ignore
export const RV_C: readonly Row[] = [
  // Quadrant 0.
  compressed('c.addi4spn rd_p c_nzuimm10              1..0=0 15..13=0', 'addi rs1=2'),
  compressed('c.fld      rd_p rs1_p c_uimm8lo c_uimm8hi  1..0=0 15..13=1', 'fld'),
  compressed('c.lw       rd_p rs1_p c_uimm7lo c_uimm7hi  1..0=0 15..13=2', 'lw'),
  compressed('c.ld       rd_p rs1_p c_uimm8lo c_uimm8hi  1..0=0 15..13=3', 'ld'),
  compressed('c.fsd      rs2_p rs1_p c_uimm8lo c_uimm8hi 1..0=0 15..13=5', 'fsd'),
  compressed('c.sw       rs2_p rs1_p c_uimm7lo c_uimm7hi 1..0=0 15..13=6', 'sw'),
  compressed('c.sd       rs2_p rs1_p c_uimm8lo c_uimm8hi 1..0=0 15..13=7', 'sd'),

  // Quadrant 1.
  compressed('c.addi     rd_rs1 c_imm6lo c_imm6hi        1..0=1 15..13=0', 'addi'),
  compressed('c.addiw    rd_rs1_n0 c_imm6lo c_imm6hi     1..0=1 15..13=1', 'addiw'),
  compressed('c.li       rd c_imm6lo c_imm6hi            1..0=1 15..13=2', 'addi rs1=0'),
  compressed('c.addi16sp c_nzimm10hi c_nzimm10lo         1..0=1 15..13=3 11..7=2', 'addi rd=2 rs1=2'),
  compressed('c.lui      rd_n2 c_nzimm18hi c_nzimm18lo   1..0=1 15..13=3', 'lui'),
  compressed('c.srli64   rd_rs1_p                        1..0=1 15..13=4 12..10=0 6..2=0', 'srli imm=0'),
  compressed('c.srli     rd_rs1_p c_nzuimm6lo c_nzuimm6hi 1..0=1 15..13=4 11..10=0', 'srli'),
  compressed('c.srai64   rd_rs1_p                        1..0=1 15..13=4 12..10=1 6..2=0', 'srai imm=0'),
  compressed('c.srai     rd_rs1_p c_nzuimm6lo c_nzuimm6hi 1..0=1 15..13=4 11..10=1', 'srai'),
  compressed('c.andi     rd_rs1_p c_imm6hi c_imm6lo      1..0=1 15..13=4 11..10=2', 'andi'),
  compressed('c.sub      rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b011 6..5=0', 'sub'),
  compressed('c.xor      rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b011 6..5=1', 'xor'),
  compressed('c.or       rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b011 6..5=2', 'or'),
  compressed('c.and      rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b011 6..5=3', 'and'),
  compressed('c.subw     rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b111 6..5=0', 'subw'),
  compressed('c.addw     rd_rs1_p rs2_p                  1..0=1 15..13=4 12..10=0b111 6..5=1', 'addw'),
  compressed('c.j        c_imm12                         1..0=1 15..13=5', 'jal rd=0'),
  compressed('c.beqz     rs1_p c_bimm9lo c_bimm9hi       1..0=1 15..13=6', 'beq rs2=0'),
  compressed('c.bnez     rs1_p c_bimm9lo c_bimm9hi       1..0=1 15..13=7', 'bne rs2=0'),

  // Quadrant 2.
  compressed('c.slli64   rd_rs1                          1..0=2 15..13=0 12=0 6..2=0', 'slli imm=0'),
  compressed('c.slli     rd_rs1 c_nzuimm6hi c_nzuimm6lo  1..0=2 15..13=0', 'slli'),
  compressed('c.fldsp    rd c_uimm9sphi c_uimm9splo      1..0=2 15..13=1', 'fld rs1=2'),
  compressed('c.lwsp     rd_n0 c_uimm8sphi c_uimm8splo   1..0=2 15..13=2', 'lw rs1=2'),
  compressed('c.ldsp     rd_n0 c_uimm9sphi c_uimm9splo   1..0=2 15..13=3', 'ld rs1=2'),
  compressed('c.jr       rs1_n0                          1..0=2 15..13=4 12=0 6..2=0', 'jalr rd=0 imm=0'),
  compressed('c.mv       rd c_rs2_n0                     1..0=2 15..13=4 12=0', 'add rs1=0'),
  compressed('c.ebreak                                   1..0=2 15..13=4 12=1 11..2=0', 'ebreak'),
  compressed('c.jalr     rs1_n0                          1..0=2 15..13=4 12=1 6..2=0', 'jalr rd=1 imm=0'),
  compressed('c.add      rd_rs1 c_rs2_n0                 1..0=2 15..13=4 12=1', 'add'),
  compressed('c.fsdsp    c_rs2 c_uimm9sp_s               1..0=2 15..13=5', 'fsd rs1=2'),
  compressed('c.swsp     c_rs2 c_uimm8sp_s               1..0=2 15..13=6', 'sw rs1=2'),
  compressed('c.sdsp     c_rs2 c_uimm9sp_s               1..0=2 15..13=7', 'sd rs1=2'),
];
