/**
 * Any system calls with any arguments: numbers that exist and that do not, pointers into every kind of memory and into none.
 *
 * The guest makes the calls of a table, one after the other, whatever they answer. Some of them end it, fork it, take its stack
 * or its data away or make it wait for ever: all of that is in order.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { CALLS } from '../../../sim/linux/calls/table.ts';
import { runLive } from '../../helpers/live.ts';
import { runs } from '../../helpers/seed.ts';
import { assembled, constantsOf, DATA, TEXT, tinyElf } from '../../helpers/tiny-elf.ts';
import { CALL, expectOrder, runOnBoth, words64 } from './guest.ts';

const PAGE = 4096;
const DATA_PAGES = 4;
const CALLS_MAX = 120;
const THOUSANDS = 3000;

/** s0 goes through the table: a7, a0 … a5 a row. The last row is exit. */
const source = (table: number): string => `
    li s0,${table}
loop: ld a7,0(s0)
    ld a0,8(s0)
    ld a1,16(s0)
    ld a2,24(s0)
    ld a3,32(s0)
    ld a4,40(s0)
    ld a5,48(s0)
    addi s0,s0,56
    ecall
    jal zero,loop`;

const TABLE = TEXT + constantsOf(assembled(source(TEXT + PAGE), TEXT).length);

type Row = readonly [number: number, ...args: (number | bigint)[]];

function guestOf(rows: readonly Row[]): Uint8Array {
  const table = [...rows, [CALL.exit, 0, 0, 0, 0, 0, 0] as const];
  return tinyElf({ source: source(TABLE), constants: words64(...table.flat()), data: DATA_BYTES, dataBytes: DATA_PAGES * PAGE });
}

/** What arguments may point to: a path, a path that is not there, numbers, pointers, and strings without an end. */
const DATA_BYTES = ((): Uint8Array => {
  const bytes = new Uint8Array(PAGE * 2).fill(0x2f, PAGE);
  const texts = ['/tmp/file', '/nowhere/at/all', '/bin/program', '/proc/self/maps', '/dev/null', '.', ''];
  texts.forEach((text, i) => bytes.set(new TextEncoder().encode(text), i * 32));
  bytes.set(words64(DATA, DATA + 32, DATA + 64, 0, 1, -1, 8, 4096, DATA + 96, 16, 2n ** 63n, 0), 256);
  return bytes;
})();

const pointer = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 48 }).map((slot) => DATA + slot * 8) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: DATA_PAGES }).map((page) => DATA + page * PAGE - 4) },
  { weight: 2, arbitrary: fc.constantFrom(TEXT, TABLE, 0x5555_0000, 2 ** 47, 2 ** 47 - PAGE, 0x3fff_f000) },
);
const small = fc.oneof(fc.integer({ min: -3, max: 20 }), fc.integer({ min: 0, max: 10_000 }));
const lengths = fc.constantFrom(0, 1, 4, 8, 16, 24, 100, PAGE, PAGE - 1, 2 * PAGE, 2 ** 20, 2 ** 31, 2 ** 32, 2 ** 46);
const bits = fc.integer({ min: 0, max: 46 }).map((bit) => 2 ** bit);
const anything = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const argument = fc.oneof(
  { weight: 5, arbitrary: small },
  { weight: 5, arbitrary: pointer },
  { weight: 3, arbitrary: lengths },
  { weight: 1, arbitrary: bits },
  { weight: 1, arbitrary: anything },
);

const known = fc.constantFrom(...[...CALLS.keys()].filter((number) => number !== CALL.exit && number !== CALL.exit + 1));
const unknown = fc.oneof(fc.integer({ min: 0, max: 500 }), anything);
const number = fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: unknown });
const row = fc.tuple(number, argument, argument, argument, argument, argument, argument) as fc.Arbitrary<Row>;

/** Calls that are about memory, with arguments that often make sense. */
const memoryRow = fc
  .oneof(
    fc.tuple(fc.constant(CALL.brk), fc.integer({ min: DATA, max: DATA + 2 ** 22 })),
    fc.tuple(fc.constant(CALL.mmap), pointer, lengths, fc.nat(7), fc.constantFrom(0x22, 0x21, 0x32, 2), small, lengths),
    fc.tuple(fc.constantFrom<number>(CALL.munmap, 233, 227), pageStart(), lengths, fc.nat(25)),
    fc.tuple(fc.constant(CALL.mprotect), pageStart(), lengths, fc.nat(7)),
    fc.tuple(fc.constant(CALL.mremap), pageStart(), lengths, lengths, fc.nat(3), pageStart()),
    fc.tuple(fc.constant(CALL.read), fc.constant(0), pointer, lengths),
    fc.tuple(fc.constant(CALL.write), fc.constant(1), pointer, fc.nat(100)),
  )
  .map((given): Row => [...(given as unknown as [number, ...number[]]), ...new Array<number>(7 - given.length).fill(0)]);

function pageStart(): fc.Arbitrary<number> {
  return fc.integer({ min: 0, max: DATA_PAGES + 64 }).map((page) => DATA + page * PAGE);
}

const forkRow = fc.constantFrom(17, 0x4111).map((flags): Row => [CALL.clone, flags, 0, 0, 0, 0, 0]);

const rowsOf = (one: fc.Arbitrary<Row>, maxLength: number): fc.Arbitrary<Row[]> => fc.array(one, { maxLength, size: 'max' });
const someRows = rowsOf(row, CALLS_MAX);
const memoryRows = rowsOf(
  fc.oneof({ weight: 30, arbitrary: memoryRow }, { weight: 5, arbitrary: row }, { weight: 1, arbitrary: forkRow }),
  CALLS_MAX,
);

const OPTIONS = { parameters: { frames: 1024 }, instructionsMax: 10_000, stdin: 'some input\n', files: { '/tmp/file': 'text' } } as const;

describe('any system calls', () => {
  it('with any arguments end in order, on both engines', () => {
    fc.assert(
      fc.property(someRows, (rows) => void runOnBoth(guestOf(rows), OPTIONS)),
      { numRuns: runs(25) },
    );
  });

  it('about memory leave the kernel in order after each of them', () => {
    fc.assert(
      fc.property(memoryRows, (rows) => expectOrder(runLive(guestOf(rows), { ...OPTIONS, check: 'changes' }))),
      { numRuns: runs(25) },
    );
  });

  it('by the thousand leak nothing', () => {
    fc.assert(
      fc.property(rowsOf(row, THOUSANDS), rowsOf(memoryRow, THOUSANDS), (some, others) => {
        expectOrder(runLive(guestOf([...others, ...some]), { ...OPTIONS, check: 'none', instructionsMax: 100_000 }));
      }),
      { numRuns: runs(10) },
    );
  });

  it('one after the other, all that exist, with pointers to nothing, answer something', () => {
    const rows = [...CALLS.keys()].filter((one) => ![CALL.exit, CALL.exit + 1, CALL.sigreturn].includes(one as never));
    for (const value of [-1n, 2n ** 63n, 2n ** 46n, 0n]) {
      const { result } = runOnBoth(guestOf(rows.map((one): Row => [one, value, value, value, value, value, value])), OPTIONS);
      expect(result).to.be.oneOf(['ended', 'deadlock', 'needs-input', 'limit']);
    }
  });
});
