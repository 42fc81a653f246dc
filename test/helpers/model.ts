/** Kernels and machines for tests: small, with the parameters that a test wants other than small. */
import type { Rules } from '../../kernel-model/index.ts';
import {
  DEFAULT_PARAMETERS,
  designOf,
  File,
  Kernel,
  kernelNamed,
  rulesOf,
  type NamedKernel,
  type Parameters,
} from '../../kernel-model/index.ts';

/** Small enough that a check of everything costs nothing. */
const SMALL: Parameters = { ...DEFAULT_PARAMETERS, frames: 256, hugePages: 4, tlbEntries: 16, assembleThreshold: 1 };

export interface Wanted {
  readonly kernel?: string;
  readonly parameters?: Partial<Parameters>;
  readonly files?: readonly File[];
  /** Rules instead of the kernel's. */
  readonly rules?: Rules;
}

export function named(name: string): NamedKernel {
  const kernel = kernelNamed(name);
  if (typeof kernel === 'string') throw new Error(kernel);
  return kernel;
}

/** What a kernel is made from. */
export function configOf({ kernel = 'kevlar', parameters = {}, files = [], rules }: Wanted = {}) {
  const found = named(kernel);
  const all = { ...SMALL, ...found.parameters, ...parameters };
  return { design: designOf(found, all), rules: rules ?? rulesOf(found), parameters: all, files };
}

export const kernelWith = (wanted: Wanted = {}): Kernel => new Kernel(configOf(wanted));

/** A file of `size` bytes, none of them zero, each telling its place. */
export const fileOf = (path: string, size: number, immutable = false): File =>
  new File(
    path,
    [],
    Uint8Array.from({ length: size }, (_, i) => 1 + ((i * 7 + (i >>> 12) * 31) % 255)),
    immutable,
  );
