/** The page layer of linux: what each access costs and what pages become, as a real 6.18 answered. */
import { expect } from 'chai';
import {
  copyIn,
  copyOut,
  drain,
  exit,
  isValid,
  mincoreVector,
  pageStates,
  reach,
  signalCode,
  truncate,
  vpn,
  vpnOf,
  type MmapRequest,
} from '../../../kernel-model/index.ts';
import { LinuxSpace, page } from '../../helpers/linux-space.ts';
import { fileOf, kernelWith } from '../../helpers/model.ts';

/** Five whole pages and a sixth that ends in its middle. */
const FILE_BYTES = 5 * 4096 + 0x123;

/** A process in whose kernel a region has eight pages: 0 to 7, 8 to 15, … */
const start = (): LinuxSpace =>
  new LinuxSpace(kernelWith({ kernel: 'linux', parameters: { frames: 1024, hugePages: 8 }, files: [fileOf('/f', FILE_BYTES)] }));

/** Pages 0 to 23 as private memory that wants huge pages. */
function startHuge(): LinuxSpace {
  const p = start();
  p.map(0, 24);
  p.advise(0, 24, 'hugepage');
  return p;
}

/** Touches a page; a store writes a byte that tells the page. @returns the faults that it took, or the signal and its code */
function touch({ kernel: k, process }: LinuxSpace, at: number, access: 'load' | 'store'): number | string {
  k.switchTo(k.cpus[0]!, process);
  const before = k.counts.faults;
  const reached = drain(reach(k, k.cpus[0]!, process.space, page(at), access));
  if (typeof reached === 'string') return `${reached} ${signalCode(k, process.space, page(at), access)}`;
  if (access === 'store') k.memory.bytes[reached] = 0x40 + at;
  return k.counts.faults - before;
}

/** The byte that a load of the page's first byte finds. */
function byteAt({ kernel: k, process }: LinuxSpace, at: number): number {
  k.switchTo(k.cpus[0]!, process);
  return k.memory.bytes[drain(reach(k, k.cpus[0]!, process.space, page(at), 'load')) as number]!;
}

const states = ({ kernel, process }: LinuxSpace, from: number, count: number): string =>
  pageStates(kernel, process.space, vpnOf(page(from)), vpn(vpnOf(page(from)) + count));
const inCore = ({ kernel, process }: LinuxSpace, from: number, count: number): string =>
  mincoreVector(kernel, process.space, vpnOf(page(from)), vpn(vpnOf(page(from)) + count));
const mapFile = (p: LinuxSpace, at: number, pages: number, prot = 'rw', request: Partial<MmapRequest> = {}): number | string =>
  p.map(at, pages, prot, { path: '/f', ...request });

describe('private memory', () => {
  it('is the zero page for a reader, a page for a writer, and free of charge from then on (1, 1, 0 faults)', () => {
    const p = start();
    p.map(0, 2);
    expect(touch(p, 0, 'load')).to.equal(1);
    expect(states(p, 0, 2)).to.equal('z.');
    expect(touch(p, 0, 'store')).to.equal(1);
    expect(touch(p, 0, 'store')).to.equal(0);
    expect(states(p, 0, 2)).to.equal('A.');
  });

  it('takes no fault after rw, r, rw, and keeps its bytes while nobody may touch it', () => {
    const p = start();
    p.map(0, 1);
    touch(p, 0, 'store');
    p.protect(0, 1, 'r');
    expect(touch(p, 0, 'store')).to.equal('SIGSEGV ACCERR');
    p.protect(0, 1, 'none');
    expect(touch(p, 0, 'load')).to.equal('SIGSEGV ACCERR');
    expect([states(p, 0, 1), inCore(p, 0, 1)]).to.deep.equal(['A', 'y']);
    p.protect(0, 1, 'rw');
    expect(touch(p, 0, 'store')).to.equal(0);
  });

  it('is copied by who writes first after a fork; the other, now alone, takes one fault and no copy', () => {
    const parent = start();
    parent.map(0, 1);
    touch(parent, 0, 'store');
    const child = parent.fork(2);
    expect(states(parent, 0, 1)).to.equal('a');
    expect(touch(parent, 0, 'store')).to.equal(1);
    expect([states(parent, 0, 1), states(child, 0, 1)]).to.deep.equal(['A', 'A']);
    const used = parent.kernel.allocator.freeCount();
    expect(touch(child, 0, 'store')).to.equal(1);
    expect(parent.kernel.allocator.freeCount()).to.equal(used);
  });

  it('costs the parent one fault and no copy when the child has exited', () => {
    const parent = start();
    parent.map(0, 1);
    touch(parent, 0, 'store');
    const child = parent.fork(2);
    drain(exit(child.kernel, child.process, 0, undefined));
    const free = parent.kernel.allocator.freeCount();
    expect(touch(parent, 0, 'store')).to.equal(1);
    expect(touch(parent, 0, 'store')).to.equal(0);
    expect(parent.kernel.allocator.freeCount()).to.equal(free);
  });

  it('reaches the child only if the VMA had a private page, was not wiped and not left out', () => {
    const parent = start();
    parent.map(0, 1);
    parent.map(2, 1);
    parent.map(4, 1);
    parent.map(6, 1);
    parent.advise(4, 1, 'wipeonfork');
    parent.advise(6, 1, 'dontfork');
    touch(parent, 0, 'load');
    for (const at of [2, 4, 6]) touch(parent, at, 'store');
    const child = parent.fork(2);
    expect(states(parent, 0, 7)).to.equal('z.a.A.A');
    expect(states(child, 0, 7)).to.equal('..a....');
    expect(byteAt(child, 4)).to.equal(0);
    expect(touch(child, 6, 'load')).to.equal('SIGSEGV MAPERR');
  });
});

