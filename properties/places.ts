/**
 * Places: what a random process has to point at.
 *
 * Ops name places of earlier ops (the third mapping, page k, one byte before its end), so that the trace stays meaningful
 * when an op is left out. What exec lays out is known from the design; a mapping that the kernel places has a made-up
 * recorded address, which replay follows to the real one.
 */
import {
  DEFAULT_PARAMETERS,
  designOf,
  File,
  kernelNamed,
  loadRequest,
  planExec,
  type Design,
  type DesignName,
  type NamedKernel,
} from '../kernel-model/index.ts';
import { fileBytes } from '../traces/content.ts';
import type { FileSpec } from '../traces/header.ts';
import type { Stream } from '../sim/prng.ts';
import { drawOffset } from './images.ts';

const PAGE = 4096;

export interface Place {
  readonly start: number;
  readonly end: number;
  readonly kind: 'stack' | 'heap' | 'segment' | 'pad' | 'mapping';
  /** The file that backs it, and from where. */
  readonly file?: { readonly path: string; readonly offset: number } | undefined;
}

/** What exec of a program makes. */
export interface Program {
  readonly path: string;
  readonly places: readonly Place[];
  readonly heapStart: number;
}

/** A random process as its ops so far have made it, as far as a generator cares. */
export interface Actor {
  readonly pid: number;
  places: Place[];
  heapStart: number;
  heapEnd: number;
  readonly depth: number;
}

/** The programs among the files that exec accepts, with what it makes of each. */
export function programsOf(files: readonly FileSpec[], kernel: string, hugePages: number): readonly Program[] {
  const design = designFor(kernel, hugePages);
  const truth = new Map(files.map((spec) => [spec.path, new File(spec.path, [], fileBytes(spec), spec.segments !== undefined)]));
  return files.flatMap(({ path, segments }) => {
    const request = segments === undefined ? 'ENOEXEC' : loadRequest(truth, design.userEnd, path, ['x'], []);
    const plan = typeof request === 'string' ? request : planExec(design, request);
    if (typeof plan === 'string') return [];
    const places = plan.vmas
      .filter(({ start, end }) => start < end)
      .map(({ start, end, role, backing }): Place => ({
        start: role === 'stack' ? end - 3 * PAGE : start,
        end,
        kind: role,
        file: backing === undefined ? undefined : { path: backing.file.path, offset: backing.offset },
      }));
    return [{ path, places, heapStart: plan.heapStart }];
  });
}

const designFor = (kernel: string, hugePages: number): Design => designOf(known(kernel), { ...DEFAULT_PARAMETERS, hugePages });

/** The design of the kernel with this name. */
export const designName = (kernel: string): DesignName => known(kernel).design ?? 'kevlar';

/** @throws RangeError if there is no such kernel */
function known(kernel: string): NamedKernel {
  const found = kernelNamed(kernel);
  if (typeof found === 'string') throw new RangeError(found);
  return found;
}

/** Draws places and addresses for one run. */
export class Pointer {
  private readonly draw: Stream;
  private readonly hugePages: number;
  private readonly isUniform: boolean;

  constructor(draw: Stream, hugePages: number, isUniform: boolean) {
    this.draw = draw;
    this.hugePages = hugePages;
    this.isUniform = isUniform;
  }

  /** A place of a process: usually one of its last. */
  place({ places }: Actor): Place {
    const { draw } = this;
    const last = places.length - 1;
    const back = draw.chance(0.6) ? draw.int(Math.min(3, places.length)) : draw.int(places.length);
    return places[last - back]!;
  }

  /** An address at or near a boundary of a place, or anywhere in it. */
  address(place: Place): number {
    const { draw } = this;
    const { start, end } = place;
    if (this.isUniform) return start + draw.int(end - start);
    if (draw.chance(0.35)) {
      const at = draw.pick([start, start, start + 1, end - 1, end - 1, end, end - 8, start - 1]);
      return Math.max(0, at);
    }
    return Math.max(0, this.page(place) + drawOffset(draw, { isUniform: this.isUniform }));
  }

  /** The start of a page of a place: the first, the last, or another. */
  page({ start, end }: Place): number {
    const { draw } = this;
    const first = Math.floor(start / PAGE);
    const last = Math.ceil(end / PAGE) - 1;
    const pages = Math.max(1, last - first + 1);
    return PAGE * (draw.chance(0.5) ? draw.pick([first, last]) : first + draw.int(pages));
  }

  /** A range of whole pages: a place, a part of it, a region of huge pages in it, or all of that and a page more. */
  range(place: Place): { readonly addr: number; readonly length: number } {
    const { draw } = this;
    const first = Math.floor(place.start / PAGE);
    const end = Math.max(first + 1, Math.ceil(place.end / PAGE));
    const pages = end - first;
    const region = this.hugePages;
    const of = (from: number, to: number): { readonly addr: number; readonly length: number } => ({
      addr: Math.max(0, from) * PAGE,
      length: Math.max(1, to - Math.max(0, from)) * PAGE,
    });
    switch (draw.int(8)) {
      case 0:
      case 1:
      case 2:
        return of(first, end);
      case 3:
        return of(first, first + Math.ceil(pages / 2));
      case 4: {
        const page = first + draw.int(pages);
        return of(page, page + 1);
      }
      case 5: {
        const page = first + draw.int(pages);
        return of(page - (page % region), page - (page % region) + region);
      }
      case 6:
        return of(end - 1, end + draw.int(2));
      default:
        return of(first - draw.int(2), end + draw.int(2));
    }
  }
}
