/**
 * Every constant of the machine and the kernel that a bug may hide behind, as a parameter.
 *
 * Several bugs need 128 cached pages, 65,535 forks or 4,096 address spaces before they show; generators make these
 * numbers small. Defaults are Kevlar's at M9.8 unless said otherwise, and live here only.
 */

/** How a safety profile of Kevlar touches frames; results must not depend on it (memory-model section 8). */
export type Profile = 'fortress' | 'balanced' | 'performance' | 'ludicrous';

export interface Parameters {
  /** Physical frames of 4 KiB; frame 0 is the kernel's. */
  readonly frames: number;
  readonly cpus: number;
  /** Sub-frames of a huge page: a power of two from 2 to 512. */
  readonly hugePages: number;
  /** Cached pages a 2 MiB region must reach before exec assembles it; above `hugePages` it never happens. */
  readonly assembleThreshold: number;
  /** Pages mapped by one anonymous fault, the faulting one included. */
  readonly faultAroundPages: number;
  /** Anonymous areas up to this many pages are populated at exec. */
  readonly prefaultPagesMax: number;
  /** Largest value of a frame's reference count. */
  readonly refcountMax: number;
  /** Address-space ids before they are reused. */
  readonly asids: number;
  /** Capacity of the allocator's LIFO cache of single frames. */
  readonly singlesMax: number;
  /** Capacity of the pool of frames known to be zero. */
  readonly zeroedMax: number;
  /** Translations per CPU, direct mapped; a power of two. */
  readonly tlbEntries: number;
  /** Faults one access may cause before it counts as stuck. */
  readonly faultsMax: number;
  /** Transparent huge pages for anonymous memory. */
  readonly anonymousHugePages: boolean;
  /** Replay the list of pages that an earlier exec of the same file prefaulted (Kevlar b7c0997). */
  readonly prefaultTemplates: boolean;
  /** Run Kevlar's own verifiers at exec (filters kwab-verify and kwab-audit). */
  readonly verify: boolean;
  /** Where the heap of every process starts, as PR_SET_MM_MAP can move it; 0 = where exec puts it. Linux only. */
  readonly heapStart: number;
  /** Pages below a VMA that grows downwards which placement keeps free. Linux only. */
  readonly stackGuardPages: number;
  readonly profile: Profile;
  /** Keep for every frame where its bytes came from. */
  readonly provenance: boolean;
}

export const DEFAULT_PARAMETERS: Parameters = {
  frames: 65536,
  cpus: 1,
  hugePages: 512,
  assembleThreshold: 128,
  faultAroundPages: 16,
  prefaultPagesMax: 8,
  refcountMax: 65535,
  asids: 4096,
  singlesMax: 64,
  zeroedMax: 0,
  tlbEntries: 1024,
  faultsMax: 4,
  anonymousHugePages: true,
  prefaultTemplates: true,
  verify: true,
  heapStart: 0,
  stackGuardPages: 256,
  profile: 'balanced',
  provenance: true,
};

const isPowerOfTwo = (n: number): boolean => Number.isInteger(n) && n > 0 && 2 ** Math.round(Math.log2(n)) === n;

/** Bounds of the numeric parameters, both inclusive. */
export const PARAMETER_BOUNDS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  frames: [8, 262144],
  cpus: [1, 64],
  hugePages: [2, 512],
  assembleThreshold: [0, 1_000_000],
  faultAroundPages: [1, 512],
  prefaultPagesMax: [0, 512],
  refcountMax: [1, 0xffff_fffe],
  asids: [2, 65536],
  singlesMax: [1, 4096],
  zeroedMax: [0, 4096],
  tlbEntries: [2, 65536],
  faultsMax: [2, 1000],
  heapStart: [0, 2 ** 47],
  stackGuardPages: [0, 65536],
};

/** The first parameter that is out of bounds, as (name, what is wrong), or undefined. */
export function parameterProblem(parameters: Parameters): { readonly name: string; readonly message: string } | undefined {
  for (const [name, [min, max]] of Object.entries(PARAMETER_BOUNDS)) {
    const value = parameters[name as keyof Parameters] as number;
    if (!Number.isInteger(value) || value < min || value > max) {
      return { name, message: `${String(value)} is not a whole number from ${min} to ${max}` };
    }
  }
  for (const name of ['hugePages', 'tlbEntries'] as const) {
    if (!isPowerOfTwo(parameters[name])) return { name, message: `${parameters[name]} is not a power of two` };
  }
  return undefined;
}
