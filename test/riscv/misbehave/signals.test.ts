/** Signal handlers that cannot work: on stacks that are not there, returning to the fault, or by frames of garbage. */
import fc from 'fast-check';
import { runs } from '../../helpers/seed.ts';
import { DATA, tinyElf } from '../../helpers/tiny-elf.ts';
import { CALL, describeGuests, EXIT, runOnBoth, words64, type Guest } from './guest.ts';

const SIGTRAP = 5;
const SIGSEGV = 11;
const SA_ONSTACK = 0x0800_0000;
const SA_NODEFER = 0x4000_0000;
const PAGE = 4096;

/** Installs `handler` for a signal, then goes on with `main`. The data has to begin with the action: its handler is filled in here. */
const withHandler = (signal: number, handler: string, main: string): string => `
    jal t1,main
    ${handler}
main: li a1,${DATA}
    sd t1,0(a1)
    li a0,${signal}
    li a2,0
    li a3,8
    call ${CALL.sigaction}
    ${main}`;

/** struct sigaction without its handler. */
const action = (flags = 0): Uint8Array => words64(0, flags, 0);

const RETURN = 'jalr zero,0(ra)';
const FAULT = 'ld a0,0(zero)';

const limited = { instructionsMax: 10_000 } as const;

/** It does not turn a frame that cannot be written into SIGSEGV, as Linux does (force_sigsegv). */
const notUnderQemu = 'it dies of the signal itself';

describeGuests('a handler', {
  'that returns to the same fault for ever': {
    source: withHandler(SIGSEGV, RETURN, FAULT),
    data: action(),
    becomes: 'limit',
    options: limited,
    notUnderQemu: 'it never ends',
  },
  'that faults itself, with its signal blocked': { source: withHandler(SIGSEGV, FAULT, FAULT), data: action(), becomes: 'SIGSEGV' },
  'that faults itself again and again, until the stack is full': {
    source: withHandler(SIGSEGV, FAULT, FAULT),
    data: action(SA_NODEFER),
    becomes: 'SIGSEGV',
  },
  'on a stack that is not there': {
    source: withHandler(SIGTRAP, `li a0,1\n ${EXIT}`, 'li sp,0x70000000\n ebreak'),
    data: action(),
    becomes: 'SIGSEGV',
    notUnderQemu,
  },
  'on a stack below null': { source: withHandler(SIGTRAP, EXIT, 'li sp,16\n ebreak'), data: action(), becomes: 'SIGSEGV', notUnderQemu },
  'on a stack that cannot be written': {
    source: withHandler(SIGTRAP, EXIT, 'auipc sp,1\n ebreak'),
    data: action(),
    becomes: 'SIGSEGV',
    notUnderQemu,
  },
  'for a broken stack, on a broken stack': {
    source: withHandler(SIGSEGV, EXIT, 'li sp,8\n sd zero,0(sp)'),
    data: action(),
    becomes: 'SIGSEGV',
  },
  'for a broken stack, on the alternate stack': {
    source: withHandler(SIGSEGV, `li a0,9\n ${EXIT}`, `li a0,${DATA + 32}\n li a1,0\n call 132\n li sp,8\n sd zero,0(sp)`),
    data: new Uint8Array([...action(SA_ONSTACK), ...new Uint8Array(8), ...words64(DATA + PAGE, 0, 4 * PAGE)]),
    dataBytes: 5 * PAGE,
    becomes: 9,
  },
  'on a stack that is not there, with another for SIGSEGV on the alternate stack': {
    source: withHandler(
      SIGSEGV,
      `li a0,9\n ${EXIT}`,
      `li a0,${DATA + 32}\n li a1,0\n call 132\n sd zero,8(sp)\n li a1,${DATA + 64}\n sd t1,0(a1)\n li a0,${SIGTRAP}\n li a2,0\n li a3,8
       call ${CALL.sigaction}\n li sp,0x70000000\n ebreak`,
    ),
    data: new Uint8Array([
      ...action(SA_ONSTACK),
      ...new Uint8Array(8),
      ...words64(DATA + PAGE, 0, 4 * PAGE),
      ...new Uint8Array(8),
      ...action(),
    ]),
    dataBytes: 5 * PAGE,
    becomes: 9,
    notUnderQemu,
  },
  'at an address without code': {
    source: `li a1,${DATA}\n li a0,${SIGTRAP}\n li a2,0\n li a3,8\n call ${CALL.sigaction}\n ebreak`,
    data: words64(0x7000_0000, 0, 0),
    becomes: 'SIGSEGV',
    pc: 0x7000_0000n,
  },
  'at an address that is no canonical one': {
    source: `li a1,${DATA}\n li a0,${SIGTRAP}\n li a2,0\n li a3,8\n call ${CALL.sigaction}\n ebreak`,
    data: words64(2n ** 63n, 0, 0),
    becomes: 'SIGSEGV',
    pc: 2n ** 63n,
  },
});

/** Pushes the stack down, page by page. */
const OVERFLOW = 'loop: addi sp,sp,-1024\n sd ra,0(sp)\n jal ra,loop';

describeGuests('a stack', {
  'that overflows': { source: OVERFLOW, becomes: 'SIGSEGV' },
  'that overflows into a handler which needs it': {
    source: withHandler(SIGSEGV, EXIT, OVERFLOW),
    data: action(),
    becomes: 'SIGSEGV',
  },
});

const FRAME_BYTES = 1088;
const sigreturn = (sp: number | bigint): Guest['source'] => `li sp,${sp}\n call ${CALL.sigreturn}\n ebreak`;

describeGuests('a return from no handler', {
  'with nothing at the stack pointer': { source: sigreturn(0x7000_0000), becomes: 'SIGSEGV' },
  'with a stack pointer of -1': { source: sigreturn(-1), becomes: 'SIGSEGV' },
  'with zeros as a frame, which jumps to null': { source: sigreturn(DATA), becomes: 'SIGSEGV', pc: 0n, reached: 0n },
  'with a frame that ends behind the memory': { source: sigreturn(DATA + PAGE - FRAME_BYTES + 8), becomes: 'SIGSEGV' },
});

describe('a return from no handler', () => {
  it('with any bytes as a frame ends in order, and the same way on both engines', () => {
    const code = fc.constantFrom(0n, BigInt(DATA), 0x10000n, 0x10008n, 2n ** 63n + 1n, 2n ** 47n - 2n);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: FRAME_BYTES, maxLength: FRAME_BYTES }), code, (bytes, pc) => {
        const frame = bytes.slice();
        frame.set(words64(pc), 304);
        runOnBoth(tinyElf({ source: sigreturn(DATA), data: frame }), limited);
      }),
      { numRuns: runs(15) },
    );
  });
});
