/**
 * Snapshots of one machine that are kept side by side: a frame that has not changed since the snapshot before is kept once.
 *
 * Most frames in use hold the page cache and stay as they are for long, so a packed snapshot has little of its own: the frames that
 * were written, and the arrays with a number for each frame.
 */
import { PAGE_BYTES } from '../../kernel-model/index.ts';
import type { MachineSnapshot } from '../machine.ts';

type KernelSnapshot = MachineSnapshot['kernel'];
type History = KernelSnapshot['provenance'] extends ReadonlyMap<unknown, infer One> ? One : never;

/** Nobody may write to any of it: others share it. */
export interface PackedSnapshot extends Omit<MachineSnapshot, 'kernel'> {
  readonly kernel: Omit<KernelSnapshot, 'bytes'>;
  /** By frame its words; the frames that were ever in use, ascending. */
  readonly pages: ReadonlyMap<number, Int32Array>;
}

const PAGE_WORDS = PAGE_BYTES / 4;

/** A snapshot, sharing what it has in common with the one before. */
export function pack({ kernel, ...machine }: MachineSnapshot, before: PackedSnapshot | undefined): PackedSnapshot {
  const { bytes, ...rest } = kernel;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const pages = new Map<number, Int32Array>();
  rest.touched.forEach((touched, frame) => {
    if (touched === 0) return;
    const first = pages.size * PAGE_WORDS;
    const known = before?.pages.get(frame);
    pages.set(frame, known !== undefined && isAt(words, first, known) ? known : words.slice(first, first + PAGE_WORDS));
  });
  const known = before?.kernel.provenance;
  const provenance = new Map([...rest.provenance].map(([frame, history]) => [frame, shared(history, known?.get(frame))] as const));
  return { ...machine, kernel: { ...rest, provenance }, pages };
}

/** What was packed, to restore a machine from. */
export function unpack({ kernel, pages, ...machine }: PackedSnapshot): MachineSnapshot {
  const words = new Int32Array(pages.size * PAGE_WORDS);
  let at = 0;
  for (const page of pages.values()) {
    words.set(page, at);
    at += PAGE_WORDS;
  }
  return { ...machine, kernel: { ...kernel, bytes: new Uint8Array(words.buffer) } };
}

/** About how much memory a packed snapshot takes beside the one before it. */
export function ownBytes({ kernel, pages }: PackedSnapshot, before: PackedSnapshot | undefined): number {
  const { tlbs, touched, uses, refs, writePins, flags, allocator, provenance } = kernel;
  const arrays: ArrayBufferView[] = [tlbs, touched, uses, refs, writePins, flags, allocator.next, allocator.previous, allocator.orders];
  for (const [frame, page] of pages) if (page !== before?.pages.get(frame)) arrays.push(page);
  const known = before?.kernel.provenance;
  for (const [frame, history] of provenance) if (history !== known?.get(frame)) arrays.push(history.recordOf);
  return [...new Set(arrays)].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The known history instead of one that says the same. Records never change, so those that say the same are mostly the same ones. */
function shared(history: History, known: History | undefined): History {
  if (known === undefined || known.records.length !== history.records.length) return history;
  const isSame = known.records.every((record, i) => record === history.records[i]);
  return isSame && (known.recordOf === history.recordOf || isAt(history.recordOf, 0, known.recordOf)) ? known : history;
}

/** Does `all` have the numbers of `part` from `first` on? */
function isAt<T extends Int32Array | Uint8Array>(all: T, first: number, part: T): boolean {
  for (let i = 0; i < part.length; i++) if (all[first + i] !== part[i]) return false;
  return true;
}
