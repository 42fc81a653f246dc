/** npm run guest: what it takes, what it refuses, what it leaves behind. Programs of others are only looked at if they are there. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { getGuest, type GuestDescription } from '../../scripts/guest.ts';
import { GuestError } from '../../scripts/guest-error.ts';
import { readGuestImage, sharedFilePage } from '../../scripts/guest-image.ts';
import { appletsOf } from '../../sim/cli/guest.ts';
import { fileBytes } from '../../traces/content.ts';
import type { FileSpec } from '../../traces/header.ts';

const ROOT = join(import.meta.dirname, '../..');
const GUESTS = ['busybox', 'busybox-0x400000'].map((name) => join(ROOT, 'guest', name));
const QEMU = 'qemu-riscv64';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));

/** A static riscv64 program whose last bytes are `text`. */
function programWith(text: string, more: Partial<FileSpec> = {}): Uint8Array {
  const segments: FileSpec['segments'] = [
    { vaddr: 0x10000, offset: 0, filesz: 0x2800, memsz: 0x2800, flags: 'rx' },
    { vaddr: 0x13900, offset: 0x2900, filesz: 0x500, memsz: 0x600, flags: 'rw' },
  ];
  const bytes = fileBytes({ path: '/bin/busybox', size: 0x3000, type: 'exec', segments, content: { seed: 'guest' }, ...more });
  bytes.set(bytesOf(text), bytes.length - text.length);
  return bytes;
}

const TABLE = '[\0[[\0ash\0cat\0echo\0sh\0zcat\0\0';
const BUSYBOX = `BusyBox v1.2.3 (of a test)\0${TABLE}`;

describe('an applet table', () => {
  const someName = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,9}$/);
  const someNames = fc.uniqueArray(someName, { maxLength: 30 }).map((names) => [...new Set([...names, 'cat', 'echo', 'sh'])].sort());

  it('is found whatever stands around it', () => {
    fc.assert(
      fc.property(someNames, fc.stringMatching(/^[A-Z \0]{0,20}$/), fc.stringMatching(/^[A-Z \0]{0,20}$/), (names, before, after) => {
        expect(appletsOf(bytesOf(`${before}[\0${names.join('\0')}\0\0${after}`))).to.deep.equal(['[', ...names]);
      }),
    );
  });

  it('is not taken for one when a shell’s name stands alone', () => {
    expect(appletsOf(bytesOf('/bin/\0sh\0cat\0'))).to.deep.equal([]);
  });

  for (const guest of GUESTS) {
    it(`is what BusyBox itself lists (${guest.slice(ROOT.length + 1)})`, function () {
      if (!existsSync(guest))
        return void skip(
          this,
          `${guest.slice(ROOT.length + 1)} is not there (${guest.endsWith('busybox') ? 'npm run guest' : 'npm run guest -- --build'})`,
        );
      const { stdout, error } = spawnSync(QEMU, [guest, '--list'], { encoding: 'utf8' });
      if (error !== undefined) return void skip(this, `${QEMU} is not there (it comes with Debian's qemu-user)`);
      expect(readGuestImage(readFileSync(guest), guest).applets).to.deep.equal(stdout.trimEnd().split('\n').sort());
    });
  }
});

describe('a guest', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-guest-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function guestOf(bytes: Uint8Array): { lines: string[]; out: string } {
    const [path, out, lines] = [join(folder, 'program'), join(folder, 'guest'), [] as string[]];
    writeFileSync(path, bytes);
    getGuest([path, '--out', out], (line) => lines.push(line));
    return { lines, out };
  }

  it('is kept with its description', () => {
    const { lines, out } = guestOf(programWith(BUSYBOX));
    expect(readdirSync(out).sort()).to.deep.equal(['busybox', 'busybox.json']);
    const description = JSON.parse(readFileSync(join(out, 'busybox.json'), 'utf8')) as GuestDescription;
    expect(description).to.deep.include({ version: '1.2.3 (of a test)', bytes: 0x3000 });
    expect(description.applets).to.deep.equal(['[', '[[', 'ash', 'cat', 'echo', 'sh', 'zcat']);
    expect(lines).to.include('  segments rx  0x10000-0x12800 from 0x0-0x2800 of the file');
    expect(lines.join('\n')).to.match(/shared {3}file page 0x2:[^]*note {5}the committed data were made with others/);
  });

  const REFUSED: readonly (readonly [what: string, bytes: Uint8Array, says: RegExp])[] = [
    ['text', bytesOf('hello'), /program is no 64-bit little-endian ELF file/],
    ['a program of another machine', withByte(programWith(BUSYBOX), 18, 62), /is for ELF machine 62, not for RISC-V/],
    ['32 bits', withByte(programWith(BUSYBOX), 4, 1), /class 1/],
    ['a program with an interpreter', programWith(BUSYBOX, { interp: '/lib/ld.so' }), /is linked dynamically/],
    ['another program', programWith('hello'), /no BusyBox with a shell/],
  ];
  for (const [what, bytes, says] of REFUSED) {
    it(`is not ${what}, and nothing is left behind`, () => {
      expect(() => guestOf(bytes)).to.throw(GuestError, says);
      expect(readdirSync(folder)).to.deep.equal(['program']);
    });
  }

  it('cannot be given twice', () => {
    expect(() => getGuest(['a', 'b'], () => undefined)).to.throw(GuestError, 'usage');
  });
});

describe('the page of the file that constants and data share', () => {
  const image = (end: number, start: number) => {
    const segments: FileSpec['segments'] = [
      { vaddr: 0x10000, offset: 0, filesz: end, memsz: end, flags: 'rx' },
      { vaddr: 0x20000 + start, offset: start, filesz: 0x100, memsz: 0x100, flags: 'rw' },
    ];
    return readGuestImage(programWith(BUSYBOX, { segments }), 'it').image;
  };

  it('is there in the BusyBox that was built to have it', function () {
    if (!existsSync(GUESTS[1]!)) return void skip(this, 'guest/busybox-0x400000 is not there (npm run guest -- --build)');
    const { image } = readGuestImage(readFileSync(GUESTS[1]!), 'it');
    expect(image.segments[0]!.vaddr).to.equal(0x400000);
    expect(sharedFilePage(image)).to.be.a('number');
  });

  it('is named', () => {
    expect(sharedFilePage(image(0x1200, 0x1800))).to.equal(0x1000);
  });

  it('is none when the data begin a page later, or a page begins or ends there', () => {
    expect(sharedFilePage(image(0x1900, 0x2800))).to.match(/in another page/);
    expect(sharedFilePage(image(0x1900, 0x2000))).to.match(/begin with a page/);
    expect(sharedFilePage(image(0x1000, 0x1800))).to.match(/ends with a page/);
  });
});

function withByte(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

function skip(test: Mocha.Context, why: string): void {
  console.log(`      skipped: ${why}`);
  test.skip();
}
