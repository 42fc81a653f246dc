/**
 * Every instruction of the table against qemu: all registers, fcsr, memory and where it goes on, over random operands.
 *
 * Left out: ecall and ebreak, which are no business of a hart but to stop.
 */
import { expect } from 'chai';
import { ROWS } from '../../../sim/riscv/isa/index.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { afterHart, createBench, ENGINES, isSame, type Engine } from '../../helpers/qemu-bench.ts';
import { CodeImage } from '../../helpers/qemu-image.ts';
import { addSample, randomState, sampleState, type Sample } from '../../helpers/qemu-instructions.ts';
import { afterQemu, differences, hex, nameOf, F, FCSR, STATE_WORDS } from '../../helpers/qemu-states.ts';
import { describeInstruction } from '../../helpers/qemu-words.ts';
import { skipUnlessQemu } from '../../helpers/qemu.ts';
import { runs, seed } from '../../helpers/seed.ts';

const BATCHES = 70;
/** Encodings of each row in a batch, and states for each encoding. */
const ENCODINGS = 8;
const STATES = 10;

const ROWS_COMPARED = ROWS.filter(({ effect }) => effect.do !== 'trap');
const BATCH = ROWS_COMPARED.length * ENCODINGS * STATES;

interface Batch {
  readonly image: CodeImage;
  readonly samples: readonly Sample[];
  /** STATES for each sample, in order; before and after. */
  readonly before: BigUint64Array;
  readonly expected: BigUint64Array;
}

function createBatch(stream: Stream): Batch {
  const image = new CodeImage(stream);
  const samples = ROWS_COMPARED.flatMap((row) => Array.from({ length: ENCODINGS }, () => addSample(image, row, stream)));
  const before = new BigUint64Array(samples.length * STATES * STATE_WORDS);
  const background = randomState(stream);
  for (let i = 0; i < samples.length * STATES; i++) {
    before.set(sampleState(samples[Math.floor(i / STATES)]!, background, stream), i * STATE_WORDS);
  }
  return { image, samples, before, expected: afterQemu(image.bytes, before) };
}

function compareBatch(engine: Engine, { image, samples, before, expected }: Batch): void {
  const bench = createBench(engine, image.bytes);
  for (let i = 0; i < samples.length * STATES; i++) {
    const sample = samples[Math.floor(i / STATES)]!;
    const state = before.subarray(i * STATE_WORDS, (i + 1) * STATE_WORDS);
    const { piece, target } = sample;
    const found = afterHart(bench, state, { start: piece.start, exits: [piece.end, target ?? piece.end] }, (hart) => hart.run(1));
    const wanted = expected.subarray(i * STATE_WORDS, (i + 1) * STATE_WORDS);
    if (found.stop.why !== 'limit' || !isSame(found.state, wanted)) {
      expect.fail(
        [report(sample, state), `stop: ${found.stop.why}`, ...differences(wanted, found.state, ['qemu', engine.name])].join('\n  '),
      );
    }
  }
}

function report({ instruction, usage }: Sample, state: BigUint64Array): string {
  const words = new Set([...usage.xRead, ...usage.fRead.map(({ register }) => F + register), FCSR]);
  const operands = [...words].map((word) => `${nameOf(word)} = ${hex(state[word]!)}`);
  return `${describeInstruction(instruction)} with ${operands.join(', ')} (SEED=${seed})`;
}

describe('instructions', () => {
  const batches = runs(BATCHES);
  it(`do on each engine what they do on qemu (${ROWS_COMPARED.length} rows, ${batches * BATCH} comparisons an engine)`, function () {
    this.timeout(Math.max(60_000, runs(120_000)));
    skipUnlessQemu(this);
    const stream = createPrng(seed).stream('qemu-instructions');
    for (let i = 0; i < batches; i++) {
      const batch = createBatch(stream);
      for (const engine of ENGINES) compareBatch(engine, batch);
    }
  });
});
