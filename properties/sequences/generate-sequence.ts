/**
 * Random sequences of memory calls: a sequence is a function of a seed and a number.
 *
 * They are for the model and a real kernel alike, so an op may do anything that changes nothing outside the arena. Places come from what the
 * generator believes to be mapped: edges, insides, holes.
 */
import { createPrng, type Stream } from '../../sim/prng.ts';
import { ARENAS, NULL_PLACE, type Arena, type Mode, type Place } from '../../traces/sequences/arena.ts';
import { PROCESSES_MAX, type FileName, type OpName, type SequenceOp, type SequenceOpOf } from '../../traces/sequences/op.ts';
import type { Sequence } from '../../traces/sequences/sequence.ts';
import { Belief } from './belief.ts';
import * as weights from './weights.ts';
import { weighted } from './weights.ts';

export interface SequenceOptions {
  /** How many ops. */
  readonly ops: number;
  /** Instead of one that is drawn. */
  readonly mode?: Mode | undefined;
}

/** The sequence number `id` of a seed. */
export function generateSequence(seed: string, id: number, { ops, mode }: SequenceOptions): Sequence {
  const draw = createPrng(seed).stream(`sequence ${id}`);
  const drawn = weighted(draw, weights.MODES);
  const writer = new SequenceWriter(draw, mode ?? drawn);
  return { id, mode: mode ?? drawn, ops: Array.from({ length: ops }, () => writer.next()) };
}

const PAGE_BYTES = 4096;
const PAGES_OF_HUGE_PAGE = 512;
/** Small arenas are used in their middle, so that ranges meet. */
const [HOT_START, HOT_PAGES] = [10, 44];

class SequenceWriter {
  private readonly draw: Stream;
  private readonly mode: Mode;
  private readonly arena: Arena;
  /** By process; undefined when it has ended. */
  private readonly beliefs: (Belief | undefined)[];
  private process = 0;

  constructor(draw: Stream, mode: Mode) {
    this.draw = draw;
    this.mode = mode;
    this.arena = ARENAS[mode];
    this.beliefs = [new Belief(this.arena.pages)];
  }

  next(): SequenceOp {
    const live = this.beliefs.flatMap((belief, process) => (belief === undefined ? [] : [process]));
    this.process = this.draw.chance(0.5) ? live.at(-1)! : this.draw.pick(live);
    if (this.mode === 'brk' && this.draw.chance(weights.BRK_CHANCE)) return this.brk();
    return this.op(weighted(this.draw, weights.OPS));
  }

  private op(name: OpName): SequenceOp {
    const { draw, process } = this;
    switch (name) {
      case 'mmap':
        return this.mmap();
      case 'munmap': {
        const range = this.range();
        this.note(range, false);
        return { op: name, process, ...range };
      }
      case 'mprotect': {
        const prot = weighted(draw, weights.PROTS);
        return { op: name, process, ...this.range(), prot: draw.chance(weights.GROWSDOWN_CHANCE) ? [...prot, 'D'] : prot };
      }
      case 'mremap':
        return this.mremap();
      case 'madvise':
        return { op: name, process, ...this.range(), advice: weighted(draw, this.isHuge() ? weights.ADVICES_OF_HUGE : weights.ADVICES) };
      case 'mlock':
      case 'munlock':
        return this.isHuge() ? this.access('w') : { op: name, process, ...this.range() };
      case 'msync':
      case 'mincore':
        return { op: name, process, ...this.range() };
      case 'fork':
        return this.fork();
      case 'exit':
        return this.exit();
      case 'ftrunc':
        return { op: name, process, file: draw.pick(['f0', 'f1']), size: draw.pick(weights.FILE_SIZES) };
      case 'fwrite':
        return { op: name, process, file: draw.pick(['f0', 'f1']), offset: this.fileOffset(), value: draw.int(256) };
      case 'fread':
        return { op: name, process, file: draw.pick(['f0', 'f1']), offset: this.fileOffset() };
      case 'sysread':
        return { op: name, process, file: draw.pick(['f0', 'f1', 'f2']), ...this.transfer() };
      case 'syswrite':
        return { op: name, process, file: draw.pick(['f0', 'f1']), ...this.transfer() };
      case 'r':
        return this.access('r');
      default:
        return this.access('w');
    }
  }

