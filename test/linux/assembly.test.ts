/** An experiment: Kevlar's huge-page assembly on the linux design (kernel `linux@assembly`). */
import { expect } from 'chai';
import { MUTANTS, pageStates, pid, vpn, PAGE_BYTES, type KernelEvent } from '../../kernel-model/index.ts';
import { generateTrace } from '../../properties/generate.ts';
import { readTrace } from '../../sim/cli/trace-file.ts';
import { createDigester } from '../../sim/digest.ts';
import { replay, type ReplayResult } from '../../sim/replay.ts';
import { runs, seed } from '../helpers/seed.ts';
import { IMAGE, Scene } from '../kevlar/scene.ts';

const digester = await createDigester();
const TRACES = new URL('../../traces/', import.meta.url);
/** What assembly decided at M9.8, and the cache with it. */
const M9_8 = '+caches-partial-pages+assembly-copies-whole-page';

describe('BusyBox on linux@assembly', () => {
  for (const [path, checks] of [
    ['reconstructed/busybox-102.jsonl.gz', 101],
    ['recorded/suite20-0x400000.jsonl.gz', 20],
  ] as const) {
    it(`passes ${checks} of ${checks} at any threshold, with the decisions of M9.8 too (${path})`, async () => {
      const trace = await readTrace(new URL(path, TRACES).pathname);
      const run = (kernel: string, assembleThreshold: number): ReplayResult =>
        replay(trace, { kernel, check: 'end', digester, parameters: { assembleThreshold, provenance: false } });
      const never = run('linux', 0);
      expect(never).to.include({ verdict: 'held', assemblies: 0 });
      for (const kernel of ['linux@assembly', `linux@assembly${M9_8}`]) {
        for (const threshold of [0, 128]) {
          const result = run(kernel, threshold);
          expect(result.findings, `${kernel} at ${threshold}`).to.deep.equal([]);
          expect(result.checks).to.include({ passed: checks, failed: 0 });
          expect(result.assemblies).to.be.within(1, 2);
          expect(result.faults).to.be.lessThan(0.8 * never.faults);
        }
        expect(run(kernel, 600)).to.include({ verdict: 'held', assemblies: 0, faults: never.faults });
      }
    }).timeout(120_000);
  }
});

describe('random runs on linux@assembly', () => {
  for (const kernel of ['linux@assembly', `linux@assembly${M9_8}`]) {
    it(`hold, with huge leaves of programs in them (${kernel}, ${runs(200)} runs)`, () => {
      let hugeLeaves = 0;
      const onEvent = (event: KernelEvent): void => {
        if (event.type === 'page_mapped' && event.why === 'assembly' && event.pages > 1) hugeLeaves++;
      };
      for (let i = 0; i < runs(200); i++) {
        const trace = generateTrace(`${seed}/assembly/${i}`, { kernel, hasFaults: i % 2 === 1 });
        const { findings } = replay(trace, { digester, check: i % 10 === 0 ? 'every' : 'changes', onEvent });
        expect(findings, `run ${i}`).to.deep.equal([]);
      }
      expect(hugeLeaves).to.be.greaterThan(0);
    }).timeout(0);
  }
});

describe('wrong decisions of assembly on linux', () => {
  for (const { id, brokenBy } of MUTANTS.filter((mutant) => ['assembly-maps-beyond-vma', 'prefault-grants-exec'].includes(mutant.id))) {
    it(`${id} is seen by ${brokenBy.join(' or ')}`, () => {
      const failed = Array.from({ length: 50 }, (_, i) => generateTrace(`${seed}/assembly/${i}`, { kernel: `linux@assembly+${id}` }))
        .map((trace) => replay(trace, { digester, check: 'changes' }).findings)
        .find((findings) => findings.length > 0);
      expect(brokenBy).to.include(failed?.[0]?.id);
    });
  }
});

describe('an assembled block on linux', () => {
  /** A region has 16 pages here. The image's first lies in two VMAs, its second wholly in the text; its last begins with the end of the data. */
  const REGION_PAGES = 16;
  const SECOND = IMAGE + REGION_PAGES * PAGE_BYTES;
  const LAST = IMAGE + 18 * REGION_PAGES * PAGE_BYTES;
  const at = (address: number): string => `0x${address.toString(16)}`;

  /** Process 1 in its second BusyBox, whose image the first has read. */
  const start = (): Scene =>
    new Scene('linux@assembly', { hugePages: REGION_PAGES, assembleThreshold: 1 }).run(
      'p1 exec /bin/busybox',
      'p1 touch r 0x400000+290',
      'p1 exec /bin/busybox',
    );
  const states = ({ kernel }: Scene, id: number, address: number): string =>
    pageStates(kernel, kernel.process(pid(id)).space, vpn(address / PAGE_BYTES), vpn(address / PAGE_BYTES + REGION_PAGES));
  const refsOf = ({ kernel }: Scene, first: number): readonly number[] => [...kernel.frames.refs.slice(first, first + REGION_PAGES)];
  const whole = (letter: string): string => letter.repeat(REGION_PAGES);

  it('is mapped by one huge leaf where one VMA covers its region, else page by page; what exec has zeroed is a copy', () => {
    const scene = start();
    expect(states(scene, 1, IMAGE)).to.equal(whole('f'));
    expect(states(scene, 1, SECOND)).to.equal(whole('F'));
    expect(states(scene, 1, LAST)).to.equal(`A${'.'.repeat(REGION_PAGES - 1)}`);
  });

  it('is one block for all who exec the file; each mapping has a reference of every frame', () => {
    const scene = start().run('p1 fork p2', 'p2 exec /bin/busybox');
    const [first, second] = [1, 2].map((id) => scene.frameAt(id, SECOND));
    expect(first).to.equal(second);
    expect(refsOf(scene, first!)).to.deep.equal(new Array(REGION_PAGES).fill(3));
    scene.run('p2 exit 0');
    expect(refsOf(scene, first!)).to.deep.equal(new Array(REGION_PAGES).fill(2));
  });

  it('is split by a change to a part of it, and a private store copies one page', () => {
    const scene = start();
    const block = scene.frameAt(1, SECOND);
    scene.run(`p1 mprotect ${at(SECOND + PAGE_BYTES)} 4096 rw`, `p1 touch w ${at(SECOND + PAGE_BYTES)}`);
    expect(states(scene, 1, SECOND)).to.equal(`fA${'f'.repeat(REGION_PAGES - 2)}`);
    expect(refsOf(scene, block)).to.deep.equal([2, 1, ...new Array<number>(REGION_PAGES - 2).fill(2)]);
    scene.run(`p1 madvise ${at(SECOND)} 65536 dontneed`, `p1 touch r ${at(SECOND)}`);
    expect(refsOf(scene, block)).to.deep.equal(new Array(REGION_PAGES).fill(1));
    expect(scene.frameAt(1, SECOND)).to.not.equal(block);
  });
});
