/**
 * How often a generated sequence does what: tables of weights, near those of the recorded sequences, and what those lack (locks, guards,
 * growing stacks, what a child inherits) with small ones.
 *
 * Not drawn, because a kernel may answer otherwise the second time: PAGEOUT (it depends on what is in which LRU batch), and COLLAPSE.
 */
import type { Stream } from '../../sim/prng.ts';
import type { Mode } from '../../traces/sequences/arena.ts';
import type { AdviceName, MapLetter, OpName, ProtLetter, RemapLetter } from '../../traces/sequences/op.ts';

export type Weighted<Value> = readonly (readonly [weight: number, value: Value])[];

/** Draws a value with a chance in proportion to its weight. */
export function weighted<Value>(draw: Stream, table: Weighted<Value>): Value {
  let left = draw.int(table.reduce((sum, [weight]) => sum + weight, 0));
  return table.find(([weight]) => (left -= weight) < 0)![1];
}

const letters = <Letter extends string>(text: string): Letter[] => (text === '' ? [] : (text.split(',') as Letter[]));
const flags = (weight: number, text: string): readonly [number, readonly MapLetter[]] => [weight, letters<MapLetter>(text)];

export const MODES: Weighted<Mode> = [
  [70, 'small'],
  [16, 'huge'],
  [14, 'brk'],
];

// prettier-ignore
export const OPS: Weighted<OpName> = [
  [290, 'mmap'], [160, 'w'], [100, 'r'], [90, 'mprotect'], [95, 'madvise'], [70, 'munmap'], [65, 'mremap'], [27, 'fork'], [17, 'fwrite'],
  [17, 'sysread'], [16, 'ftrunc'], [9, 'mincore'], [9, 'syswrite'], [8, 'fread'], [8, 'msync'], [10, 'mlock'], [7, 'munlock'], [4, 'exit'],
];

/** Of all ops in a sequence about the heap. */
export const BRK_CHANCE = 0.2;

// prettier-ignore
export const MAP_FLAGS: Weighted<readonly MapLetter[]> = [
  flags(330, 'p,a,F'), flags(160, 'p,a'), flags(135, 'p,F'), flags(54, 's,F'), flags(49, 's,a,F'), flags(38, 'p,a,N'), flags(29, 'sv,F'),
  flags(20, 'p,a,F,P'), flags(15, 'p'), flags(14, 'p,N'), flags(9, 'p,F,P'), flags(9, 's'), flags(9, 'p,a,P'), flags(8, 's,a,N'),
  flags(7, 's,N'), flags(6, 's,a'), flags(6, 'p,a,F,R'), flags(5, 'sv'), flags(4, 's,F,P'), flags(4, 'p,a,R'), flags(3, 'p,s,a,F'),
  flags(3, 'p,s,a'), flags(3, '-,a,F'), flags(3, 'p,a,N,P'), flags(2, 'p,N,P'), flags(2, 's,a,F,P'), flags(2, 'sv,F,P'), flags(2, 'sv,N'),
  flags(2, 'p,F,R'), flags(2, 'p,s,F'), flags(6, 'p,a,F,G'), flags(2, 'p,a,G'), flags(3, 'p,a,F,U'), flags(2, 'sv,F,U'), flags(2, 's,F,U'),
];
/** Drawn in addition where the arena is small: more could be more memory than a user may lock. */
export const LOCKED_CHANCE = 0.01;

// prettier-ignore
export const PROTS: Weighted<readonly ProtLetter[]> = [
  [50, ['r', 'w']], [22, ['r']], [11, []], [6, ['w']], [6, ['r', 'x']], [6, ['r', 'w', 'x']],
];
export const GROWSDOWN_CHANCE = 0.02;

// prettier-ignore
export const REMAP_FLAGS: Weighted<readonly RemapLetter[]> = [
  [28, ['m', 'f']], [27, ['m']], [12, []], [10, ['m', 'f', 'd']], [7, ['d']], [6, ['f']], [9, ['m', 'd']],
];

// prettier-ignore
export const ADVICES: Weighted<AdviceName> = [
  [420, 'dontneed'], [120, 'hugepage'], [190, 'free'], [135, 'populate_write'], [77, 'populate_read'], [69, 'remove'], [30, 'bogus'],
  [40, 'normal'], [40, 'willneed'], [58, 'nohugepage'], [30, 'random'], [30, 'sequential'], [40, 'dontfork'], [25, 'dofork'],
  [40, 'wipeonfork'], [25, 'keeponfork'], [15, 'dontdump'], [10, 'dodump'], [40, 'cold'], [60, 'guard_install'], [40, 'guard_remove'],
];
export const ADVICES_OF_HUGE: Weighted<AdviceName> = [...ADVICES, [350, 'hugepage']];

/** Pages of a range where pages are small. */
// prettier-ignore
export const PAGES: Weighted<number> = [
  [36, 1], [17, 2], [13, 3], [10, 4], [5, 5], [5, 6], [4, 8], [4, 10], [4, 12], [3, 16], [1, 24],
];
/** Pages of a range where it is about huge pages. */
// prettier-ignore
export const PAGES_OF_HUGE: Weighted<number> = [
  [25, 512], [12, 1024], [17, 1536], [8, 2048], [7, 511], [8, 513], [10, 256], [5, 1], [4, 3], [2, 7], [2, 1025],
];
/** Bytes more than the pages; mostly none. */
export const ODD_BYTES: Weighted<number> = [
  [930, 0],
  [20, -1],
  [25, 1],
  [25, 0x123],
];
/** Lengths that no range can have, and none. */
export const ODD_LENGTHS: Weighted<bigint> = [
  [30, 0n],
  [6, 2n ** 47n],
  [5, 2n ** 64n - 4096n],
  [5, 2n ** 64n - 1n],
];
export const ODD_LENGTH_CHANCE = 0.025;
/** Offsets within a page at which bytes are read and written: its ends, and around the end of f0. */
export const BYTE_OFFSETS = [0, 0, 1, 0x122, 0x123, 0x124, 0x800, 0xfff] as const;
export const UNALIGNED_CHANCE = 0.01;

export const FILE_SIZES = [0, 0x1000, 0x1800, 0x2000, 0x2123, 0x4000, 0x5000, 0x5123, 0x6000, 0x8000] as const;
/** Pages of the file at which mappings begin; some lie behind its end. */
export const FILE_PAGES = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 9] as const;
