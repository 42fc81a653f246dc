/** Calls about VMAs: what the recordings of a real kernel do not hold, or hold once; each answer is a real kernel's. */
import { expect } from 'chai';
import { drain, operationsOf, PAGE_BYTES, vaddr } from '../../../kernel-model/index.ts';
import { LinuxSpace, page } from '../../helpers/linux-space.ts';

const on = operationsOf('linux');
/** Lengths that wrap around; 2^64 stands for all that round up to it. */
const LONGEST = 2 ** 64;
const LONGEST_PAGES = 2 ** 64 - PAGE_BYTES;

describe('mmap', () => {
  it('ignores the offset of shared anonymous memory', () => {
    const space = new LinuxSpace();
    space.map(0, 2, 'rw', { shared: true, offset: 3 * PAGE_BYTES });
    space.write(0, 1);
    expect(space.vmas[0]?.backing?.offset).to.equal(0);
  });

  it('knows what a flag means only where it must: MAP_SHARED_VALIDATE is both types', () => {
    const space = new LinuxSpace();
    const validate = { shared: true, private: true, path: '/f' };
    expect(space.map(0, 1, 'rw', validate)).to.equal(page(0));
    expect(space.map(1, 1, 'rw', { ...validate, unknownFlag: true })).to.equal('EOPNOTSUPP');
    expect(space.map(1, 1, 'rw', { ...validate, noreplace: true })).to.equal('EOPNOTSUPP');
    expect(space.map(0, 1, 'rw', { ...validate, noreplace: true })).to.equal('EEXIST');
    expect(space.map(1, 1, 'rw', { shared: true, path: '/f', unknownFlag: true })).to.equal(page(1));
    expect(space.map(2, 1, 'rw', { shared: true, private: true })).to.equal('EINVAL');
    expect(space.map(2, 1, 'rw', { private: false })).to.equal('EINVAL');
  });

  it('changes nothing when it fails, though the range is fixed', () => {
    const space = new LinuxSpace();
    space.map(0, 3);
    expect(space.map(1, 1, 'rw', { path: '/none' })).to.equal('EBADF');
    expect(space.map(1, 1, 'rw', { path: '/f', shared: true, readonly: true })).to.equal('EACCES');
    expect(space.list).to.equal('0-3 rw-p');
  });
});

describe('mprotect', () => {
  it('changes what lies before a hole, and what lies before a VMA that refuses', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(3, 1);
    expect(space.protect(1, 3, 'r')).to.equal('ENOMEM');
    expect(space.list).to.equal('0-1 rw-p, 1-2 r--p, 3-4 rw-p');
    space.map(2, 1, 'r', { path: '/f', shared: true, readonly: true });
    expect(space.protect(1, 3, 'rw')).to.equal('EACCES');
    expect(space.list).to.equal('0-2 rw-p, 2-3 r--s /f+0, 3-4 rw-p');
  });
});

describe('mlock', () => {
  it('locks whole pages up to a hole, and splits the VMA', () => {
    const space = new LinuxSpace();
    const { kernel, process } = space;
    space.map(0, 3);
    expect(drain(on.mlock(kernel, process, page(1) + 5, PAGE_BYTES * 2))).to.equal('ENOMEM');
    expect([space.list, space.flagsAt(0), space.flagsAt(2)]).to.deep.equal(['0-1 rw-p, 1-3 rw-p', 'ac', 'lo ac']);
    expect(space.advise(0, 3, 'dontneed')).to.equal('EINVAL');
  });

  it('takes a length that wraps around for what it wraps to', () => {
    const space = new LinuxSpace();
    const { kernel, process } = space;
    space.map(0, 2);
    const lock = (address: number, length: number): number | string => drain(on.mlock(kernel, process, address, length));
    expect(lock(page(0), LONGEST)).to.equal(0);
    expect(lock(page(0) + 0x800, LONGEST_PAGES)).to.equal(0);
    expect(space.list).to.equal('0-2 rw-p');
    expect(lock(page(0), LONGEST_PAGES)).to.equal('EINVAL');
    expect(lock(page(0) + 0x800, LONGEST)).to.equal(0);
    expect([space.list, space.flagsAt(0)]).to.deep.equal(['0-1 rw-p, 1-2 rw-p', 'lo ac']);
  });
});

describe('mremap', () => {
  it('moves several VMAs with the hole between them to a fixed place', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(3, 1, 'r');
    expect(space.move(0, 4, 4, 8)).to.equal(page(8));
    expect(space.list).to.equal('8-10 rw-p, 11-12 r--p');
  });

  it('unmaps whatever lies in the part that a shrinking range gives up', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(3, 2, 'r');
    expect(space.move(0, 4, 1)).to.equal(page(0));
    expect(space.list).to.equal('0-1 rw-p, 4-5 r--p');
    expect(space.move(0, LONGEST_PAGES / PAGE_BYTES, 1)).to.equal('EINVAL');
    expect(space.list).to.equal('0-1 rw-p, 4-5 r--p');
  });

  it('maps shared pages a second time for an old length of 0, and private ones never', () => {
    const space = new LinuxSpace();
    space.map(0, 1, 'rw', { shared: true });
    space.map(1, 1);
    expect(space.move(0, 0, 1, 8)).to.equal(page(8));
    expect(space.vmas[2]?.backing?.file).to.equal(space.vmas[0]?.backing?.file);
    expect(space.move(1, 0, 1, 9)).to.equal('EINVAL');
  });

  it('grows in place up to a VMA that it can merge with', () => {
    const space = new LinuxSpace();
    space.map(0, 1);
    space.map(3, 1);
    space.write(0);
    expect(space.move(0, 1, 3)).to.equal(page(0));
    expect(space.list).to.equal('0-4 rw-p');
  });
});

describe('brk', () => {
  it('ends at the byte, and needs the page behind its end free', () => {
    const space = new LinuxSpace();
    const { kernel, process } = space;
    process.space.heapStart = process.space.heapEnd = vaddr(page(0));
    const brk = (bytes: number): number => drain(on.brk(kernel, process, page(0) + bytes)) - page(0);
    space.map(4, 1, 'r');
    expect(brk(1)).to.equal(1);
    expect(space.list).to.equal('0-1 rw-p, 4-5 r--p');
    expect(brk(3 * PAGE_BYTES)).to.equal(3 * PAGE_BYTES);
    expect(brk(3 * PAGE_BYTES + 1)).to.equal(3 * PAGE_BYTES);
    expect(brk(-1)).to.equal(3 * PAGE_BYTES);
    expect(brk(0)).to.equal(0);
    expect(space.list).to.equal('4-5 r--p');
  });

  it('does not take in what ends where the heap starts', () => {
    const space = new LinuxSpace();
    const { kernel, process } = space;
    process.space.heapStart = process.space.heapEnd = vaddr(page(1));
    space.map(0, 1);
    drain(on.brk(kernel, process, page(2)));
    expect(space.list).to.equal('0-1 rw-p, 1-2 rw-p');
  });
});

describe('a VMA that grows downwards', () => {
  it('reaches down to where it is touched, outside of the guard gap of others', () => {
    const space = new LinuxSpace();
    space.map(300, 1, 'rw', { growsdown: true });
    space.map(0, 1);
    space.write(258);
    expect(space.list).to.equal('0-1 rw-p, 258-301 rw-p');
    expect(() => {
      space.write(256);
    }).to.throw('SIGSEGV');
  });
});
