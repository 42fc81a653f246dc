/** System calls that ask for too much: memory, descriptors, paths and arguments of absurd sizes; and the page that no VMA covers. */
import { expect } from 'chai';
import { runLive } from '../../helpers/live.ts';
import { DATA, tinyElf } from '../../helpers/tiny-elf.ts';
import { CALL, describeGuests, endingOf, EXIT, EXIT_WITH_ERRNO, expectOrder, runOnBoth, words64, type Guest } from './guest.ts';
import { onlyThoroughly } from '../../helpers/seed.ts';

const [E2BIG, ENOMEM, EFAULT, EINVAL, EMFILE, ENAMETOOLONG] = [7, 12, 14, 22, 24, 36];
const PRIVATE_ANONYMOUS = 0x22;
const AT_FDCWD = -100;
const PAGE = 4096;
const MIB = 2 ** 20;

const calling = (number: number, ...args: (number | bigint)[]): string =>
  [...args.map((arg, i) => `li a${i},${arg}`), `call ${number}`].join('\n ');
const answers = (number: number, args: (number | bigint)[], becomes: Guest['becomes']): Guest => ({
  source: `${calling(number, ...args)}\n ${EXIT_WITH_ERRNO}`,
  becomes,
});

const mapping = (length: number | bigint, becomes: Guest['becomes'], address: number | bigint = 0): Guest =>
  answers(CALL.mmap, [address, length, 3, PRIVATE_ANONYMOUS, -1, 0], becomes);

describeGuests('mmap', {
  'of nothing': mapping(0, EINVAL),
  'of all there is': mapping(-1, ENOMEM),
  'of 2^63 bytes': mapping(2n ** 63n, ENOMEM),
  'of 2^53 + 1 bytes': mapping(2n ** 53n + 1n, ENOMEM),
  'with a hint outside of user space': mapping(PAGE, 0, 2n ** 63n),
  'of all but the last page': mapping(-PAGE, ENOMEM),
});

describeGuests('munmap, mprotect and mremap', {
  'of an address that is not aligned': answers(CALL.munmap, [DATA + 1, PAGE], EINVAL),
  'of a range that wraps round': answers(CALL.munmap, [DATA, -PAGE], EINVAL),
  'of 2^63 bytes': answers(CALL.mprotect, [DATA, 2n ** 63n, 1], ENOMEM),
  'of nothing that is there': answers(CALL.mremap, [0x7000_0000, PAGE, 2 * PAGE, 1], EFAULT),
  'to 2^62 bytes': answers(CALL.mremap, [DATA, PAGE, 2n ** 62n, 1], ENOMEM),
});

/** Asks for an end of the heap that cannot be, and whether it has stayed where it was. */
const brk = (end: number | bigint): Guest => ({
  source: `
    ${calling(CALL.brk, 0)}
    addi s0,a0,0
    ${calling(CALL.brk, end)}
    sub a0,a0,s0
    sltu a0,zero,a0
    ${EXIT}`,
  becomes: 0,
});

describeGuests('brk', { '-1': brk(-1), '2^63': brk(2n ** 63n), '2^47': brk(2n ** 47n), '1': brk(1), '2^53 + 1': brk(2n ** 53n + 1n) });

/** Maps more than the machine has and writes all of it, until it is killed. */
const GLUTTON = `
    ${calling(CALL.mmap, 0, 64 * MIB, 3, PRIVATE_ANONYMOUS, -1, 0)}
    li t0,${PAGE}
loop: sd a0,0(a0)
    add a0,a0,t0
    jal zero,loop`;

describe('memory that runs out', () => {
  for (const check of ['end', 'changes'] as const) {
    it(`kills who asked for more, and nothing leaks (--check ${check})`, () => {
      const outcome = runOnBoth(tinyElf({ source: GLUTTON }), { check, parameters: { frames: 1024 } });
      expect(endingOf(outcome)).to.equal('SIGKILL');
    });
  }
});

