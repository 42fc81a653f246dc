/**
 * Copies of the reference reader's state, to go back to together with a snapshot of the machine.
 *
 * The reference could also be run again from the start, but not without the kernel whose answers it takes over. It is small
 * (a list of VMAs and the written pages of each living process), so it is copied. Restoring makes every space anew, so a copy can be
 * restored any number of times; two processes that share a space after vfork share it afterwards too.
 */
import type { File } from '../../kernel-model/index.ts';
import type { Reference, ReferenceSpace } from '../reference/reference.ts';

export interface ReferenceCopy {
  readonly spaces: ReadonlyMap<number, ReferenceSpace>;
  readonly files: readonly (readonly [File, ReturnType<File['snapshot']>])[];
  readonly nextObject: number;
  /** About how much memory the copy takes. */
  readonly bytes: number;
}

/** Bytes of a written page: its content, and which of it was written. */
const WRITTEN_PAGE_BYTES = 8192;

export function copyReference(reference: Reference): ReferenceCopy {
  const spaces = copySpaces(reference.spaces);
  const files = new Set([...reference.files.values(), ...[...spaces.values()].flatMap(filesIn)]);
  const pages = [...new Set(spaces.values())].reduce((sum, { written }) => sum + written.size, 0);
  return {
    spaces,
    files: [...files].filter((file) => !file.immutable).map((file) => [file, file.snapshot()] as const),
    nextObject: reference.nextObject,
    bytes: pages * WRITTEN_PAGE_BYTES,
  };
}

/** Puts the reference that the copy was made of back into that state. */
export function restoreReference(reference: Reference, from: ReferenceCopy): void {
  reference.spaces.clear();
  for (const [pid, space] of copySpaces(from.spaces)) reference.spaces.set(pid, space);
  for (const [file, state] of from.files) file.restore(state);
  reference.nextObject = from.nextObject;
}

function copySpaces(spaces: ReadonlyMap<number, ReferenceSpace>): Map<number, ReferenceSpace> {
  const copies = new Map<ReferenceSpace, ReferenceSpace>();
  for (const space of spaces.values()) if (!copies.has(space)) copies.set(space, copySpace(space));
  return new Map([...spaces].map(([pid, space]) => [pid, copies.get(space)!]));
}

const copySpace = (space: ReferenceSpace): ReferenceSpace => ({
  ...space,
  vmas: [...space.vmas],
  guards: new Set(space.guards),
  written: new Map([...space.written].map(([page, { bytes, has }]) => [page, { bytes: bytes.slice(), has: has.slice() }])),
});

const filesIn = (space: ReferenceSpace): readonly File[] =>
  space.vmas.flatMap(({ backing }) => (backing === undefined ? [] : [backing.file]));
