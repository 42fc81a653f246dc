/** What the kernel does or suffers: copies, pins, failures, and calls that must be refused. */
import type { OpClass } from '../swarm.ts';
import { FILES, PAGE, between, giveBack, someRange, type Step } from './parts.ts';

export const KERNEL_STEPS = {
  kernelCopy: [
    (script) => {
      const { draw, point } = script;
      const actor = script.actor();
      const place = point.place(actor);
      const addr = point.address(place);
      const length = draw.pick([1, 8, 700, PAGE, PAGE + 1, 0x3000]);
      script.push({ pid: actor.pid, op: draw.pick(['copyIn', 'copyOut', 'copyOut'] as const), addr, length });
      if (draw.chance(0.4)) script.touch(script.other(actor), addr, 'r');
    },
  ],
  pin: [
    (script) => {
      const { draw, point } = script;
      const actor = script.actor();
      const place = point.place(actor);
      const addr = point.address(place);
      script.push({ pid: actor.pid, op: 'pin', id: draw.int(3), addr, access: draw.pick(['r', 'w', 'w'] as const) });
      if (draw.chance(0.5)) script.fork(actor);
      if (draw.chance(0.25)) giveBack(script, actor, place);
      else if (draw.chance(0.7)) script.touch(actor, addr, draw.pick(['r', 'w', 'w']));
      if (draw.chance(0.5)) script.touch(script.other(actor), addr, draw.pick(['r', 'w']));
    },
    (script) => {
      // A page that a fork shares is pinned on one side and given up, and written on the other.
      const { draw, point } = script;
      const actor = script.actor();
      const place = point.place(actor);
      const addr = point.address(place);
      script.touch(actor, addr, 'w');
      const child = script.fork(actor) ?? actor;
      const [first, second] = draw.chance(0.5) ? [actor, child] : [child, actor];
      script.push({ pid: first.pid, op: 'pin', id: draw.int(3), addr, access: draw.pick(['r', 'r', 'w'] as const) });
      if (draw.chance(0.6)) giveBack(script, first, place);
      script.touch(second, addr, 'w');
    },
    (script) => void script.push({ pid: script.actor().pid, op: 'unpin', id: script.draw.int(3) }),
  ],
  inject: [
    (script) => {
      const { draw } = script;
      const { pid } = script.actor();
      const fault = draw.pick(['noFrame', 'noFrame', 'shortRead', 'eio'] as const);
      const at = fault === 'noFrame' ? 1 + draw.int(12) : 1 + draw.int(3);
      const bytes = fault === 'shortRead' ? { bytes: draw.pick([1, 8, 0x800, PAGE]) } : {};
      script.push({ pid, op: 'inject', fault, at, ...bytes });
      between(script, script.actor());
    },
    (script) => {
      // A store that fails when what was written is to reach it.
      const { draw } = script;
      const { pid } = script.actor();
      const path = draw.pick(FILES);
      script.push({ pid, op: 'write', path, offset: draw.pick([0, 0x900, PAGE]), length: draw.pick([1, 300, PAGE]) });
      script.push({ pid, op: 'inject', fault: 'eio', at: draw.pick([1, 1, 2]) });
      const size = draw.pick([0, 100, 0x1001]);
      script.push(
        draw.pick([
          { pid, op: 'sync' },
          { pid, op: 'sync', path },
          { pid, op: 'reclaim', pages: 100 },
          { pid, op: 'truncate', path, size },
        ]),
      );
      if (draw.chance(0.5)) script.push({ pid, op: 'sync' });
    },
  ],
  nonsense: [
    (script) => {
      // Calls that must be refused, and change nothing.
      const { draw } = script;
      const { actor, addr, length } = someRange(script);
      const { pid } = actor;
      const off = addr + draw.pick([1, 8, 0xfff]);
      script.push(
        draw.pick([
          { pid, op: 'munmap', addr: off, length },
          { pid, op: 'munmap', addr, length: 0 },
          { pid, op: 'mprotect', addr: off, length, prot: 'rw' },
          { pid, op: 'mremap', addr, length, newLength: 0, flags: ['mayMove'] },
          { pid, op: 'mremap', addr: off, length, newLength: length, flags: ['mayMove'] },
          { pid, op: 'mmap', addr, length: 0, prot: 'rw', flags: ['private', 'anonymous'] },
          { pid, op: 'mmap', addr: 0, length: PAGE, prot: 'rw', flags: ['private'], path: '/none' },
          { pid, op: 'madvise', addr: off, length, advice: 'dontneed' },
          { pid, op: 'msync', addr: off, length },
        ] as const),
      );
    },
  ],
} as const satisfies Readonly<Partial<Record<OpClass, readonly Step[]>>>;
