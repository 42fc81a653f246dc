/** What only Linux has: advice that stays with a VMA, guarded and locked pages, huge pages on request, stacks that grow, all forms of mremap. */
import type { Op } from '../../traces/op.ts';
import type { Script } from '../script.ts';
import type { LinuxOpClass } from '../swarm.ts';
import { access, ARENA, ARENA_PAGES, between, FILES, heapUpAndDown, look, PAGE, PROTS, someRange, type Step } from './parts.ts';

/** Advice whose effect a later access, or a child, can see. Not PAGEOUT: after FREE it may take the contents. */
const ADVICES = [
  ...['dontneed', 'dontneed', 'free', 'remove', 'remove', 'dontfork', 'dofork', 'wipeonfork', 'wipeonfork', 'keeponfork'],
  ...['populateRead', 'populateWrite', 'cold', 'hugepage', 'nohugepage', 'collapse', 'random', 'dontdump', 'willneed', 'unknown'],
] as const;

const PART_ADVICES = ['dontneed', 'dontneed', 'dontneed', 'free', 'collapse', 'nohugepage', 'guardInstall'] as const;

/** Two regions that ask for huge pages; parts of them go, are mapped over, change or move. */
function hugeMapping(script: Script): void {
  const { draw, hugePages, point } = script;
  const actor = script.actor();
  const { pid } = actor;
  const region = hugePages * PAGE;
  const start = Math.ceil(ARENA / region) * region + draw.int(3) * region;
  const place = script.mapAt(actor, { start, length: 2 * region }, { prot: 'rw', flags: ['private', 'fixed'] });
  script.push({ pid, op: 'madvise', addr: start, length: 2 * region, advice: 'hugepage' });
  script.touch(actor, point.address(place), draw.pick(['r', 'w', 'w']));
  for (let i = draw.int(3); i >= 0; i--) {
    const part = point.range(place);
    script.push(
      draw.pick<Op>([
        { pid, op: 'munmap', ...part },
        { pid, op: 'mmap', ...part, prot: 'rw', flags: ['private', 'anonymous', 'fixed'] },
        { pid, op: 'mprotect', ...part, prot: draw.pick(['none', 'none', ...PROTS] as const) },
        { pid, op: 'madvise', ...part, advice: draw.pick(PART_ADVICES) },
        { pid, op: 'mremap', ...part, newLength: part.length, flags: ['mayMove', 'fixed'], newAddr: start + 4 * region },
      ]),
    );
    const child = draw.chance(0.4) ? script.fork(actor) : undefined;
    access(script, child ?? actor, place);
  }
  look(script, actor, place);
}

/** A heap of huge pages. */
const hugeHeap: Step = (script) => {
  heapUpAndDown(script, ({ pid }, { start, end }) => {
    const addr = Math.ceil(start / PAGE) * PAGE;
    script.push({ pid, op: 'madvise', addr, length: end - addr, advice: 'hugepage' });
  });
};

