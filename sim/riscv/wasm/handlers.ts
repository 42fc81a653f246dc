/**
 * The ops of the loop: which pieces of code there are, made from the table, and which one executes a given instruction.
 *
 * An op is twice the number of a handler, plus 1 for an instruction of 4 bytes: the loop's code differs in what is next only. A row
 * has one handler or several, where what is known when the instruction is decoded makes the code simpler: the target of a branch
 * lies in the same page, nobody wants the return address. What needs the host, or is rare, has the variant `slow`, which is
 * executed outside the loop; a handler that cannot go on (the TLB misses, a float is not ordinary) goes there as well.
 */
import { assert } from '../../../kernel-model/index.ts';
import type { Instruction } from '../decode.ts';
import { BASE_ROWS, ROWS } from '../isa/index.ts';
import type { Row } from '../isa/row.ts';
import type { Effect, Expression, FloatOperator } from '../semantics.ts';
import { FCSR_FIELDS, partsOf } from './slot.ts';

export type Variant =
  | 'plain'
  /** Executed by `slow` only. */
  | 'slow'
  /** Branch or jump within the page: imm is the distance in bytes of slots. */
  | 'near'
  /** Nobody wants what goes to rd: a return address, a control register's old value. */
  | 'no rd'
  | 'near, no rd'
  /** A conversion to an integer that rounds towards zero, as C does; `plain` rounds to nearest. */
  | 'truncating';

export interface Handler {
  readonly row: Row;
  readonly variant: Variant;
}

/** Ops that are not of the table. The first must be 0: fresh slots hold it. */
export const OP_UNDECODED = 0;
/** Behind the last slot of a page. */
export const OP_END = 2;
/** The last slot, when its instruction is half in the next page. */
export const OP_STRADDLER = 4;
/** Bits that are no instruction. */
export const OP_ILLEGAL = 6;
/** Does nothing; of either length. */
export const OP_NOTHING = 8;
const FIRST = 5;

/** In `layout.op`, not in slots: look up `pc`; take the op from the slot at `ip`. */
export const ENTER_FAR = 0xffff;
export const ENTER_RESUME = 0xfffe;

/** Float operations that the loop itself can do in the ordinary case; see fast-float.ts. */
const FAST_FLOATS: ReadonlySet<FloatOperator> = new Set<FloatOperator>([
  ...(['add', 'sub', 'mul', 'div', 'sqrt', 'min', 'max', 'eq', 'lt', 'le'] as const),
  ...(['toW', 'toWu', 'toL', 'toLu', 'fromW', 'fromWu', 'fromL', 'fromLu', 'fromS', 'fromD'] as const),
]);
const TO_INTEGER: ReadonlySet<FloatOperator> = new Set<FloatOperator>(['toW', 'toWu', 'toL', 'toLu']);

export const HANDLERS: readonly Handler[] = BASE_ROWS.flatMap((row) => variantsOf(row).map((variant) => ({ row, variant })));
/** Ops are below this. */
export const OPS = (FIRST + HANDLERS.length) * 2;

const NUMBERS: ReadonlyMap<Row, ReadonlyMap<Variant, number>> = new Map(
  BASE_ROWS.map((row) => [
    row,
    new Map(HANDLERS.flatMap(({ row: other, variant }, index) => (other === row ? [[variant, FIRST + index] as const] : []))),
  ]),
);
const COMPRESSIBLE = new Set(ROWS.flatMap(({ base }) => (base === undefined ? [] : [base])));

function variantsOf({ effect }: Row): readonly Variant[] {
  switch (effect.do) {
    case 'x':
    case 'f': {
      const float = floatOf(effect);
      if (float === undefined) return isPure(effect) ? ['plain'] : ['plain', 'slow'];
      if (!FAST_FLOATS.has(float)) return ['slow'];
      return TO_INTEGER.has(float) ? ['plain', 'truncating', 'slow'] : ['plain', 'slow'];
    }
    case 'jump':
      return isDirect(effect.target) ? ['plain', 'no rd', 'near', 'near, no rd'] : ['plain', 'no rd'];
    case 'branch':
      return ['plain', 'near'];
    case 'csr':
      return ['plain', 'no rd', 'slow'];
    case 'store':
    case 'nothing':
      return ['plain'];
    default:
      return ['slow'];
  }
}

/** Number of a row's handler. */
function numberOf(row: Row, variant: Variant): number {
  const number = NUMBERS.get(row)?.get(variant);
  assert(number !== undefined, 'the row has this variant', { row: row.name, variant });
  return number;
}

export const opOf = (handler: Handler, bytes: 2 | 4): number => numberOf(handler.row, handler.variant) * 2 + Number(bytes === 4);

/** Lengths in which the table has this row's instruction. */
export const lengthsOf = (row: Row): readonly (2 | 4)[] => (COMPRESSIBLE.has(row) ? [2, 4] : [4]);

/**
 * The op that executes an instruction.
 *
 * @param mayBeNear - pc + imm is in the same page
 * @returns isNear - the op wants the offset as a distance of slots
 */
export function opFor(instruction: Instruction, mayBeNear: boolean): { readonly op: number; readonly isNear: boolean } {
  const variant = chooseVariant(instruction, mayBeNear);
  const isLong = Number(instruction.bytes === 4);
  if (variant === 'none') return { op: OP_NOTHING + isLong, isNear: false };
  return { op: numberOf(instruction.base, variant) * 2 + isLong, isNear: isNear(variant) };
}

export const isNear = (variant: Variant): boolean => variant === 'near' || variant === 'near, no rd';

function chooseVariant({ base, rd, rm, csr }: Instruction, mayBeNear: boolean): Variant | 'none' {
  const variants = NUMBERS.get(base)!;
  switch (base.effect.do) {
    case 'x':
    case 'f': {
      // `slow` makes x0 zero again after each instruction.
      if (base.effect.do === 'x' && rd === 0) return variants.has('slow') ? 'slow' : 'none';
      if (rm === RTZ && variants.has('truncating')) return 'truncating';
      return variants.has('plain') && (rm === RNE || rm === DYNAMIC) ? 'plain' : 'slow';
    }
    case 'jump': {
      const near = mayBeNear && variants.has('near');
      if (rd === 0) return near ? 'near, no rd' : 'no rd';
      return near ? 'near' : 'plain';
    }
    case 'branch':
      return mayBeNear ? 'near' : 'plain';
    case 'csr':
      if (!FCSR_FIELDS.has(csr)) return 'slow';
      return rd === 0 ? 'no rd' : 'plain';
    case 'nothing':
      return 'none';
    case 'store':
      return 'plain';
    default:
      return 'slow';
  }
}

/** Rounding modes: to nearest even, towards zero, and as frm says. */
export const RNE = 0;
const RTZ = 1;
export const DYNAMIC = 7;

function floatOf(effect: Effect): FloatOperator | undefined {
  for (const part of partsOf(effect)) if (part.op === 'float') return part.name;
  return undefined;
}

/** Nothing can be seen of it but its result. */
function isPure(effect: Effect): boolean {
  return !partsOf(effect).some(({ op }) => op === 'load' || op === 'float');
}

/** Whether the target is pc + imm, which the decoder knows within the page. */
export function isDirect(target: Expression): boolean {
  return target.op === 'binary' && target.name === 'add' && target.a.op === 'pc' && target.b.op === 'imm';
}
