/**
 * An experiment: Linux whose exec assembles huge pages from cached pages, as Kevlar's does (kernel `linux@assembly`).
 *
 * What changes is only who maps a program's pages first. The frames of a block belong to the cache, so to the rest of this
 * design they are pages of a file: never writable, copied by the first private store, dropped and found again by a fault.
 * VMAs lie at page bounds here and want whole pages of the file, and what exec zeroes behind .data it zeroes in a private
 * copy; so Kevlar's two M9.8 decisions, which put bytes of the file where the program expects zeros, do no harm.
 */
import { immutableFileVmas, type AddressSpace } from '../address-space.ts';
import { assembleRegions, type Assembler } from '../assembly.ts';
import type { Kernel, Operation } from '../kernel.ts';
import { mapBlock } from './huge.ts';

const ASSEMBLER: Assembler = { mapHuge: mapBlock, verify: () => undefined };

/** Maps assembled blocks over the segments of a new program, the interpreter's too. @returns false when out of frames for tables */
export const assembleSegments = (k: Kernel, space: AddressSpace): Operation<boolean> =>
  assembleRegions(
    k,
    space,
    immutableFileVmas(space).filter((vma) => vma.role === 'segment'),
    ASSEMBLER,
  );
