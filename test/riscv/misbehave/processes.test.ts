/** Processes without end or without sense: forks by the hundred thousand, bombs, loops, pipes that nobody writes, files that are no programs. */
import { expect } from 'chai';
import fc from 'fast-check';
import { LiveMachine } from '../../../sim/live.ts';
import { BUSYBOXES, runLive, skipUnlessGuest } from '../../helpers/live.ts';
import { runs, onlyThoroughly } from '../../helpers/seed.ts';
import { DATA, tinyElf } from '../../helpers/tiny-elf.ts';
import { CALL, describeGuests, endingOf, EXIT, EXIT_WITH_ERRNO, expectOrder, runOnBoth, SMALL } from './guest.ts';

const [ENOENT, ENOEXEC, ENOMEM, EPIPE, ELOOP] = [2, 8, 12, 32, 40];
const SIGPIPE = 13;
const FORK = `li a0,17\n li a1,0\n li a2,0\n li a3,0\n li a4,0\n call ${CALL.clone}`;
const WAIT = `li a0,-1\n li a1,0\n li a2,0\n li a3,0\n call ${CALL.wait4}`;

/** Forks so many times; each child ends at once, and is waited for. Ends with 0, or the error of a fork. */
const forksOneByOne = (count: number): string => `
    li s0,${count}
loop: ${FORK}
    beq a0,zero,child
    blt a0,zero,failed
    ${WAIT}
    addi s0,s0,-1
    bne s0,zero,loop
    li a0,0
child: ${EXIT}
failed: ${EXIT_WITH_ERRNO}`;

describe('forks', () => {
  it('one after the other, 100000 of them, succeed and leak nothing', function () {
    onlyThoroughly(this);
    const outcome = runLive(tinyElf({ source: forksOneByOne(100_000) }), { check: 'none', parameters: SMALL });
    expect(endingOf(outcome)).to.equal(0);
    expect(outcome.counts.forks).to.equal(100_000);
    expectOrder(outcome);
  });

  it('one after the other are right to the byte', () => {
    const outcome = runOnBoth(tinyElf({ source: forksOneByOne(200) }), { check: 'changes' });
    expect(endingOf(outcome)).to.equal(0);
    expect(outcome.counts.forks).to.equal(200);
  });

  it('that are not waited for end when frames do', () => {
    const source = `loop: ${FORK}\n blt a0,zero,failed\n bne a0,zero,loop\nchild: call 124\n jal zero,child\nfailed: ${EXIT_WITH_ERRNO}`;
    expect(endingOf(runOnBoth(tinyElf({ source }), { check: 'end', instructionsMax: 1e6 }))).to.equal(ENOMEM);
  });

  it('of forks, a bomb, end in an error for each, or in the limit', () => {
    const source = `loop: ${FORK}\n sd a0,-8(sp)\n jal zero,loop`;
    const { result, counts } = runOnBoth(tinyElf({ source }), { instructionsMax: 100_000, quantum: 1000 });
    expect(result).to.equal('limit');
    expect(counts.forks).to.be.within(100, SMALL.frames);
  });

  it('of a shell, a bomb, end in order', function () {
    skipUnlessGuest(this);
    const program = { busybox: BUSYBOXES[0], command: ['sh', '-c', 'b() { b | b & }; b; wait'] } as const;
    const outcome = runLive(program, { instructionsMax: 3e6, parameters: SMALL });
    expect(outcome.result).to.be.oneOf(['limit', 'ended']);
    expectOrder(outcome);
  });
});

const SMALL_PIPE = `li a0,${DATA}\n li a1,0\n call ${CALL.pipe2}`;
const WRITE_TO_IT = `lw a0,4(s0)\n li a1,${DATA}\n li a2,1\n call ${CALL.write}`;
const CLOSE_ITS_READ_END = `li s0,${DATA}\n lw a0,0(s0)\n call ${CALL.close}`;
const IGNORE_SIGPIPE = `li a0,${SIGPIPE}\n li a1,${DATA + 64}\n li a2,0\n li a3,8\n call ${CALL.sigaction}`;
const SIG_IGN = 1;

describeGuests('a pipe', {
  'that nobody reads kills who writes to it': {
    source: `${SMALL_PIPE}\n ${CLOSE_ITS_READ_END}\n ${WRITE_TO_IT}\n li a0,1\n ${EXIT}`,
    becomes: 'SIGPIPE',
  },
  'that nobody reads is EPIPE when the signal is ignored': {
    source: `${IGNORE_SIGPIPE}\n ${SMALL_PIPE}\n ${CLOSE_ITS_READ_END}\n ${WRITE_TO_IT}\n ${EXIT_WITH_ERRNO}`,
    data: new Uint8Array(72).fill(SIG_IGN, 64, 65),
    becomes: EPIPE,
  },
  'that nobody will ever write': {
    source: `${SMALL_PIPE}\n li s0,${DATA}\n lw a0,0(s0)\n li a1,${DATA}\n li a2,1\n call ${CALL.read}\n ${EXIT}`,
    becomes: 'deadlock',
    notUnderQemu: 'it waits for ever',
  },
  'that two wait for, each for the other': {
    source: `${SMALL_PIPE}\n li a0,${DATA + 8}\n li a1,0\n call ${CALL.pipe2}\n li s0,${DATA}\n ${FORK}
      snez_a0: sltu a0,zero,a0\n slli a0,a0,3\n add s0,s0,a0
      lw a0,0(s0)\n li a1,${DATA + 128}\n li a2,1\n call ${CALL.read}\n ${EXIT}`,
    becomes: 'deadlock',
    notUnderQemu: 'it waits for ever',
  },
});

