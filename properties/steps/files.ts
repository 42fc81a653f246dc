/** Files: mapped, written, resized, written back, dropped from the cache. */
import type { OpClass } from '../swarm.ts';
import type { MapRequest } from '../script.ts';
import { access, FILES, PAGE, WIDTHS, giveBack, look, someRange, type Step } from './parts.ts';

export const FILE_STEPS = {
  fileMap: [
    (script) => {
      const { draw } = script;
      const actor = script.actor();
      const path = draw.pick(FILES);
      const prot = draw.pick(['r', 'r', 'rw', 'rw', 'rx'] as const);
      const file = { path, offset: draw.int(3) * PAGE };
      const flags = [draw.pick(['private', 'shared'] as const), ...(draw.chance(0.1) ? (['populate'] as const) : [])];
      const place = script.map(actor, draw.pick([1, 1, 2, 3]), { prot, flags, file });
      look(script, actor, place);
    },
    (script) => {
      // Stored through a shared mapping, which goes; then the file is looked at.
      const { draw } = script;
      const actor = script.actor();
      const file = { path: draw.pick(FILES), offset: 0 };
      const place = script.map(actor, draw.pick([1, 2]), { prot: 'rw', flags: ['shared'], file });
      script.touch(actor, place.start + draw.pick([0, 8, 0xbf0, PAGE]), 'w', draw.pick(WIDTHS));
      if (draw.chance(0.6)) giveBack(script, actor, place);
      if (draw.chance(0.3)) script.push({ pid: actor.pid, op: 'reclaim', pages: 100 });
      script.push({ pid: actor.pid, op: 'read', path: file.path, offset: 0, length: 2 * PAGE });
    },
    (script) => {
      // A program's file, at a page in which one of its segments lies.
      const { draw } = script;
      const actor = script.actor();
      const program = draw.pick(script.programs);
      const { file, start, end } = draw.pick(program.places.filter((place) => place.file !== undefined));
      const offset = file!.offset + (draw.chance(0.5) ? 0 : Math.max(0, end - start - 1));
      const request: MapRequest = {
        prot: draw.pick(['r', 'r', 'rx', 'rw'] as const),
        flags: [draw.chance(0.8) ? 'private' : 'shared'],
        file: { path: file!.path, offset: Math.floor(offset / PAGE) * PAGE },
      };
      look(script, actor, script.map(actor, draw.pick([1, 1, 2, 4]), request));
    },
  ],
  fileChange: [
    (script) => {
      const { draw } = script;
      const { pid } = script.actor();
      const path = draw.int(12) === 0 ? '/a' : draw.pick(FILES);
      const offset = draw.pick([0, 0, 0x900, 0xfff, PAGE, 0x1800, 0x3000]) + draw.pick([0, 0, 1]);
      script.push({ pid, op: 'write', path, offset, length: draw.pick([1, 300, PAGE, 0x1100]) });
      if (draw.chance(0.5)) access(script);
    },
    (script) => {
      const { draw } = script;
      const { pid } = script.actor();
      const size = draw.pick([0, 1, 100, 0x900, 0xfff, PAGE, 0x1001, 0x2345, 0x3000, 0x4000]);
      const path = draw.pick(FILES);
      if (draw.chance(0.5)) script.push({ pid, op: 'read', path, offset: 0, length: 0x3000 });
      if (draw.chance(0.5)) script.push({ pid, op: 'resize', path, size, ...(draw.chance(0.5) ? { value: '5a' } : {}) });
      else script.push({ pid, op: 'truncate', path, size });
      if (draw.chance(0.6)) access(script);
    },
  ],
  fileRead: [
    (script) => {
      const { draw } = script;
      const path = draw.chance(0.3) ? draw.pick(script.programs).path : draw.pick(FILES);
      const offset = draw.pick([0, 0, 1, 0xbf0, 0xfff, PAGE, 0x2000]);
      script.push({ pid: script.actor().pid, op: 'read', path, offset, length: draw.pick([1, 0x800, PAGE, 0x3000]) });
    },
  ],
  sync: [
    (script) => void script.push({ pid: script.actor().pid, op: 'sync', ...(script.draw.chance(0.4) ? { path: '/m' } : {}) }),
    (script) => {
      const { actor, place, addr, length } = someRange(script);
      if (script.draw.chance(0.5)) script.touchAll(actor, place, 'w');
      script.push({ pid: actor.pid, op: 'msync', addr, length });
    },
  ],
  reclaim: [
    (script) => {
      const { draw } = script;
      script.push({ pid: script.actor().pid, op: 'reclaim', pages: draw.pick([1, 1, 2, 4, 100]) });
      if (draw.chance(0.5)) access(script);
    },
  ],
} as const satisfies Readonly<Partial<Record<OpClass, readonly Step[]>>>;
