/** What the viewer shows of a huge page: each of its pages, where their bytes came from, which are wrong, and the VMAs in them. */
import { floorTo, PAGE_BYTES, vpnOf, type Kernel, type Vma } from '../../kernel-model/index.ts';
import type { Reference } from '../reference/reference.ts';
import { cachedFrames, frameAt, piecesOf, spaceOf, wrongBytes, type Piece, type Range } from './page-pieces.ts';

/** A VMA's part of a page. */
export interface VmaPart extends Range {
  readonly role: string;
  readonly name: string;
  /** File offset at `start` of the part. */
  readonly offset: number | undefined;
}

export interface CellView {
  readonly address: number;
  readonly frame: number | undefined;
  /** Empty if the page is not mapped. */
  readonly pieces: readonly Piece[];
  readonly wrong: readonly Range[];
  readonly vmas: readonly VmaPart[];
}

export interface RegionView {
  readonly start: number;
  /** Mapped by one huge leaf. */
  readonly isHuge: boolean;
  readonly cells: readonly CellView[];
}

/** The region of `hugePages` pages that contains an address, as a process sees it; undefined if there is no such process. */
export function viewRegion(kernel: Kernel, reference: Reference, pid: number, address: number): RegionView | undefined {
  const space = spaceOf(kernel, pid);
  if (space === undefined) return undefined;
  const { hugePages } = kernel.parameters;
  const start = floorTo(address, hugePages * PAGE_BYTES);
  const cached = cachedFrames(kernel);
  const cells = Array.from({ length: hugePages }, (_, i): CellView => {
    const page = start + i * PAGE_BYTES;
    const vmas = space.vmas.onPage(page);
    const frame = frameAt(kernel, space, page);
    return {
      address: page,
      frame,
      pieces: frame === undefined ? [] : piecesOf(kernel, vmas, frame, page, cached),
      wrong: frame === undefined ? [] : wrongBytes(kernel, reference, pid, page),
      vmas: vmas.map((vma) => partOf(vma, page)),
    };
  });
  const isHuge = start < kernel.design.userEnd && kernel.tables.hugeLeafOf(space.root, vpnOf(start)) !== 0;
  return { start, isHuge, cells };
}

function partOf(vma: Vma, page: number): VmaPart {
  const from = Math.max(vma.start, page);
  return {
    start: from - page,
    end: Math.min(vma.end, page + PAGE_BYTES) - page,
    role: vma.role,
    name: vma.backing === undefined ? `[${vma.role}]` : vma.backing.file.path,
    offset: vma.backing === undefined ? undefined : vma.backing.offset + from - vma.start,
  };
}
