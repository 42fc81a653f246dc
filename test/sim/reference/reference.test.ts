/** The reference reader: what a byte of a process must be, fact by fact. */
import { expect } from 'chai';
import { vaddr, type File } from '../../../kernel-model/index.ts';
import { Reference } from '../../../sim/reference/reference.ts';
import { programFile } from '../../helpers/files.ts';
import { configOf, fileOf } from '../../helpers/model.ts';

const AT = 0x4000_0000;
const PAGE = 4096;
const { design } = configOf();

interface Mapped {
  readonly at?: number;
  readonly pages?: number;
  readonly prot?: number;
  readonly shared?: boolean;
  readonly path?: string;
  readonly offset?: number;
}

/** A reference with process 1 and some files. */
function started(...files: readonly File[]): Reference {
  const reference = new Reference(design, new Map(files.map((file) => [file.path, file])));
  reference.spawn(1);
  return reference;
}

function map(reference: Reference, { at = AT, pages = 1, prot = 3, shared = false, path, offset = 0 }: Mapped = {}, pid = 1): void {
  reference.map(pid, { start: vaddr(at), end: vaddr(at + pages * PAGE), prot, shared, path, offset });
}

const store = (reference: Reference, address: number, ...bytes: readonly number[]): void =>
  reference.store(1, address, Uint8Array.from(bytes));

describe('the reference: anonymous memory', () => {
  it('is zero until written, byte by byte', () => {
    const reference = started();
    map(reference);
    store(reference, AT + 7, 5, 6);
    expect([6, 7, 8, 9].map((i) => reference.byte(1, AT + i))).to.deep.equal([0, 5, 6, 0]);
    expect(reference.backingOf(1, AT + 7)).to.equal('written');
    expect(reference.backingOf(1, AT + 9)).to.equal('zero');
    expect([...reference.page(1, AT).subarray(6, 10)]).to.deep.equal([0, 5, 6, 0]);
  });

  it('is zero again after it was unmapped and mapped, given up, or mapped over', () => {
    const reference = started();
    map(reference, { pages: 3 });
    store(reference, AT, 1);
    store(reference, AT + PAGE, 1);
    store(reference, AT + 2 * PAGE, 1);
    reference.unmap(1, AT, AT + PAGE);
    expect(reference.access(1, AT, 'load')).to.equal('SIGSEGV');
    map(reference, { at: AT });
    reference.forget(1, AT + PAGE, AT + 2 * PAGE);
    map(reference, { at: AT + 2 * PAGE });
    expect([0, 1, 2].map((i) => reference.byte(1, AT + i * PAGE))).to.deep.equal([0, 0, 0]);
  });

  it('goes along when it is moved, and what it gains is zero', () => {
    const reference = started();
    map(reference, { pages: 2 });
    store(reference, AT + PAGE, 9);
    reference.move(1, AT, 2 * PAGE, AT + 0x10_0000, 3 * PAGE);
    expect(reference.access(1, AT, 'load')).to.equal('SIGSEGV');
    expect([PAGE, 2 * PAGE].map((i) => reference.byte(1, AT + 0x10_0000 + i))).to.deep.equal([9, 0]);
  });
});

describe('the reference: fork', () => {
  it('copies the bytes: what either side writes later the other does not see', () => {
    const reference = started();
    map(reference);
    store(reference, AT, 1);
    reference.fork(1, 2);
    reference.store(1, AT, Uint8Array.of(2));
    reference.store(2, AT + 1, Uint8Array.of(3));
    expect([reference.byte(1, AT), reference.byte(1, AT + 1)]).to.deep.equal([2, 0]);
    expect([reference.byte(2, AT), reference.byte(2, AT + 1)]).to.deep.equal([1, 3]);
    reference.unmap(2, AT, AT + PAGE);
    expect(reference.access(1, AT, 'load')).to.equal('ok');
  });

  it('shares what is mapped shared, anonymous memory too', () => {
    const reference = started(fileOf('/f', PAGE));
    map(reference, { shared: true });
    map(reference, { at: AT + PAGE, shared: true, path: '/f' });
    reference.fork(1, 2);
    reference.store(2, AT, Uint8Array.of(7));
    reference.store(2, AT + PAGE, Uint8Array.of(8));
    expect([reference.byte(1, AT), reference.byte(1, AT + PAGE)]).to.deep.equal([7, 8]);
  });

  it('lends the whole space with vfork, until the child execs', () => {
    const reference = started(programFile());
    map(reference);
    reference.vfork(1, 2);
    reference.store(2, AT, Uint8Array.of(4));
    expect(reference.byte(1, AT)).to.equal(4);
    expect(reference.exec(2, '/bin/program', [], [], true)).to.equal(0);
    expect(reference.access(1, AT, 'load')).to.equal('ok');
    expect(reference.access(2, AT, 'load')).to.equal('SIGSEGV');
  });
});

