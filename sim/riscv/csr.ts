/**
 * Control and status registers that a user program has: the floating-point state and three counters.
 *
 * All counters show instructions retired, so cycle, time and instret agree. The counters are read-only.
 */

export interface Csr {
  readonly number: number;
  readonly name: string;
  readonly writable: boolean;
}

// prettier-ignore
export const CSRS: readonly Csr[] = [
  { number: 0x001, name: 'fflags',  writable: true },
  { number: 0x002, name: 'frm',     writable: true },
  { number: 0x003, name: 'fcsr',    writable: true },
  { number: 0xc00, name: 'cycle',   writable: false },
  { number: 0xc01, name: 'time',    writable: false },
  { number: 0xc02, name: 'instret', writable: false },
];

const BY_NUMBER: ReadonlyMap<number, Csr> = new Map(CSRS.map((csr) => [csr.number, csr]));

/** Whether an instruction that names this CSR is legal at user level. */
export function mayAccess(number: number, writes: boolean): boolean {
  const csr = BY_NUMBER.get(number);
  return csr !== undefined && (csr.writable || !writes);
}

/** @returns the value, unsigned */
export function readCsr(number: number, state: { readonly fcsr: number; readonly retired: number }): number {
  if (number === 1) return state.fcsr & 0x1f;
  if (number === 2) return state.fcsr >> 5;
  return number === 3 ? state.fcsr : state.retired;
}

/** What fcsr holds after `value` (its low byte counts) is written to fflags, frm or fcsr. */
export function writtenFcsr(number: number, fcsr: number, value: number): number {
  if (number === 1) return (fcsr & 0xe0) | (value & 0x1f);
  if (number === 2) return (fcsr & 0x1f) | ((value & 7) << 5);
  return value & 0xff;
}
