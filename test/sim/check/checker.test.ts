/** The checker checked: each id that it reports can fail, by a damaged state or a wrong decision, and names what is wrong. */
import { expect } from 'chai';
import {
  frameOfPte,
  INVARIANTS,
  KernelBug,
  leafPte,
  pfn,
  pid,
  vaddr,
  vpnOf,
  type AddressSpace,
  type Kernel,
  type Vma,
} from '../../../kernel-model/index.ts';
import { SCENES, traceOf } from '../../../scripts/write-regressions.ts';
import { CHECK_MODES } from '../../../sim/check/checker.ts';
import { fileAt, findingsOf, kernelThat, play, type SceneOptions } from '../../helpers/scene.ts';

const AT = 0xa_0000_0000;
const MAPPED = `
  p1 mmap 0x0 8192 rw private,anonymous
  p1 touch w 0xa00000000+2`;
const STARTED = `
  p1 exec /bin/program
  p1 touch r 0x10000`;
const SHARED = `
  p1 mmap 0x0 8192 rw shared path=/f
  p1 touch w 0xa00000000+2`;

const ON_LINUX = `
  p1 mmap 0xa00000000 8192 rw private,anonymous,fixed
  p1 touch w 0xa00000000+2`;
const LINUX = { name: 'linux' };

const spaceOf = (k: Kernel): AddressSpace => k.process(pid(1)).space;
const slotOf = (k: Kernel, address: number): number => k.tables.pageSlot(spaceOf(k).root, vpnOf(address));
const frameAt = (k: Kernel, address: number): number => frameOfPte(k.tables.entryAt(slotOf(k, address)));
const anonymous = (start: number, end: number, role: Vma['role'] = 'mapping'): Vma => ({
  start: vaddr(start),
  end: vaddr(end),
  prot: 3,
  role,
  shared: false,
  backing: undefined,
});

/** For each id: a scene, and the damage that the checker must find in it. */
const DAMAGES: Readonly<Record<string, readonly [ops: string, options: SceneOptions]>> = {
  'metadata-live': [MAPPED, { spoil: (k) => k.frames.setUse(spaceOf(k).root, 'data') }],
  'cache-no-writable-alias': [STARTED, { spoil: (k) => k.tables.setEntry(slotOf(k, 0x10000), leafPte(pfn(frameAt(k, 0x10000)), 7)) }],
  'zero-page-intact': [ON_LINUX, { spec: LINUX, spoil: (k) => void (k.memory.page(k.zeroFrame)[7] = 1) }],
  'exclusive-once': [ON_LINUX, { spec: LINUX, spoil: (k) => k.tables.setEntry(slotOf(k, AT + 4096), leafPte(pfn(frameAt(k, AT)), 1)) }],
  'cache-truth': [STARTED, { spoil: (k) => void (k.memory.page(pfn(frameAt(k, 0x10000)))[4095]! ^= 1) }],
  'cache-index-unique': [
    STARTED,
    { spoil: (k) => k.cache.insert(fileAt(k, '/bin/program'), 1, { frame: pfn(frameAt(k, 0x10000)), dirty: false }) },
  ],
  'freed-unreachable': [MAPPED, { spoil: (k) => k.freeFrame(pfn(frameAt(k, AT))) }],
  'tlb-justified': [MAPPED, { spoil: (k) => k.cpus[0]!.tlb.fill(spaceOf(k).asid, vpnOf(0x1234_5000), pfn(frameAt(k, AT)), 2) }],
  'prot-subset': [MAPPED, { spoil: (k) => k.tables.setEntry(slotOf(k, AT), leafPte(pfn(frameAt(k, AT)), 7)) }],
  'pte-backed': [MAPPED, { spoil: (k) => spaceOf(k).vmas.remove(vaddr(AT), vaddr(AT + 4096)) }],
  'vma-wellformed': [MAPPED, { spoil: (k) => spaceOf(k).vmas.add(anonymous(AT + 4096, AT + 8192)) }],
  'region-disjoint': [
    `${STARTED}
    p1 brk 0x18000`,
    { spoil: (k) => spaceOf(k).vmas.replace(spaceOf(k).vmas.containing(0x17000)!, [anonymous(0x17000, 0x18000, 'pad')]) },
  ],
  'alloc-wellformed': [MAPPED, { spoil: (k) => k.frames.setUse(k.allocator.pools()[0][0]!, 'kernel') }],
  'fresh-zero': [MAPPED, { spec: { zeroedMax: 64 }, spoil: (k) => (k.memory.page(k.allocator.pools()[1][0]!)[17] = 1) }],
  'pin-coherent': [
    `${MAPPED}
    p1 pin 0 w 0xa00000000`,
    { spoil: (k) => k.tables.setEntry(slotOf(k, AT), leafPte(pfn(frameAt(k, AT + 4096)), 3)) },
  ],
  'eof-zero-tail': [
    `${SHARED}
    p1 truncate /f 5000`,
    { spoil: (k) => fileAt(k, '/f').poke(5001, 1) },
  ],
  'refcount-exact': [MAPPED, { spoil: (k) => void k.frames.refs[frameAt(k, AT)]!++ }],
  'no-leak': [MAPPED, { spoil: (k) => void k.allocator.takeSingle('data') }],
  'content-ref': [STARTED, { spoil: (k) => void (k.memory.page(pfn(frameAt(k, 0x10000)))[100]! ^= 1) }],
  'zero-gap': [MAPPED, { spoil: (k) => (k.memory.page(pfn(frameAt(k, AT)))[100] = 1) }],
  'vma-map-ref': [
    `${MAPPED}
    p1 munmap 0xa00001000 4096`,
    { spoilAt: 2, spoil: (k) => spaceOf(k).vmas.add(anonymous(AT + 0x10_0000, AT + 0x10_1000)) },
  ],
  'error-atomic': [
    `${MAPPED}
    p1 munmap 0xa00001001 4096`,
    { spoilAt: 2, spoil: (k) => spaceOf(k).vmas.remove(vaddr(AT + 4096), vaddr(AT + 8192)) },
  ],
  'dirty-durable': [
    `${SHARED}
    p1 sync`,
    { spoilAt: 2, spoil: (k) => k.cache.setDirty(fileAt(k, '/f'), 1, false) },
  ],
  'warm-exec-monotone': [
    `${STARTED}
    ${STARTED}
    ${STARTED}
    p1 exec /bin/program`,
    { spoilAt: 5, spec: { assembleThreshold: 1000 }, spoil: (k) => k.tables.setEntry(slotOf(k, 0x10000), 0) },
  ],
  'outcome-ref': [
    `${MAPPED}
    p1 touch r 0xa00000000`,
    {
      spoilAt: 2,
      spoil: (k) => {
        k.tables.setEntry(slotOf(k, AT), 0);
        k.cpus[0]!.tlb.flushAll();
        spaceOf(k).vmas.remove(vaddr(AT), vaddr(AT + 4096));
      },
    },
  ],
};

