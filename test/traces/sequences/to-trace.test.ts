/** Sequences as traces: ops that the codec takes, what comes before them, and what is not asked of a kernel. */
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp } from '../../../traces/codec.ts';
import { parseSequences } from '../../../traces/sequences/sequence.ts';
import { fileByte, traceOfSequence } from '../../../traces/sequences/to-trace.ts';
import { anySequence } from './arbitrary.ts';

const WHERE = { file: 't.jsonl', line: 1 };
const steps = (mode: string, ...ops: string[]) => traceOfSequence(parseSequences([`seq 0 ${mode}`, ...ops].join('\n'), 's.txt')[0]!);
const answers = (mode: string, ...ops: string[]) =>
  steps(mode, ...ops).steps.map((step) => (step.at === undefined ? step.answer.r : 'asked'));

describe('a sequence as a trace', () => {
  it('is one that can be written down and read again (any sequence)', () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        const { trace } = traceOfSequence(sequence);
        decodeHeaderLine(encodeHeader(trace.header), WHERE);
        for (const op of trace.ops) expect(decodeOpLine(encodeOp(op), WHERE)).to.deep.equal(op);
      }),
    );
  });

  it('has a step for each op, in order, behind the setup', () => {
    fc.assert(
      fc.property(anySequence, (sequence) => {
        const { trace, steps: all, setupOps } = traceOfSequence(sequence);
        expect(all.map(({ op }) => op)).to.deep.equal(sequence.ops);
        const asked = all.flatMap(({ at }) => at ?? []);
        expect(asked).to.deep.equal(asked.map((_, i) => setupOps + i));
        expect(trace.ops).to.have.length(setupOps + asked.length);
      }),
    );
  });

  it('writes f0 and f1 as they were recorded', () => {
    const written = steps('small').trace.ops.filter((op) => op.op === 'write');
    expect(written.map(({ path, offset, length }) => [path, offset, length])).to.deep.equal([
      ...[0, 1, 2, 3, 4].map((page) => ['/f0', page * 4096, 4096]),
      ['/f0', 5 * 4096, 0x123],
      ...[0, 1, 2].map((page) => ['/f1', page * 4096, 4096]),
    ]);
    expect(written[7]!.value!.slice(0, 6)).to.equal('858c93');
    expect([fileByte(0, 0), fileByte(1, 0x1001)]).to.deep.equal([1, (1 + 101 + 31 + 7) & 255]);
  });

  it('keeps lengths of 64 bits, as far as a call can tell them', () => {
    const [op, other] = steps('small', 'munmap s+0x0 0xffffffffffffffff', 'mincore s+0x0 0xfffffffffffff000').trace.ops.slice(-2);
    expect([encodeOp(op!), encodeOp(other!)].map((line) => (JSON.parse(line) as { length: unknown }).length)).to.deep.equal([
      '0xffffffffffffffff',
      '0xfffffffffffff000',
    ]);
  });
});

describe('an op that no kernel is asked', () => {
  // prettier-ignore
  const CASES: readonly (readonly [name: string, mode: string, ops: readonly string[], answers: readonly unknown[]])[] = [
    ['would change what lies behind the arena', 'small', ['munmap s+0x3f000 0x2000', 'munmap s+0x3f000 0x1000'], ['SKIP', 'asked']],
    ['would change what lies before the arena', 'small', ['mprotect s-0x1000 0x1000 r'], ['SKIP']],
    ['would replace what lies behind the arena', 'small', ['mmap s+0x3f000 0x2000 r p,a,F - 0x0', 'mmap s+0x3f000 0x2000 r p,a - 0x0'], ['SKIP', 'asked']],
    ['moves to behind the arena', 'small', ['mremap s+0x0 0x1000 0x2000 mf s+0x3f000', 'mremap s+0x0 0x1000 0x2000 m s+0x3f000'], ['SKIP', 'asked']],
    ['asks for more than any call takes: it is asked', 'small', ['munmap s+0x0 0x800000000000', 'madvise s+0x0 0xffffffffffffffff normal'], ['asked', 'asked']],
    ['moves the heap where there is none', 'small', ['brk 0'], ['SKIP']],
    ['moves the heap where there is one: it is asked', 'brk', ['brk 0'], ['asked']],
    ['is of a process that there is not', 'small', ['@1 fork'], ['NOPROC']],
    ['is of a process that has ended', 'small', ['fork', '@1 exit', '@1 r s+0x0'], ['asked', 'asked', 'NOPROC']],
    ['forks once too often', 'small', ['fork', 'fork', 'fork', 'fork'], ['asked', 'asked', 'asked', 'LIMIT']],
    ['is of a descriptor that is not open for it', 'small', ['fwrite f2 0x0 0x1', 'fread bad 0x0', 'fread f2 0x0', 'ftrunc f2 0x0'], [-1, -1, 'asked', -1]],
    ['is none', 'small', ['nop'], [0]],
  ];
  for (const [name, mode, ops, expected] of CASES)
    it(name, () => {
      expect(answers(mode, ...ops)).to.deep.equal(expected);
    });
});