/** Opens the file a million times and closes none; ends with the last error. */
const OPENS = `
    li s0,1000000
loop: ${calling(CALL.openat, AT_FDCWD, DATA, 0)}
    addi s0,s0,-1
    bne s0,zero,loop
    ${EXIT_WITH_ERRNO}`;

describe('open', () => {
  it('a million times without a close is EMFILE', function () {
    onlyThoroughly(this);
    const options = { check: 'none', files: { '/f': 'text' }, parameters: { frames: 1024 } } as const;
    const outcome = runLive(tinyElf({ source: OPENS, data: '/f' }), options);
    expect(endingOf(outcome)).to.equal(EMFILE);
    expectOrder(outcome);
  });
});

const slashes = (lengthBytes: number): Uint8Array => new Uint8Array(lengthBytes).fill(0x2f);
const openingData: string = `${calling(CALL.openat, AT_FDCWD, DATA, 0)}\n ${EXIT_WITH_ERRNO}`;

const notUnderQemu = 'it says EFAULT of a string without an end';

describeGuests('a path', {
  'of a mebibyte': { source: openingData, data: slashes(MIB), becomes: ENAMETOOLONG, notUnderQemu },
  'that reaches the end of memory without an end': {
    source: openingData.replace(`li a1,${DATA}`, `li a1,${DATA + 2 * PAGE - 10}`),
    data: slashes(2 * PAGE),
    becomes: EFAULT,
  },
  'of 4096 bytes, one too many': { source: openingData, data: new Uint8Array([...slashes(PAGE), 0]), becomes: ENAMETOOLONG, notUnderQemu },
});

/** argv of `count` pointers, each to the same string of `bytes` bytes. */
function withArguments(count: number, bytes: number): Guest {
  const argv = DATA + 16;
  const string = argv + (count + 1) * 8;
  const pointers = words64(...new Array<number>(count).fill(string), 0);
  const text = new Uint8Array(bytes + 1).fill(0x61, 0, bytes);
  return {
    source: `${calling(CALL.execve, DATA, argv, 0)}\n ${EXIT_WITH_ERRNO}`,
    data: new Uint8Array([...new TextEncoder().encode('/bin/program'), 0, 0, 0, 0, ...pointers, ...text]),
    becomes: E2BIG,
    options: { parameters: { frames: 4096 } },
    notUnderQemu: 'its limits are the host’s, where there is no /bin/program',
  };
}

describeGuests('arguments', {
  'one of which is a mebibyte long': withArguments(1, MIB),
  'of which there are a hundred thousand': withArguments(100_000, 1),
  'that are three hundred mebibytes together': withArguments(3000, 100_000),
});

describe('the vDSO page', () => {
  const ACTION = words64(0, 0, 0);
  /** In a handler ra is in the vDSO page: exits with the low byte of the code there, or tries to store. */
  const inHandler = (act: string): string => `
      jal t1,main
      ${act}
      ${EXIT}
main: li a1,${DATA}
      sd t1,0(a1)
      ${calling(CALL.sigaction, 5, DATA, 0, 8)}
      ebreak`;

  it('can be read: it has code', () => {
    const outcome = runOnBoth(tinyElf({ source: inHandler('lbu a0,0(ra)'), data: ACTION }));
    expect(endingOf(outcome)).to.equal(0x93);
  });

  it('can be read by the kernel', () => {
    const outcome = runOnBoth(tinyElf({ source: inHandler(`c.mv a1,ra\n li a0,1\n li a2,8\n call ${CALL.write}`), data: ACTION }));
    expect(endingOf(outcome)).to.equal(8);
  });

  it('cannot be written', () => {
    expect(endingOf(runOnBoth(tinyElf({ source: inHandler('sb a0,0(ra)'), data: ACTION })))).to.equal('SIGSEGV');
  });
});
