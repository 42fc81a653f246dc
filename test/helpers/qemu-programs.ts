/**
 * Short random programs for state-driver.c: arithmetic, floats, memory and atomics in the window, jumps forward, bounded loops.
 *
 * A program is a list of units, which are one instruction or a few that belong together; jumps lead to units that follow, and
 * a loop leads back from its own last unit. So every program ends. Three kinds of register are set aside: the driver's pointer,
 * the base that points into the window, and the loops' counters.
 */
import type { Instruction } from '../../sim/riscv/decode.ts';
import { ROWS } from '../../sim/riscv/isa/index.ts';
import type { Row } from '../../sim/riscv/isa/row.ts';
import type { Stream } from '../../sim/prng.ts';
import { WINDOW, WINDOW_BYTES } from './qemu-states.ts';
import { accessBytes, randomInstruction, usageOf, type Operands } from './qemu-words.ts';

const UNITS_MIN = 10;
const UNITS_MAX = 60;
const LOOPS_MAX = 2;
const ROUNDS_MAX = 8;
const TRIES_MAX = 200;

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly pointer: number;
  readonly base: number;
  /** What the base register must hold at the start. */
  readonly baseValue: number;
}

/** Registers that are set aside, and where the window begins as seen from the base. */
interface Frame {
  readonly stream: Stream;
  readonly pointer: number;
  readonly base: number;
  readonly counters: readonly number[];
  readonly windowOffset: number;
}

/** Some instructions of known length, which may need to know how far it is to the unit `to`. */
interface Unit {
  readonly bytes: number;
  readonly to: number | undefined;
  readonly emit: (distance: number) => readonly Instruction[];
}

const rowNamed = (name: string): Row => ROWS.find((row) => row.name === name)!;
const rowsWhere = (test: (row: Row) => boolean): readonly Row[] => ROWS.filter(test);
const usesMemory = ({ effect }: Row): boolean => accessBytes(effect) !== undefined;

const ATOMICS = rowsWhere(({ effect }) => effect.do === 'amo');
const BRANCHES = rowsWhere(({ effect }) => effect.do === 'branch');
const DIRECT_JUMPS = rowsWhere((row) => (row.base ?? row).name === 'jal');
const INDIRECT_JUMPS = rowsWhere((row) => (row.base ?? row).name === 'jalr');
const MEMORY = rowsWhere(usesMemory);
const PLAIN = rowsWhere((row) => ['x', 'f', 'csr', 'nothing', 'fenceI'].includes(row.effect.do) && !usesMemory(row));

export function randomProgram(stream: Stream): Program {
  const frame = randomFrame(stream);
  const units = randomUnits(frame);
  const starts = [0];
  for (const { bytes } of units) starts.push(starts.at(-1)! + bytes);
  const instructions = units.flatMap(({ emit, to }, index) => emit(to === undefined ? 0 : starts[to]! - starts[index]!));
  return { instructions, pointer: frame.pointer, base: frame.base, baseValue: WINDOW - frame.windowOffset };
}

function randomFrame(stream: Stream): Frame {
  const pointer = 28 + stream.int(4);
  // Compressed instructions reach memory by sp and x8 to x15 only; x1 is what c.jalr writes.
  const base = stream.pick([2, 2, 8 + stream.int(8), 8 + stream.int(8), 2 + stream.int(26)]);
  const counters: number[] = [];
  while (counters.length < LOOPS_MAX) {
    const counter = 2 + stream.int(26);
    if (counter !== base && !counters.includes(counter)) counters.push(counter);
  }
  return { stream, pointer, base, counters, windowOffset: stream.pick([0, 0, -32, -stream.int(2000), stream.int(1980)]) };
}

function randomUnits(frame: Frame): Unit[] {
  const { stream, counters } = frame;
  // Loops lie one behind the other. Their counters are set first of all, for a jump may lead into a loop.
  const units = counters.map((counter) => fixed(exactly('addi', { rd: counter, rs1: 0, imm: 1 + stream.int(ROUNDS_MAX) })));
  const count = UNITS_MIN + stream.int(UNITS_MAX - UNITS_MIN + 1);
  const last = count + 2 * counters.length;
  for (const counter of counters) {
    const start = units.length;
    for (const end = start + Math.floor(count / 2); units.length < end;) units.push(randomUnit(frame, units.length, last));
    units.push(loopEnd(counter, start));
  }
  while (units.length < last) units.push(randomUnit(frame, units.length, last));
  return units;
}

/** @param last - the unit behind all others */
function randomUnit(frame: Frame, index: number, last: number): Unit {
  const { stream } = frame;
  const to = index + 1 + stream.int(Math.min(10, last - index));
  const kind = stream.int(20);
  if (kind === 0) return direct(frame, stream.pick(DIRECT_JUMPS), to);
  if (kind === 1) return indirect(frame, stream.pick(INDIRECT_JUMPS), to);
  if (kind < 4) return direct(frame, stream.pick(BRANCHES), to);
  if (kind === 4) return atomic(frame);
  if (kind === 5) return reserved(frame);
  if (kind < 11) return fixed(memoryAccess(frame));
  return fixed(plain(frame));
}

function fixed(...instructions: readonly Instruction[]): Unit {
  return { bytes: instructions.reduce((sum, { bytes }) => sum + bytes, 0), to: undefined, emit: () => instructions };
}

