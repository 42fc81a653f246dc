/** Mappings: made, changed, moved, given back, and the heap. */
import type { OpClass } from '../swarm.ts';
import {
  access,
  ARENA,
  ARENA_PAGES,
  PAGE,
  PROTS,
  anonymous,
  between,
  giveBack,
  heapUpAndDown,
  look,
  someRange,
  type Step,
} from './parts.ts';

export const MEMORY_STEPS = {
  map: [
    (script) => {
      const actor = script.actor();
      const place = script.map(actor, script.draw.pick([1, 1, 2, 3, 4]), anonymous(script));
      if (script.draw.chance(0.5)) access(script, actor, place);
    },
    (script) => {
      // At an address of its own, or over or beside something.
      const { draw, point } = script;
      const actor = script.actor();
      const over = draw.chance(0.4) ? point.range(point.place(actor)) : { addr: ARENA + draw.int(ARENA_PAGES) * PAGE, length: 0 };
      const length = over.length > 0 && draw.chance(0.5) ? over.length : draw.pick([1, 1, 2, 3, 4, 8]) * PAGE - draw.pick([0, 0, 0, 1]);
      const { prot, flags } = anonymous(script);
      const how = draw.pick([[], ['fixed'], ['fixed'], ['noreplace']] as const);
      script.mapAt(actor, { start: over.addr, length }, { prot, flags: [...flags, ...how] });
    },
  ],
  hugeMap: [
    (script) => {
      const { draw, hugePages } = script;
      const actor = script.actor();
      const pages = draw.pick([hugePages, hugePages, hugePages, hugePages - 1, hugePages + 1, 2 * hugePages]);
      const place = script.map(actor, pages, { prot: draw.chance(0.8) ? 'rw' : draw.pick(PROTS), flags: ['private'] });
      script.touch(actor, place.start + draw.int(pages) * PAGE, draw.pick(['r', 'w', 'w']));
      if (draw.chance(0.4)) script.touchAll(actor, place, 'w');
      if (draw.chance(0.3)) giveBack(script, actor, place);
    },
    (script) => {
      // Across the end of a region, touched on either side first.
      const { draw, hugePages } = script;
      const actor = script.actor();
      const before = 1 + draw.int(hugePages);
      const start = ARENA + 4 * hugePages * PAGE - before * PAGE;
      const pages = before + draw.pick([1, hugePages, hugePages, hugePages + 1]);
      script.mapAt(actor, { start, length: pages * PAGE }, { prot: 'rw', flags: ['private', 'fixed'] });
      for (let i = draw.pick([1, 2, 2, 3]); i > 0; i--) {
        const page = draw.pick([0, before - 1, before, pages - 1, draw.int(pages)]);
        script.touch(actor, start + page * PAGE, draw.pick(['r', 'w', 'w']));
      }
    },
  ],
  unmap: [
    (script) => {
      const { actor, place, addr, length } = someRange(script);
      script.push({ pid: actor.pid, op: 'munmap', addr, length });
      if (script.draw.chance(0.5)) look(script, actor, place);
    },
  ],
  protect: [
    (script) => {
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      script.push({ pid: actor.pid, op: 'mprotect', addr, length, prot: draw.pick(PROTS) });
      if (draw.chance(0.7)) access(script, actor, place);
    },
    (script) => {
      // Away and back again.
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      script.push({ pid: actor.pid, op: 'mprotect', addr, length, prot: draw.pick(['none', 'none', 'r'] as const) });
      if (draw.chance(0.4)) between(script, actor);
      script.push({ pid: actor.pid, op: 'mprotect', addr, length, prot: draw.pick(['rw', 'rw', 'r', 'rwx'] as const) });
      access(script, actor, place);
    },
  ],
  move: [
    (script) => {
      const { draw, point } = script;
      const actor = script.actor();
      const { addr, length } = point.range(point.place(actor));
      const newLength = draw.pick([length, length, length + PAGE, 2 * length, PAGE, script.hugePages * PAGE]);
      const target = ARENA + draw.int(ARENA_PAGES) * PAGE;
      const how = draw.int(4);
      const flags = how === 0 ? [] : how === 3 ? (['mayMove', 'fixed'] as const) : (['mayMove'] as const);
      const newAddr = how === 3 ? { newAddr: target } : {};
      script.push({ pid: actor.pid, op: 'mremap', addr, length, newLength, flags: [...flags], ...newAddr });
      const start = how === 3 ? target : addr;
      access(script, actor, script.remember(actor, { start, end: start + newLength, kind: 'mapping' }));
    },
  ],
  heap: [
    (script) => {
      const { draw } = script;
      const actor = script.actor();
      const { heapStart, heapEnd } = actor;
      const bytes = draw.pick([1, 0xbf0, PAGE, PAGE + 1, 3 * PAGE, script.hugePages * PAGE, 2 * script.hugePages * PAGE + 1]);
      const addr = draw.int(6) === 0 ? 0 : draw.chance(0.65) ? heapEnd + bytes : Math.max(heapStart, heapEnd - bytes);
      script.push({ pid: actor.pid, op: 'brk', addr });
      if (addr === 0 || addr === heapStart) return;
      actor.heapEnd = addr;
      const place = script.remember(actor, { start: heapStart, end: addr, kind: 'heap' });
      if (draw.chance(0.7)) access(script, actor, place);
    },
    (script) => {
      // Something in the way of the heap.
      const { draw } = script;
      const actor = script.actor();
      const start = Math.ceil(actor.heapEnd / PAGE) * PAGE + draw.int(3) * PAGE;
      const { prot, flags } = anonymous(script);
      script.mapAt(actor, { start, length: draw.pick([1, 2, script.hugePages]) * PAGE }, { prot, flags: [...flags, 'fixed'] });
      script.push({ pid: actor.pid, op: 'brk', addr: actor.heapEnd + draw.pick([PAGE, 2 * PAGE, 5 * PAGE]) });
    },
    (script) => heapUpAndDown(script),
  ],
  advise: [
    (script) => {
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      const advice = draw.pick(['dontneed', 'dontneed', 'dontneed', 'free', 'willneed', 'normal'] as const);
      if (draw.chance(0.5)) script.touchAll(actor, place, 'w');
      script.push({ pid: actor.pid, op: 'madvise', addr, length, advice });
      look(script, actor, place);
    },
    (script) => {
      const { actor, addr, length } = someRange(script);
      script.push({ pid: actor.pid, op: 'mincore', addr, length });
    },
  ],
} as const satisfies Readonly<Partial<Record<OpClass, readonly Step[]>>>;