/** Ids that only a wrong decision of a kernel brings about. */
const DECISIONS: Readonly<Record<string, readonly [ops: string, options: SceneOptions]>> = {
  'fork-isolation': [
    `${MAPPED}
    p1 fork p2
    p2 touch w 0xa00000000`,
    {
      kernel: kernelThat(
        'mayReuseOnWrite',
        (base) =>
          class extends base {
            override mayReuseOnWrite = (): boolean => true;
          },
      ),
    },
  ],
  'fault-progress': [
    `p1 mmap 0x0 4096 r private,anonymous
    p1 touch w 0xa00000000`,
    { kernel: 'kevlar+refused-access-refreshed' },
  ],
  'kernel-bug': [
    MAPPED,
    {
      kernel: kernelThat(
        'pageContent',
        (base) =>
          class extends base {
            override pageContent(): 'everyVma' {
              throw new KernelBug('a page has content');
            }
          },
      ),
    },
  ],
  'dirty-durable': [
    `${SHARED}
    p1 truncate /f 5000
    p1 touch w 0xa00001000
    p1 sync`,
    {
      kernel: kernelThat(
        'writeBackBytes',
        (base) =>
          class extends base {
            override writeBackBytes = (): number => 4096;
          },
      ),
    },
  ],
  'tlb-justified': [
    `${MAPPED}
    p1 fork p2`,
    {
      kernel: kernelThat(
        'forkFlushesParent',
        (base) =>
          class extends base {
            override forkFlushesParent = (): boolean => false;
          },
      ),
    },
  ],
};

const idsIn = ([ops, options]: readonly [string, SceneOptions]): readonly string[] => play(ops, options).findings.map(({ id }) => id);

