/**
 * The state of one process of the model as a result line has it: VMAs, page states, mincore's answer, changed pages, the heap's end.
 *
 * It only looks. What the letters mean is said in traces/sequences/result.ts.
 */
import {
  isValid,
  frameOfPte,
  mincoreVector,
  pageStates,
  PAGE_BYTES,
  protName,
  VM,
  vpn,
  vpnOf,
  type AddressSpace,
  type Kernel,
  type Vma,
} from '../../kernel-model/index.ts';
import { formatPlace, placeOf, type Arena } from '../../traces/sequences/arena.ts';
import type { StepResult, VmaRow } from '../../traces/sequences/result.ts';
import { encodeRuns } from '../../traces/sequences/run-length.ts';
import { pageHash, ZERO_PAGE_HASH, type HashBook } from './page-hash.ts';

/** What is looked at: one process's space, as far as the arena goes. */
export interface View {
  readonly kernel: Kernel;
  readonly space: AddressSpace;
  /** Index of the process in the sequence. */
  readonly process: number;
  readonly arena: Arena;
  /** Is the end of the heap part of the lines? */
  readonly hasHeap: boolean;
}

export function stateOf(view: View, hashes: HashBook): StepResult {
  const { kernel, space, arena } = view;
  const first = vpnOf(arena.start);
  const end = vpn(first + arena.pages);
  const changed = changedPages(view, hashes);
  return {
    v: vmaRows(space, arena),
    pg: encodeRuns(pageStates(kernel, space, first, end)),
    mc: encodeRuns(mincoreVector(kernel, space, first, end)),
    ...(Object.keys(changed).length === 0 ? {} : { d: changed }),
    ...(view.hasHeap ? { brk: formatPlace(placeOf(space.heapEnd, arena)) } : {}),
  };
}

// ---- VMAs.

/** The VMAs with a page in the arena, cut at its ends. */
function vmaRows(space: AddressSpace, arena: Arena): VmaRow[] {
  const arenaEnd = arena.start + arena.pages * PAGE_BYTES;
  return space.vmas.overlapping(arena.start, arenaEnd).map((vma): VmaRow => {
    const start = Math.max(vma.start, arena.start);
    const end = Math.min(vma.end, arenaEnd);
    const offset = vma.backing === undefined ? 0 : (vma.backing.offset + start - vma.start) / PAGE_BYTES;
    return [(start - arena.start) / PAGE_BYTES, (end - arena.start) / PAGE_BYTES, rightsOf(vma), backingOf(vma), offset, flagsOf(vma)];
  });
}

/** As /proc/PID/maps: `rw-p`. */
const rightsOf = ({ prot, shared }: Vma): string =>
  `${['r', 'w', 'x'].map((right) => (protName(prot).includes(right) ? right : '-')).join('')}${shared ? 's' : 'p'}`;

function backingOf({ backing }: Vma): VmaRow[3] {
  if (backing === undefined) return '-';
  const { path } = backing.file;
  return path === '/f0' ? 'f0' : path === '/f1' ? 'f1' : path.startsWith('[shared') ? 'sa' : '?';
}

/** VmFlags of /proc/PID/smaps in its order, that of the bits. */
// prettier-ignore
const FLAG_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [VM.GROWSDOWN, 'gd'], [VM.MAYBE_GUARD, 'gu'], [VM.LOCKED, 'lo'], [VM.SEQ_READ, 'sr'], [VM.RAND_READ, 'rr'], [VM.DONTCOPY, 'dc'],
  [VM.ACCOUNT, 'ac'], [VM.NORESERVE, 'nr'], [VM.WIPEONFORK, 'wf'], [VM.DONTDUMP, 'dd'], [VM.HUGEPAGE, 'hg'], [VM.NOHUGEPAGE, 'nh'],
];

function flagsOf({ shared, linux }: Vma): string {
  const names = FLAG_NAMES.filter(([bit]) => ((linux?.flags ?? 0) & bit) !== 0).map(([, name]) => name);
  return [...(shared ? ['ms'] : []), ...names].join(' ');
}

// ---- Contents.

/** The hash of each present page that is not what the process's last line says. */
function changedPages({ kernel, space, process, arena }: View, hashes: HashBook): Record<string, string> {
  const first = vpnOf(arena.start);
  const changed: Record<string, string> = {};
  const present = new Set<number>();
  kernel.tables.eachPageIn(space.root, first, vpn(first + arena.pages), (page, entry) => {
    if (!isValid(entry)) return;
    const frame = frameOfPte(entry);
    present.add(page - first);
    const hash = kernel.isZeroPage(frame) ? ZERO_PAGE_HASH : pageHash(kernel.memory.words, kernel.memory.wordOf(frame));
    if (hashes.note(process, page - first, hash)) changed[page - first] = hash;
  });
  hashes.keep(process, present);
  return changed;
}
