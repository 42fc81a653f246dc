/**
 * Expression trees as functions: each row's effect is turned once into closures, which the interpreter then calls.
 *
 * Values are signed 64-bit bigints here. An access that is refused gives 0 and leaves `stop` behind; an effect looks there before
 * it changes anything, so that a stop is precise.
 */
import { readCsr, writtenFcsr } from './csr.ts';
import { writesCsr, type Instruction } from './decode.ts';
import { floatOperation } from './float.ts';
import type { Registers, Stop } from './hart.ts';
import type { AccessBytes, BinaryOperator, Effect, Expression, UnaryOperator } from './semantics.ts';
import type { UserMemory } from './user-memory.ts';

/** What an instruction works on. */
export interface Context {
  readonly registers: Registers;
  readonly memory: UserMemory;
  readonly retired: number;
  /** Where to go on; set to the instruction behind this one before each. */
  next: bigint;
  /** Set by an instruction that cannot be executed. */
  stop: Stop | undefined;
  /** Address that LR reserved, unsigned. */
  reservation: bigint | undefined;
  /** Forgets every decoded instruction. */
  forgetCode(): void;
}

type Evaluate = (context: Context, instruction: Instruction) => bigint;
export type Execute = (context: Context, instruction: Instruction) => void;

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (holds: boolean): bigint => (holds ? 1n : 0n);

// prettier-ignore
const BINARY: Readonly<Record<BinaryOperator, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => signed(a + b),
  sub: (a, b) => signed(a - b),
  and: (a, b) => a & b,
  or:  (a, b) => a | b,
  xor: (a, b) => a ^ b,
  sll: (a, b) => signed(a << (b & 63n)),
  srl: (a, b) => signed(unsigned(a) >> (b & 63n)),
  sra: (a, b) => a >> (b & 63n),
  eq:  (a, b) => truth(a === b),
  ne:  (a, b) => truth(a !== b),
  lt:  (a, b) => truth(a < b),
  ltu: (a, b) => truth(unsigned(a) < unsigned(b)),
  ge:  (a, b) => truth(a >= b),
  geu: (a, b) => truth(unsigned(a) >= unsigned(b)),
  mul: (a, b) => signed(a * b),
  mulh:   (a, b) => (a * b) >> 64n,
  mulhu:  (a, b) => signed((unsigned(a) * unsigned(b)) >> 64n),
  mulhsu: (a, b) => (a * unsigned(b)) >> 64n,
  // The manual's table: nothing traps; by zero the quotient is all ones and the remainder the dividend.
  div:  (a, b) => (b === 0n ? -1n : signed(a / b)),
  divu: (a, b) => (b === 0n ? -1n : signed(unsigned(a) / unsigned(b))),
  rem:  (a, b) => (b === 0n ? a : a % b),
  remu: (a, b) => (b === 0n ? a : signed(unsigned(a) % unsigned(b))),
};

const BOX = -1n << 32n;
const CANONICAL_NAN = 0x7fc0_0000n;

const UNARY: Readonly<Record<UnaryOperator, (a: bigint) => bigint>> = {
  sext32: (a) => BigInt.asIntN(32, a),
  zext32: (a) => BigInt.asUintN(32, a),
  box: (a) => BOX | BigInt.asUintN(32, a),
  unbox: (a) => (a >> 32n === -1n ? BigInt.asUintN(32, a) : CANONICAL_NAN),
};

/** @param old - in an atomic, what memory held */
function compile(e: Expression, old?: () => bigint): Evaluate {
  switch (e.op) {
    case 'x': {
      const { field } = e;
      return ({ registers }, i) => registers.x[i[field]]!;
    }
    case 'f': {
      const { field } = e;
      return ({ registers }, i) => registers.f[i[field]]!;
    }
    case 'imm':
      return (_context, i) => BigInt(i.imm);
    case 'pc':
      return ({ registers }) => signed(registers.pc);
    case 'next':
      return ({ registers }, i) => signed(registers.pc + BigInt(i.bytes));
    case 'const': {
      const value = signed(e.value);
      return () => value;
    }
    case 'old':
      return old!;
    case 'unary': {
      const operate = UNARY[e.name];
      const a = compile(e.a, old);
      return (context, i) => operate(a(context, i));
    }
    case 'binary': {
      const operate = BINARY[e.name];
      const a = compile(e.a, old);
      const b = compile(e.b, old);
      return (context, i) => operate(a(context, i), b(context, i));
    }
    case 'choose': {
      const condition = compile(e.condition, old);
      const yes = compile(e.yes, old);
      const no = compile(e.no, old);
      return (context, i) => (condition(context, i) === 1n ? yes(context, i) : no(context, i));
    }
    case 'load':
      return compileLoad(e.bytes, e.signed, compile(e.address, old));
    case 'float':
      return compileFloat(e);
  }
}

function compileLoad(bytes: AccessBytes, isSigned: boolean, address: Evaluate): Evaluate {
  return (context, i) => {
    const value = context.memory.load(address(context, i), bytes);
    if (value === undefined) {
      context.stop = context.memory.refused;
      return 0n;
    }
    return isSigned ? BigInt.asIntN(bytes * 8, value) : value;
  };
}

