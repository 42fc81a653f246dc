/** Traces from a stranger: whatever a header or an op asks for, a run ends soon, with a verdict, and kevlar holds. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import fc from 'fast-check';
import { ReplayError, Replay } from '../../sim/replay.ts';
import { decodeHeader } from '../../traces/codec.ts';
import { NOWHERE, TraceError } from '../../traces/format-error.ts';
import { formatOp } from '../../traces/notation.ts';
import { PROGRAM } from '../helpers/files.ts';
import { digester, findingsOf, headerOf, play } from '../helpers/scene.ts';
import { runs } from '../helpers/seed.ts';
import { anyOp } from '../traces/arbitrary.ts';

/** Half of user space, and where so much is free: above stack and vDSO. */
const HUGE = 2 ** 46;
const BASE = '0x200000000000';
const MAPPED = `p1 mmap ${BASE} ${HUGE} rw private,anonymous,fixed`;
const FILE_MAPPED = `p1 mmap ${BASE} ${HUGE} rw shared,fixed path=/f`;

/** Each may take no longer than this, and ends as `held`. */
const SCENE_MS_MAX = 3000;

const SCENES: Readonly<Record<string, string>> = {
  'addresses at the end of user space': `
    p1 touch r 0x7fffffffffff
    p1 touch w 0x7ffffffffff0 width=8
    p1 touch x 0x7ffffffff000
    p1 mmap 0x7ffffffff000 4096 rw private,anonymous,fixed
    p1 touch w 0x7fffffffffff
    p1 touch w 0x7ffffffff000 width=8
    p1 mmap 0x7ffffffff000 8192 rw private,anonymous,fixed
    p1 mprotect 0x7ffffffff000 8192 r
    p1 munmap 0x7ffffffff000 8192
    p1 mremap 0x7ffffffff000 4096 8192 mayMove
    p1 munmap 0x7ffffffff000 4096
    p1 exec /bin/program
    p1 brk 0x7fffffffffff`,
  'a touch of a million pages where there is nothing': `
    p1 touch r 0x1000+1048576
    p1 touch w 0x1000+1048576
    p1 touch x 0x1000+1048576`,
  'a touch of a million pages of a mapping, in few frames': `
    p1 mmap 0x1000 8589934592 rw private,anonymous,fixed
    p1 touch r 0x1000+1048576
    p1 touch w 0x1000+1048576`,
  'a mapping of half of user space that is populated': MAPPED.replace('fixed', 'fixed,populate'),
  'a mapping of half of user space, protected, advised and removed': `
    ${MAPPED}
    p1 touch w 0x300000000000
    p1 mprotect ${BASE} ${HUGE} none
    p1 madvise ${BASE} ${HUGE} dontneed
    p1 munmap ${BASE} ${HUGE}`,
  'a mapping of half of user space, asked which pages are there': `${MAPPED}\np1 mincore ${BASE} ${HUGE}`,
  'a mapping of half of user space, synchronised': `${MAPPED}\np1 msync ${BASE} ${HUGE}`,
  'a mapping of half of user space that moves and shrinks': `
    ${MAPPED}
    p1 mremap ${BASE} ${HUGE} ${HUGE} mayMove
    p1 mremap ${BASE} ${HUGE} 4096 mayMove
    p1 mremap ${BASE} 4096 ${HUGE} mayMove`,
  'a mapping of half of user space that is forked': `${MAPPED}\np1 touch w ${BASE}+9\np1 fork p2\np2 touch w ${BASE}+9`,
  'shared memory of half of user space': `
    p1 mmap ${BASE} ${HUGE} rw shared,anonymous,fixed
    p1 touch w ${BASE}
    p1 touch r 0x3ffffffff000`,
  'a file mapped over half of user space, cut and synchronised': `
    ${FILE_MAPPED}
    p1 touch w ${BASE}+2
    p1 truncate /f 100
    p1 msync ${BASE} ${HUGE}
    p1 sync`,
  'a write far behind the end of a file': `
    p1 write /f 0x7fffffff0000 10
    p1 write /f 0x7fffffffffff 10
    p1 read /f 0x7fffffff0000 10
    p1 mmap 0x0 4096 r private path=/f offset=0x7ffffffff000
    p1 touch r 0xa00000000`,
  'a file of a gigabyte': `
    p1 truncate /f 1073741824
    p1 resize /f 1073741823
    p1 sync`,
  'kernel copies of a gigabyte': `
    p1 copyOut 0x1000 1073741824
    p1 copyIn 0x1000 1073741824`,
  'processes that do not exist, have ended, or are asked to be made twice': `
    p9 touch r 0x0
    p2 touch r 0x0
    p2 exec /bin/program
    p3 fork p4
    p9 fork p9
    p9 vfork p8
    p8 vfork p8
    p8 exit 0
    p8 touch r 0x0
    p9 fork p1
    p9 exit 0
    p9 touch w 0x1000
    p9 fork p5
    p9 exec /bin/program
    p1 wait p9
    p1 exit signal=SIGSEGV
    p1 touch r 0x0`,
  'what there is not: CPUs, pins, files, programs': `
    p1 switchCpu 1023
    p1 unpin 7
    p1 pin 1 w 0x1000
    p1 exec /nothing
    p1 exec /f
    p1 read /nothing 0x0 10
    p1 sync /nothing
    p1 mmap 0x0 4096 r private path=/nothing
    p1 reclaim 1048576
    p1 inject noFrame 2147483647
    p1 inject eio 2147483647
    p1 inject shortRead 2147483647`,
  'arguments that fill the stack': `p1 exec /bin/program ${'x'.repeat(200_000)}\np1 exec /bin/program ${'y '.repeat(20_000)}`,
  'more processes than frames': Array.from({ length: 300 }, (_, i) => `p1 fork p${i + 2}`).join('\n'),
  ...Object.fromEntries(
    fc
      .sample(fc.array(anyOp, { minLength: 1, maxLength: 60 }), runs(20))
      .map((ops, i) => [`any ops at all (${i})`, ops.map(formatOp).join('\n')]),
  ),
};

