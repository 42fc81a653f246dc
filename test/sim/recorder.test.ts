/** The recorder: what machine code does on a machine, written down, replays to the same faults, assemblies and caches. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Kernel } from '../../kernel-model/index.ts';
import { designOf, PAGE_BYTES, type Access } from '../../kernel-model/index.ts';
import { Machine } from '../../sim/machine.ts';
import { Recorder } from '../../sim/recorder.ts';
import { Replay } from '../../sim/replay.ts';
import { decodeHeaderLine, decodeOpLine, encodeHeader, encodeOp, type Trace } from '../../traces/codec.ts';
import { fileBytes } from '../../traces/content.ts';
import type { Op } from '../../traces/op.ts';
import { PROGRAM } from '../helpers/files.ts';
import { configOf, named } from '../helpers/model.ts';
import { digester } from '../helpers/scene.ts';

const KERNEL = 'kevlar';
const ARENA = 0x4000_0000;
const ARENA_PAGES = 8;

/** A machine on which a test plays the hart. */
class Player {
  readonly recorder = new Recorder();
  readonly machine: Machine;
  private pid = 1;

  constructor(kernel = KERNEL) {
    const { parameters, rules } = configOf({ kernel });
    const config = { design: designOf(named(kernel), parameters), rules, parameters, files: [], hartBytes: PAGE_BYTES };
    this.machine = new Machine(config, [this.recorder]);
    this.machine.addProgram(PROGRAM.path, fileBytes(PROGRAM));
    this.perform({ pid: 1, op: 'exec', path: PROGRAM.path, argv: ['program'] });
  }

  perform(op: Op): void {
    this.machine.perform(op);
  }

  /** An access of machine code, as a hart makes it: first to the machine, afterwards inline. */
  reach(pid: number, address: number, access: Access): number | string {
    if (pid !== this.pid) this.machine.makeCurrent(pid);
    this.pid = pid;
    return this.machine.reachForHart(address, access);
  }

  trace(): Trace {
    return this.recorder.trace(KERNEL, this.machine.kernel, () => 'ab'.repeat(32));
  }
}

/** What must be the same of two runs: everything but bytes. */
function summary({ counts, processes, cache, allocator }: Kernel): object {
  const cached: string[] = [];
  cache.eachPage(({ path }, index) => cached.push(`${path} ${index}`));
  return {
    counts,
    free: allocator.freeCount(),
    cached,
    vmas: [...processes.values()].map(({ pid, space }) => [pid, space.vmas.ascending.map(({ start, end, prot }) => [start, end, prot])]),
  };
}

/** Replays a trace that went through its text form. */
function replayed({ header, ops }: Trace): Replay {
  const where = { file: 'recorded', line: 1 };
  const run = new Replay(decodeHeaderLine(encodeHeader(header), where), { check: 'none', digester });
  for (const op of ops) run.step(decodeOpLine(encodeOp(op), where));
  return run;
}

type Step = { readonly pid: number; readonly page: number; readonly offset: number } & (
  | { readonly kind: 'access'; readonly access: Access; readonly times: number }
  | { readonly kind: 'fork' | 'exit' | 'exec' | 'mmap' | 'munmap' | 'copyOut' | 'brk' }
);

const someStep: fc.Arbitrary<Step> = fc.record({
  pid: fc.constantFrom(1, 2, 3),
  page: fc.nat(ARENA_PAGES - 1),
  offset: fc.nat(PAGE_BYTES - 1),
  kind: fc.constantFrom('access' as const),
  access: fc.constantFrom<Access>('load', 'store', 'fetch'),
  times: fc.integer({ min: 1, max: 3 }),
});
const someCall: fc.Arbitrary<Step> = fc.record({
  pid: fc.constantFrom(1, 2, 3),
  page: fc.nat(ARENA_PAGES - 1),
  offset: fc.nat(PAGE_BYTES - 1),
  kind: fc.constantFrom('fork', 'exit', 'exec', 'mmap', 'munmap', 'copyOut', 'brk'),
});

