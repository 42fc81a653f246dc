/** Arbitrary ops and result lines of sequences, made from the tables that describe them. */
import fc from 'fast-check';
import { MODES, type Place } from '../../../traces/sequences/arena.ts';
import { ADVICES, OP_NAMES, PROCESSES_MAX, WORDS, type MapLetter, type SequenceOp, type Words } from '../../../traces/sequences/op.ts';
import type { StepResult } from '../../../traces/sequences/result.ts';
import type { Recording, Sequence } from '../../../traces/sequences/sequence.ts';

const place: fc.Arbitrary<Place> = fc.oneof(
  fc.record({ arena: fc.constantFrom('s', 'h', 'b'), offset: fc.integer({ min: -0x10_0000, max: 0x200_0000 }) }),
  fc.nat({ max: 2 ** 31 - 1 }).map((offset) => ({ arena: undefined, offset })),
);

const subset = <Word>(...words: Word[]): fc.Arbitrary<Word[]> => fc.shuffledSubarray(words);
const files = ['f0', 'f1', 'f2', 'bad'] as const;

const KINDS: { readonly [Kind in keyof Words]: fc.Arbitrary<Words[Kind]> } = {
  place,
  length: fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 47n }),
    fc.bigInt({ min: 2n ** 35n, max: 2n ** 52n - 1n }).map((pages) => pages * 4096n),
    fc.constant(2n ** 64n - 1n),
    fc.nat({ max: 64 }).map((pages) => BigInt(pages) * 4096n),
  ),
  offset: fc.nat({ max: 2 ** 30 }),
  byte: fc.nat({ max: 255 }),
  prot: subset('r', 'w', 'x', 'D'),
  // A list of nothing but `-` is the empty one.
  mapFlags: subset<MapLetter>('-', 'p', 's', 'sv', 'a', 'F', 'N', 'R', 'P', 'L', 'G', 'U').map((list) => (list.join() === '-' ? [] : list)),
  remapFlags: subset('m', 'f', 'd'),
  advice: fc.constantFrom(...ADVICES),
  backing: fc.option(fc.constantFrom(...files), { nil: undefined }),
  file: fc.constantFrom(...files),
};

const anySequenceOp: fc.Arbitrary<SequenceOp> = fc.oneof(
  ...OP_NAMES.map((op) => {
    const fields = Object.entries(WORDS[op]).map(([field, kind]) => [field, KINDS[kind]] as const);
    return fc.record({ op: fc.constant(op), process: fc.nat({ max: PROCESSES_MAX - 1 }), ...Object.fromEntries(fields) });
  }),
) as fc.Arbitrary<SequenceOp>;

export const anySequence: fc.Arbitrary<Sequence> = fc.record({
  id: fc.nat(),
  mode: fc.constantFrom(...MODES),
  ops: fc.array(anySequenceOp, { maxLength: 12 }),
});

const answer: fc.Arbitrary<StepResult> = fc.oneof(
  fc.record({ r: fc.oneof(fc.nat(), fc.constantFrom('s+0x1000', 'P1', 'SKIP', 'LIMIT', 'NOPROC')) }),
  fc.record({ r: fc.constant(-1), e: fc.constantFrom('EINVAL', 'ENOMEM') }),
  fc.record({
    sig: fc.constantFrom('SEGV', 'BUS'),
    code: fc.constantFrom('MAPERR', 'ACCERR', 'ADRERR'),
    flt: fc.tuple(fc.nat(9), fc.nat(9)),
  }),
);

const state: fc.Arbitrary<StepResult> = fc.record({
  v: fc.array(
    fc.tuple(
      fc.nat(64),
      fc.nat(64),
      fc.constantFrom('rw-p', 'r-xs'),
      fc.constantFrom('-', 'f0', 'sa'),
      fc.nat(9),
      fc.constantFrom('', 'ac hg'),
    ),
    { maxLength: 4 },
  ),
  pg: fc.stringMatching(/^(\d{0,2}[.zAafFHhZs]){0,4}$/),
  mc: fc.stringMatching(/^(\d{0,2}[ny-]){0,4}$/),
});

const result = fc.tuple(answer, fc.option(state, { nil: {} })).map(([one, other]): StepResult => ({ ...one, ...other }));

export const anyRecording: fc.Arbitrary<Recording> = anySequence.chain((sequence) =>
  fc.tuple(...sequence.ops.map(() => result)).map((results) => ({ ...sequence, results })),
);
