/** Zicsr: control and status registers; csr.ts has which there are. @see RISC-V Unprivileged ISA, chapter "Zicsr" */
import { row, type Row } from './row.ts';
import { csr, imm, rs1 } from './trees.ts';

// prettier-ignore
export const ZICSR: readonly Row[] = [
  row('csrrw  rd rs1   csr 14..12=1 6..2=0x1C 1..0=3', csr('write', rs1)),
  row('csrrs  rd rs1   csr 14..12=2 6..2=0x1C 1..0=3', csr('set', rs1)),
  row('csrrc  rd rs1   csr 14..12=3 6..2=0x1C 1..0=3', csr('clear', rs1)),
  row('csrrwi rd zimm5 csr 14..12=5 6..2=0x1C 1..0=3', csr('write', imm)),
  row('csrrsi rd zimm5 csr 14..12=6 6..2=0x1C 1..0=3', csr('set', imm)),
  row('csrrci rd zimm5 csr 14..12=7 6..2=0x1C 1..0=3', csr('clear', imm)),
];
