/**
 * A decoded instruction in eight bytes. Registers are stored times 8, as offsets into the register file.
 *
 *     byte 0..1   2        3     4      5      6
 *          op     rd       rs1   rs2    rs3    rm      without an immediate
 *          op     rd       rs1   imm ..............    with one
 *          op     rs2      rs1   imm ..............    with one and rs2: stores and branches, which have no rd
 *          op     rd       rs1   zimm   shift  mask    with a field of fcsr
 *
 * What the loop does for each op is in handlers.ts. Op 0, the content of fresh memory, is "not decoded yet".
 */
import { BASE_ROWS } from '../isa/index.ts';
import type { Row } from '../isa/row.ts';
import type { Effect, Expression } from '../semantics.ts';

export const RD = 2;
export const RS1 = 3;
export const IMM = 4;
export const RS3 = 5;
export const RM = 6;
export const ZIMM = 4;
export const SHIFT = 5;
export const MASK = 6;

/** CSRs that are parts of fcsr: fflags, frm, and all of it. */
export const FCSR_FIELDS: ReadonlyMap<number, { readonly shift: number; readonly mask: number }> = new Map([
  [1, { shift: 0, mask: 0x1f }],
  [2, { shift: 5, mask: 0x07 }],
  [3, { shift: 0, mask: 0xff }],
]);

/** Where rs2 of this row lies in the slot. */
export function rs2At(row: Row): number {
  return readsImmediate(row.effect) ? 2 : 4;
}

/** Whether the tree uses the immediate. (An atomic has ordering bits there, which no effect reads.) */
function readsImmediate(effect: Effect): boolean {
  return effect.do === 'branch' || partsOf(effect).some((part) => part.op === 'imm');
}

/** What the slot of an instruction holds, other than its op, rd and rs1. */
interface Shape {
  readonly hasImmediate: boolean;
  /** undefined if the instruction has no rs2 */
  readonly rs2At: number | undefined;
}

/** Shapes of the base rows. */
export const SHAPES: ReadonlyMap<Row, Shape> = new Map(
  BASE_ROWS.map((row) => {
    const hasRs2 = row.slots.some(({ operand }) => operand === 'rs2');
    return [row, { hasImmediate: readsImmediate(row.effect), rs2At: hasRs2 ? rs2At(row) : undefined }];
  }),
);

/** All nodes of the trees of an effect, each before its children. */
export function partsOf(effect: Effect): Expression[] {
  switch (effect.do) {
    case 'x':
    case 'f':
    case 'amo':
    case 'csr':
      return nodesOf(effect.value);
    case 'store':
      return [...nodesOf(effect.address), ...nodesOf(effect.value)];
    case 'jump':
      return nodesOf(effect.target);
    case 'branch':
      return nodesOf(effect.condition);
    default:
      return [];
  }
}

function nodesOf(node: Expression): Expression[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)];
}

function childrenOf(node: Expression): readonly Expression[] {
  switch (node.op) {
    case 'unary':
      return [node.a];
    case 'binary':
      return [node.a, node.b];
    case 'choose':
      return [node.condition, node.yes, node.no];
    case 'load':
      return [node.address];
    case 'float':
      return node.args;
    default:
      return [];
  }
}
