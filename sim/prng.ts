/**
 * All chance in faultline: named streams over seedrandom's alea.
 *
 * A stream is seeded with the run's seed and its own name, so a new draw in one stream moves no other. Every method but
 * `state` and `restore` takes exactly one number off its stream, whatever its arguments are.
 */
import seedrandom from 'seedrandom';

/** The state of one stream, a plain value: four numbers that JSON keeps exactly. */
export type PrngState = Readonly<Record<'c' | 's0' | 's1' | 's2', number>>;

export interface Stream {
  /** Draws a whole number in [0, 2^32). */
  uint32(): number;
  /** Draws a whole number in [0, maxExclusive), 1 <= maxExclusive <= 2^32. Each value's share is off by at most 2^-32. */
  int(maxExclusive: number): number;
  /** Draws an element of a list that is not empty. */
  pick<T>(list: readonly T[]): T;
  /** True with probability `p`: never for 0, always for 1. */
  chance(p: number): boolean;
  state(): PrngState;
  /** Goes on from a state that this or any other stream had. */
  restore(state: PrngState): void;
}

export interface Prng {
  /** The stream of this name: the same object at every call, so its callers share its draws. */
  stream(name: string): Stream;
}

/** @throws RangeError if the seed is empty: seedrandom would take a random one for some generators, 0 for ever in others. */
export function createPrng(seed: string): Prng {
  if (seed === '') throw new RangeError('a seed has at least one character');
  const streams = new Map<string, Stream>();
  return {
    stream(name) {
      if (name === '') throw new RangeError('a stream has a name');
      const known = streams.get(name);
      if (known !== undefined) return known;
      const stream = createStream(`${seed}/${name}`);
      streams.set(name, stream);
      return stream;
    },
  };
}

const UINT32_COUNT = 2 ** 32;

function createStream(key: string): Stream {
  let alea = seedrandom.alea(key, { state: true });
  // Alea's numbers are multiples of 2^-32, so this is exact.
  const uint32 = (): number => alea.int32() >>> 0;
  const int = (maxExclusive: number): number => {
    if (!Number.isInteger(maxExclusive) || maxExclusive < 1 || maxExclusive > UINT32_COUNT) {
      throw new RangeError(`int(maxExclusive): a whole number from 1 to 2^32, not ${maxExclusive}`);
    }
    return Math.floor((uint32() / UINT32_COUNT) * maxExclusive);
  };
  return {
    uint32,
    int,
    pick(list) {
      if (list.length === 0) throw new RangeError('pick(list): the list is empty');
      return list[int(list.length)]!;
    },
    chance(p) {
      if (!(p >= 0 && p <= 1)) throw new RangeError(`chance(p): from 0 to 1, not ${p}`);
      return uint32() < p * UINT32_COUNT;
    },
    state: () => alea.state(),
    restore(state) {
      checkState(state);
      alea = seedrandom.alea(key, { state: { ...state } });
    },
  };
}

/** A state from a file may be anything; one that is not alea's would repeat a constant or NaN for ever. */
function checkState({ c, s0, s1, s2 }: PrngState): void {
  const isFraction = (s: number): boolean => s >= 0 && s < 1 && Number.isInteger(s * UINT32_COUNT);
  if (Number.isInteger(c) && c >= 0 && isFraction(s0) && isFraction(s1) && isFraction(s2) && (c > 0 || s0 + s1 + s2 > 0)) return;
  throw new RangeError(`not the state of a stream: ${JSON.stringify({ c, s0, s1, s2 })}`);
}
