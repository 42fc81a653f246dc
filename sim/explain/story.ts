/**
 * The story of a failure: a second run of the same ops, in which everything is noted that concerns the failing byte, page or
 * frame, and every wrong answer of a rule.
 *
 * What concerns it is known from the first run: the page, the frames that the wrong byte went through, the file page that it
 * should come from. A frame's story is that of the life in which it mattered; earlier and later lives are left out.
 */
import { floorToPage, PAGE_BYTES, describeVma, type KernelEvent } from '../../kernel-model/index.ts';
import type { Op } from '../../traces/op.ts';
import { windowAround, type ByteWindow } from '../byte-window.ts';
import type { Finding } from '../finding.ts';
import type { Replay } from '../replay.ts';
import type { Watcher } from '../watcher.ts';
import type { RuleName, WrongAnswer } from './spy.ts';

/** An event that concerns the failure, and the wrong answers given just before it. */
export interface StoryEvent {
  readonly op: number;
  readonly event: KernelEvent;
  readonly wrong: readonly WrongAnswer[];
}

/** The wrong answers of one rule. */
export interface WrongAnswers {
  readonly count: number;
  readonly first: WrongAnswer;
  /** Not after the failure. */
  readonly last: WrongAnswer;
}

/** The exec that gave a process its program. */
export interface Image {
  readonly op: number;
  readonly argv: readonly string[];
}

/** What was there when the failure was found. */
export interface Scene {
  readonly image: Image | undefined;
  /** Every VMA with a byte in the failing page, by the reference. */
  readonly vmas: readonly string[];
  /** VMAs of the process that show a byte of the same file page. */
  readonly sharers: readonly string[];
  readonly window: ByteWindow | undefined;
}

/** Frames that are still held at the end of the run: how many, since which op, what for. */
export interface Leak {
  readonly op: number;
  readonly use: string;
  readonly frames: number;
}

/** What a story is about. */
export interface Subject {
  readonly finding: Finding;
  /** The last op that was run before it was found. */
  readonly lastOp: number;
  /** Frames by the op at which they mattered. */
  readonly frames: ReadonlyMap<number, number>;
  readonly page: { readonly pid: number; readonly start: number } | undefined;
  readonly filePage: { readonly path: string; readonly index: number } | undefined;
}

/** What a finding is about: its page, the frames that its message names or its byte went through, its file page. */
export function subjectOf(finding: Finding, opCount: number): Subject {
  const { address, byte, pid, message, op } = finding;
  const frames = new Map<number, number>();
  for (const [, digits] of message.matchAll(/\bframe (0x[0-9a-f]+|\d+)/g)) frames.set(Number(digits), op);
  for (const hop of byte?.provenance?.hops ?? []) frames.set(hop.from, hop.op);
  if (byte?.frame !== undefined) frames.set(byte.frame, op);
  const page = pid === undefined || address === undefined ? undefined : { pid, start: floorToPage(address) };
  const lastOp = Math.min(op, opCount - 1);
  return { finding, lastOp, frames, page, filePage: filePageOf(finding) };
}

/** The file page that a byte should come from, or came from, or that a message names. */
function filePageOf({ byte, message }: Finding): Subject['filePage'] {
  const origin = byte?.provenance?.origin;
  if (typeof byte?.backing === 'object') return { path: byte.backing.path, index: Math.floor(byte.backing.offset / PAGE_BYTES) };
  if (byte !== undefined && origin?.kind === 'file') {
    const { offset, path } = origin;
    return { path, index: Math.floor((offset + byte.offsetInPage - byte.provenance!.start) / PAGE_BYTES) };
  }
  const [, index, path] = /cached page (\d+) of (\S+)/.exec(message) ?? [];
  return index === undefined ? undefined : { path: path!, index: Number(index) };
}

/** Events kept in all; of a longer story the middle is lost. */
const EVENTS_MAX = 20_000;

export class StoryTeller implements Watcher {
  readonly events: StoryEvent[] = [];
  /** By rule, up to the failure. */
  readonly wrong = new Map<RuleName, WrongAnswers>();
  scene: Scene | undefined;
  private readonly replay: Replay;
  private readonly subject: Subject;
  private readonly images = new Map<number, Image>();
  private readonly live = new Map<number, { readonly op: number; readonly use: string; readonly count: number }>();
  private op = 0;
  private isFoundBeforeExits: boolean | undefined;
  private pending: WrongAnswer[] = [];
  private unit: WrongAnswer[] = [];
  /** The region that is being assembled, in frames and addresses. */
  private block: { readonly base: number; readonly frame: number } | undefined;

  constructor(replay: Replay, subject: Subject) {
    this.replay = replay;
    this.subject = subject;
  }

  /** A rule has answered wrongly. */
  hear(wrong: Omit<WrongAnswer, 'op'>): void {
    const { op } = this;
    const answer = { op, ...wrong };
    this.pending.push(answer);
    if (this.isTooLate()) return;
    const known = this.wrong.get(wrong.rule);
    this.wrong.set(wrong.rule, { count: (known?.count ?? 0) + 1, first: known?.first ?? answer, last: answer });
  }

  before(_op: Op, index: number): void {
    this.op = index;
    this.pending = [];
    this.unit = [];
    // What is compared before an op is found before it.
    if (index === this.subject.finding.op && this.isFound()) this.look();
  }