interface Outcome {
  readonly verdict: string;
  readonly findings: readonly string[];
  readonly ms: number;
}

type Scene = readonly [name: string, ops: string];

/** What the other process runs: scenes come in on standard input, an outcome goes out for each, a line of JSON. */
const CODE = `
  import { readFileSync } from 'node:fs';
  import { findingsOf, play } from ${JSON.stringify(new URL('../helpers/scene.ts', import.meta.url).href)};
  console.log('ready');
  for (const [name, ops] of JSON.parse(readFileSync(0, 'utf8'))) {
    const start = performance.now();
    const result = play(ops, { spec: { hugePages: 512 }, keepGoing: true });
    console.log(JSON.stringify([name, { verdict: result.verdict, findings: findingsOf(result), ms: performance.now() - start }]));
  }`;

/** Plays scenes in another process, until one takes too long or brings the process down. @returns what those before gave */
async function playSome(scenes: readonly Scene[]): Promise<readonly (readonly [string, Outcome])[]> {
  const child = spawn(process.execPath, ['--import', 'tsx/esm', '--input-type=module', '--eval', CODE], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  child.stdin.end(JSON.stringify(scenes));
  const outcomes: [string, Outcome][] = [];
  const kill = (): void => void child.kill('SIGKILL');
  let timer = setTimeout(kill, 2 * SCENE_MS_MAX);
  for await (const line of createInterface(child.stdout)) {
    clearTimeout(timer);
    timer = setTimeout(kill, 2 * SCENE_MS_MAX);
    if (line.startsWith('[')) outcomes.push(JSON.parse(line) as [string, Outcome]);
  }
  clearTimeout(timer);
  return outcomes;
}

/** Plays all scenes. One that never ends could not be stopped in this process; its outcome is missing. */
async function playApart(scenes: readonly Scene[]): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (let next = 0; next < scenes.length;) {
    const some = await playSome(scenes.slice(next));
    for (const [name, outcome] of some) outcomes.set(name, outcome);
    next += some.length + 1;
  }
  return outcomes;
}

describe('a hostile trace', () => {
  let outcomes: ReadonlyMap<string, Outcome> = new Map();
  before(async function () {
    this.timeout(10 * 60_000);
    outcomes = await playApart(Object.entries(SCENES));
  });

  for (const name of Object.keys(SCENES)) {
    it(`holds on kevlar, and soon: ${name}`, () => {
      const outcome = outcomes.get(name);
      expect(outcome, 'it ends').to.not.equal(undefined);
      expect(outcome!.findings).to.deep.equal([]);
      expect(['held', 'diverged']).to.include(outcome!.verdict);
      expect(outcome!.ms).to.be.below(SCENE_MS_MAX);
    });
  }
});

