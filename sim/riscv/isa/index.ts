/** The instruction table: RV64GC as a user program has it, in manual order. */
import { RV_A } from './rv-a.ts';
import { RV_C } from './rv-c.ts';
import { RV_D } from './rv-d.ts';
import { RV_F } from './rv-f.ts';
import { RV_I } from './rv-i.ts';
import { RV_M } from './rv-m.ts';
import type { Row } from './row.ts';
import { ZICSR } from './zicsr.ts';
import { ZIFENCEI } from './zifencei.ts';

/** Every instruction but the compressed ones. */
export const BASE_ROWS: readonly Row[] = [...RV_I, ...ZIFENCEI, ...ZICSR, ...RV_M, ...RV_A, ...RV_F, ...RV_D];
export const ROWS: readonly Row[] = [...BASE_ROWS, ...RV_C];
