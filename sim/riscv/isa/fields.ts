/**
 * Operand fields of instructions: where the bits lie, by the names that riscv-opcodes gives them.
 *
 * A field is written as in the manual: the bits of the word it fills, and which bits of the operand stand there, most
 * significant first. `field('imm', '31..12', '20|10:1|11|19:12')` is the offset of jal. Several fields may make up one operand.
 */

/** Operands of an instruction. Ordering bits travel in `imm`: fm, pred and succ of a fence; aq (bit 1) and rl (bit 0) of an atomic. */
export type Operand = 'rd' | 'rs1' | 'rs2' | 'rs3' | 'rm' | 'csr' | 'imm';

/** `width` bits at `from` of the word are the bits at `to` of the operand. */
export interface Piece {
  readonly from: number;
  readonly width: number;
  readonly to: number;
}

export interface Field {
  /** More than one where a compressed instruction names a register once for source and destination. */
  readonly operands: readonly Operand[];
  readonly pieces: readonly Piece[];
  /** The operand's top bit is its sign. */
  readonly signed: boolean;
  /** Added to what the bits say: the three-bit register fields of C count from x8. */
  readonly offset: number;
  /** Values for which the encoding is reserved, or is that of another row. */
  readonly except: readonly number[];
}

interface Traits {
  readonly signed?: boolean;
  readonly offset?: number;
  readonly except?: readonly number[];
}

/** @param at - bits of the word, '31..25' or '12'; @param bits - bits of the operand, '12|10:5'; without it the lowest ones */
function field(operands: Operand | readonly Operand[], at: string, bits?: string, traits: Traits = {}): Field {
  const [high, low] = bitRange(at);
  return {
    operands: typeof operands === 'string' ? [operands] : operands,
    pieces: piecesOf(high, bits ?? `${high - low}:0`),
    signed: traits.signed ?? false,
    offset: traits.offset ?? 0,
    except: traits.except ?? [],
  };
}

/** '31..25' as [31, 25], '12' as [12, 12]. */
export function bitRange(text: string): readonly [high: number, low: number] {
  const [high, low] = text.split(/\.\.|:/).map(Number);
  return [high!, low ?? high!];
}

/** The runs of '12|10:5', laid from bit `top` of the word downwards. */
function piecesOf(top: number, bits: string): Piece[] {
  const pieces: Piece[] = [];
  let above = top + 1;
  for (const run of bits.split('|')) {
    const [high, low] = bitRange(run);
    const width = high - low + 1;
    above -= width;
    pieces.push({ from: above, width, to: low });
  }
  return pieces;
}

const SIGNED = { signed: true };
const NOT_0 = { except: [0] };
const SIGNED_NOT_0 = { signed: true, except: [0] };
const FROM_X8 = { offset: 8 };

// prettier-ignore
export const FIELDS: Readonly<Record<string, Field>> = {
  // 32-bit instructions.
  rd:           field('rd', '11..7'),
  rs1:          field('rs1', '19..15'),
  rs2:          field('rs2', '24..20'),
  rs3:          field('rs3', '31..27'),
  rm:           field('rm', '14..12', '2:0', { except: [5, 6] }),
  csr:          field('csr', '31..20'),
  zimm5:        field('imm', '19..15'),
  imm12:        field('imm', '31..20', '11:0', SIGNED),
  imm12hi:      field('imm', '31..25', '11:5', SIGNED),
  imm12lo:      field('imm', '11..7', '4:0'),
  bimm12hi:     field('imm', '31..25', '12|10:5', SIGNED),
  bimm12lo:     field('imm', '11..7', '4:1|11'),
  imm20:        field('imm', '31..12', '31:12', SIGNED),
  jimm20:       field('imm', '31..12', '20|10:1|11|19:12', SIGNED),
  shamtd:       field('imm', '25..20'),
  shamtw:       field('imm', '24..20'),
  fm:           field('imm', '31..28', '11:8'),
  pred:         field('imm', '27..24', '7:4'),
  succ:         field('imm', '23..20', '3:0'),
  aq:           field('imm', '26', '1'),
  rl:           field('imm', '25', '0'),

  // C: registers x8 to x15.
  rd_p:         field('rd', '4..2', '2:0', FROM_X8),
  rs1_p:        field('rs1', '9..7', '2:0', FROM_X8),
  rs2_p:        field('rs2', '4..2', '2:0', FROM_X8),
  rd_rs1_p:     field(['rd', 'rs1'], '9..7', '2:0', FROM_X8),
  // C: all registers. _n0 and _n2 are riscv-opcodes' marks; it also puts n0 where 0 is a hint, which is legal: those have it not.
  rd_n0:        field('rd', '11..7', '4:0', NOT_0),
  rd_n2:        field('rd', '11..7', '4:0', { except: [2] }),
  rs1_n0:       field('rs1', '11..7', '4:0', NOT_0),
  rd_rs1:       field(['rd', 'rs1'], '11..7'),
  rd_rs1_n0:    field(['rd', 'rs1'], '11..7', '4:0', NOT_0),
  c_rs2:        field('rs2', '6..2'),
  c_rs2_n0:     field('rs2', '6..2', '4:0', NOT_0),
  // C: immediates.
  c_nzuimm10:   field('imm', '12..5', '5:4|9:6|2|3', NOT_0),
  c_uimm7lo:    field('imm', '6..5', '2|6'),
  c_uimm7hi:    field('imm', '12..10', '5:3'),
  c_uimm8lo:    field('imm', '6..5', '7:6'),
  c_uimm8hi:    field('imm', '12..10', '5:3'),
  c_imm6lo:     field('imm', '6..2', '4:0'),
  c_imm6hi:     field('imm', '12', '5', SIGNED),
  c_nzuimm6lo:  field('imm', '6..2', '4:0', NOT_0),
  c_nzuimm6hi:  field('imm', '12', '5', NOT_0),
  c_nzimm10hi:  field('imm', '12', '9', SIGNED_NOT_0),
  c_nzimm10lo:  field('imm', '6..2', '4|6|8:7|5', NOT_0),
  c_nzimm18hi:  field('imm', '12', '17', SIGNED_NOT_0),
  c_nzimm18lo:  field('imm', '6..2', '16:12', NOT_0),
  c_imm12:      field('imm', '12..2', '11|4|9:8|10|6|7|3:1|5', SIGNED),
  c_bimm9hi:    field('imm', '12..10', '8|4:3', SIGNED),
  c_bimm9lo:    field('imm', '6..2', '7:6|2:1|5'),
  c_uimm8sphi:  field('imm', '12', '5'),
  c_uimm8splo:  field('imm', '6..2', '4:2|7:6'),
  c_uimm8sp_s:  field('imm', '12..7', '5:2|7:6'),
  c_uimm9sphi:  field('imm', '12', '5'),
  c_uimm9splo:  field('imm', '6..2', '4:3|8:6'),
  c_uimm9sp_s:  field('imm', '12..7', '5:3|8:6'),
};
