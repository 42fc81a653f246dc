/** What the viewer shows of an address space: VMAs, the state of their pages, and what the last op changed. */
import {
  describeVma,
  frameOfPte,
  isValid,
  PAGE_BYTES,
  protName,
  vaddrOf,
  type AddressSpace,
  type Kernel,
  type Vma,
} from '../../kernel-model/index.ts';
import type { Reference } from '../reference/reference.ts';
import { protOfEntry, spaceOf, wrongBytes } from './page-pieces.ts';

/** Neighbouring pages of one state; absent pages are left out. */
export interface PageRun {
  /** Address of the first page. */
  readonly start: number;
  readonly pages: number;
  /** `rwx` form of what the entry allows; `---` for an entry that keeps its frame and allows nothing. */
  readonly prot: string;
  readonly isHuge: boolean;
  /** Someone else holds the frame too. */
  readonly isShared: boolean;
  /** The last op made or changed the entry. */
  readonly isChanged: boolean;
  /** A byte differs from the reference. */
  readonly isWrong: boolean;
}

export interface VmaView {
  readonly start: number;
  readonly end: number;
  readonly prot: string;
  readonly isShared: boolean;
  readonly role: string;
  /** Path of the file, or the role in brackets. */
  readonly name: string;
  /** File offset of the first byte. */
  readonly offset: number | undefined;
  readonly mappedPages: number;
  readonly isChanged: boolean;
}

export interface SpaceView {
  readonly pid: number;
  readonly vmas: readonly VmaView[];
  /** VMAs that the last op removed, or that were otherwise before, one line each. */
  readonly removed: readonly string[];
  /** Ascending. */
  readonly runs: readonly PageRun[];
  /** Pages that the last op unmapped. */
  readonly unmapped: number;
  readonly mappedPages: number;
  /** Start addresses of pages with wrong bytes, ascending. */
  readonly wrongPages: readonly number[];
  readonly heap: readonly [start: number, end: number];
}

/** What is compared of a space before and after an op. */
export interface SpaceState {
  readonly vmas: ReadonlySet<string>;
  /** By page number the entry, and whether it is huge. */
  readonly entries: ReadonlyMap<number, string>;
}

/** More mapped pages than this are not compared with the reference at each step. */
const COMPARED_PAGES_MAX = 8192;

/** The state of a process's space, to compare a later one with; of no process an empty one. */
export function spaceState(kernel: Kernel, pid: number): SpaceState {
  const space = spaceOf(kernel, pid);
  const entries = new Map<number, string>();
  if (space === undefined) return { vmas: new Set(), entries };
  kernel.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => entries.set(page, `${entry} ${isHuge}`));
  return { vmas: new Set(space.vmas.ascending.map(describeVma)), entries };
}

/** @returns undefined if there is no such process */
export function viewSpace(kernel: Kernel, reference: Reference, pid: number, before: SpaceState): SpaceView | undefined {
  const space = spaceOf(kernel, pid);
  if (space === undefined) return undefined;
  const runs = new Runs();
  const wrongPages: number[] = [];
  const compared = { left: COMPARED_PAGES_MAX };
  let mappedPages = 0;
  const entries = new Set<number>();
  kernel.tables.eachEntry(space.root, (page, entry, _slot, isHuge) => {
    entries.add(page);
    const pages = isHuge ? kernel.parameters.hugePages : 1;
    if (isValid(entry)) mappedPages += pages;
    const state = { ...stateOf(kernel, entry, isHuge), isChanged: before.entries.get(page) !== `${entry} ${isHuge}` };
    for (let i = 0; i < pages; i++) {
      const start = vaddrOf(page + i);
      const isWrong = isValid(entry) && compared.left-- > 0 && wrongBytes(kernel, reference, pid, start).length > 0;
      if (isWrong) wrongPages.push(start);
      runs.add({ ...state, start, isWrong });
    }
  });
  const vmas = space.vmas.ascending.map((vma) => viewVma(vma, runs.list, before));
  const now = new Set(space.vmas.ascending.map(describeVma));
  return {
    pid,
    vmas,
    removed: [...before.vmas].filter((line) => !now.has(line)),
    runs: runs.list,
    unmapped: [...before.entries.keys()].filter((page) => !entries.has(page)).length,
    mappedPages,
    wrongPages,
    heap: heapOf(space),
  };
}

const heapOf = ({ heapStart, heapEnd }: AddressSpace): readonly [number, number] => [heapStart, heapEnd];

function stateOf(kernel: Kernel, entry: number, isHuge: boolean): Pick<PageRun, 'prot' | 'isHuge' | 'isShared'> {
  const frame = frameOfPte(entry);
  return { prot: protOfEntry(entry), isHuge, isShared: kernel.frames.exists(frame) && kernel.frames.refs[frame]! > 1 };
}

function viewVma(vma: Vma, runs: readonly PageRun[], before: SpaceState): VmaView {
  const { start, end, prot, shared, role, backing } = vma;
  return {
    start,
    end,
    prot: protName(prot),
    isShared: shared,
    role,
    name: backing === undefined ? `[${role}]` : backing.file.path,
    offset: backing?.offset,
    mappedPages: mappedIn(runs, start, end),
    isChanged: !before.vmas.has(describeVma(vma)),
  };
}

/** Pages of the runs that have a byte in [start, end). */
function mappedIn(runs: readonly PageRun[], start: number, end: number): number {
  const [first, last] = [Math.floor(start / PAGE_BYTES), Math.ceil(end / PAGE_BYTES)];
  return runs.reduce((sum, run) => {
    const at = run.start / PAGE_BYTES;
    return sum + Math.max(0, Math.min(last, at + run.pages) - Math.max(first, at));
  }, 0);
}

/** Joins neighbouring pages of one state. */
class Runs {
  readonly list: PageRun[] = [];

  add(page: Omit<PageRun, 'pages'>): void {
    const last = this.list.at(-1);
    if (last !== undefined && last.start + last.pages * PAGE_BYTES === page.start && isSame(last, page))
      this.list[this.list.length - 1] = { ...last, pages: last.pages + 1 };
    else this.list.push({ ...page, pages: 1 });
  }
}

const STATE_FIELDS = ['prot', 'isHuge', 'isShared', 'isChanged', 'isWrong'] as const;
const isSame = (a: PageRun, b: Omit<PageRun, 'pages'>): boolean => STATE_FIELDS.every((field) => a[field] === b[field]);
