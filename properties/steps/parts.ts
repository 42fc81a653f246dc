/** What the steps of random scripts are made of. */
import type { Actor, Place } from '../places.ts';
import type { MapRequest, Script } from '../script.ts';

/** One scene: appends its ops to the script. */
export type Step = (script: Script) => void;

export const PAGE = 4096;
export const WIDTHS = [1, 1, 2, 4, 8] as const;
export const PROTS = ['rw', 'rw', 'rw', 'r', 'rx', 'none', 'rwx', 'w'] as const;
export const FILES = ['/m', '/m', '/m', '/n'] as const;
export const ARENA = 0x20_0000;
export const ARENA_PAGES = 24;

/** Any access, anywhere. */
export function access(script: Script, actor = script.actor(), place = script.point.place(actor)): void {
  const { draw, point } = script;
  const kind = draw.pick(['r', 'r', 'w', 'w', 'w', 'x'] as const);
  if (draw.chance(0.2)) script.touchAll(actor, place, kind === 'x' ? 'r' : kind);
  else script.touch(actor, point.address(place), kind, draw.pick(WIDTHS));
}

/** Looks at a place, and now and then changes it. */
export function look(script: Script, actor: Actor, place: Place): void {
  if (script.draw.chance(0.7)) script.touchAll(actor, place, 'r');
  else access(script, actor, place);
}

export const anonymous = (script: Script): MapRequest => ({
  prot: script.draw.pick(PROTS),
  flags: [script.draw.chance(0.2) ? 'shared' : 'private', ...(script.draw.chance(0.1) ? (['populate'] as const) : [])],
});

/** A range that may be changed: of any place, or exactly of a mapping. */
export function someRange(script: Script): {
  readonly actor: Actor;
  readonly place: Place;
  readonly addr: number;
  readonly length: number;
} {
  const actor = script.actor();
  const place = script.point.place(actor);
  return { actor, place, ...script.point.range(place) };
}

/** Something that copies, fills or shares. */
export function between(script: Script, actor: Actor): void {
  const { draw } = script;
  switch (draw.int(4)) {
    case 0:
      script.fork(actor);
      break;
    case 1:
      script.exec(actor, draw.pick(script.programs).path);
      break;
    case 2:
      script.push({ pid: actor.pid, op: 'sync' });
      break;
    default:
      access(script, actor);
  }
}

/** Gives a mapping back, or a part of it, in one of the ways there are. */
export function giveBack(script: Script, actor: Actor, place: Place): void {
  const { draw, point } = script;
  const { addr, length } = point.range(place);
  switch (draw.int(5)) {
    case 0:
    case 1:
      script.push({ pid: actor.pid, op: 'munmap', addr, length });
      break;
    case 2:
      script.push({ pid: actor.pid, op: 'madvise', addr, length, advice: 'dontneed' });
      break;
    case 3:
      script.push({ pid: actor.pid, op: 'mprotect', addr, length, prot: 'none' });
      break;
    default:
      if (draw.chance(0.5)) script.exec(actor, draw.pick(script.programs).path);
      else script.exit(actor);
  }
  if (draw.chance(0.5) && script.live.includes(actor)) look(script, actor, place);
}

/** The heap goes up by regions, is written, and goes down again; `prepare` comes before the stores. */
export function heapUpAndDown(script: Script, prepare: (actor: Actor, heap: Place) => void = () => undefined): void {
  const { draw, hugePages } = script;
  const actor = script.actor();
  const { pid, heapStart, heapEnd } = actor;
  const end = heapEnd + 2 * hugePages * PAGE;
  script.push({ pid, op: 'brk', addr: end });
  const place = script.remember(actor, { start: heapEnd, end, kind: 'heap' });
  prepare(actor, place);
  script.touchAll(actor, place, 'w');
  actor.heapEnd = draw.pick([heapStart, heapEnd, heapEnd + PAGE, heapEnd + hugePages * PAGE, end - PAGE, end - 1]);
  script.push({ pid, op: 'brk', addr: actor.heapEnd });
  look(script, actor, place);
}

/** Reads a program's file through a mapping, page by page: so its pages enter the cache whole. */
export function cacheWholePages(script: Script, actor: Actor, path: string): void {
  const { places } = script.programs.find((program) => program.path === path)!;
  const ends = places.map(({ start, end, file }) => (file?.path === path ? file.offset + end - start : 0));
  const file = { path, offset: 0 };
  const place = script.map(actor, Math.ceil(Math.max(PAGE, ...ends) / PAGE), { prot: 'r', flags: ['private'], file });
  script.touchAll(actor, place, 'r');
}
