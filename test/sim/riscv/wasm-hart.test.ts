/**
 * The fast engine against the interpreter: both get the same random code, registers and memory, run the same counts of
 * instructions, and must agree in everything that can be seen, the questions to the machine and the log of accesses included.
 */
import { expect } from 'chai';
import type { Hart, Stop } from '../../../sim/riscv/hart.ts';
import { Interpreter } from '../../../sim/riscv/interpreter.ts';
import { assembleProgram } from '../../../sim/riscv/assemble.ts';
import { decode, type Instruction } from '../../../sim/riscv/decode.ts';
import { ROWS } from '../../../sim/riscv/isa/index.ts';
import type { Row } from '../../../sim/riscv/isa/row.ts';
import { CSRS } from '../../../sim/riscv/csr.ts';
import { hartBytes, WasmHart } from '../../../sim/riscv/wasm/hart.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { FlatMemory } from '../../helpers/flat-memory.ts';
import { runs, seed } from '../../helpers/seed.ts';

const PAGE = 4096;
const CODE = 0x1_0000;
const CODE_PAGES = 3;
const DATA = 0x7_fffe_0000;
const DATA_PAGES = 3;
const READ_ONLY = DATA + DATA_PAGES * PAGE;
/** The first code page again, to be written through. */
const ALIAS = READ_ONLY + PAGE;
const USER_END = 2 ** 38;
const FRAMES = 64;

interface Side {
  readonly memory: FlatMemory;
  readonly hart: Hart;
}

interface Setting {
  readonly watched: 'nothing' | 'stores' | 'all';
  readonly tlbEntries: number;
  readonly poolPages: number;
}

function makeSides(setting: Setting): readonly [Side, Side] {
  const makeSide = (make: (memory: FlatMemory) => Hart): Side => {
    const memory = new FlatMemory({ ...setting, frames: FRAMES, userEnd: USER_END, reservedBytes: hartBytes(FRAMES, setting.poolPages) });
    memory.map(CODE, CODE_PAGES, 'rwx');
    memory.map(DATA, DATA_PAGES, 'rw');
    memory.map(READ_ONLY, 1, 'rx');
    memory.mapFrame(ALIAS, 0, 'rw');
    return { memory, hart: make(memory) };
  };
  return [makeSide((memory) => new Interpreter(memory)), makeSide((memory) => new WasmHart(memory))];
}

/** Registers that mostly have addresses of data. */
const POINTERS: readonly number[] = [2, 8, 9, 10, 11];
/** Where addresses are interesting. */
const PLACES = [CODE, CODE + PAGE, ALIAS, DATA, DATA + PAGE, DATA + 2 * PAGE, READ_ONLY, READ_ONLY + PAGE, ALIAS + PAGE, USER_END, 0];

class Driver {
  readonly random: Stream;

  constructor(name: string) {
    this.random = createPrng(seed).stream(name);
  }

  address(): bigint {
    const { random } = this;
    if (random.chance(0.02)) return BigInt.asIntN(64, -BigInt(random.int(64)));
    const near = random.chance(0.5) ? random.int(PAGE / 8) * 8 : random.int(32) - 16;
    return BigInt(random.pick(PLACES) + near);
  }

  /** A pattern that means something to some instruction. */
  pattern(): bigint {
    const { random } = this;
    const float = BigInt.asIntN(64, new BigInt64Array(new Float64Array([this.double()]).buffer)[0]!);
    const single = BigInt(new Int32Array(new Float32Array([this.double()]).buffer)[0]!) & 0xffffffffn;
    switch (random.int(6)) {
      case 0:
        return BigInt(random.int(64) - 32);
      case 1:
        return BigInt.asIntN(64, (BigInt(random.uint32()) << 32n) | BigInt(random.uint32()));
      case 2:
        return BigInt.asIntN(64, (1n << BigInt(random.int(64))) - BigInt(random.int(2)));
      case 3:
        return BigInt.asIntN(64, single | 0xffffffff00000000n);
      case 4:
        return this.address();
      default:
        return float;
    }
  }

  private double(): number {
    const { random } = this;
    const corner = [
      0,
      -0,
      1,
      -1,
      0.5,
      1.5,
      3,
      1e308,
      5e-324,
      2.3e-308,
      Infinity,
      -Infinity,
      NaN,
      2 ** 31,
      2 ** 53,
      2 ** 63,
      1.1754944e-38,
      3.4e38,
    ];
    if (random.chance(0.4)) return random.pick(corner);
    return (random.int(2 ** 32) - 2 ** 31) * 2 ** (random.int(40) - 20);
  }

