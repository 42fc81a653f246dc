/**
 * What an instruction does, as data: one small expression tree a row of the table.
 *
 * The TypeScript interpreter evaluates the trees, the WebAssembly engine emits code from them, and so would a compiler.
 * All values are 64-bit patterns; signedness belongs to the operator. Shift counts are taken modulo 64, comparisons give 1 or 0,
 * division follows the manual (no trap). Single-precision values travel as the low 32 bits of a pattern, the upper being zero;
 * `unbox` and `box` go between that and a NaN-boxed register.
 */

export type AccessBytes = 1 | 2 | 4 | 8;

export type BinaryOperator =
  | 'add' | 'sub' | 'and' | 'or' | 'xor' | 'sll' | 'srl' | 'sra'
  | 'eq' | 'ne' | 'lt' | 'ltu' | 'ge' | 'geu'
  | 'mul' | 'mulh' | 'mulhu' | 'mulhsu' | 'div' | 'divu' | 'rem' | 'remu'; // prettier-ignore

/** sext32 and zext32 extend the low word; box fills the upper word with ones; unbox gives the canonical NaN unless that is so. */
export type UnaryOperator = 'sext32' | 'zext32' | 'box' | 'unbox';

export type FloatFormat = 's' | 'd';

/** Operations that round, raise flags or look inside a float; see float.ts. Conversions name the other side. */
export type FloatOperator =
  | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'fma' | 'min' | 'max' | 'eq' | 'lt' | 'le' | 'class'
  | 'toW' | 'toWu' | 'toL' | 'toLu' | 'fromW' | 'fromWu' | 'fromL' | 'fromLu' | 'fromS' | 'fromD'; // prettier-ignore

export type Expression =
  | { readonly op: 'x'; readonly field: 'rs1' | 'rs2' }
  | { readonly op: 'f'; readonly field: 'rs1' | 'rs2' | 'rs3' }
  /** The immediate, sign-extended as the format says (shift amounts and CSR immediates zero-extended). */
  | { readonly op: 'imm' }
  | { readonly op: 'pc' }
  /** Address of the instruction behind this one: pc + 2 or pc + 4. */
  | { readonly op: 'next' }
  | { readonly op: 'const'; readonly value: bigint }
  /** In an `amo` effect: what memory held, sign-extended. */
  | { readonly op: 'old' }
  | { readonly op: 'unary'; readonly name: UnaryOperator; readonly a: Expression }
  | { readonly op: 'binary'; readonly name: BinaryOperator; readonly a: Expression; readonly b: Expression }
  | { readonly op: 'choose'; readonly condition: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly op: 'load'; readonly bytes: AccessBytes; readonly signed: boolean; readonly address: Expression }
  /** Rounds by the instruction's rm field (or frm), and accrues flags. */
  | { readonly op: 'float'; readonly name: FloatOperator; readonly format: FloatFormat; readonly args: readonly Expression[] };

export type Effect =
  | { readonly do: 'x'; readonly value: Expression }
  | { readonly do: 'f'; readonly value: Expression }
  | { readonly do: 'store'; readonly bytes: AccessBytes; readonly address: Expression; readonly value: Expression }
  /** Writes `next` to rd, then goes to `target` (computed before the write), bit 0 cleared. */
  | { readonly do: 'jump'; readonly target: Expression }
  /** Goes to pc + imm if the condition is 1. */
  | { readonly do: 'branch'; readonly condition: Expression }
  /** Atomic read-modify-write at rs1; rd gets the old value, sign-extended. A misaligned address traps. */
  | { readonly do: 'amo'; readonly bytes: 4 | 8; readonly value: Expression }
  | { readonly do: 'lr'; readonly bytes: 4 | 8 }
  | { readonly do: 'sc'; readonly bytes: 4 | 8 }
  /** Reads a CSR into rd and writes `value` by the rule; the CSR's number is in the instruction's `csr` field. */
  | { readonly do: 'csr'; readonly rule: 'write' | 'set' | 'clear'; readonly value: Expression }
  | { readonly do: 'trap'; readonly why: 'ecall' | 'breakpoint' }
  /** Decoded instructions may be stale from here on. */
  | { readonly do: 'fenceI' }
  /** Orders what one hart never sees out of order. */
  | { readonly do: 'nothing' };
