/** The WebAssembly assembler, judged by the host that runs what it wrote. */
import { expect } from 'chai';
import fc from 'fast-check';
import { wasm } from '../../../kernel-model/index.ts';
import { assembleModule, Code } from '../../../sim/riscv/wasm/module-writer.ts';
import { I32, I64 } from '../../../sim/riscv/wasm/opcodes.ts';

const memory = new wasm.Memory({ initial: 1, maximum: 1 });
const view = new DataView(memory.buffer);

/** Runs a function that takes two numbers and returns one. */
function run(code: Code, a = 0, b = 0): number {
  const functions = [{ name: 'f', parameters: [I32, I32], results: [I32], code }];
  const module = new wasm.Module(assembleModule({ imports: [], functions, memoryPages: 1 }));
  const { f } = new wasm.Instance(module, { host: { memory } }).exports;
  return f!(a, b);
}

describe('module-writer', () => {
  it('encodes constants of 32 and 64 bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (small, large) => {
        expect(run(new Code(2).i32(small).op('end'))).to.equal(small);
        run(new Code(2).i32(8).i64(large).access('i64.store', 8).i32(0).op('end'));
        expect(view.getBigInt64(16, true)).to.equal(large);
      }),
    );
  });

  it('encodes doubles', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        run(new Code(2).i32(0).f64(value).access('f64.store', 24).i32(0).op('end'));
        expect(view.getFloat64(24, true)).to.deep.equal(value);
      }),
    );
  });

  it('branches to the block that is named, through blocks that were opened since', () => {
    const code = new Code(2);
    const outer = code.block();
    const cases = [code.block(), code.block(), code.block()];
    code.get(0).brTable([cases[2]!, cases[1]!], cases[0]!);
    code.op('end').i32(10).set(1).br(outer);
    code.op('end').i32(20).set(1).br(outer);
    code.op('end').i32(30).set(1).op('end').get(1).op('end');
    expect([0, 1, 2, -1].map((index) => run(code, index))).to.deep.equal([10, 20, 30, 30]);
  });

  it('numbers locals behind the parameters', () => {
    const code = new Code(2);
    const [narrow, wide] = [code.local(I32), code.local(I64)];
    code.get(0).set(narrow).get(1).op('i64.extend_i32_s').set(wide);
    code.get(narrow).get(wide).op('i32.wrap_i64', 'i32.sub', 'end');
    expect(run(code, 50, 8)).to.equal(42);
  });

  it('imports functions in front of its own', () => {
    const code = new Code(2).get(0).get(1).call(0).op('end');
    const both = { parameters: [I32, I32], results: [I32] };
    const bytes = assembleModule({ imports: [{ name: 'times', ...both }], functions: [{ name: 'f', ...both, code }], memoryPages: 1 });
    const host = { memory, times: (a: number, b: number): number => a * b };
    expect(new wasm.Instance(new wasm.Module(bytes), { host }).exports['f']!(6, 7)).to.equal(42);
  });
});