describeGuests('a loop without end', {
  'of one instruction': {
    source: 'loop: jal zero,loop',
    becomes: 'limit',
    options: { instructionsMax: 1e6 },
    notUnderQemu: 'it never ends',
  },
  'of system calls': {
    source: `loop: call ${CALL.getpid}\n jal zero,loop`,
    becomes: 'limit',
    options: { instructionsMax: 1e5 },
    notUnderQemu: 'it never ends',
  },
});

describe('a loop without end', () => {
  it('ends at the very instruction that is the limit, on either engine', () => {
    const elf = tinyElf({ source: 'loop: addi a0,a0,1\n c.addi a1,1\n jal zero,loop' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50_000 }), fc.integer({ min: 1, max: 10_000 }), (instructionsMax, quantum) => {
        expect(runOnBoth(elf, { instructionsMax, quantum }).instructions).to.equal(instructionsMax);
      }),
      { numRuns: runs(10) },
    );
  });
});

/** Executes /tmp/file and ends with the error that this gave. */
const EXECUTING = tinyElf({
  source: `li a0,${DATA}\n li a1,${DATA + 16}\n li a2,0\n call ${CALL.execve}\n ${EXIT_WITH_ERRNO}`,
  data: '/tmp/file',
});
const CLASS_32 = 0x101;
const GOOD = tinyElf({ source: `li a0,77\n ${EXIT}`, data: 'data' });

const executing = (file: Uint8Array | string): ReturnType<typeof runOnBoth> =>
  runOnBoth(EXECUTING, { files: { '/tmp/file': file }, instructionsMax: 20_000, parameters: { frames: 1024 } });

describe('exec', () => {
  it('of a program replaces who asks', () => expect(endingOf(executing(GOOD))).to.equal(77));

  it('of a file that is not there is ENOENT', () => expect(endingOf(runOnBoth(EXECUTING))).to.equal(ENOENT));

  const NO_PROGRAMS: Readonly<Record<string, Uint8Array | string>> = {
    nothing: '',
    'one byte': '\x7f',
    text: 'hello\n',
    'only the magic': '\x7fELF',
    'a megabyte of 0xff': new Uint8Array(2 ** 20).fill(0xff),
    'the header of a program and no more': GOOD.slice(0, 64),
    'a program whose first segment lies past its end': GOOD.slice(0, 4096),
    'a program with 65535 program headers': patched(GOOD, 56, 0xffff),
    'a program for another machine': patched(GOOD, 18, 62),
    'a 32-bit program': patched(GOOD, 4, CLASS_32),
  };
  for (const [name, file] of Object.entries(NO_PROGRAMS)) {
    it(`of ${name} is ENOEXEC`, () => expect(endingOf(executing(file))).to.equal(ENOEXEC));
  }

  it('of a script whose interpreter is itself, or missing, is an error', () => {
    expect(endingOf(executing('#!/tmp/file\n'))).to.equal(ELOOP);
    expect(endingOf(executing('#!/nowhere\n'))).to.equal(ENOENT);
    expect(endingOf(executing('#!\n'))).to.equal(ENOEXEC);
  });

  it('of a program that is cut off or changed anywhere in its headers ends in order', () => {
    const change = fc.tuple(fc.nat(0xff), fc.oneof(fc.nat(0xff), fc.constantFrom(0, 0x7f, 0x80, 0xff)));
    const length = fc.oneof({ weight: 3, arbitrary: fc.constant(GOOD.length) }, { weight: 1, arbitrary: fc.nat(GOOD.length) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), length, (changes, bytes) => {
        const file = GOOD.slice(0, bytes);
        for (const [at, value] of changes) if (at >= 4 && at < file.length) file[at] = value;
        executing(file);
      }),
      { numRuns: runs(60) },
    );
  });
});

/** A copy with 16 bits changed. */
function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint16(at, value, true);
  return copy;
}

describe('a live machine', () => {
  it('that a kernel with too few frames cannot even boot says so', () => {
    expect(() => new LiveMachine({ kernel: 'kevlar', check: 'none', parameters: { frames: 4 } })).to.throw('parameter frames');
    expect(runLive(GOOD, { parameters: { frames: 12 } }).result).to.be.oneOf(['no-start', 'ended']);
  });
});