/** A jump or branch, or a nop of its size if it cannot reach so far. */
function direct(frame: Frame, row: Row, to: number): Unit {
  const nop = row.bytes === 2 ? exactly('c.addi', { rd: 0, rs1: 0, imm: 0 }) : exactly('addi', { rd: 0, rs1: 0, imm: 0 });
  return { bytes: row.bytes, to, emit: (distance) => [tryAllowed(frame, row, { imm: distance }) ?? nop] };
}

function indirect(frame: Frame, row: Row, to: number): Unit {
  const register = scratch(frame);
  const auipc = exactly('auipc', { rd: register, imm: 0 });
  const jump = allowed(frame, row, { rs1: register, ...(row.bytes === 4 ? { imm: frame.stream.int(100) - 50 } : {}) });
  return {
    bytes: 8 + row.bytes,
    to,
    emit: (distance) => [auipc, exactly('addi', { rd: register, rs1: register, imm: distance - jump.imm }), jump],
  };
}

function loopEnd(counter: number, start: number): Unit {
  return {
    bytes: 8,
    to: start,
    emit: (distance) => [
      exactly('addi', { rd: counter, rs1: counter, imm: -1 }),
      exactly('bne', { rs1: counter, rs2: 0, imm: distance - 4 }),
    ],
  };
}

function plain(frame: Frame): Instruction {
  const { stream } = frame;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const row = stream.pick(PLAIN);
    // Writes to frm must leave a rounding mode there, so only the flags are written at random.
    const instruction = tryAllowed(frame, row, row.effect.do === 'csr' ? csrOperands(row, stream) : {});
    if (instruction !== undefined) return instruction;
  }
  throw new Error('no plain instruction was found');
}

function csrOperands({ name }: Row, stream: Stream): Operands {
  return name === 'csrrwi' && stream.chance(0.5) ? { csr: 2, imm: stream.int(5) } : { csr: 1 };
}

function memoryAccess(frame: Frame): Instruction {
  const { stream, base, windowOffset } = frame;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const row = stream.pick(MEMORY);
    const bytes = accessBytes(row.effect)!;
    const place = row.bytes === 2 ? bytes * stream.int(WINDOW_BYTES / bytes) : stream.int(WINDOW_BYTES - bytes + 1);
    const instruction = tryAllowed(frame, row, { rs1: base, imm: windowOffset + place });
    if (instruction !== undefined) return instruction;
  }
  return exactly('ld', { rd: scratch(frame), rs1: base, imm: windowOffset });
}

function atomic(frame: Frame): Unit {
  const row = frame.stream.pick(ATOMICS);
  const address = scratch(frame);
  const width = row.name.endsWith('.d') ? 8 : 4;
  return fixed(addressOf(frame, address, width), allowed(frame, row, { rs1: address }));
}

/** lr and sc, of the same place or of two. */
function reserved(frame: Frame): Unit {
  const { stream } = frame;
  const suffix = stream.pick(['w', 'd']);
  const width = suffix === 'd' ? 8 : 4;
  const [first, second] = [scratch(frame), scratch(frame)];
  const isElsewhere = stream.chance(0.3);
  const value = scratch(frame, [first, second]);
  return fixed(
    addressOf(frame, first, width),
    allowed(frame, rowNamed(`lr.${suffix}`), { rs1: first, rd: value }),
    ...(isElsewhere ? [addressOf(frame, second, width)] : []),
    allowed(frame, rowNamed(`sc.${suffix}`), { rs1: isElsewhere ? second : first }),
  );
}

/** Sets a register to the address of an aligned word of the window. */
function addressOf({ stream, base, windowOffset }: Frame, register: number, width: number): Instruction {
  return exactly('addi', { rd: register, rs1: base, imm: windowOffset + width * stream.int(WINDOW_BYTES / width) });
}

/** A register that is free to be written, and not x0. */
function scratch({ stream, pointer, base, counters }: Frame, except: readonly number[] = []): number {
  for (;;) {
    const register = 1 + stream.int(31);
    if (![pointer, base, ...counters, ...except].includes(register)) return register;
  }
}

/** @throws Error if there is no such instruction */
function allowed(frame: Frame, row: Row, given: Operands): Instruction {
  const instruction = tryAllowed(frame, row, given);
  if (instruction === undefined) throw new Error(`${row.name} with ${JSON.stringify(given)}: there is none`);
  return instruction;
}

/** An instruction that leaves alone what is set aside. */
function tryAllowed(frame: Frame, row: Row, given: Operands): Instruction | undefined {
  const { stream, pointer, base, counters } = frame;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const instruction = randomInstruction(row, stream, given);
    if (instruction === undefined) return undefined;
    const { xRead, xWritten } = usageOf(instruction);
    if (xRead.includes(pointer)) continue;
    if (xWritten === undefined || ![pointer, base, ...counters].includes(xWritten)) return instruction;
  }
  return undefined;
}

function exactly(name: string, operands: Operands): Instruction {
  const always = { uint32: () => 0 } as Stream;
  const instruction = randomInstruction(rowNamed(name), always, operands);
  if (instruction === undefined) throw new Error(`${name} with ${JSON.stringify(operands)}: there is none`);
  return instruction;
}
