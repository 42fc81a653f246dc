/** The reference engine on a memory without a kernel: precise stops, accesses across pages, atomics, code that changes. */
import { expect } from 'chai';
import fc from 'fast-check';
import { assembleProgram } from '../../../sim/riscv/assemble.ts';
import { Interpreter } from '../../../sim/riscv/interpreter.ts';
import { FlatMemory, type FlatMemoryOptions } from '../../helpers/flat-memory.ts';

const CODE = 0x1000;
const DATA = 0x10000;
/** First address behind the data, where nothing is mapped. */
const DATA_END = DATA + 0x2000;
const USER_END = 2 ** 38;

const A0 = 10;
const A1 = 11;
const A2 = 12;

interface Setting extends FlatMemoryOptions {
  /** Address of the first instruction. */
  readonly at?: number;
  readonly a0?: bigint;
  readonly a1?: bigint;
  readonly a2?: bigint;
}

function words(source: string, at: number = CODE): readonly number[] {
  const program = assembleProgram(source, BigInt(at));
  if ('problem' in program) throw new Error(program.problem);
  return program.words;
}

/** Two pages of code that can also be written, and two of data. */
function load(
  source: string,
  { at = CODE, a0 = 0n, a1 = 0n, a2 = 0n, ...options }: Setting = {},
): { hart: Interpreter; memory: FlatMemory } {
  const memory = new FlatMemory({ userEnd: USER_END, ...options });
  memory.map(CODE, 2, 'rwx');
  memory.map(DATA, 2, 'rw');
  memory.writeWords(at, words(source, at));
  const hart = new Interpreter(memory);
  hart.registers.pc = BigInt(at);
  hart.registers.x.set([a0, a1, a2], A0);
  return { hart, memory };
}

const LE_1_TO_8 = [1, 2, 3, 4, 5, 6, 7, 8];
const V_1_TO_8 = 0x0807060504030201n;