function play(player: Player, step: Step): void {
  const { pid, page, offset } = step;
  const { processes } = player.machine.kernel;
  const exists = (id: number): boolean => [...processes.keys()].some((known) => known === (id as typeof known));
  if (!exists(pid)) return;
  const addr = ARENA + page * PAGE_BYTES;
  switch (step.kind) {
    case 'access': {
      const at = offset % 2 === 0 ? addr + offset : PROGRAM.segments![offset % 4 === 1 ? 0 : 1]!.vaddr + offset;
      for (let i = 0; i < step.times; i++) player.reach(pid, at + (i % 2), step.access);
      return;
    }
    case 'fork':
      if (!exists((page % 3) + 1)) player.perform({ pid, op: 'fork', child: (page % 3) + 1 });
      return;
    case 'exit':
      if (pid !== 1) player.perform({ pid, op: 'exit', status: 0 });
      return;
    case 'exec':
      player.perform({ pid, op: 'exec', path: PROGRAM.path, argv: ['program', String(page)] });
      return;
    case 'mmap':
      player.perform({ pid, op: 'mmap', addr, length: 3 * PAGE_BYTES, prot: 'rw', flags: ['private', 'anonymous', 'fixed'] });
      return;
    case 'munmap':
      player.perform({ pid, op: 'munmap', addr, length: PAGE_BYTES });
      return;
    case 'copyOut':
      player.machine.copyTo(pid, addr + offset, new Uint8Array(100));
      return;
    case 'brk':
      player.perform({ pid, op: 'brk', addr: 0x17000 + page * 0x900 });
  }
}

describe('a recording', () => {
  it('replays to the same faults, answers, caches and VMAs, whatever happened', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: someStep }, someCall), { maxLength: 60 }), (steps) => {
        const player = new Player();
        for (const step of steps) play(player, step);
        const run = replayed(player.trace());
        expect(summary(run.machine.kernel)).to.deep.equal(summary(player.machine.kernel));
        expect(run.finish().verdict).to.equal('held');
      }),
    );
  });

  it('has an access once between two calls of its process, at its byte', () => {
    const player = new Player();
    for (const at of [0x10008, 0x10010, 0x10008]) player.reach(1, at, 'load');
    player.reach(1, 0x10100, 'fetch');
    player.perform({ pid: 1, op: 'brk', addr: 0 });
    player.reach(1, 0x10020, 'load');
    const touches = player.trace().ops.filter(({ op }) => op === 'touch');
    expect(touches).to.deep.equal([
      { pid: 1, op: 'touch', addr: 0x10008, access: 'r' },
      { pid: 1, op: 'touch', addr: 0x10100, access: 'x' },
      { pid: 1, op: 'touch', addr: 0x10020, access: 'r' },
    ]);
  });

  it('joins pages that follow each other from their first byte on', () => {
    const player = new Player();
    for (const at of [0x10ff0, 0x11000, 0x12000]) player.reach(1, at, 'load');
    expect(player.trace().ops.at(-1)).to.deep.equal({ pid: 1, op: 'touch', addr: 0x10ff0, access: 'r', pages: 3 });
  });

  it('lists programs with their layout, and made-up bytes under their digest', () => {
    const { header } = new Player().trace();
    expect(header.files).to.have.length(1);
    expect(header.files[0]).to.deep.include({ path: PROGRAM.path, size: PROGRAM.size, type: 'exec', content: { seed: 'ab'.repeat(32) } });
    expect(header.files[0]!.segments).to.deep.equal(PROGRAM.segments);
    expect(header.kernel).to.deep.include({ name: 'kevlar', frames: 256, hugePages: 4, tlbEntries: 16, assembleThreshold: 1 });
  });

  it('has the answers of calls', () => {
    const player = new Player();
    player.perform({ pid: 1, op: 'munmap', addr: 0x1234, length: 10 });
    expect(player.trace().ops.at(-1)).to.deep.include({ op: 'munmap', result: 'EINVAL' });
  });
});