describe('memory of a file', () => {
  it('is mapped with what is in memory around it, up to its end (16 pages at most, one region)', () => {
    const p = start();
    mapFile(p, 0, 24, 'r');
    expect(touch(p, 3, 'load')).to.equal(1);
    expect(states(p, 0, 8)).to.equal('ffffff..');
    expect(touch(p, 6, 'load')).to.equal('SIGBUS ADRERR');
  });

  it('is mapped around from where the VMA begins', () => {
    const p = start();
    mapFile(p, 3, 4, 'r', { offset: 4096 });
    touch(p, 6, 'load');
    expect(states(p, 0, 8)).to.equal('...ffff.');
  });

  it('shows neighbours even where the access itself is SIGBUS', () => {
    const p = start();
    mapFile(p, 0, 8, 'r');
    expect(touch(p, 7, 'load')).to.equal('SIGBUS ADRERR');
    expect(states(p, 0, 8)).to.equal('ffffff..');
  });

  it('is copied one page at a time by a private writer, and shared by the others', () => {
    const p = start();
    mapFile(p, 0, 4);
    expect(touch(p, 1, 'store')).to.equal(1);
    expect(states(p, 0, 4)).to.equal('.A..');
    expect(inCore(p, 0, 6)).to.equal('yyyy--');
    mapFile(p, 8, 4, 'rw', { shared: true, private: false });
    expect(touch(p, 8, 'load')).to.equal(1);
    expect(touch(p, 9, 'store')).to.equal(0);
    expect(byteAt(p, 9)).to.not.equal(byteAt(p, 1));
  });

  it('goes with the end of the file, copies included; a copy that is cut in the middle stays whole', () => {
    const p = start();
    mapFile(p, 0, 4);
    touch(p, 1, 'store');
    touch(p, 2, 'store');
    drain(truncate(p.kernel, p.kernel.files.get('/f')!, 4096 + 100));
    expect(states(p, 0, 4)).to.equal('.A..');
    expect(touch(p, 2, 'load')).to.equal('SIGBUS ADRERR');
    drain(truncate(p.kernel, p.kernel.files.get('/f')!, 3 * 4096));
    expect(byteAt(p, 2)).to.equal(0);
    expect(byteAt(p, 1)).to.equal(0x41);
  });

  it('loses what a hole takes, but no private copy (MADV_REMOVE)', () => {
    const p = start();
    mapFile(p, 0, 2);
    mapFile(p, 8, 2, 'rw', { shared: true, private: false });
    touch(p, 0, 'store');
    touch(p, 8, 'load');
    expect(p.advise(8, 2, 'remove')).to.equal(0);
    expect([states(p, 0, 2), states(p, 8, 2), inCore(p, 8, 2)]).to.deep.equal(['A.', '..', 'nn']);
    expect(byteAt(p, 8)).to.equal(0);
  });
});

