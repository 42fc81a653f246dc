/** The table against GNU as and objdump: every row with random operands, and whole programs. */
import { expect } from 'chai';
import { existsSync } from 'node:fs';
import type { Instruction } from '../../../sim/riscv/decode.ts';
import { disassemble, disassembleWord } from '../../../sim/riscv/disassemble.ts';
import { ROWS } from '../../../sim/riscv/isa/index.ts';
import { gnuAssemble, objdump, section, skipUnlessBinutils } from '../../helpers/binutils.ts';
import { sampleOf } from '../../helpers/instructions.ts';
import { runs } from '../../helpers/seed.ts';

const START = 0x10_0000n;
const BUSYBOX = [new URL('../../../guest/busybox', import.meta.url).pathname, process.env['FAULTLINE_BUSYBOX']];

/** What lies one behind the other from START on. */
interface Listing {
  readonly bytes: Uint8Array;
  readonly at: readonly bigint[];
}

function layOut(instructions: readonly Instruction[]): Listing {
  const bytes: number[] = [];
  const at = instructions.map(({ word, bytes: length }) => {
    const address = START + BigInt(bytes.length);
    for (let i = 0; i < length; i++) bytes.push((word >>> (8 * i)) & 0xff);
    return address;
  });
  return { bytes: Uint8Array.from(bytes), at };
}

/** GNU as knows targets relative to an instruction, and no name for a fence of nothing. */
function gnuText(instruction: Instruction): string | undefined {
  const { base, bytes, imm } = instruction;
  const text = disassemble(instruction, 0n);
  if (text.startsWith('.') || text.includes('unknown')) return undefined;
  const isRelative = base.effect.do === 'branch' || base.name === 'jal';
  return `.option ${bytes === 2 ? 'rvc' : 'norvc'}\n${isRelative ? text.replace(/0x[\da-f]+$/, `.+(${imm})`) : text}`;
}

describe('disassemble', function () {
  before(function () {
    skipUnlessBinutils(this);
  });

  it('prints each row as objdump does', () => {
    const instructions = ROWS.flatMap((row) => sampleOf(row, runs(100)));
    const { bytes, at } = layOut(instructions);
    const theirs = objdump(bytes, START);
    const ours = instructions.map((instruction, i) => disassemble(instruction, at[i]!));
    expect(ours).to.deep.equal(at.map((address) => theirs.get(address)));
  });

  it('prints each row as GNU as reads it', () => {
    const instructions = ROWS.flatMap((row) => sampleOf(row, runs(100))).filter((instruction) => gnuText(instruction) !== undefined);
    const source = ['.option norelax', ...instructions.map(gnuText), ''].join('\n');
    expect(layOut(instructions).bytes).to.deep.equal(Uint8Array.from(gnuAssemble(source)));
  });

  it('prints the whole text of BusyBox as objdump does', function () {
    const path = BUSYBOX.find((one) => one !== undefined && existsSync(one));
    if (path === undefined) {
      console.log('skipped: no BusyBox for riscv64 (npm run guest, or FAULTLINE_BUSYBOX=path)');
      this.skip();
    }
    const { bytes, at } = section(path, '.text');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const [address, theirs] of objdump(bytes, at)) {
      const offset = Number(address - at);
      const word = offset + 4 <= bytes.length ? view.getUint32(offset, true) : view.getUint16(offset, true);
      const ours = disassembleWord(word, address);
      // A routine for harts with vectors reads vlenb, which a program here has not.
      const isForVectors = ours.startsWith('.4byte') && theirs.includes('vlenb');
      if (ours !== theirs && !isForVectors) expect(ours, `0x${address.toString(16)}`).to.equal(theirs);
    }
  });
});