describe('the checker', () => {
  for (const [id, scene] of Object.entries(DAMAGES)) {
    it(`finds ${id} in a damaged kernel, and nothing in the same one undamaged`, () => {
      expect(idsIn(scene)).to.include(id);
      const { spoil: _, ...undamaged } = scene[1];
      expect(idsIn([scene[0], undamaged])).to.deep.equal([]);
    });
  }

  for (const [id, scene] of Object.entries(DECISIONS)) {
    it(`finds ${id} in a kernel that decides wrongly, and nothing in the one that does not`, () => {
      expect(idsIn(scene)).to.include(id);
      const { kernel: _, ...right } = scene[1];
      expect(idsIn([scene[0], right])).to.deep.equal([]);
    });
  }

  it('is shown to find every invariant of one state, here and by a regression', () => {
    const shown = [...Object.keys(DAMAGES), ...Object.keys(DECISIONS)];
    expect(shown).to.include.members(INVARIANTS.map(({ id }) => id));
    expect(shown).to.include.members(SCENES.map(({ expect: { id } }) => id!));
  });

  it('asks each invariant once: it is reported with the op that broke it, and not again', () => {
    const { findings } = play(`${MAPPED}\np1 mincore 0xa00000000 4096\np1 mincore 0xa00000000 4096`, {
      spoilAt: 2,
      spoil: (k) => void k.frames.refs[frameAt(k, AT)]!++,
    });
    expect(findings.map(({ id, op }) => [id, op])).to.deep.equal([
      ['refcount-exact', 2],
      ['no-leak', 4],
    ]);
  });

  it('says of a wrong byte where it is, what it should be, what is there, and where that came from', () => {
    const { findings } = play(`${MAPPED}\np1 fork p2\np1 mprotect 0xa00000000 4096 rw\np1 touch w 0xa00000000`, {
      kernel: 'kevlar+mprotect-grants-write',
    });
    const [wrong] = findings;
    expect(wrong).to.include({ kind: 'reference', id: 'fork-isolation', pid: 2, address: AT, op: 4 });
    expect(wrong!.byte).to.include({ offsetInPage: 0, backing: 'written' });
    expect(wrong!.byte!.provenance).to.deep.include({ op: 4, origin: { kind: 'write', pid: 1 } });
    expect(wrong!.byte!.vma).to.equal('0xa00000000-0xa00002000 rw-p mapping');
  });
});

describe('the modes of the checker', () => {
  const damage: SceneOptions = { spoilAt: 2, spoil: (k) => (k.memory.page(pfn(frameAt(k, AT)))[100] = 1) };
  const foundAt = (check: (typeof CHECK_MODES)[number], ops: string): readonly string[] => findingsOf(play(ops, { ...damage, check }));

  it('find damage at once, with the next change there, at the end, or never', () => {
    const ops = `${MAPPED}\np1 mincore 0xa00000000 4096\np1 fork p2\np1 mincore 0xa00000000 4096`;
    expect(foundAt('every', ops)).to.deep.equal(['reference zero-gap @2']);
    expect(foundAt('changes', ops)).to.deep.equal(['reference zero-gap @3']);
    expect(foundAt('end', ops)).to.deep.equal(['reference zero-gap @5']);
    expect(foundAt('none', ops)).to.deep.equal([]);
  });

  it('all find what a load loads, but for the one that checks nothing', () => {
    const ops = `${MAPPED}\np1 touch r 0xa00000064`;
    for (const check of CHECK_MODES) expect(foundAt(check, ops)).to.deep.equal(check === 'none' ? [] : ['reference zero-gap @2']);
  });

  it('find in every regression what its trace expects', () => {
    for (const scene of SCENES) {
      const spec = { ...scene.kernel, frames: 128, name: traceOf(scene).header.kernel.name };
      for (const check of ['every', 'changes', 'end'] as const) {
        const ids = play(scene.ops, { spec, files: scene.files, check }).findings.map(({ id }) => id);
        expect(ids.length, `${scene.id}, ${check}`).to.be.above(0);
        if (check !== 'end') expect(ids, `${scene.id}, ${check}`).to.include(scene.expect.id);
      }
    }
  });
});

describe('what the reference cannot know', () => {
  const holds = (ops: string): void => {
    expect(findingsOf(play(ops)), ops).to.deep.equal([]);
  };

  it('is excused: an op that runs out of frames, at any of its allocations', () => {
    for (let at = 1; at <= 24; at++) {
      holds(`p1 inject noFrame ${at}\np1 exec /bin/program\np1 exec /bin/program`);
      holds(`${MAPPED}\np1 inject noFrame ${at}\np1 fork p2\np1 touch w 0xa00000000\np1 fork p2\np2 touch r 0xa00000000`);
      holds(
        `${SHARED}\np1 inject noFrame ${at}\np1 touch w 0xa00000000\np1 mremap 0xa00000000 4096 65536 mayMove\np1 copyOut 0xa00001000 100`,
      );
    }
  });

  it('is excused: a store that fails, at any of its reads and writes', () => {
    for (let at = 1; at <= 6; at++) {
      holds(`p1 inject eio ${at}\n${SHARED}\np1 sync\np1 sync`);
      holds(`p1 inject eio ${at}\n${STARTED}\np1 touch r 0x13bf0\np1 read /f 0x0 8192`);
      holds(`p1 inject shortRead ${at} bytes=100\n${SHARED}\np1 read /f 0x0 8192\np1 msync 0xa00000000 8192`);
    }
  });

  it('is not excused later: an access that is refused when nothing was short', () => {
    const scene: SceneOptions = { spoilAt: 3, spoil: (k) => spaceOf(k).vmas.remove(vaddr(AT), vaddr(AT + 8192)) };
    expect(findingsOf(play(`p1 inject noFrame 2\n${MAPPED}\np1 touch r 0xa00000000`, scene))).to.not.deep.equal([]);
  });
});
