/** Processes: forked, executed, ended, and programs whose pages are cached already. */
import type { OpClass } from '../swarm.ts';
import { access, WIDTHS, cacheWholePages, look, type Step } from './parts.ts';

export const PROCESS_STEPS = {
  fork: [
    (script) => {
      // Written before, written on one side or both after, looked at on the other.
      const { draw, point } = script;
      const actor = script.actor();
      const place = point.place(actor);
      if (draw.chance(0.6)) script.touch(actor, point.address(place), 'w', draw.pick(WIDTHS));
      const child = script.fork(actor);
      if (child === undefined) {
        access(script);
        return;
      }
      const [first, second] = draw.chance(0.5) ? [actor, child] : [child, actor];
      const at = point.address(place);
      if (draw.chance(0.6)) script.touch(first, at, 'w');
      if (draw.chance(0.3)) script.exit(child);
      else if (draw.chance(0.6)) script.touch(second, at, draw.pick(['r', 'r', 'w']));
    },
    (script) => void script.fork(script.actor()),
  ],
  vfork: [
    (script) => {
      const { draw } = script;
      const child = script.fork(script.actor(), 'vfork');
      if (child === undefined) return;
      if (draw.chance(0.4)) access(script, child);
      if (draw.chance(0.5)) script.exec(child, draw.pick(script.programs).path);
      else if (draw.chance(0.7)) script.exit(child);
    },
  ],
  exit: [(script) => script.exit(script.actor())],
  exec: [
    (script) => {
      const { draw } = script;
      const actor = script.actor();
      const path = draw.int(20) === 0 ? draw.pick(['/m', '/none']) : draw.pick(script.programs).path;
      script.exec(actor, path, draw.chance(0.15) ? ['x'.repeat(draw.pick([1, 4000, 9000]))] : []);
      if (draw.chance(0.5)) access(script, actor);
    },
  ],
  warmUp: [
    (script) => {
      // Pages of a program enter the cache, all or but for one, then it is executed again, here or in a child.
      const { draw } = script;
      const actor = script.actor();
      const { path } = draw.pick(script.programs);
      if (draw.chance(0.3)) cacheWholePages(script, actor, path);
      script.exec(actor, path);
      const places = [...actor.places];
      const left = draw.chance(0.5) ? -1 : draw.int(places.length);
      places.forEach((place, i) => {
        if (place.kind === 'stack' || i === left) return;
        if (draw.chance(0.8)) script.touchAll(actor, place, 'r');
        else if (draw.chance(0.5)) script.touchAll(actor, place, 'w');
      });
      const next = draw.chance(0.4) ? (script.fork(actor) ?? actor) : actor;
      script.exec(next, draw.chance(0.7) ? path : draw.pick(script.programs).path);
      if (draw.chance(0.3)) script.exec(next, draw.pick(script.programs).path);
      for (const place of next.places) if (place.kind !== 'stack' && draw.chance(0.4)) look(script, next, place);
    },
  ],
} as const satisfies Readonly<Partial<Record<OpClass, readonly Step[]>>>;
