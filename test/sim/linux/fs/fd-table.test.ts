import { expect } from 'chai';
import fc from 'fast-check';
import { FdTable } from '../../../../sim/linux/fs/fd-table.ts';
import { openFile, type OpenFile } from '../../../../sim/linux/fs/stream.ts';
import { FileTree } from '../../../../sim/linux/fs/tree.ts';

/** An open file that counts how often it is closed. */
function counted(): { readonly file: OpenFile; closed: number } {
  const inode = new FileTree(0n).newFile(0o644);
  const stream = { seekable: false, read: () => new Uint8Array(0), write: () => 0, poll: () => 0, close: () => void found.closed++ };
  const found = { file: openFile(inode, stream, 0), closed: 0 };
  return found;
}

const action = fc.oneof(
  fc.record({ do: fc.constant('add' as const), fd: fc.nat(5) }),
  fc.record({ do: fc.constantFrom('close' as const, 'replace' as const), fd: fc.nat(12) }),
);

describe('descriptor table', () => {
  it('gives the lowest free number, and closes a file with its last descriptor', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const table = new FdTable();
        table.limit = 10;
        const model = new Map<number, ReturnType<typeof counted>>();
        const all = [counted(), counted(), counted()];
        for (const [i, { do: what, fd }] of actions.entries()) {
          const one = all[i % all.length]!;
          if (one.closed > 0) continue;
          if (what === 'close') {
            expect(table.close(fd)).to.equal(model.delete(fd) ? 0 : 'EBADF');
          } else if (what === 'replace') {
            const isValid = fd < table.limit;
            expect(table.replace(fd, one.file, false)).to.equal(isValid ? fd : 'EBADF');
            if (isValid) model.set(fd, one);
          } else {
            let free = fd;
            while (model.has(free)) free++;
            expect(table.add(one.file, false, fd)).to.equal(free < table.limit ? free : 'EMFILE');
            if (free < table.limit) model.set(free, one);
          }
          expect(table.numbers()).to.deep.equal([...model.keys()].sort((a, b) => a - b));
          for (const each of all) expect(each.file.refs).to.equal([...model.values()].filter((held) => held === each).length);
        }
        table.closeAll();
        for (const each of all) expect(each.closed).to.be.at.most(1);
      }),
    );
  });

  it('shares files with a copy, and drops what is to be closed on exec', () => {
    const [kept, dropped] = [counted(), counted()];
    const table = new FdTable();
    table.add(kept.file, false);
    table.add(dropped.file, true);
    const copy = table.copy();
    copy.closeOnExec();
    expect([copy.numbers(), table.numbers()]).to.deep.equal([[0], [0, 1]]);
    table.closeAll();
    expect([kept.closed, dropped.closed]).to.deep.equal([0, 1]);
    copy.closeAll();
    expect(kept.closed).to.equal(1);
  });
});
