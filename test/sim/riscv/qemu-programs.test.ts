/**
 * Random programs against qemu: what they leave in the registers, in fcsr and in memory.
 *
 * Our engines execute them in portions of random size, which must not matter.
 */
import { expect } from 'chai';
import type { Hart, Stop } from '../../../sim/riscv/hart.ts';
import { createPrng, type Stream } from '../../../sim/prng.ts';
import { afterHart, createBench, ENGINES, isSame, type Engine } from '../../helpers/qemu-bench.ts';
import { CodeImage, type Piece } from '../../helpers/qemu-image.ts';
import { randomState } from '../../helpers/qemu-instructions.ts';
import { randomProgram, type Program } from '../../helpers/qemu-programs.ts';
import { afterQemu, differences, FCSR, POINTER, STATE_WORDS } from '../../helpers/qemu-states.ts';
import { describeInstruction } from '../../helpers/qemu-words.ts';
import { skipUnlessQemu } from '../../helpers/qemu.ts';
import { runs, seed } from '../../helpers/seed.ts';

const BATCHES = 10;
const PROGRAMS = 500;
/** States that each program begins with. */
const STATES = 4;
const INSTRUCTIONS_MAX = 10_000;

interface Batch {
  readonly image: CodeImage;
  readonly programs: readonly (Program & { readonly piece: Piece })[];
  readonly before: BigUint64Array;
  readonly expected: BigUint64Array;
}

function createBatch(stream: Stream): Batch {
  const image = new CodeImage(stream);
  const programs = Array.from({ length: PROGRAMS }, () => {
    const program = randomProgram(stream);
    return { ...program, piece: image.add(program.instructions, { pointer: program.pointer })! };
  });
  const before = new BigUint64Array(PROGRAMS * STATES * STATE_WORDS);
  for (let i = 0; i < PROGRAMS * STATES; i++) {
    const { piece, pointer, base, baseValue } = programs[Math.floor(i / STATES)]!;
    const state = randomState(stream);
    state[0] = BigInt(piece.entry);
    state[POINTER] = BigInt(pointer);
    state[base] = BigInt(baseValue);
    state[FCSR] = BigInt(stream.int(32) | (stream.pick([0, 0, 0, 1, 2, 3, 4]) << 5));
    before.set(state, i * STATE_WORDS);
  }
  return { image, programs, before, expected: afterQemu(image.bytes, before) };
}

/** Runs to the breakpoint at the end, now one instruction, now a few, now all. */
function inPortions(hart: Hart, stream: Stream): Stop {
  const from = hart.retired;
  while (hart.retired - from < INSTRUCTIONS_MAX) {
    const stop = hart.run(stream.pick([1, 2, 1 + stream.int(20), INSTRUCTIONS_MAX]));
    if (stop.why !== 'limit') return stop;
  }
  return { why: 'limit' };
}

/** @returns how many instructions were retired */
function compareBatch(engine: Engine, { image, programs, before, expected }: Batch, stream: Stream): number {
  const bench = createBench(engine, image.withBreakpoints);
  for (let i = 0; i < PROGRAMS * STATES; i++) {
    const { piece, instructions } = programs[Math.floor(i / STATES)]!;
    const state = before.subarray(i * STATE_WORDS, (i + 1) * STATE_WORDS);
    const found = afterHart(bench, state, { start: piece.start, exits: [piece.end] }, (hart) => inPortions(hart, stream));
    const wanted = expected.subarray(i * STATE_WORDS, (i + 1) * STATE_WORDS);
    if (found.stop.why !== 'breakpoint' || !isSame(found.state, wanted)) {
      const listing = instructions.map((instruction) => `    ${describeInstruction(instruction)}`);
      const title = `program ${i} of a batch, stop: ${found.stop.why} (SEED=${seed})`;
      expect.fail([title, ...listing, ...differences(wanted, found.state, ['qemu', engine.name])].join('\n  '));
    }
  }
  return bench.hart.retired;
}

describe('random programs', () => {
  const batches = runs(BATCHES);
  const runCount = batches * PROGRAMS * STATES;
  it(`end on each engine as on qemu, and retire as many instructions on each (${runCount} runs of ${batches * PROGRAMS})`, function () {
    this.timeout(Math.max(60_000, runs(120_000)));
    skipUnlessQemu(this);
    const stream = createPrng(seed).stream('qemu-programs');
    let instructions = 0;
    for (let i = 0; i < batches; i++) {
      const batch = createBatch(stream);
      const retired = ENGINES.map((engine) => compareBatch(engine, batch, stream));
      expect(new Set(retired).size, `retired ${retired.join(', ')}`).to.equal(1);
      instructions += retired[0]!;
    }
    console.log(`      ${instructions} instructions an engine`);
  });
});