describe('a hostile header', () => {
  const decoded =
    (kernel: object, files: readonly object[] = []) =>
    () =>
      decodeHeader({ faultline: 1, kernel: { name: 'kevlar', ...kernel }, files }, NOWHERE);
  const segment = (vaddr: string, memsz: string, more: object = {}) => ({
    vaddr,
    offset: '0x0',
    filesz: '0x10',
    memsz,
    flags: 'rx',
    ...more,
  });
  const withSegments = (...segments: readonly object[]) => decoded({}, [{ path: '/x', size: 4096, segments, content: { seed: '' } }]);

  it('gets no more frames and CPUs than there may be', () => {
    expect(decoded({ frames: 10 ** 12 })).to.throw(TraceError, 'frames');
    expect(decoded({ cpus: 10 ** 9 })).to.throw(TraceError, 'cpus');
    expect(decoded({ frames: 262144 })).to.not.throw();
    expect(decoded({}, [{ path: '/x', size: 2 ** 31, content: { seed: '' } }])).to.throw(TraceError, 'files[0].size');
  });

  it('has no segments that overlap, leave user space or the file, or are larger in the file than in memory', () => {
    expect(withSegments(segment('0x10000', '0x1000'), segment('0x10fff', '0x1000'))).to.throw(TraceError, 'segments[1].vaddr');
    expect(withSegments(segment('0x7ffffffff000', '0x2000'))).to.throw(TraceError, 'vaddr');
    expect(withSegments(segment('0x10000', '0x1000', { offset: '0xfff' }))).to.throw(TraceError, 'offset');
    expect(withSegments(segment('0x10000', '0x8'))).to.throw(TraceError, 'filesz');
    expect(withSegments(segment('0x10000', '0x7fffffff0000'))).to.not.throw();
  });

  it('names a kernel and parameters that exist, or is refused before anything runs', () => {
    const made = (spec: object) => () => new Replay(headerOf({ spec }), { check: 'every', digester });
    expect(made({ name: 'kevlar+'.repeat(50) })).to.throw(ReplayError, 'wrong decision');
    expect(made({ name: 'constructor' })).to.throw(ReplayError, 'there is no kernel');
    for (const spec of [{ frames: 262145 }, { singlesMax: 2 ** 32 }, { tlbEntries: 3 }, { faultsMax: 1 }, { refcountMax: 2 ** 32 }])
      expect(made(spec)).to.throw(ReplayError, Object.keys(spec)[0]);
  });
});

describe('a hostile program', () => {
  /** Whole 64-bit words, where a program header has its numbers, and bytes anywhere in the headers. */
  const somePatch = fc.oneof(
    fc.record({
      offset: fc.nat(21).map((i) => 8 * i + 16),
      hex: fc.constantFrom('0000000000000000', '00f0ffffff7f0000', 'ffffffffffffffff', '0100000000000000', '0000000000100000'),
    }),
    fc.record({ offset: fc.nat(200), hex: fc.constantFrom('00', '01', '02', '7f', 'ff') }),
  );

  it('is executed or refused, and what is executed is as its headers say', () => {
    fc.assert(
      fc.property(fc.array(somePatch, { minLength: 1, maxLength: 4 }), (patches) => {
        const result = play(
          'p1 exec /bin/program\np1 touch r 0x10000\np1 exec /bin/program\np1 touch x 0x10000\np1 brk 0x20000\np1 fork p2',
          {
            files: [{ ...PROGRAM, patches }],
            spec: { hugePages: 512, assembleThreshold: 1 },
          },
        );
        expect(findingsOf(result)).to.deep.equal([]);
      }),
      { numRuns: runs(60) },
    );
  });

  it('is refused if it spans more than there is room for, and the process goes on', () => {
    const spans = (memsz: number) => ({ ...PROGRAM, segments: [{ ...PROGRAM.segments![0]!, memsz }] });
    for (const memsz of [2 ** 35, 2 ** 36, 2 ** 46, 2 ** 47 - 0x10000]) {
      const result = play('p1 mmap 0x0 4096 rw private,anonymous\np1 exec /bin/program\np1 touch w 0xa00000000\np1 touch r 0x10000', {
        files: [spans(memsz)],
        spec: { hugePages: 512 },
      });
      expect(findingsOf(result), String(memsz)).to.deep.equal([]);
    }
  });
});
