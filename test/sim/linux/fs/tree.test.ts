/** The file tree against the file system of the machine that runs the test: the same calls, the same answers. */
import * as host from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { create, link, removeDirectory, rename, unlink } from '../../../../sim/linux/fs/change.ts';
import { sizeOf, type Directory, type Inode } from '../../../../sim/linux/fs/inode.ts';
import { FileTree, pathOf, type LastName, type Place } from '../../../../sim/linux/fs/tree.ts';
import { runs } from '../../../helpers/seed.ts';

type Step =
  | { readonly call: 'mkdir' | 'rmdir' | 'unlink' | 'create' | 'stat' | 'lstat' | 'list'; readonly path: string }
  | { readonly call: 'rename' | 'link' | 'symlink'; readonly path: string; readonly to: string };

const name = fc.constantFrom('a', 'b', 'c', '.', '..');
const path = fc
  .tuple(fc.array(name, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '', '', '/'))
  .map(([names, end]) => names.join('/') + end);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ call: fc.constantFrom('mkdir', 'rmdir', 'unlink', 'create', 'stat', 'lstat', 'list'), path }),
  fc.record({ call: fc.constantFrom('mkdir', 'create'), path }),
  fc.record({ call: fc.constantFrom('rename', 'link', 'symlink'), path, to: path }),
);

/** How each call takes the last name of its path. */
const LAST: Readonly<Record<Step['call'], LastName>> = {
  mkdir: 'name',
  rmdir: 'name',
  unlink: 'name',
  rename: 'name',
  symlink: 'keep',
  create: 'create',
  link: 'keep',
  lstat: 'keep',
  stat: 'follow',
  list: 'follow',
};

/** What a call answers: a word, so that both sides can be compared. */
type Answer = string;

function onOurs(tree: FileTree, cwd: Directory, { call, ...paths }: Step): Answer {
  const origin = { root: tree.root, cwd };
  const at = (wanted: string, last: LastName): Place | string => tree.walk(origin, wanted, last);
  const second = (): Place | string => at((paths as { to: string }).to, 'name');
  const place = at(paths.path, LAST[call]);
  if (call === 'symlink') return textOf(withPlace(second(), (to) => create(tree, to, () => tree.newSymlink(paths.path))));
  if (typeof place === 'string') return place;
  switch (call) {
    case 'mkdir':
      return textOf(create(tree, place, (parent, own) => tree.newDirectory(parent, own, 0o755)));
    case 'create':
      if (place.inode?.kind === 'directory') return 'EISDIR';
      return place.inode === undefined ? textOf(create(tree, place, () => tree.newFile(0o644))) : 'ok';
    case 'rmdir':
      return textOf(removeDirectory(tree, place));
    case 'unlink':
      return textOf(unlink(tree, place));
    case 'rename':
      return textOf(withPlace(second(), (to) => rename(tree, place, to, { keepsTarget: false, exchanges: false })));
    case 'link': {
      const { inode } = place;
      return inode === undefined ? 'ENOENT' : textOf(withPlace(second(), (to) => link(tree, inode, to)));
    }
    case 'stat':
    case 'lstat':
      return place.inode === undefined ? 'ENOENT' : described(place.inode);
    case 'list':
      if (place.inode === undefined) return 'ENOENT';
      return place.inode.kind === 'directory' ? [...place.inode.entries.keys()].sort().join() : 'ENOTDIR';
  }
}

const textOf = (answer: Inode | 0 | string): Answer => (typeof answer === 'string' ? answer : 'ok');
const withPlace = (place: Place | string, act: (place: Place) => Inode | 0 | string): Inode | 0 | string =>
  typeof place === 'string' ? place : act(place);

const described = (inode: Inode): string => `${inode.kind} links ${inode.nlink} size ${inode.kind === 'directory' ? 0 : sizeOf(inode)}`;

function onHost(cwd: string, { call, ...paths }: Step): Answer {
  // Not join(): it would resolve what the kernel has to.
  const at = (wanted: string): string => `${cwd}/${wanted}`;
  const own = at(paths.path);
  const to = 'to' in paths ? at(paths.to) : '';
  try {
    switch (call) {
      case 'mkdir':
        host.mkdirSync(own);
        break;
      case 'create':
        host.closeSync(host.openSync(own, host.constants.O_WRONLY | host.constants.O_CREAT));
        break;
      case 'rmdir':
        host.rmdirSync(own);
        break;
      case 'unlink':
        host.unlinkSync(own);
        break;
      case 'rename':
        host.renameSync(own, to);
        break;
      case 'link':
        host.linkSync(own, to);
        break;
      case 'symlink':
        host.symlinkSync(paths.path, to);
        break;
      case 'stat':
      case 'lstat':
        return describedStat(call === 'stat' ? host.statSync(own) : host.lstatSync(own));
      case 'list':
        return host.readdirSync(own).sort().join();
    }
    return 'ok';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'none';
  }
}

function describedStat(stat: host.Stats): string {
  const kind = stat.isDirectory() ? 'directory' : stat.isSymbolicLink() ? 'symlink' : 'file';
  return `${kind} links ${stat.nlink} size ${kind === 'directory' ? 0 : stat.size}`;
}

describe('file tree', () => {
  it('answers every call as the file system of this machine does', function () {
    if (process.platform !== 'linux') {
      console.log('skipped: compares with the errors of Linux (run it on Linux)');
      this.skip();
    }
    const base = host.mkdtempSync(join(tmpdir(), 'faultline-tree-'));
    let round = 0;
    try {
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
          // Deep enough that `..` never leaves what is compared.
          const directory = join(base, String(round++), 'x/x/x/x/x/x');
          host.mkdirSync(directory, { recursive: true });
          const tree = new FileTree(0n);
          const cwd = tree.addDirectory('/x/x/x/x/x/x');
          for (const one of steps) {
            expect(onOurs(tree, cwd, one), JSON.stringify(one)).to.equal(onHost(directory, one));
          }
        }),
        { numRuns: runs(300) },
      );
    } finally {
      host.rmSync(base, { recursive: true, force: true });
    }
  });

  it('follows forty symlinks and no more', () => {
    const tree = new FileTree(0n);
    tree.addFile('/l0', new Uint8Array(0));
    for (let i = 1; i <= 41; i++) tree.addSymlink(`/l${i}`, `l${i - 1}`);
    const origin = { root: tree.root, cwd: tree.root };
    expect(tree.find(origin, '/l40')).to.have.property('kind', 'file');
    expect(tree.find(origin, '/l41')).to.equal('ELOOP');
  });

  it('keeps a chroot closed', () => {
    const tree = new FileTree(0n);
    tree.addFile('/secret', new Uint8Array(0));
    tree.addSymlink('/jail/out', '../../secret');
    tree.addFile('/jail/secret', new Uint8Array(1));
    const jail = tree.addDirectory('/jail');
    const origin = { root: jail, cwd: jail };
    for (const path of ['/../secret', '../../secret', '/out']) {
      const found = tree.find(origin, path);
      expect(typeof found === 'string' ? found : sizeOf(found), path).to.equal(1);
    }
    expect(pathOf(jail, tree.root)).to.equal(undefined);
  });

  it('keeps names that are no UTF-8', () => {
    const tree = new FileTree(0n);
    const origin = { root: tree.root, cwd: tree.root };
    const place = tree.walk(origin, '/\xff\xfe', 'name');
    if (typeof place === 'string') throw new Error(place);
    create(tree, place, () => tree.newFile(0o644));
    expect([...tree.root.entries.keys()]).to.deep.equal(['\xff\xfe']);
  });
});