function compileFloat({ name, format, args }: Expression & { op: 'float' }): Evaluate {
  const evaluate = args.map((arg) => compile(arg));
  return (context, i) => {
    const { registers } = context;
    const patterns = evaluate.map((argument) => unsigned(argument(context, i)));
    const { bits, flags } = floatOperation(name, format, patterns, roundingMode(context, i));
    registers.fcsr |= flags;
    return signed(bits);
  };
}

const DYNAMIC = 7;
const roundingMode = ({ registers }: Context, { rm }: Instruction): number => (rm === DYNAMIC ? registers.fcsr >> 5 : rm);

/** Makes the function that executes an effect. It leaves registers as they were if it sets `stop`. */
export function compileEffect(effect: Effect): Execute {
  switch (effect.do) {
    case 'x': {
      const value = compile(effect.value);
      return (context, i) => {
        const result = value(context, i);
        if (context.stop === undefined) writeX(context, i, result);
      };
    }
    case 'f': {
      const value = compile(effect.value);
      return (context, i) => {
        const result = value(context, i);
        if (context.stop === undefined) context.registers.f[i.rd] = result;
      };
    }
    case 'store': {
      const address = compile(effect.address);
      const value = compile(effect.value);
      const { bytes } = effect;
      return (context, i) => {
        if (!context.memory.store(address(context, i), bytes, value(context, i))) context.stop = context.memory.refused;
      };
    }
    case 'jump': {
      const target = compile(effect.target);
      return (context, i) => {
        const link = signed(context.next);
        context.next = unsigned(target(context, i)) & ~1n;
        writeX(context, i, link);
      };
    }
    case 'branch': {
      const condition = compile(effect.condition);
      return (context, i) => {
        if (condition(context, i) === 1n) context.next = unsigned(context.registers.pc + BigInt(i.imm));
      };
    }
    case 'amo':
      return compileAmo(effect.bytes, effect.value);
    case 'lr':
      return (context, i) => loadReserved(context, i, effect.bytes);
    case 'sc':
      return (context, i) => storeConditional(context, i, effect.bytes);
    case 'csr': {
      const value = compile(effect.value);
      return (context, i) => accessCsr(context, i, effect.rule, value(context, i));
    }
    case 'trap': {
      const stop: Stop = { why: effect.why };
      return (context) => void (context.stop = stop);
    }
    case 'fenceI':
      return (context) => context.forgetCode();
    case 'nothing':
      return () => undefined;
  }
}

function writeX({ registers }: Context, { rd }: Instruction, value: bigint): void {
  if (rd !== 0) registers.x[rd] = value;
}

/** The address in rs1, unsigned; undefined, and `stop` set, if it is not a multiple of `bytes`. */
function alignedAddress(context: Context, i: Instruction, bytes: 4 | 8, access: 'load' | 'store'): bigint | undefined {
  const address = unsigned(context.registers.x[i.rs1]!);
  if (address % BigInt(bytes) === 0n) return address;
  context.stop = { why: 'misaligned', access, address };
  return undefined;
}

/** The page must be writable even if the value does not change; one that is writable is readable. */
function compileAmo(bytes: 4 | 8, newValue: Expression): Execute {
  let held = 0n;
  const value = compile(newValue, () => held);
  return (context, i) => {
    const address = alignedAddress(context, i, bytes, 'store');
    if (address === undefined) return;
    const { memory } = context;
    const at = memory.place(address, 'store');
    if (at < 0) {
      context.stop = memory.refused;
      return;
    }
    held = BigInt.asIntN(bytes * 8, memory.loadAt(at, address, bytes));
    memory.storeAt(at, address, bytes, value(context, i));
    writeX(context, i, held);
  };
}

function loadReserved(context: Context, i: Instruction, bytes: 4 | 8): void {
  const address = alignedAddress(context, i, bytes, 'load');
  if (address === undefined) return;
  const value = context.memory.load(address, bytes);
  if (value === undefined) {
    context.stop = context.memory.refused;
    return;
  }
  context.reservation = address;
  writeX(context, i, BigInt.asIntN(bytes * 8, value));
}

/** Fails without an access unless the address is reserved; the reservation is gone in either case. */
function storeConditional(context: Context, i: Instruction, bytes: 4 | 8): void {
  const address = alignedAddress(context, i, bytes, 'store');
  if (address === undefined) return;
  const succeeds = context.reservation === address;
  if (succeeds && !context.memory.store(address, bytes, context.registers.x[i.rs2]!)) {
    context.stop = context.memory.refused;
    return;
  }
  context.reservation = undefined;
  writeX(context, i, succeeds ? 0n : 1n);
}

function accessCsr(context: Context, i: Instruction, rule: 'write' | 'set' | 'clear', value: bigint): void {
  const { registers } = context;
  const before = readCsr(i.csr, { fcsr: registers.fcsr, retired: context.retired });
  if (writesCsr(i)) {
    const bits = Number(value & 0xffn);
    const after = rule === 'write' ? bits : rule === 'set' ? before | bits : before & ~bits;
    registers.fcsr = writtenFcsr(i.csr, registers.fcsr, after);
  }
  writeX(context, i, BigInt(before));
}

/** Whether the instruction rounds as frm says, and frm says nothing that exists. */
export function roundsInvalidly(context: Context, i: Instruction): boolean {
  return i.rm === DYNAMIC && roundingMode(context, i) > 4;
}