  // ---- Places.

  private get belief(): Belief {
    return this.beliefs[this.process]!;
  }

  private isHuge(): boolean {
    return this.mode === 'huge';
  }

  private place(page: number, offset = 0): Place {
    return { arena: this.arena.letter, offset: page * PAGE_BYTES + offset };
  }

  /** A page where a range may begin: at or near an edge, within a mapping, in a hole, anywhere. */
  private page(): number {
    const { draw, belief } = this;
    const kind = draw.int(100);
    const anywhere = this.isHuge() ? this.hugePage() : HOT_START + draw.int(HOT_PAGES);
    if (kind < 35) return belief.edge(draw) ?? anywhere;
    if (kind < 50) return this.inside((belief.edge(draw) ?? anywhere) + draw.int(5) - 2);
    if (kind < 70) return belief.page(draw, true) ?? anywhere;
    return anywhere;
  }

  private inside(page: number): number {
    return Math.min(Math.max(page, 0), this.arena.pages - 1);
  }

  /** Mostly the start of a block of a huge page, or a page beside it. */
  private hugePage(): number {
    const { draw, arena } = this;
    const block = draw.int(arena.pages / PAGES_OF_HUGE_PAGE) * PAGES_OF_HUGE_PAGE;
    const kind = draw.int(10);
    if (kind < 6) return block;
    return this.inside(kind < 8 ? block + draw.pick([-1, 1, PAGES_OF_HUGE_PAGE / 2]) : block + draw.int(PAGES_OF_HUGE_PAGE));
  }

  private length(pages: number): bigint {
    const { draw } = this;
    if (draw.chance(weights.ODD_LENGTH_CHANCE)) return weighted(draw, weights.ODD_LENGTHS);
    return BigInt(pages * PAGE_BYTES + weighted(draw, weights.ODD_BYTES));
  }

  private pages(): number {
    return weighted(this.draw, this.isHuge() ? weights.PAGES_OF_HUGE : weights.PAGES);
  }

  /** A range that mostly ends inside the arena. */
  private range(start = this.page()): { readonly addr: Place; readonly length: bigint } {
    const { draw, arena } = this;
    const room = arena.pages - start;
    const pages = draw.chance(0.98) ? Math.min(this.pages(), room) : this.pages();
    const offset = draw.chance(weights.UNALIGNED_CHANCE) ? draw.pick([1, 0x800, 0xfff]) : 0;
    return { addr: this.place(start, offset), length: this.length(pages) };
  }

  private note({ addr, length }: { readonly addr: Place; readonly length: bigint }, isMapped: boolean): void {
    if (length < 2n ** 40n) this.belief.set(addr.offset / PAGE_BYTES, Math.ceil(Number(length) / PAGE_BYTES), isMapped);
  }

  private fileOffset(): number {
    return this.draw.int(7) * PAGE_BYTES + this.draw.pick(weights.BYTE_OFFSETS);
  }

  // ---- Ops.

  private access(op: 'r' | 'w'): SequenceOp {
    const { draw, process, belief } = this;
    const page = (draw.chance(0.7) ? belief.page(draw, true) : undefined) ?? this.page();
    const addr = this.place(page, draw.pick(weights.BYTE_OFFSETS));
    return op === 'w' ? { op, process, addr, value: draw.int(256) } : { op, process, addr };
  }

