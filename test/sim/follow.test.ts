/**
 * Recordings of position-independent programs and interpreters, made live on one design and replayed on another, where everything lies
 * elsewhere: each access must find there what it found when it was recorded.
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { ceilToPage, designOf, floorToPage, PAGE_BYTES, pid, type Access, type KernelEvent, type Vma } from '../../kernel-model/index.ts';
import { Machine } from '../../sim/machine.ts';
import { Recorder } from '../../sim/recorder.ts';
import { replay } from '../../sim/replay.ts';
import type { Trace } from '../../traces/codec.ts';
import { fileBytes } from '../../traces/content.ts';
import type { FileSpec } from '../../traces/header.ts';
import type { Op } from '../../traces/op.ts';
import { PROGRAM } from '../helpers/files.ts';
import { configOf, named } from '../helpers/model.ts';
import { asWritten } from '../helpers/recordings.ts';
import { digester } from '../helpers/scene.ts';

const INTERPRETER: FileSpec = { ...PROGRAM, path: '/ld.so', type: 'dyn', content: { seed: 'interpreter' } };
const DYNAMIC: FileSpec = { ...PROGRAM, path: '/bin/dynamic', type: 'dyn', interp: INTERPRETER.path };
const ALONE: FileSpec = { ...PROGRAM, path: '/bin/alone', type: 'dyn' };
const FILES = [PROGRAM, DYNAMIC, ALONE, INTERPRETER];

const RIGHTS: Readonly<Record<Access, number>> = { load: 1, store: 2, fetch: 4 };

/** Parts of the space that every design has. */
const isCommon = ({ role, backing }: Vma): boolean => role !== 'pad' && !(role === 'mapping' && backing !== undefined);

type Step =
  | { readonly kind: 'access'; readonly access: Access; readonly vma: number; readonly page: number; readonly offset: number }
  | { readonly kind: 'exec'; readonly path: string }
  | { readonly kind: 'mmap' | 'brk'; readonly pages: number }
  | { readonly kind: 'fork' };

const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('access' as const),
      access: fc.constantFrom<Access>('load', 'store', 'fetch'),
      vma: fc.nat(),
      page: fc.nat(),
      /** Never the first byte of a page, so that no two accesses become one touch. */
      offset: fc.integer({ min: 1, max: PAGE_BYTES - 1 }),
    }),
  },
  fc.record({ kind: fc.constant('exec' as const), path: fc.constantFrom(...[PROGRAM, DYNAMIC, ALONE].map(({ path }) => path)) }),
  fc.record({ kind: fc.constantFrom('mmap' as const, 'brk' as const), pages: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant('fork' as const) }),
);

/** An address that the step reaches in a space and that allows it, if there is one. */
function addressOf(step: Extract<Step, { kind: 'access' }>, vmas: readonly Vma[]): number | undefined {
  const allowing = vmas.filter((vma) => isCommon(vma) && (vma.prot & RIGHTS[step.access]) !== 0);
  const { start, end } = allowing[step.vma % allowing.length]!;
  const pages = (ceilToPage(end) - floorToPage(start)) / PAGE_BYTES;
  const address = floorToPage(start) + (step.page % pages) * PAGE_BYTES + step.offset;
  return start <= address && address < end ? address : undefined;
}

function opOf(step: Exclude<Step, { kind: 'access' | 'exec' }>, by: number, heapEnd: number): Op {
  switch (step.kind) {
    case 'fork':
      return { pid: by, op: 'fork', child: by + 1 };
    case 'brk':
      return { pid: by, op: 'brk', addr: heapEnd + step.pages * PAGE_BYTES };
    case 'mmap':
      return { pid: by, op: 'mmap', addr: 0, length: step.pages * PAGE_BYTES, prot: 'rw', flags: ['private', 'anonymous'] };
  }
}

/** Plays the steps on a machine of that kernel, each by the process that was born last. @returns what was recorded */
function recording(kernel: string, steps: readonly Step[]): Trace {
  const { parameters, rules } = configOf({ kernel, parameters: { hugePages: 512, frames: 4096 } });
  const recorder = new Recorder();
  const config = { design: designOf(named(kernel), parameters), rules, parameters, files: [], hartBytes: PAGE_BYTES };
  const machine = new Machine(config, [recorder]);
  for (const spec of FILES) machine.addProgram(spec.path, fileBytes(spec));
  let current = 1;
  const execute = (path: string): void => {
    machine.perform({ pid: current, op: 'exec', path });
    // As every C library does before it moves the heap's end.
    machine.perform({ pid: current, op: 'brk', addr: 0 });
  };
  execute(DYNAMIC.path);
  for (const step of steps) {
    const { space } = machine.kernel.processes.get(pid(current))!;
    if (step.kind === 'exec') execute(step.path);
    else if (step.kind !== 'access') machine.perform(opOf(step, current, space.heapEnd));
    else {
      const address = addressOf(step, space.vmas.ascending);
      machine.makeCurrent(current);
      if (address !== undefined) machine.reachForHart(address, step.access);
    }
    if (step.kind === 'fork') current++;
  }
  return recorder.trace(kernel, machine.kernel, (bytes) => String(bytes.length));
}

describe('a recording of position-independent programs', () => {
  for (const [from, to] of [
    ['linux', 'kevlar'],
    ['kevlar', 'linux'],
  ] as const) {
    it(`replays on another design: each access finds what it found (${from}, then ${to})`, () => {
      fc.assert(
        fc.property(fc.array(someStep, { maxLength: 40 }), (steps) => {
          const trace = asWritten(recording(from, steps));
          const signals: KernelEvent[] = [];
          const onEvent = (event: KernelEvent): void => void (event.type === 'signal' && signals.push(event));
          const { verdict, divergence } = replay(trace, { digester, kernel: to, check: 'changes', onEvent });
          expect([verdict, divergence, signals]).to.deep.equal(['held', undefined, []]);
        }),
      );
    });
  }

  it('says of each exec where its images were', () => {
    const execs = ['/bin/program', '/bin/alone'].map((path): Step => ({ kind: 'exec', path }));
    const { ops } = recording('linux', execs);
    const said = ops.flatMap((op) => (op.op === 'exec' ? [[op.base !== undefined, op.interpBase !== undefined]] : []));
    expect(said).to.deep.equal([
      [true, true],
      [false, false],
      [true, false],
    ]);
  });
});
