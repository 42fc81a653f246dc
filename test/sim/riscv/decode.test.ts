/** The decoder: every row from its own bits, what is illegal, and what is a hint. */
import { expect } from 'chai';
import fc from 'fast-check';
import { decode } from '../../../sim/riscv/decode.ts';
import { BASE_ROWS, ROWS } from '../../../sim/riscv/isa/index.ts';
import { disassembleWord } from '../../../sim/riscv/disassemble.ts';
import { wordOf } from '../../helpers/instructions.ts';
import { runs } from '../../helpers/seed.ts';

const BASE = new Map(BASE_ROWS.map((row) => [row.name, row]));

describe('decode', () => {
  it('finds a row that has the word, and no later row has it too', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ROWS).chain(wordOf), (word) => {
        const { row, base, bytes } = decode(word)!;
        expect(word & row.mask).to.equal(row.match);
        expect(base).to.equal(row.base ?? row);
        expect(bytes).to.equal((word & 3) === 3 ? 4 : 2);
      }),
      { numRuns: runs(2000) },
    );
  });

  it('ignores what stands behind a compressed instruction', () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffff), (low, high) => {
        if ((low & 3) !== 3) expect(decode(low | (high << 16))).to.deep.equal(decode(low));
      }),
    );
  });

  it('keeps registers, immediates and rounding modes in their ranges', () => {
    fc.assert(
      fc.property(fc.integer(), (word) => {
        const found = decode(word);
        if (found === undefined) return;
        for (const register of [found.rd, found.rs1, found.rs2, found.rs3]) expect(register).to.be.within(0, 31);
        expect(found.imm).to.equal(found.imm | 0);
        expect([0, 1, 2, 3, 4, 7]).to.include(found.rm);
      }),
      { numRuns: runs(5000) },
    );
  });

  // prettier-ignore
  const ILLEGAL: readonly (readonly [string, number])[] = [
    ['all zeros', 0x0000],
    ['all ones', 0xffff_ffff],
    ['c.addi4spn with immediate 0', 0x0008],
    ['the reserved row of quadrant 0', 0x8000],
    ['c.addiw to x0', 0x2001],
    ['c.addi16sp with immediate 0', 0x6101],
    ['c.lui with immediate 0', 0x6501],
    ['c.lui to x0 with immediate 0', 0x6001],
    ['the reserved place behind c.subw', 0x9c41],
    ['the reserved place behind c.addw', 0x9c61],
    ['c.lwsp to x0', 0x4002],
    ['c.ldsp to x0', 0x6002],
    ['c.jr to x0', 0x8002],
    ['fadd.s with rounding mode 5', 0x00c5_d553],
    ['fadd.s with rounding mode 6', 0x00c5_e553],
    ['slliw by 32', 0x0205_951b],
    ['a control register that no program has', 0x3000_2573],
    ['vlenb, which a hart with vectors has', 0xc220_2573],
    ['a write to cycle, known as unimp', 0xc000_1073],
    ['csrrsi cycle, 1', 0xc000_e573],
    ['mret', 0x3020_0073],
    ['lr.w with rs2', 0x1015_a52f],
  ];
  for (const [what, word] of ILLEGAL) {
    it(`knows no instruction in ${what}`, () => {
      expect(decode(word)).to.equal(undefined);
    });
  }

  // prettier-ignore
  const EXPANSIONS: readonly (readonly [number, string, Readonly<Record<string, number>>])[] = [
    [0x0001, 'addi',  { rd: 0, rs1: 0, imm: 0 }],       // c.nop
    [0x0015, 'addi',  { rd: 0, rs1: 0, imm: 5 }],       // c.nop with an immediate: hint
    [0x0501, 'addi',  { rd: 10, rs1: 10, imm: 0 }],     // c.addi by 0: hint
    [0x4005, 'addi',  { rd: 0, rs1: 0, imm: 1 }],       // c.li to x0: hint
    [0x6005, 'lui',   { rd: 0, imm: 0x1000 }],          // c.lui to x0: hint
    [0x7505, 'lui',   { rd: 10, imm: -0x1f000 }],
    [0x6105, 'addi',  { rd: 2, rs1: 2, imm: 32 }],      // c.addi16sp
    [0x0502, 'slli',  { rd: 10, rs1: 10, imm: 0 }],     // c.slli64: hint
    [0x1006, 'slli',  { rd: 0, rs1: 0, imm: 33 }],      // c.slli to x0: hint
    [0x8101, 'srli',  { rd: 10, rs1: 10, imm: 0 }],     // c.srli64: hint
    [0x8501, 'srai',  { rd: 10, rs1: 10, imm: 0 }],     // c.srai64: hint
    [0x802e, 'add',   { rd: 0, rs1: 0, rs2: 11 }],      // c.mv to x0: hint
    [0x902e, 'add',   { rd: 0, rs1: 0, rs2: 11 }],      // c.add to x0: hint
    [0x8082, 'jalr',  { rd: 0, rs1: 1, imm: 0 }],       // ret
    [0x9502, 'jalr',  { rd: 1, rs1: 10, imm: 0 }],
    [0x9002, 'ebreak', {}],
    [0x6502, 'ld',    { rd: 10, rs1: 2, imm: 0 }],
    [0xc911, 'beq',   { rs1: 10, rs2: 0, imm: 20 }],
  ];
  for (const [word, name, operands] of EXPANSIONS) {
    it(`expands ${disassembleWord(word, 0n).replace('\t', ' ')} to ${name} ${JSON.stringify(operands)}`, () => {
      expect(decode(word)).to.include({ base: BASE.get(name), bytes: 2, ...operands });
    });
  }

  it('lets a program read counters by setting nothing', () => {
    expect(decode(0xc000_2573)).to.include({ csr: 0xc00, rd: 10, rs1: 0 });
    expect(decode(0xc020_6573)).to.include({ csr: 0xc02, imm: 0 });
  });

  it('reads fences of every kind, and reserved bits in them, as fences', () => {
    for (const word of [0x0ff0_000f, 0x8330_000f, 0x0100_000f, 0x0ff0_008f, 0x1330_000f]) expect(decode(word)!.base.name).to.equal('fence');
    expect(decode(0x0010_100f)!.base.name).to.equal('fence.i');
  });
});