export const LINUX_STEPS = {
  wish: [
    (script) => {
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      if (draw.chance(0.6)) script.touchAll(actor, place, 'w');
      script.push({ pid: actor.pid, op: 'madvise', addr, length, advice: draw.pick(ADVICES) });
      const child = draw.chance(0.4) ? script.fork(actor) : undefined;
      look(script, child ?? actor, place);
    },
  ],
  guard: [
    (script) => {
      const { draw, point } = script;
      const { actor, place, addr, length } = someRange(script);
      if (draw.chance(0.5)) script.touchAll(actor, place, 'w');
      script.push({ pid: actor.pid, op: 'madvise', addr, length, advice: 'guardInstall' });
      access(script, actor, place);
      if (draw.chance(0.4)) between(script, actor);
      script.push({
        pid: actor.pid,
        op: 'madvise',
        ...point.range(place),
        advice: draw.pick(['guardRemove', 'dontneed', 'populateWrite'] as const),
      });
      look(script, actor, place);
    },
  ],
  lock: [
    (script) => {
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      const { pid } = actor;
      script.push({ pid, op: 'mlock', addr: addr + draw.pick([0, 0, 1]), length });
      if (draw.chance(0.5))
        script.push({ pid, op: 'madvise', addr, length, advice: draw.pick(['dontneed', 'free', 'guardInstall'] as const) });
      if (draw.chance(0.5)) script.push({ pid, op: 'mprotect', addr, length, prot: draw.pick(['r', 'rw', 'none'] as const) });
      look(script, actor, place);
      if (draw.chance(0.5)) script.push({ pid, op: 'munlock', addr, length });
    },
    (script) => {
      // Locked from the start; a private copy of a file's pages, which later writes to the file do not reach.
      const { draw } = script;
      const actor = script.actor();
      const start = ARENA + draw.int(ARENA_PAGES) * PAGE;
      const path = draw.pick(FILES);
      const { pid } = actor;
      const prot = draw.pick(['rw', 'rw', 'r'] as const);
      script.push({ pid, op: 'mmap', addr: start, length: 2 * PAGE, prot, flags: ['private', 'fixed', 'locked'], path, offset: 0 });
      const place = script.remember(actor, { start, end: start + 2 * PAGE, kind: 'mapping', file: { path, offset: 0 } });
      if (draw.chance(0.5)) script.push({ pid, op: 'write', path, offset: draw.pick([0, PAGE]), length: 300 });
      look(script, actor, place);
    },
  ],
  hugeOnRequest: [hugeMapping, hugeMapping, hugeMapping, hugeHeap],
  grow: [
    (script) => {
      const { draw } = script;
      const actor = script.actor();
      const start = ARENA + draw.pick([0x400, 0x500, 0x800]) * PAGE;
      const { pid } = actor;
      script.push({ pid, op: 'mmap', addr: start, length: PAGE, prot: 'rw', flags: ['private', 'anonymous', 'fixed', 'growsdown'] });
      const below = draw.pick([1, 2, 3, 40]) * PAGE;
      const place = script.remember(actor, { start: start - below, end: start + PAGE, kind: 'mapping' });
      script.touch(actor, start - below + draw.int(PAGE), draw.pick(['r', 'w', 'w']));
      look(script, actor, place);
    },
    (script) => {
      // The stack of the program.
      const { draw } = script;
      const actor = script.actor();
      const stack = actor.places.find(({ kind }) => kind === 'stack');
      if (stack !== undefined) script.touch(actor, stack.start - draw.pick([1, 30, 50, 3000]) * PAGE, draw.pick(['r', 'w']));
    },
  ],
  userFile: [
    (script) => {
      const { draw, point } = script;
      const actor = script.actor();
      const place = point.place(actor);
      const op = draw.pick(['pread', 'pwrite'] as const);
      const offset = draw.pick([0, 0, 0x900, PAGE - 1, PAGE, 0x3000]);
      const length = draw.pick([1, 300, PAGE, PAGE + 1, 0x3000]);
      script.push({ pid: actor.pid, op, path: draw.pick(FILES), offset, addr: point.address(place), length });
      look(script, actor, place);
    },
  ],
  remapForms: [
    (script) => {
      const { draw } = script;
      const { actor, place, addr, length } = someRange(script);
      if (draw.chance(0.4)) script.touchAll(actor, place, 'w');
      const newAddr = ARENA + draw.int(ARENA_PAGES) * PAGE;
      const flags = [['mayMove', 'dontUnmap'], ['mayMove', 'fixed', 'dontUnmap'], ['mayMove', 'fixed'], ['mayMove']][draw.int(4)] as (
        'mayMove' | 'fixed' | 'dontUnmap'
      )[];
      const oldLength = flags.includes('dontUnmap') || draw.chance(0.7) ? length : 0;
      const newLength = flags.includes('dontUnmap') ? length : draw.pick([length, PAGE, length + PAGE]);
      script.push({ pid: actor.pid, op: 'mremap', addr, length: oldLength, newLength, flags, newAddr });
      look(script, actor, script.remember(actor, { start: newAddr, end: newAddr + newLength, kind: 'mapping' }));
      look(script, actor, place);
    },
    (script) => {
      // Types and flags of mmap that are refused, ignored, or only here.
      const { draw } = script;
      const actor = script.actor();
      const addr = ARENA + draw.int(ARENA_PAGES) * PAGE;
      const type = draw.pick(['private', 'shared', 'sharedValidate'] as const);
      const flags = [type, draw.pick(['fixed', 'noreplace', 'populate', 'growsdown', 'unknown', 'noreserve'] as const)];
      const open = draw.chance(0.3) ? { description: 1, readonly: true as const } : {};
      const path = draw.chance(0.7) ? { path: draw.pick(FILES), offset: draw.pick([0, PAGE]), ...open } : {};
      const kinds = 'path' in path ? flags : [...flags, 'anonymous' as const];
      script.push({ pid: actor.pid, op: 'mmap', addr, length: draw.pick([1, 2, 3]) * PAGE, prot: draw.pick(PROTS), flags: kinds, ...path });
      look(script, actor, script.remember(actor, { start: addr, end: addr + PAGE, kind: 'mapping' }));
    },
  ],
} as const satisfies Readonly<Record<LinuxOpClass, readonly Step[]>>;