describe('the reference: files', () => {
  it('shows the file’s bytes, and zeros behind the end of one that cannot change', () => {
    const file = fileOf('/f', PAGE + 10, true);
    const reference = started(file);
    map(reference, { pages: 3, path: '/f', prot: 1 });
    expect(reference.byte(1, AT + PAGE + 9)).to.equal(file.byteAt(PAGE + 9));
    expect(reference.byte(1, AT + PAGE + 10)).to.equal(0);
    expect(reference.backingOf(1, AT + PAGE + 9)).to.deep.equal({ path: '/f', offset: PAGE + 9 });
    expect(reference.access(1, AT + 2 * PAGE, 'load')).to.equal('ok');
  });

  it('refuses pages behind the end of one that can change with SIGBUS', () => {
    const reference = started(fileOf('/f', PAGE + 10));
    map(reference, { pages: 3, path: '/f' });
    expect([0, 1, 2].map((i) => reference.access(1, AT + i * PAGE, 'load'))).to.deep.equal(['ok', 'ok', 'SIGBUS']);
  });

  it('lets a private page follow the file until the page is first written, and then no more', () => {
    const file = fileOf('/f', 2 * PAGE);
    const reference = started(file);
    map(reference, { pages: 2, path: '/f' });
    file.write(5, Uint8Array.of(0xee));
    expect(reference.byte(1, AT + 5)).to.equal(0xee);
    store(reference, AT + 6, 1);
    file.write(5, Uint8Array.of(0xdd));
    file.write(PAGE + 5, Uint8Array.of(0xdd));
    expect(reference.byte(1, AT + 5)).to.equal(0xee);
    expect(reference.byte(1, AT + PAGE + 5)).to.equal(0xdd);
    expect(file.byteAt(6)).to.not.equal(1);
  });

  it('stores through a shared mapping into the file, but does not make the file longer', () => {
    const file = fileOf('/f', 100);
    const reference = started(file);
    map(reference, { path: '/f', shared: true });
    store(reference, AT + 99, 0xaa, 0xbb);
    expect([file.byteAt(99), file.size]).to.deep.equal([0xaa, 100]);
    expect(reference.byte(1, AT + 100)).to.equal(0xbb);
  });

  it('zeroes the tail when a file is cut, also what a mapping stored there', () => {
    const file = fileOf('/f', PAGE);
    const reference = started(file);
    map(reference, { path: '/f', shared: true });
    reference.truncate(file, 10);
    store(reference, AT + 50, 0xcc);
    reference.truncate(file, PAGE);
    expect([9, 10, 50].map((i) => reference.byte(1, AT + i) === 0)).to.deep.equal([false, true, true]);
  });

  it('takes away private copies wholly behind the new end, in every process', () => {
    const file = fileOf('/f', 2 * PAGE);
    const reference = started(file);
    map(reference, { pages: 2, path: '/f' });
    store(reference, AT + 1, 1);
    store(reference, AT + PAGE, 2);
    reference.fork(1, 2);
    reference.truncate(file, 10);
    reference.truncate(file, 2 * PAGE);
    for (const pid of [1, 2]) expect([reference.byte(pid, AT + 1), reference.byte(pid, AT + PAGE)]).to.deep.equal([1, 0]);
  });
});

describe('the reference: programs', () => {
  const loaded = (): Reference => {
    const reference = started(programFile());
    expect(reference.exec(1, '/bin/program', ['program'], [], true)).to.equal(0);
    return reference;
  };

  it('knows each byte of a page that a segment ends or begins in', () => {
    const reference = loaded();
    const file = programFile();
    expect(reference.byte(1, 0x121ef)).to.equal(file.byteAt(0x21ef));
    expect(reference.byte(1, 0x121f0)).to.equal(0);
    expect(reference.byte(1, 0x13bef)).to.equal(0);
    expect(reference.byte(1, 0x13bf0)).to.equal(file.byteAt(0x2bf0));
    expect(reference.byte(1, 0x143f0)).to.equal(0);
  });

  it('protects a page by all of its segments, and by a pad only where there is nothing else', () => {
    const reference = loaded();
    const access = (address: number): readonly string[] =>
      (['load', 'store', 'fetch'] as const).map((kind) => reference.access(1, address, kind));
    expect(access(0x12800)).to.deep.equal(['ok', 'SIGSEGV', 'ok']);
    expect(access(0x13000)).to.deep.equal(['ok', 'ok', 'SIGSEGV']);
    expect(access(0x17000)).to.deep.equal(['SIGSEGV', 'SIGSEGV', 'SIGSEGV']);
  });

  it('changes nothing when an exec fails, and plans one that is not to be carried out', () => {
    const reference = loaded();
    expect(reference.exec(1, '/nothing', [], [], true)).to.equal('ENOENT');
    expect(reference.exec(1, '/bin/program', ['x'.repeat(0x2_1000)], [], true)).to.equal('E2BIG');
    expect(reference.exec(1, '/bin/program', [], [], false)).to.equal(0);
    expect(reference.backingOf(1, 0x10000)).to.deep.equal({ path: '/bin/program', offset: 0 });
    expect(reference.access(1, 0xa_0000_0000 - 8, 'load')).to.equal('ok');
  });

  it('grows and shrinks the heap to the byte, and forgets the pages behind it', () => {
    const reference = loaded();
    reference.setHeapEnd(1, 0x19000);
    store(reference, 0x18800, 5);
    reference.setHeapEnd(1, 0x17800);
    expect(reference.access(1, 0x18800, 'load')).to.equal('SIGSEGV');
    expect(reference.access(1, 0x17fff, 'load')).to.equal('ok');
    reference.setHeapEnd(1, 0x19800);
    expect(reference.byte(1, 0x18800)).to.equal(0);
  });

  it('has a process as long as it lives', () => {
    const reference = loaded();
    reference.exit(1);
    expect(reference.has(1)).to.equal(false);
    expect(() => reference.byte(1, 0)).to.throw('no process 1');
  });
});
