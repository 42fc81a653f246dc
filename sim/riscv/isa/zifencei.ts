/** Zifencei: instruction-fetch fence. @see RISC-V Unprivileged ISA, chapter "Zifencei" */
import { row, type Row } from './row.ts';
import { fenceI } from './trees.ts';

export const ZIFENCEI: readonly Row[] = [
  // imm, rs1 and rd are reserved and ignored.
  row('fence.i imm12 rs1 rd 14..12=1 6..2=0x03 1..0=3', fenceI),
];
