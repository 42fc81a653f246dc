/**
 * Constructors of semantics.ts, short, so that a row of the table reads like the manual's sentence.
 *
 * Names of operations are the manual's: `add(rs1, rs2)` is an expression, `x(…)` writes it to rd.
 */
import type { AccessBytes, BinaryOperator, Effect, Expression, FloatFormat, FloatOperator } from '../semantics.ts';

// Leaves.
export const rs1: Expression = { op: 'x', field: 'rs1' };
export const rs2: Expression = { op: 'x', field: 'rs2' };
/** Raw patterns of floating-point registers. */
export const f1: Expression = { op: 'f', field: 'rs1' };
export const f2: Expression = { op: 'f', field: 'rs2' };
export const f3: Expression = { op: 'f', field: 'rs3' };
export const imm: Expression = { op: 'imm' };
export const pc: Expression = { op: 'pc' };
export const old: Expression = { op: 'old' };
export const constant = (value: bigint): Expression => ({ op: 'const', value });

// Operations.
const binary =
  (name: BinaryOperator) =>
  (a: Expression, b: Expression): Expression => ({ op: 'binary', name, a, b });
export const add = binary('add');
export const sub = binary('sub');
export const and = binary('and');
export const or = binary('or');
export const xor = binary('xor');
export const sll = binary('sll');
export const srl = binary('srl');
export const sra = binary('sra');
export const eq = binary('eq');
export const ne = binary('ne');
export const lt = binary('lt');
export const ltu = binary('ltu');
export const ge = binary('ge');
export const geu = binary('geu');
export const mul = binary('mul');
export const mulh = binary('mulh');
export const mulhu = binary('mulhu');
export const mulhsu = binary('mulhsu');
export const div = binary('div');
export const divu = binary('divu');
export const rem = binary('rem');
export const remu = binary('remu');

export const sext32 = (a: Expression): Expression => ({ op: 'unary', name: 'sext32', a });
export const zext32 = (a: Expression): Expression => ({ op: 'unary', name: 'zext32', a });
export const box = (a: Expression): Expression => ({ op: 'unary', name: 'box', a });
export const unbox = (a: Expression): Expression => ({ op: 'unary', name: 'unbox', a });
export const choose = (condition: Expression, yes: Expression, no: Expression): Expression => ({ op: 'choose', condition, yes, no });
export const load = (bytes: AccessBytes, extension: 'signed' | 'unsigned'): Expression => ({
  op: 'load',
  bytes,
  signed: extension === 'signed',
  address: add(rs1, imm),
});
export const float = (name: FloatOperator, format: FloatFormat, ...args: Expression[]): Expression => ({ op: 'float', name, format, args });

// Effects.
export const x = (value: Expression): Effect => ({ do: 'x', value });
export const f = (value: Expression): Effect => ({ do: 'f', value });
export const store = (bytes: AccessBytes, value: Expression): Effect => ({ do: 'store', bytes, address: add(rs1, imm), value });
export const jump = (target: Expression): Effect => ({ do: 'jump', target });
export const branch = (condition: Expression): Effect => ({ do: 'branch', condition });
export const amo = (bytes: 4 | 8, value: Expression): Effect => ({ do: 'amo', bytes, value });
export const lr = (bytes: 4 | 8): Effect => ({ do: 'lr', bytes });
export const sc = (bytes: 4 | 8): Effect => ({ do: 'sc', bytes });
export const csr = (rule: 'write' | 'set' | 'clear', value: Expression): Effect => ({ do: 'csr', rule, value });
export const trap = (why: 'ecall' | 'breakpoint'): Effect => ({ do: 'trap', why });
export const fenceI: Effect = { do: 'fenceI' };
export const nothing: Effect = { do: 'nothing' };
