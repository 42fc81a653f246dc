/** Who holds the frames of an assembled block: counts after exec, fork and the first write (kevlar@m9.8.1). */
import { expect } from 'chai';
import { pfn } from '../../kernel-model/index.ts';
import { DATA_HEAD, execIn, Scene, TAIL, warm } from './scene.ts';

const all = (refs: number): readonly number[] => Array<number>(512).fill(refs);

describe('an assembled block', () => {
  const assembled = (): Scene => new Scene('kevlar@m9.8.1').run(warm(127), TAIL, execIn(2));

  it('is held by the cache and each process: 2 after the first exec, 3 after the second, 4 after a fork', () => {
    const scene = assembled();
    expect(scene.blockRefs()).to.deep.equal(all(2));
    scene.run(execIn(3));
    expect(scene.all('huge_cache_hit')).to.have.length(1);
    expect(scene.blockRefs()).to.deep.equal(all(3));
    scene.run('p3 fork p4');
    expect(scene.blockRefs()).to.deep.equal(all(4));
  });

  it('is split at the first write to .data, and one page is copied', () => {
    const scene = assembled();
    const frame = pfn(scene.frameAt(2, 0x51c000));
    const before = scene.kernel.memory.page(frame).slice();
    scene.run('p2 touch w 0x51cbf0 value=0x7f');

    expect(scene.all('huge_split')).to.have.length(1);
    expect(scene.all('huge_split')[0]).to.include({ pid: 2, huge_base: 0x400000 });
    expect(scene.all('cow_copy')).to.have.length(1);
    expect(scene.all('cow_copy')[0]).to.include({ pid: 2, vaddr: 0x51c000, from: frame, refs: 2 });
    expect(scene.blockRefs()).to.deep.equal(all(2).map((refs, i) => (i === DATA_HEAD ? 1 : refs)));

    expect([...scene.kernel.memory.page(frame)]).to.deep.equal([...before]);
    const copy = scene.kernel.memory.page(scene.frameAt(2, 0x51c000));
    expect(copy[0xbf0]).to.equal(0x7f);
    expect([...copy.subarray(0xbf1)]).to.deep.equal([...before.subarray(0xbf1)]);
    expect(scene.frameAt(2, 0x51d000)).to.equal(frame + 1);
  });

  it('is split once: the next write copies, the one after does neither', () => {
    const scene = assembled().run('p2 touch w 0x51cbf0', 'p2 touch w 0x51d000', 'p2 touch w 0x51d008');
    expect(scene.all('huge_split')).to.have.length(1);
    expect(scene.all('cow_copy')).to.have.length(2);
  });
});