describe('huge pages', () => {
  it('serve a region that lies inside a VMA which asked for them: one fault for all pages', () => {
    const p = startHuge();
    expect(touch(p, 9, 'store')).to.equal(1);
    expect(touch(p, 1, 'load')).to.equal(1);
    expect(states(p, 0, 24)).to.equal('ZZZZZZZZHHHHHHHH........');
    expect(touch(p, 2, 'store')).to.equal(1);
    expect(states(p, 0, 8)).to.equal('HHHHHHHH');
  });

  it('do not serve a region that a VMA cuts', () => {
    const p = start();
    p.map(1, 10);
    p.advise(1, 10, 'hugepage');
    touch(p, 2, 'store');
    touch(p, 9, 'store');
    expect(states(p, 0, 12)).to.equal('..A......A..');
  });

  it('are split by what changes a part of them, and kept by what changes all (munmap, mprotect, DONTNEED)', () => {
    const p = startHuge();
    for (const at of [0, 8, 16]) touch(p, at, 'store');
    p.unmap(1, 1);
    p.protect(8, 8, 'none');
    p.advise(16, 8, 'dontneed');
    expect(states(p, 0, 24)).to.equal('A.AAAAAAHHHHHHHH........');
    expect(touch(p, 16, 'store')).to.equal(1);
    expect(states(p, 16, 8)).to.equal('HHHHHHHH');
  });

  it('leave zero pages and a hole where a part of the huge zero page is dropped', () => {
    const p = startHuge();
    touch(p, 0, 'load');
    p.advise(3, 1, 'dontneed');
    expect(states(p, 0, 8)).to.equal('zzz.zzzz');
  });

  it('are shared by a fork; who writes splits his own and copies one page', () => {
    const parent = startHuge();
    touch(parent, 0, 'store');
    const child = parent.fork(2);
    expect(touch(child, 2, 'store')).to.equal(1);
    expect([states(parent, 0, 8), states(child, 0, 8)]).to.deep.equal(['hhhhhhhh', 'aaAaaaaa']);
  });

  it('move whole from region to region, and split on any other way', () => {
    const p = startHuge();
    touch(p, 0, 'store');
    touch(p, 8, 'store');
    p.move(0, 8, 8, 40);
    p.move(8, 8, 8, 51);
    expect(states(p, 40, 20)).to.equal('HHHHHHHH...AAAAAAAA.');
    expect(byteAt(p, 40)).to.equal(0x40);
    expect(byteAt(p, 51)).to.equal(0x48);
  });

  it('give back what holds only zeros when a part is freed (MADV_FREE)', () => {
    const p = startHuge();
    touch(p, 0, 'store');
    p.advise(4, 2, 'free');
    expect(states(p, 0, 8)).to.equal('Azzzzzzz');
  });

  it('are gathered from small pages (MADV_COLLAPSE), but not from nothing', () => {
    const p = start();
    p.map(0, 16);
    touch(p, 3, 'store');
    expect(p.advise(0, 8, 'collapse')).to.equal(0);
    expect(p.advise(8, 8, 'collapse')).to.equal('EINVAL');
    expect(states(p, 0, 16)).to.equal('HHHHHHHH........');
    expect(byteAt(p, 3)).to.equal(0x43);
  });
});

describe('advice and guards', () => {
  it('populates up to what stops it: a hole, a refusal, the end of a file', () => {
    const p = start();
    p.map(0, 2);
    p.map(2, 1, 'r');
    expect(p.advise(0, 3, 'populateWrite')).to.equal('EINVAL');
    expect(p.advise(0, 4, 'populateRead')).to.equal('ENOMEM');
    expect(states(p, 0, 4)).to.equal('AAz.');
    mapFile(p, 8, 8);
    expect(p.advise(8, 8, 'populateWrite')).to.equal('EFAULT');
    expect(states(p, 8, 8)).to.equal('AAAAAA..');
  });

  it('drops what was given up and not written since, and nothing else (FREE, PAGEOUT)', () => {
    const p = start();
    p.map(0, 3);
    for (const at of [0, 1, 2]) touch(p, at, 'store');
    p.advise(0, 2, 'free');
    expect(touch(p, 1, 'store')).to.equal(0);
    p.advise(0, 3, 'pageout');
    expect(states(p, 0, 3)).to.equal('.AA');
  });

  it('guards pages against every access; DONTNEED leaves the guard, guardRemove takes it', () => {
    const p = start();
    p.map(0, 3);
    touch(p, 1, 'store');
    p.advise(1, 1, 'guardInstall');
    expect(touch(p, 1, 'load')).to.equal('SIGSEGV MAPERR');
    p.advise(0, 3, 'dontneed');
    expect([states(p, 0, 3), inCore(p, 0, 3)]).to.deep.equal(['.s.', 'nnn']);
    expect(states(p.fork(2), 0, 3)).to.equal('.s.');
    p.advise(1, 1, 'guardRemove');
    expect(byteAt(p, 1)).to.equal(0);
  });
});

describe('kernel copies', () => {
  it('stop at the first page that refuses, and answer how far they came', () => {
    const p = start();
    p.map(0, 1);
    p.map(2, 1, 'r');
    const { kernel: k, process } = p;
    const out = (at: number): unknown => drain(copyOut(k, k.cpus[0]!, process, at, new Uint8Array(4096).fill(7)));
    expect([out(page(0) + 4000), out(page(1)), out(page(2))]).to.deep.equal([96, 'EFAULT', 'EFAULT']);
    expect(drain(copyIn(k, k.cpus[0]!, process, page(2), new Uint8Array(5000)))).to.equal(4096);
    expect(states(p, 0, 3)).to.equal('A.z');
  });
});

describe('a sealed leaf', () => {
  it('is found by walks of the tables, but opens to no program', () => {
    const p = startHuge();
    touch(p, 0, 'store');
    p.protect(0, 8, 'none');
    const { kernel: k, process } = p;
    expect(isValid(k.tables.hugeLeafOf(process.space.root, vpnOf(page(0))))).to.equal(true);
    expect(touch(p, 5, 'load')).to.equal('SIGSEGV ACCERR');
    p.protect(0, 8, 'rw');
    expect(touch(p, 5, 'store')).to.equal(0);
  });
});