  after(op: Op, index: number, result: number | string): void {
    const image = this.images.get(op.pid);
    if (op.op === 'exec' && result === 0) this.images.set(op.pid, { op: index, argv: op.argv ?? [op.path] });
    else if ((op.op === 'fork' || op.op === 'vfork') && typeof result === 'number' && image !== undefined) this.images.set(op.child, image);
    if (index === this.subject.lastOp && this.scene === undefined) this.look();
    // What happens behind the last op belongs to the end of the run.
    this.op = index + 1;
    this.pending = [];
    this.unit = [];
  }

  event(event: KernelEvent): void {
    const fresh = this.pending;
    this.pending = [];
    // A fault's decisions come before it, and so do those about a page of a block.
    if (event.type === 'page_fault' || event.type === 'assembly_page') this.unit = fresh;
    else this.unit.push(...fresh);
    this.countFrames(event);
    if (event.type === 'assembly_begin') this.block = { base: event.huge_base, frame: event.frame };
    if (this.concerns(event) && !this.isTooLate() && this.events.length < EVENTS_MAX)
      this.events.push({ op: this.op, event, wrong: this.unit });
  }

  /** To be called when the run is over and everything should be free. */
  leaks(): readonly Leak[] {
    const leaks = new Map<string, Leak>();
    for (const { op, use, count } of this.live.values()) {
      const key = `${op} ${use}`;
      leaks.set(key, { op, use, frames: (leaks.get(key)?.frames ?? 0) + count });
    }
    return [...leaks.values()].sort((a, b) => b.frames - a.frames || a.op - b.op);
  }

  private countFrames(event: KernelEvent): void {
    if (event.type === 'frame_allocated') this.live.set(event.frame, { op: this.op, use: event.use, count: 2 ** event.order });
    else if (event.type === 'frame_freed') this.live.delete(event.frame);
  }

  /** Is the failure found already? What the processes’ exits bring is later than what was found before them. */
  private isTooLate(): boolean {
    const { finding, lastOp } = this.subject;
    if (this.op <= lastOp) return false;
    if (finding.op <= lastOp) return true;
    this.isFoundBeforeExits ??= this.isFound();
    return this.isFoundBeforeExits;
  }

  private isFound(): boolean {
    const { kind, id } = this.subject.finding;
    return this.replay.checker?.findings.some((one) => one.kind === kind && one.id === id) === true;
  }

  // ---- What concerns the failure.

  private concerns(event: KernelEvent): boolean {
    const { frames, page, filePage } = this.subject;
    switch (event.type) {
      case 'assembly_page': {
        const start = event.huge_base + event.sub_page * PAGE_BYTES;
        const frame = (this.block?.frame ?? 0) + event.sub_page;
        return frames.has(frame) || page?.start === start;
      }
      case 'assembly_begin':
      case 'huge_cache_hit':
        return this.isInFrames(event.frame, this.replay.machine.kernel.parameters.hugePages);
      case 'frame_allocated':
      case 'frame_freed':
        return this.isInFrames(event.frame, 2 ** event.order);
      case 'page_mapped':
        return this.isInFrames(event.frame, event.pages) || this.isPage(event.pid, event.vaddr, event.pages);
      case 'page_unmapped':
      case 'protection_changed':
        return this.isPage(event.pid, event.vaddr, event.pages);
      case 'page_fault':
        return this.isPage(event.pid, floorToPage(event.vaddr), 1);
      case 'cow_copy':
        return frames.has(event.from) || frames.has(event.to) || this.isPage(event.pid, floorToPage(event.vaddr), 1);
      case 'cow_reuse':
        return frames.has(event.frame) || this.isPage(event.pid, floorToPage(event.vaddr), 1);
      case 'cache_insert':
      case 'cache_hit':
      case 'cache_evict':
        return frames.has(event.frame) || (event.path === filePage?.path && event.index === filePage.index);
      case 'write_back':
        return event.path === filePage?.path && event.index === filePage.index;
      case 'short_read':
      case 'file_resized':
        return event.path === filePage?.path;
      case 'double_free':
      case 'refcount_refused':
      case 'refcount_underflow':
        return frames.has(event.frame);
      case 'huge_split':
        return page?.pid === event.pid && this.isPage(event.pid, event.huge_base, this.replay.machine.kernel.parameters.hugePages);
      default:
        return false;
    }
  }

  private isInFrames(first: number, count: number): boolean {
    for (const frame of this.subject.frames.keys()) if (first <= frame && frame < first + count) return true;
    return false;
  }

  private isPage(pid: number, address: number, pages: number): boolean {
    const { page } = this.subject;
    return page?.pid === pid && address <= page.start && page.start < address + pages * PAGE_BYTES;
  }

  // ---- The scene.

  private look(): void {
    const { reference } = this.replay;
    const { page, finding, filePage } = this.subject;
    const { pid, address } = finding;
    const image = pid === undefined ? undefined : this.images.get(pid);
    if (page === undefined || address === undefined || reference?.has(page.pid) !== true) {
      this.scene = { image, vmas: [], sharers: [], window: undefined };
      return;
    }
    const vmas = reference.onPage(page.pid, page.start);
    const sharers = reference.space(page.pid).vmas.filter(({ backing }) => {
      if (backing === undefined || filePage === undefined || backing.file.path !== filePage.path || backing.fileBytes === 0) return false;
      return Math.floor(backing.offset / PAGE_BYTES) <= filePage.index && filePage.index * PAGE_BYTES < backing.offset + backing.fileBytes;
    });
    const inOrder = <V extends { readonly start: number }>(list: readonly V[]): V[] => [...list].sort((a, b) => a.start - b.start);
    this.scene = {
      image,
      vmas: inOrder(vmas).map(describeVma),
      sharers: inOrder(sharers).map(describeVma),
      window: windowAround(this.replay, page.pid, this.subject.finding),
    };
  }
}