  /** Any legal instruction, at times any bits. What would end a run at once (a wild pointer or jump) is drawn less often. */
  word(): number {
    const { random } = this;
    if (random.chance(0.003)) return random.uint32();
    for (;;) {
      const word = this.wordOf(random.pick(ROWS));
      const instruction = decode(word);
      if (instruction !== undefined && (this.isTame(instruction) || random.chance(0.03))) return word;
    }
  }

  private wordOf(row: Row): number {
    const { random } = this;
    let bits = random.uint32();
    if (row.effect.do === 'csr') bits = (bits & 0x000f_ffff) | (random.pick(CSRS).number << 20);
    if (row.bytes === 4 && row.slots.some(({ operand }) => operand === 'rm') && random.chance(0.7)) bits |= 0x7000;
    const word = (bits & ~row.mask) | row.match;
    return row.bytes === 2 ? word & 0xffff : word >>> 0;
  }

  /** Pointers stay in their registers, accesses go through them, atomics are aligned as often as not, jumps lead to near by. */
  private isTame({ base, rd, rs1, imm }: Instruction): boolean {
    const { effect } = base;
    const writes =
      effect.do !== 'store' && effect.do !== 'branch' && effect.do !== 'f' && base.slots.some(({ operand }) => operand === 'rd');
    if (writes && POINTERS.includes(rd)) return false;
    if (effect.do === 'trap') return false;
    if (effect.do === 'branch') return Math.abs(imm) < 256;
    if (effect.do === 'jump') return base.name === 'jal' && Math.abs(imm) < 512;
    const isAccess = effect.do === 'store' || (base.slots.some(({ operand }) => operand === 'imm') && /^f?l[bhwd]u?$/.test(base.name));
    return (!isAccess && !['amo', 'lr', 'sc'].includes(effect.do)) || POINTERS.includes(rs1);
  }

  /** A page and a bit of code, branches and jumps mostly to near by. */
  code(length: number): Uint8Array {
    const bytes = new Uint8Array(length + 4);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < length;) {
      const word = this.word();
      if ((word & 3) === 3) view.setUint32(at, word, true);
      else view.setUint16(at, word, true);
      at += (word & 3) === 3 ? 4 : 2;
    }
    return bytes.subarray(0, length);
  }

  entry(): bigint {
    const { random } = this;
    const at = random.chance(0.1) ? PAGE - 2 * random.int(6) : random.int((CODE_PAGES * PAGE) / 2) * 2;
    return BigInt(CODE + at);
  }
}

/** What must be the same on both sides. A hart that forgets more code than it must asks about fewer stores. */
function stateOf({ hart, memory }: Side, { poolPages }: Setting): object {
  const { x, f, pc, fcsr } = hart.registers;
  const asked = poolPages < CODE_PAGES + 1 ? [] : memory.asked;
  return { pc, fcsr, retired: hart.retired, x: [...x], f: [...f], asked, seen: memory.seen };
}

/** Does the same to both, and expects the same; @returns instructions executed */
function duel(name: string, setting: Setting, rounds: number): number {
  const driver = new Driver(name);
  const { random } = driver;
  const sides = makeSides(setting);
  const both = (act: (side: Side) => void): void => sides.forEach(act);
  const code = driver.code(CODE_PAGES * PAGE);
  both(({ memory }) => memory.write(CODE, code));
  for (let round = 0; round < rounds; round++) {
    disturb(driver, both);
    for (let run = 0; run < 10; run++) {
      const count = random.pick([0, 1, 2, 7, 40, 300]);
      const stops = sides.map(({ hart }): Stop => hart.run(count));
      const where = `${name} round ${round} run ${run}`;
      expect(stops[1], where).to.deep.equal(stops[0]);
      expect(stateOf(sides[1], setting), where).to.deep.equal(stateOf(sides[0], setting));
      both(({ memory }) => void (memory.asked.length = memory.seen.length = 0));
      const entry = driver.entry();
      const skips = random.chance(0.8);
      // A handler skips what it cannot repair, or goes elsewhere.
      if (stops[0]!.why !== 'limit') both(({ hart }) => void (hart.registers.pc = skips ? hart.registers.pc + 4n : entry));
    }
  }
  const frames = ({ memory }: Side): Uint8Array => memory.bytes.subarray(memory.frameBase, memory.frameBase + 9 * PAGE);
  expect(frames(sides[1]), name).to.deep.equal(frames(sides[0]));
  return sides[1].hart.retired;
}

