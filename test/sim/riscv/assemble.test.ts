/** The assembler: the inverse of the disassembler, and what it refuses. */
import { expect } from 'chai';
import fc from 'fast-check';
import { assemble, assembleProgram } from '../../../sim/riscv/assemble.ts';
import { disassembleWord } from '../../../sim/riscv/disassemble.ts';
import { ROWS } from '../../../sim/riscv/isa/index.ts';
import { wordOf } from '../../helpers/instructions.ts';
import { runs } from '../../helpers/seed.ts';

/** Reserved bits that are ignored, which no text says: printed as numbers, by objdump too. */
const hasNoText = (text: string): boolean => text.startsWith('.');

describe('assemble', () => {
  for (const row of ROWS) {
    it(`gives back the word that was disassembled (${row.name})`, () => {
      fc.assert(
        fc.property(wordOf(row), fc.bigInt({ min: 0n, max: 2n ** 38n }), (word, at) => {
          const pc = at * 2n;
          const text = disassembleWord(word, pc);
          if (!hasNoText(text)) expect(assemble(text, pc), text).to.equal(word);
        }),
        { numRuns: runs(50) },
      );
    });
  }

  it('takes numbers for names of registers, and blanks anywhere', () => {
    expect(assemble('  add x10 , x11,x12')).to.equal(assemble('add a0,a1,a2'));
    expect(assemble('fadd.d f10,f11,f12, rtz')).to.equal(assemble('fadd.d fa0,fa1,fa2,rtz'));
    expect(assemble('ld fp, -0x8 (sp)')).to.equal(assemble('ld s0,-8(sp)'));
  });

  // prettier-ignore
  const REFUSED = [
    'nothing', '', 'add a0,a1', 'add a0,a1,a2,a3', 'add a0,a1,fa2', 'fadd.s fa0,a1,fa2', 'addi a0,a1,2048', 'addi a0,a1,-2049',
    'addi a0,a1,x', 'slli a0,a1,64', 'slliw a0,a1,32', 'lui a0,0x100000', 'lui a0,-1', 'beq a0,a1,0x1000', 'beq a0,a1,3', 'c.lw a0,2(a1)',
    'c.lw a0,128(a1)', 'c.lw t0,0(a1)', 'c.addi4spn a0,sp,0', 'c.addi16sp sp,8', 'c.addi16sp a0,16', 'c.jr zero', 'c.lui sp,1',
    'c.lui a0,0x20', 'csrrw a0,cycle,a1', 'csrrw a0,satp,a1', 'fadd.s fa0,fa1,fa2,rxx', 'ecall a0', 'amoadd.w a0,a1,8(a2)', 'fence q,w',
  ];
  for (const text of REFUSED) {
    it(`refuses '${text}'`, () => {
      expect(assemble(text)).to.have.property('problem');
    });
  }
});

describe('assembleProgram', () => {
  it('lets labels stand before and behind their uses, among instructions of both lengths', () => {
    const source = `
      start:  c.li a0,3          # counts down
      again:  addi a0,a0,-1
              bne a0,zero,again
              jal zero,end
              c.j start
      end: out: c.ebreak
    `;
    const program = assembleProgram(source, 0x1000n);
    expect(program).to.deep.equal({
      words: ['c.li a0,3', 'addi a0,a0,-1', 'bne a0,zero,-4', 'jal zero,6', 'c.j -14', 'c.ebreak'].map((text) => assemble(text)),
      labels: new Map([
        ['start', 0x1000n],
        ['again', 0x1002n],
        ['end', 0x1010n],
        ['out', 0x1010n],
      ]),
    });
  });

  it('answers the problem of the first line that has one', () => {
    expect(assembleProgram('c.nop\n add a0,a1')).to.deep.equal({ problem: 'no such instruction: c.nop' });
  });
});