describe('Interpreter', () => {
  it('runs exactly as many instructions as asked, whatever the pieces', () => {
    const source = 'loop: addi a0,a0,1\n c.addi a1,2\n bne a0,a2,loop\n ebreak';
    fc.assert(
      fc.property(fc.array(fc.nat(7)), (pieces) => {
        const { hart } = load(source, { a2: 1000n });
        for (const piece of pieces) expect(hart.run(piece)).to.deep.equal({ why: 'limit' });
        const total = pieces.reduce((sum, piece) => sum + piece, 0);
        expect(hart.retired).to.equal(total);
        const { hart: whole } = load(source, { a2: 1000n });
        whole.run(total);
        expect(hart.registers).to.deep.equal(whole.registers);
      }),
    );
  });

  it('stops in front of ecall and ebreak, and does not count them', () => {
    const { hart } = load('addi a0,zero,1\n ecall\n c.ebreak');
    expect(hart.run(10)).to.deep.equal({ why: 'ecall' });
    expect([hart.registers.pc, hart.retired]).to.deep.equal([BigInt(CODE + 4), 1]);
    hart.registers.pc += 4n;
    expect(hart.run(10)).to.deep.equal({ why: 'breakpoint' });
    expect([hart.registers.pc, hart.retired]).to.deep.equal([BigInt(CODE + 8), 1]);
  });

  it('says which bits are illegal, 16 or 32', () => {
    const { hart, memory } = load('');
    memory.write(CODE, [0xff, 0xff, 0xff, 0xff]);
    expect(hart.run(1)).to.deep.equal({ why: 'illegal', word: 0xffff_ffff });
    memory.write(CODE, [0x08, 0, 0xff, 0xff]);
    expect(hart.run(1)).to.deep.equal({ why: 'illegal', word: 8 });
    expect(hart.retired).to.equal(0);
  });

  it('keeps x0 at 0, and loads into it all the same', () => {
    const { hart, memory } = load('addi zero,zero,5\n ld zero,0(a0)\n add a1,zero,zero', { a0: BigInt(DATA), watched: 'all' });
    hart.registers.x[0] = 9n;
    hart.run(3);
    expect([hart.registers.x[0], hart.registers.x[A1]]).to.deep.equal([0n, 0n]);
    expect(memory.seen).to.deep.equal([{ address: DATA, bytes: 8, isStore: false, value: [0, 0, 0, 0, 0, 0, 0, 0] }]);
  });

  it('clears bit 0 of a target, and reads the target before it links', () => {
    const { hart } = load('jalr a0,1(a0)', { a0: BigInt(CODE + 0x40) });
    hart.run(1);
    expect([hart.registers.pc, hart.registers.x[A0]]).to.deep.equal([BigInt(CODE + 0x40), BigInt(CODE + 4)]);
  });

  describe('memory', () => {
    it('loads and stores at any alignment, also across pages', () => {
      fc.assert(
        fc.property(fc.integer({ min: DATA, max: DATA_END - 8 }), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (address, value) => {
          const { hart, memory } = load('sd a1,0(a0)\n ld a2,0(a0)\n lwu a3,4(a0)\n lh a4,3(a0)', { a0: BigInt(address), a1: value });
          expect(hart.run(4)).to.deep.equal({ why: 'limit' });
          expect(hart.registers.x[A2]).to.equal(value);
          expect(hart.registers.x[13]).to.equal(BigInt.asUintN(32, value >> 32n));
          expect(hart.registers.x[14]).to.equal(BigInt.asIntN(16, value >> 24n));
          const view = new DataView(Uint8Array.from(memory.read(address, 8)).buffer);
          expect(view.getBigInt64(0, true)).to.equal(value);
        }),
      );
    });

    it('stores nothing if the second of two pages refuses, and names its first byte', () => {
      const { hart, memory } = load('sd a1,0(a0)', { a0: BigInt(DATA_END - 3), a1: -1n });
      expect(hart.run(1)).to.deep.equal({ why: 'refused', access: 'store', address: BigInt(DATA_END), refusal: 'SIGSEGV' });
      expect(memory.read(DATA_END - 3, 3)).to.deep.equal([0, 0, 0]);
      expect([hart.registers.pc, hart.retired]).to.deep.equal([BigInt(CODE), 0]);
    });

    it('asks for both pages before it moves a byte, and again for each part', () => {
      const { hart, memory } = load('sd a1,0(a0)', { a0: BigInt(DATA + 0x1000 - 3), a1: V_1_TO_8, watched: 'stores' });
      // The second question takes the first page away: the bytes must go to the frame that is there when they move.
      let isFirst = true;
      memory.onReach = (address) => {
        if (address !== DATA + 0x1000 || !isFirst) return;
        isFirst = false;
        memory.mapFrame(DATA, 40, 'rw');
      };
      expect(hart.run(1)).to.deep.equal({ why: 'limit' });
      expect(memory.asked).to.deep.equal(
        ['fetch 0x1000', 'store 0x10ffd', 'store 0x11000', 'store 0x10ffd'],
        'the last one because its translation was dropped',
      );
      expect(memory.read(DATA + 0x1000 - 3, 8)).to.deep.equal(LE_1_TO_8);
      expect(memory.seen).to.deep.equal([
        { address: DATA + 0x1000 - 3, bytes: 3, isStore: true, value: [1, 2, 3] },
        { address: DATA + 0x1000, bytes: 5, isStore: true, value: [4, 5, 6, 7, 8] },
      ]);
    });

    it('refuses what is above user space without asking', () => {
      for (const address of [BigInt(USER_END), 2n ** 53n + 1n, 2n ** 63n, -8n, -1n]) {
        const { hart, memory } = load('lb a1,0(a0)', { a0: address });
        expect(hart.run(1)).to.deep.equal({ why: 'refused', access: 'load', address: BigInt.asUintN(64, address), refusal: 'SIGSEGV' });
        expect(memory.asked).to.deep.equal(['fetch 0x1000']);
      }
    });

    it('refuses the part of an access that is above user space', () => {
      const { hart, memory } = load('ld a1,0(a0)', { a0: BigInt(USER_END - 1) });
      memory.map(USER_END - 0x1000, 1, 'rw');
      expect(hart.run(1)).to.deep.include({ why: 'refused', address: BigInt(USER_END) });
    });

    it('asks once a page and kind of access while the TLB answers', () => {
      const { hart, memory } = load('loop: ld a1,0(a0)\n sd a1,8(a0)\n jal zero,loop', { a0: BigInt(DATA) });
      hart.run(300);
      expect(memory.asked).to.deep.equal(['fetch 0x1000', 'load 0x10000', 'store 0x10008']);
      memory.flush();
      hart.run(3);
      expect(memory.asked.slice(3)).to.deep.equal(['fetch 0x1000', 'load 0x10000', 'store 0x10008']);
    });

    it('does not use another address space’s translation', () => {
      const { hart, memory } = load('loop: ld a1,0(a0)\n jal zero,loop', { a0: BigInt(DATA) });
      hart.run(2);
      memory.switchSpace(2);
      hart.switched();
      hart.run(2);
      expect(memory.asked).to.deep.equal(['fetch 0x1000', 'load 0x10000', 'fetch 0x1000', 'load 0x10000']);
    });
  });

  describe('fetch', () => {
    it('needs both pages for four bytes across them, and says which refuses', () => {
      const second = CODE + 0x1000;
      const { hart, memory } = load('c.li a0,1\n addi a0,a0,2', { at: second - 4 });
      expect(hart.run(2)).to.deep.equal({ why: 'limit' });
      expect([hart.registers.x[A0], memory.asked]).to.deep.equal([3n, ['fetch 0x1ffc', 'fetch 0x2000']]);

      memory.unmap(second);
      hart.registers.pc = BigInt(second - 4);
      expect(hart.run(2)).to.deep.equal({ why: 'refused', access: 'fetch', address: BigInt(second), refusal: 'SIGSEGV' });
      expect([hart.registers.pc, hart.retired]).to.deep.equal([BigInt(second - 2), 3]);
    });

    it('needs one page for two bytes at its end', () => {
      const { hart } = load('c.li a0,1', { at: CODE + 0x2000 - 2 });
      expect(hart.run(1)).to.deep.equal({ why: 'limit' });
      expect(hart.run(1)).to.deep.equal({ why: 'refused', access: 'fetch', address: BigInt(CODE + 0x2000), refusal: 'SIGSEGV' });
    });

    it('refuses data, and what is above user space', () => {
      const { hart } = load('jalr zero,0(a0)', { a0: BigInt(DATA) });
      expect(hart.run(2)).to.deep.include({ why: 'refused', access: 'fetch', address: BigInt(DATA) });
      hart.registers.pc = -2n;
      expect(hart.run(2)).to.deep.include({ why: 'refused', access: 'fetch', address: 2n ** 64n - 2n });
    });
  });

  describe('code that changes', () => {
    const [five] = words('c.li a0,5');

    it('is seen when the program stores to it', () => {
      // The first round executes `c.li a0,1`, then overwrites it.
      const { hart, memory } = load('again: c.li a0,1\n sh a1,0(a2)\n jal zero,again', { a1: BigInt(five!), a2: BigInt(CODE) });
      hart.run(4);
      expect(hart.registers.x[A0]).to.equal(5n);
      expect([...memory.codeFrames].filter((mark) => mark !== 0)).to.have.length(1);
    });

    it('is seen when the store goes through another page of the same frame', () => {
      const { hart, memory } = load('again: c.li a0,1\n sh a1,0(a2)\n jal zero,again', { a1: BigInt(five!), a2: BigInt(DATA) });
      memory.mapFrame(DATA, 0, 'rw');
      hart.run(4);
      expect(hart.registers.x[A0]).to.equal(5n);
    });

    it('is seen when a store crosses into it', () => {
      const { hart, memory } = load('again: c.li a0,1\n sd a1,0(a2)\n jal zero,again', { a2: BigInt(CODE - 6) });
      memory.map(CODE - 0x1000, 1, 'rw');
      hart.registers.x[A1] = BigInt(five!) << 48n;
      hart.run(4);
      expect(hart.registers.x[A0]).to.equal(5n);
    });

    it('is seen when a kernel writes to it', () => {
      const { hart, memory } = load('again: c.li a0,1\n c.j again');
      hart.run(2);
      memory.writeWords(CODE, [five!]);
      hart.run(1);
      expect(hart.registers.x[A0]).to.equal(5n);
    });

    it('is seen in the second page of an instruction across pages', () => {
      const at = CODE + 0x1000 - 2;
      const { hart, memory } = load('again: addi a0,zero,1\n jal zero,again', { at });
      hart.run(2);
      const [changed] = words('addi a0,zero,5');
      memory.write(CODE + 0x1000, [(changed! >>> 16) & 0xff, changed! >>> 24]);
      hart.run(1);
      expect(hart.registers.x[A0]).to.equal(5n);
    });

    it('asks again before a store to a page whose code has been decoded', () => {
      const { hart, memory } = load('sd a1,0(a2)\n jal zero,0x2000', { a2: BigInt(CODE + 0x1800) });
      memory.writeWords(CODE + 0x1000, words('sd a1,0(a2)\n sd a1,0(a2)', CODE + 0x1000));
      hart.run(4);
      // The second store finds the frame marked, is not let through the TLB, and the frame is forgotten; so is the third's.
      expect(memory.asked).to.deep.equal(['fetch 0x1000', 'store 0x2800', 'fetch 0x2000', 'store 0x2800', 'store 0x2800']);
    });

    it('is forgotten at fence.i', () => {
      const { hart, memory } = load('fence.i');
      hart.run(1);
      expect([...memory.codeFrames].some((mark) => mark !== 0)).to.equal(false);
    });
  });

  describe('atomics', () => {
    it('refuse addresses that are not multiples of their size', () => {
      for (const [source, access] of [
        ['lr.w a0,(a1)', 'load'],
        ['sc.w a0,a2,(a1)', 'store'],
        ['amoadd.w a0,a2,(a1)', 'store'],
        ['amoadd.d a0,a2,(a1)', 'store'],
      ] as const) {
        const { hart } = load(source, { a1: BigInt(DATA + 2) });
        expect(hart.run(1), source).to.deep.equal({ why: 'misaligned', access, address: BigInt(DATA + 2) });
      }
    });

    it('give what memory held and are seen as load and store', () => {
      const { hart, memory } = load('amomaxu.w a0,a2,(a1)', { a1: BigInt(DATA + 4), a2: 1n, watched: 'all' });
      memory.write(DATA + 4, [0xff, 0xff, 0xff, 0xff]);
      hart.run(1);
      expect(hart.registers.x[A0]).to.equal(-1n);
      const value = [0xff, 0xff, 0xff, 0xff];
      expect(memory.seen).to.deep.equal([
        { address: DATA + 4, bytes: 4, isStore: false, value },
        { address: DATA + 4, bytes: 4, isStore: true, value },
      ]);
    });

    it('need the right to write', () => {
      const { hart, memory } = load('amoor.d a0,zero,(a1)', { a1: BigInt(DATA) });
      memory.mapFrame(DATA, 2, 'r');
      expect(hart.run(1)).to.deep.equal({ why: 'refused', access: 'store', address: BigInt(DATA), refusal: 'SIGSEGV' });
    });

    /** lr at a1; what stands between; sc to a2. @returns 0 if sc succeeded */
    function pair(between: string, offset = 0n): bigint {
      const { hart } = load(`lr.d a0,(a1)\n ${between}\n sc.d a0,a0,(a2)`, { a1: BigInt(DATA), a2: BigInt(DATA) + offset });
      hart.run(3);
      return hart.registers.x[A0]!;
    }

    it('let sc succeed behind lr only, once, at the same address', () => {
      expect(pair('c.li a0,7')).to.equal(0n);
      expect(pair('c.li a0,7', 8n)).to.equal(1n);
      expect(pair('sc.d a0,a0,(a1)')).to.equal(1n);
      const { hart, memory } = load('sc.d a0,a0,(a1)', { a0: 7n, a1: BigInt(DATA), watched: 'all' });
      hart.run(1);
      expect(hart.registers.x[A0]).to.equal(1n);
      expect([memory.seen, memory.asked]).to.deep.equal([[], ['fetch 0x1000']]);
    });

    it('lose the reservation to a switch, and keep it over a stop', () => {
      const source = 'lr.d a0,(a1)\n sc.d a0,a0,(a1)';
      for (const isSwitched of [true, false]) {
        const { hart } = load(source, { a1: BigInt(DATA) });
        hart.run(1);
        if (isSwitched) hart.switched();
        hart.run(1);
        expect(hart.registers.x[A0]).to.equal(isSwitched ? 1n : 0n);
      }
    });
  });

  describe('control registers', () => {
    it('show parts of fcsr, and counters of instructions', () => {
      const { hart } = load('csrrwi a0,fcsr,31\n csrrsi a0,frm,2\n csrrci a1,fflags,3\n csrrs a2,fcsr,zero\n csrrs a3,instret,zero');
      hart.registers.fcsr = 0xe0;
      expect(hart.run(5)).to.deep.equal({ why: 'limit' });
      expect([...hart.registers.x.subarray(A0, A0 + 4)]).to.deep.equal([0n, 31n, 0x5cn, 4n]);
      expect(hart.registers.fcsr).to.equal(0x5c);
    });

    it('make rounding by a mode that does not exist illegal, before anything else', () => {
      const { hart } = load('fcvt.d.w fa0,a0\n fadd.s fa0,fa1,fa2\n fmin.s fa0,fa1,fa2', {});
      hart.registers.fcsr = 5 << 5;
      expect(hart.run(3)).to.deep.equal({ why: 'illegal', word: 0x00c5_f553 });
      hart.registers.pc += 4n;
      expect(hart.run(1)).to.deep.equal({ why: 'limit' });
    });

    it('collect the flags of what has run', () => {
      const { hart } = load('fdiv.d fa0,fa1,fa2\n fdiv.d fa0,fa2,fa2');
      hart.registers.f.set([0n, 0x3ff0_0000_0000_0000n, 0n], 10);
      hart.run(1);
      expect([hart.registers.fcsr, hart.registers.f[10]]).to.deep.equal([8, 0x7ff0_0000_0000_0000n]);
      hart.run(1);
      expect([hart.registers.fcsr, hart.registers.f[10]]).to.deep.equal([24, 0x7ff8_0000_0000_0000n]);
    });

    it('take a register that is no boxed single for a NaN', () => {
      const { hart } = load('fsgnj.s fa0,fa1,fa1\n fmv.x.w a0,fa1\n fclass.s a1,fa1');
      hart.registers.f[A1] = 0x3f80_0000n;
      hart.run(3);
      expect(BigInt.asUintN(64, hart.registers.f[A0]!)).to.equal(0xffff_ffff_7fc0_0000n);
      expect([hart.registers.x[A0], hart.registers.x[A1]]).to.deep.equal([0x3f80_0000n, 512n]);
    });
  });
});
