/** anon_vmas: what stays apart because it was touched apart, or because fork made it. */
import { expect } from 'chai';
import { LinuxSpace } from '../../helpers/linux-space.ts';

const anonVmaAt = ({ vmas }: LinuxSpace, index: number) => vmas[index]!.linux?.anonVma;

describe('prepareAnonVma', () => {
  it('gives a VMA one at its first private page, and no other later', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    expect(anonVmaAt(space, 0)).to.equal(undefined);
    space.write(0);
    const first = anonVmaAt(space, 0);
    expect(first).to.not.equal(undefined);
    space.write(1);
    expect(anonVmaAt(space, 0)).to.equal(first);
  });

  it('takes that of a neighbour that differs in its rights alone', () => {
    const space = new LinuxSpace();
    space.map(0, 2, 'rw', { noreserve: true });
    space.map(2, 2, 'rwx', { noreserve: true });
    space.write(0);
    space.write(2);
    expect(anonVmaAt(space, 1)).to.equal(anonVmaAt(space, 0));
    space.protect(2, 2, 'rw');
    expect(space.list).to.equal('0-4 rw-p');
  });

  it('makes a new one beside a neighbour of other flags', () => {
    const space = new LinuxSpace();
    space.map(0, 4);
    space.advise(2, 2, 'nohugepage');
    space.write(0, 2);
    expect(anonVmaAt(space, 1)).to.not.equal(anonVmaAt(space, 0));
    space.advise(0, 4, 'nohugepage');
    expect(space.list).to.equal('0-2 rw-p, 2-4 rw-p');
  });
});

describe('VMAs with private pages', () => {
  it('merge again after a split, if they were touched before it or on one side only', () => {
    for (const touched of [[0, 1, 2, 3], [0], [3]]) {
      const space = new LinuxSpace();
      space.map(0, 4);
      space.write(...touched);
      space.advise(1, 2, 'hugepage');
      expect(space.vmas).to.have.length(3);
      space.advise(0, 4, 'hugepage');
      expect(space.list).to.equal('0-4 rw-p');
    }
  });

  it('join one side of a hole between two islands, not both', () => {
    const space = new LinuxSpace();
    space.map(0, 1);
    space.map(2, 1);
    space.write(0, 2);
    space.map(1, 1);
    expect(space.list).to.equal('0-2 rw-p, 2-3 rw-p');
  });

  it('keep the page offset of their birth when they move, and merge at home again', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(8, 1);
    space.write(0, 1, 8);
    space.move(1, 1, 1, 9);
    expect(space.list).to.equal('0-1 rw-p, 8-9 rw-p, 9-10 rw-p');
    space.move(9, 1, 1, 1);
    expect(space.list).to.equal('0-2 rw-p, 8-9 rw-p');
  });

  it('get a new page offset when they move untouched, and merge there', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.map(8, 1);
    space.move(1, 1, 1, 9);
    expect(space.list).to.equal('0-1 rw-p, 8-10 rw-p');
  });

  it('leave nothing behind of a wholly moved one (DONTUNMAP)', () => {
    const space = new LinuxSpace();
    space.map(0, 2);
    space.write(0);
    space.move(0, 2, 2, 8, true);
    expect([anonVmaAt(space, 0), space.list]).to.deep.equal([undefined, '0-2 rw-p, 8-10 rw-p']);
    expect(anonVmaAt(space, 1)).to.not.equal(undefined);
  });
});

describe('VMAs of a child', () => {
  it('do not merge with a new map beside them; those of the parent do', () => {
    const parent = new LinuxSpace();
    parent.map(0, 1);
    parent.write(0);
    const child = parent.fork(2);
    child.map(1, 1);
    expect(child.list).to.equal('0-1 rw-p, 1-2 rw-p');
    parent.map(1, 1);
    expect(parent.list).to.equal('0-2 rw-p');
  });

  it('have an anon_vma of their own, whose parent is that of the parent', () => {
    const parent = new LinuxSpace();
    parent.map(0, 1);
    parent.write(0);
    const child = parent.fork(2);
    const [mine, theirs] = [anonVmaAt(parent, 0), anonVmaAt(child, 0)];
    expect(theirs?.parent).to.equal(mine);
    expect(child.vmas[0]!.linux?.anonChain).to.deep.equal([mine, theirs]);
  });

  it('take over an anon_vma that nobody uses any more as their own', () => {
    const parent = new LinuxSpace();
    parent.map(0, 1);
    parent.write(0);
    const child = parent.fork(2);
    const idle = anonVmaAt(child, 0);
    const grandchild = child.fork(3);
    child.unmap(0, 1);
    const last = grandchild.fork(4);
    expect(anonVmaAt(last, 0)).to.equal(idle);
  });

  it('start afresh where they are wiped, and are missing where they are not wanted', () => {
    const parent = new LinuxSpace();
    parent.map(0, 3);
    parent.write(0, 1, 2);
    parent.advise(0, 1, 'wipeonfork');
    parent.advise(1, 1, 'dontfork');
    const child = parent.fork(2);
    expect(child.list).to.equal('0-1 rw-p, 2-3 rw-p');
    expect(anonVmaAt(child, 0)).to.equal(undefined);
  });
});