/** What a kernel may do between two runs. */
function disturb(driver: Driver, both: (act: (side: Side) => void) => void): void {
  const { random } = driver;
  for (let count = random.int(12); count > 0; count--) {
    const [register, value, float] = [random.int(32), driver.pattern(), driver.pattern()];
    both(({ hart }) => {
      if (!POINTERS.includes(register)) hart.registers.x[register] = value;
      hart.registers.f[register] = float;
    });
  }
  for (const register of POINTERS) {
    const address = driver.address();
    both(({ hart }) => void (hart.registers.x[register] = address));
  }
  const fcsr = random.pick([0, 1, 1, 1, 0x21, 0xa0, 0x80]);
  if (random.chance(0.3)) both(({ hart }) => void (hart.registers.fcsr = fcsr));
  if (random.chance(0.1)) {
    const [at, bytes] = [CODE + random.int(CODE_PAGES * PAGE - 64), driver.code(32)];
    both(({ memory }) => memory.write(at, bytes));
  }
  const space = random.int(3);
  if (random.chance(0.1)) {
    both(({ memory, hart }) => {
      memory.switchSpace(space);
      hart.switched();
    });
  }
  if (random.chance(0.1)) both(({ memory }) => memory.flush());
}

/** The same program on both. */
function loadBoth(source: string, watched: Setting['watched'] = 'nothing'): readonly [Side, Side] {
  const sides = makeSides({ watched, tlbEntries: 16, poolPages: 4 });
  const program = assembleProgram(source, BigInt(CODE));
  if ('problem' in program) throw new Error(program.problem);
  for (const { memory, hart } of sides) {
    memory.writeWords(CODE, program.words);
    hart.registers.pc = BigInt(CODE);
    hart.registers.x[A0] = BigInt(DATA);
  }
  return sides;
}

const A0 = 10;
const A1 = 11;

describe('WasmHart', () => {
  const SETTINGS: readonly Setting[] = [
    { watched: 'nothing', tlbEntries: 16, poolPages: 16 },
    { watched: 'all', tlbEntries: 16, poolPages: 16 },
    { watched: 'stores', tlbEntries: 4, poolPages: 16 },
    { watched: 'nothing', tlbEntries: 16, poolPages: 1 },
  ];
  for (const setting of SETTINGS) {
    const { watched, tlbEntries, poolPages } = setting;
    it(`does what the interpreter does (watching ${watched}, ${tlbEntries} TLB entries, ${poolPages} decoded pages)`, () => {
      let retired = 0;
      for (let scene = 0; scene < runs(20); scene++) retired += duel(`wasm ${watched} ${poolPages} ${scene}`, setting, 100);
      expect(retired).to.be.greaterThan(0);
    });
  }

  it('tells the watcher all accesses in order when there are more than the log holds', () => {
    const source = 'loop: sd a1,0(a0)\n ld a2,8(a0)\n amoadd.w a3,a1,(a0)\n addi a1,a1,1\n jal zero,loop';
    for (const watched of ['stores', 'all'] as const) {
      const sides = loadBoth(source, watched);
      for (const { hart } of sides) expect(hart.run(12_345)).to.deep.equal({ why: 'limit' });
      expect(sides[0].memory.seen).to.have.length.greaterThan(4000);
      expect(sides[1].memory.seen).to.deep.equal(sides[0].memory.seen);
    }
  });

  it('counts exactly in runs of millions, whatever the pieces', () => {
    const [, { hart }] = loadBoth('loop: addi a1,a1,1\n jal zero,loop');
    const pieces = [1, 1_048_575, 1_048_577, 3_000_000, 7];
    for (const piece of pieces) expect(hart.run(piece)).to.deep.equal({ why: 'limit' });
    const total = pieces.reduce((sum, piece) => sum + piece, 0);
    expect([hart.retired, hart.registers.x[A1]]).to.deep.equal([total, BigInt(total / 2)]);
  });

  it('shows counters in the middle of a run', () => {
    const sides = loadBoth('csrrs a1,instret,zero\n addi a0,a0,0\n csrrs a2,cycle,zero\n csrrs a3,time,zero');
    for (const { hart } of sides) {
      hart.run(4);
      expect([...hart.registers.x.subarray(A1, A1 + 3)]).to.deep.equal([0n, 2n, 3n]);
    }
  });

  it('executes code that it writes, in the page it stands in', () => {
    // Overwrites the addi behind the store: `addi a2,a2,1` becomes `addi a2,a2,16`.
    const sides = loadBoth('lui a3,0x01060\n addi a3,a3,0x613\n auipc a4,0\n sw a3,8(a4)\n addi a2,a2,1\n ebreak');
    for (const { hart } of sides) {
      expect(hart.run(100)).to.deep.equal({ why: 'breakpoint' });
      expect(hart.registers.x[12]).to.equal(16n);
    }
  });

  it('refuses a machine that reserves too little', () => {
    expect(() => new WasmHart(new FlatMemory({ reservedBytes: hartBytes(64, 0) }))).to.throw('room for a decoded page');
  });
});
