/**
 * A row of the instruction table: what riscv-opcodes says of the encoding, and what the instruction does.
 *
 *     row('add rd rs1 rs2 31..25=0 14..12=0 6..2=0x0C 1..0=3', x(add(rs1, rs2)))
 *     compressed('c.lwsp rd_n0 c_uimm8sphi c_uimm8splo 1..0=2 15..13=2', 'lw rs1=2')
 *
 * A name, then fields (fields.ts) and fixed bits in any order. A compressed row says which base instruction it stands for, and
 * the operands of that one which no field gives; those it does not name are 0.
 */
import { assert } from '../../../kernel-model/index.ts';
import type { Effect } from '../semantics.ts';
import { bitRange, FIELDS, type Operand, type Piece } from './fields.ts';

/** One operand as its row encodes it: the fields that make it up, put together. */
export interface Slot {
  readonly operand: Operand;
  readonly pieces: readonly Piece[];
  /** Bits of a signed operand, the top one being the sign; 0 if it is unsigned. */
  readonly signedBits: number;
  readonly offset: number;
  readonly except: readonly number[];
}

export interface Row {
  readonly name: string;
  readonly bytes: 2 | 4;
  /** The fixed bits, as 32-bit patterns: an instruction has them if `(word & mask) === match`. */
  readonly mask: number;
  readonly match: number;
  readonly slots: readonly Slot[];
  /** What the base instruction does, if this row is compressed. */
  readonly effect: Effect;
  /** The instruction that a compressed one stands for; undefined in a base row. */
  readonly base: Row | undefined;
  /** Operands of the base instruction that are the same in each instruction of this row. */
  readonly constants: readonly (readonly [Operand, number])[];
}

/** @param encoding - in riscv-opcodes notation; one that is malformed is a KernelBug */
export const row = (encoding: string, effect: Effect): Row => ({ ...parse(encoding, 4), effect, base: undefined, constants: [] });

/** @returns a constructor of rows that stand for one of `bases` */
export function compressedOf(bases: readonly Row[]): (encoding: string, meaning: string) => Row {
  const byName = new Map(bases.map((base) => [base.name, base]));
  return (encoding, meaning) => {
    const [name, ...constants] = meaning.split(' ');
    const base = byName.get(name!);
    assert(base !== undefined, 'a compressed instruction stands for one of the table', { encoding });
    return { ...parse(encoding, 2), effect: base.effect, base, constants: constants.map(constantOf) };
  };
}

function constantOf(text: string): [Operand, number] {
  const [operand, value] = text.split('=');
  return [operand as Operand, Number(value)];
}

function parse(encoding: string, bytes: 2 | 4): Pick<Row, 'name' | 'bytes' | 'mask' | 'match' | 'slots'> {
  const [name, ...tokens] = encoding.split(/ +/);
  let mask = 0;
  let match = 0;
  const slots = new Map<Operand, Slot>();
  for (const token of tokens) {
    const [at, value] = token.split('=');
    if (value === undefined) addField(slots, token);
    else {
      const [high, low] = bitRange(at!);
      mask |= lowBits(high - low + 1) << low;
      match |= Number(value) << low;
    }
  }
  return { name: name!, bytes, mask, match, slots: [...slots.values()] };
}

function addField(slots: Map<Operand, Slot>, name: string): void {
  const field = FIELDS[name];
  assert(field !== undefined, 'a field of the table is known', { name });
  for (const operand of field.operands) {
    const before = slots.get(operand);
    slots.set(operand, {
      operand,
      pieces: [...(before?.pieces ?? []), ...field.pieces],
      signedBits: Math.max(before?.signedBits ?? 0, field.signed ? topBit(field.pieces) + 1 : 0),
      offset: field.offset,
      except: field.except,
    });
  }
}

const topBit = (pieces: readonly Piece[]): number => Math.max(...pieces.map(({ to, width }) => to + width - 1));

/** A pattern of `count` ones, 1 to 32. */
export const lowBits = (count: number): number => -1 >>> (32 - count);
