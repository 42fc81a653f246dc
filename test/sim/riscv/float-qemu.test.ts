/** Floating point against qemu: every operation, format and rounding mode, pattern and flags. */
import { expect } from 'chai';
import { floatOperation } from '../../../sim/riscv/float.ts';
import type { FloatFormat, FloatOperator } from '../../../sim/riscv/semantics.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { floatOperand, integerOperand } from '../../helpers/qemu-operands.ts';
import { compile, emulate, skipUnlessQemu } from '../../helpers/qemu.ts';
import { runs, seed } from '../../helpers/seed.ts';

const ORACLE = new URL('../../riscv/float-oracle.c', import.meta.url).pathname;
const COUNT = 400_000;
const INPUT_BYTES = 32;
const OUTPUT_BYTES = 16;

// In the order of the oracle's switch.
const OF_BOTH: readonly FloatOperator[] = [
  'add', 'sub', 'mul', 'div', 'sqrt', 'fma', 'min', 'max', 'eq', 'lt', 'le', 'class',
  'toW', 'toWu', 'toL', 'toLu', 'fromW', 'fromWu', 'fromL', 'fromLu',
]; // prettier-ignore
const OPERATIONS: readonly (readonly [FloatOperator, FloatFormat])[] = [
  ...OF_BOTH.map((name) => [name, 's'] as const),
  ['fromD', 's'],
  ...OF_BOTH.map((name) => [name, 'd'] as const),
  ['fromS', 'd'],
];

interface Case {
  readonly operation: number;
  readonly rm: number;
  readonly args: readonly bigint[];
}

function randomCase(stream: Stream): Case {
  const operation = stream.int(OPERATIONS.length);
  const [name, format] = OPERATIONS[operation]!;
  const operand = (): bigint => {
    if (name === 'fromS') return floatOperand(stream, 's');
    if (name === 'fromD') return floatOperand(stream, 'd');
    return name.startsWith('from') ? integerOperand(stream) : floatOperand(stream, format);
  };
  const a = operand();
  // Now and then the same again: x - x, x / x, comparisons of equals.
  const b = stream.chance(0.05) ? a : operand();
  return { operation, rm: stream.int(5), args: [a, b, operand()] };
}

function encode(cases: readonly Case[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(cases.length * INPUT_BYTES));
  cases.forEach(({ operation, rm, args }, index) => {
    const at = index * INPUT_BYTES;
    view.setUint32(at, operation, true);
    view.setUint32(at + 4, rm, true);
    args.forEach((arg, i) => view.setBigUint64(at + 8 + 8 * i, arg, true));
  });
  return new Uint8Array(view.buffer);
}

/** Single-precision results come sign-extended, as fmv.x.w leaves them. */
function isOfSingle(operation: number): boolean {
  const [name, format] = OPERATIONS[operation]!;
  return format === 's' && !['eq', 'lt', 'le', 'class', 'toW', 'toWu', 'toL', 'toLu'].includes(name);
}

describe('floatOperation', () => {
  it(`gives what qemu gives, pattern and flags (${runs(COUNT)} operations)`, function () {
    skipUnlessQemu(this);
    const stream = createPrng(seed).stream('float-qemu');
    const cases = Array.from({ length: runs(COUNT) }, () => randomCase(stream));
    const { stdout } = emulate(compile('float-oracle', [ORACLE]), [], encode(cases));
    expect(stdout.length).to.equal(cases.length * OUTPUT_BYTES);
    const view = new DataView(stdout.buffer, stdout.byteOffset, stdout.length);

    cases.forEach(({ operation, rm, args }, index) => {
      const [name, format] = OPERATIONS[operation]!;
      const bits = view.getBigUint64(index * OUTPUT_BYTES, true);
      const expected = {
        bits: isOfSingle(operation) ? BigInt.asUintN(32, bits) : bits,
        flags: view.getUint32(index * OUTPUT_BYTES + 8, true),
      };
      const found = floatOperation(name, format, args, rm);
      if (found.bits === expected.bits && found.flags === expected.flags) return;
      const hex = ({ bits, flags }: typeof found): string => `0x${bits.toString(16)} flags ${flags}`;
      const call = `${name}.${format}(${args.map((arg) => `0x${arg.toString(16)}`).join(', ')}) rm ${rm}`;
      expect.fail(`${call}: qemu ${hex(expected)}, here ${hex(found)} (case ${index})`);
    });
  });
});
