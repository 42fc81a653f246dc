/**
 * A random script: processes, what each has to point at, and the ops written so far.
 *
 * Methods append ops and keep the book that later draws need. The book is about what was asked, not about what a kernel
 * answered: an op that fails leaves a place that is not there, and that is worth pointing at, too.
 */
import type { Op } from '../traces/op.ts';
import type { Stream } from '../sim/prng.ts';
import { Pointer, type Actor, type Place, type Program } from './places.ts';

const PAGE = 4096;
/** Where mappings that the kernel places are said to be; replay follows them to where they are. */
const FOLLOWED_START = 0x7000_0000_0000;
const FOLLOWED_STEP = 0x100_0000;
/** Live processes at most. */
const ACTORS_MAX = 4;
const PLACES_MAX = 24;

export interface ScriptOptions {
  readonly programs: readonly Program[];
  readonly hugePages: number;
  /** Addresses anywhere, instead of near boundaries. */
  readonly isUniform: boolean;
}

export class Script {
  readonly ops: Op[] = [];
  readonly draw: Stream;
  readonly point: Pointer;
  readonly programs: readonly Program[];
  readonly hugePages: number;
  private actors: Actor[];
  private current: Actor;
  private nextPid = 2;
  private nextFollowed = 0;

  constructor(draw: Stream, { programs, hugePages, isUniform }: ScriptOptions) {
    this.draw = draw;
    this.programs = programs;
    this.hugePages = hugePages;
    this.point = new Pointer(draw, hugePages, isUniform);
    this.current = { pid: 1, places: [], heapStart: 0, heapEnd: 0, depth: 0 };
    this.actors = [this.current];
  }

  /** The process that acts next: usually the one that did last. */
  actor(): Actor {
    if (this.actors.length > 1 && this.draw.chance(0.35)) this.current = this.draw.pick(this.actors);
    return this.current;
  }

  /** Of two related processes the other one, or the same if there is only one. */
  other(actor: Actor): Actor {
    const others = this.actors.filter((one) => one !== actor);
    return others.length === 0 ? actor : this.draw.pick(others);
  }

  get live(): readonly Actor[] {
    return this.actors;
  }

  push(op: Op): void {
    this.ops.push(op);
  }

  /** Remembers a place, the newest last; the oldest is forgotten. */
  remember(actor: Actor, place: Place): Place {
    actor.places.push(place);
    if (actor.places.length > PLACES_MAX) actor.places.shift();
    return place;
  }

  exec(actor: Actor, path: string, argv: readonly string[] = []): void {
    this.push({ pid: actor.pid, op: 'exec', path, ...(argv.length === 0 ? {} : { argv: [...argv] }) });
    const program = this.programs.find((one) => one.path === path);
    if (program === undefined) return;
    Object.assign(actor, { places: [...program.places], heapStart: program.heapStart, heapEnd: program.heapStart });
  }

  /** @returns the child, or undefined if there are enough processes */
  fork(actor: Actor, op: 'fork' | 'vfork' = 'fork'): Actor | undefined {
    if (this.actors.length >= ACTORS_MAX) return undefined;
    const child: Actor = { ...actor, pid: this.nextPid++, places: [...actor.places], depth: actor.depth + 1 };
    this.push({ pid: actor.pid, op, child: child.pid });
    this.actors.push(child);
    return child;
  }

  /** The last process does not exit. */
  exit(actor: Actor): void {
    if (this.actors.length === 1) return;
    this.push({ pid: actor.pid, op: 'exit', status: 0 });
    this.actors = this.actors.filter((one) => one !== actor);
    this.current = this.actors.at(-1)!;
  }

  touch(actor: Actor, addr: number, access: 'r' | 'w' | 'x', width: 1 | 2 | 4 | 8 = 1, pages = 1): void {
    this.push({ pid: actor.pid, op: 'touch', addr, access, ...(pages === 1 ? {} : { pages }), ...(width === 1 ? {} : { width }) });
  }

  /** Reads or writes every page of a place. */
  touchAll(actor: Actor, { start, end }: Place, access: 'r' | 'w', pagesMax = 32): void {
    const pages = Math.max(1, Math.ceil(end / PAGE) - Math.floor(start / PAGE));
    this.touch(actor, start, access, 1, Math.min(pages, pagesMax));
  }

  /** Maps something where the kernel likes. @returns the place, whose address is followed */
  map(actor: Actor, pages: number, request: MapRequest): Place {
    const start = FOLLOWED_START + this.nextFollowed++ * FOLLOWED_STEP;
    return this.mapAt(actor, { start: 0, length: pages * PAGE, result: start }, request);
  }

  /** Maps something at an address, or with address 0 anywhere. */
  mapAt(actor: Actor, at: { readonly start: number; readonly length: number; readonly result?: number }, request: MapRequest): Place {
    const { start, length, result } = at;
    const { prot, flags, file } = request;
    const kinds = file === undefined ? [...flags, 'anonymous' as const] : [...flags];
    const backing = file === undefined ? {} : { path: file.path, offset: file.offset };
    const answer = result === undefined ? {} : { result };
    this.push({ pid: actor.pid, op: 'mmap', addr: start, length, prot, flags: kinds, ...backing, ...answer });
    const from = result ?? start;
    return this.remember(actor, { start: from, end: from + Math.max(PAGE, length), kind: 'mapping', file });
  }
}

export interface MapRequest {
  readonly prot: 'none' | 'r' | 'w' | 'x' | 'rw' | 'rx' | 'wx' | 'rwx';
  readonly flags: readonly ('private' | 'shared' | 'fixed' | 'noreplace' | 'populate')[];
  readonly file?: { readonly path: string; readonly offset: number } | undefined;
}