  private mmap(): SequenceOpOf<'mmap'> {
    const { draw, process } = this;
    const drawn = weighted(draw, weights.MAP_FLAGS);
    const flags = !this.isHuge() && draw.chance(weights.LOCKED_CHANCE) ? [...drawn, 'L' as const] : drawn;
    const range = this.range();
    const isFixed = flags.includes('F') || flags.includes('N');
    const isAnywhere = !isFixed && draw.chance(0.8);
    const addr = isAnywhere ? NULL_PLACE : range.addr;
    const placed = isAnywhere ? this.belief.gapFor(Math.ceil(Number(range.length % 2n ** 40n) / PAGE_BYTES)) : undefined;
    if (!isAnywhere) this.note(range, true);
    else if (placed !== undefined) this.note({ addr: this.place(placed), length: range.length }, true);
    const file = flags.includes('a') ? undefined : weighted(draw, FILES);
    const offset = file === undefined && draw.chance(0.97) ? 0 : draw.pick(weights.FILE_PAGES) * PAGE_BYTES;
    const odd = draw.chance(weights.UNALIGNED_CHANCE) ? draw.pick([1, 0x800]) : 0;
    return { op: 'mmap', process, addr, length: range.length, prot: weighted(draw, weights.PROTS), flags, file, offset: offset + odd };
  }

  private mremap(): SequenceOpOf<'mremap'> {
    const { draw, process, belief } = this;
    const start = belief.edge(draw) ?? this.page();
    const mapped = belief.lengthFrom(start);
    const whole = { addr: this.place(start), length: BigInt(mapped * PAGE_BYTES) };
    const range = mapped > 0 && draw.chance(0.6) ? whole : this.range(start);
    const change = draw.int(10);
    const other = change < 4 ? range.length : change < 5 ? 0n : this.length(this.pages());
    const newLength = change >= 5 && change < 8 ? range.length + other : other;
    const flags = weighted(draw, weights.REMAP_FLAGS);
    const newAddr = this.place(this.page());
    if (flags.includes('m') && flags.includes('f') && newLength > 0n) {
      if (!flags.includes('d')) this.note(range, false);
      this.note({ addr: newAddr, length: newLength }, true);
    }
    return { op: 'mremap', process, ...range, newLength: newLength > 2n ** 47n ? other : newLength, flags, newAddr };
  }

  private brk(): SequenceOpOf<'brk'> {
    const { draw, process } = this;
    const kind = draw.int(20);
    const pages = draw.chance(0.8) ? draw.int(16) : draw.int(66);
    const offset = pages * PAGE_BYTES + draw.pick([0, 0, 0, 1, 0x123, -1]);
    const addr: Place = kind === 0 ? NULL_PLACE : { arena: 'b', offset: kind === 1 ? -PAGE_BYTES : offset };
    if (kind > 1 && pages < 64) this.belief.set(0, pages, true);
    return { op: 'brk', process, addr };
  }

  private fork(): SequenceOp {
    const { process, belief } = this;
    if (this.beliefs.length < PROCESSES_MAX) this.beliefs.push(belief.copy());
    return { op: 'fork', process };
  }

  /** Somebody stays. */
  private exit(): SequenceOp {
    const { process } = this;
    if (this.beliefs.filter((belief) => belief !== undefined).length < 2) return this.access('r');
    this.beliefs[process] = undefined;
    return { op: 'exit', process };
  }

  private transfer(): { readonly offset: number; readonly addr: Place; readonly length: bigint } {
    const { draw, arena } = this;
    const start = this.page();
    const pages = Math.min(draw.pick([1, 1, 1, 2, 3, 4, 5, 8]), arena.pages - start);
    const [shift, odd] = draw.chance(0.2) ? [draw.int(PAGE_BYTES), draw.int(PAGE_BYTES)] : [0, 0];
    return {
      offset: draw.int(6) * PAGE_BYTES,
      addr: this.place(start, shift),
      length: BigInt(Math.max(0, pages * PAGE_BYTES - Math.max(shift, odd))),
    };
  }
}

const FILES: weights.Weighted<FileName> = [
  [58, 'f0'],
  [20, 'f1'],
  [21, 'f2'],
  [1, 'bad'],
];
