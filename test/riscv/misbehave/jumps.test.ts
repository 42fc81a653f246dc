/** Guests that go where there is no code, or do what no instruction may: the signal that Linux sends, at the exact instruction. */
import { DATA, TEXT } from '../../helpers/tiny-elf.ts';
import { CALL, describeGuests, EXIT, type Guest } from './guest.ts';

const PAGE = 4096n;
const DATA_END = BigInt(DATA) + PAGE;

const jumpTo = (address: bigint): string => `li t0,${address}\n jalr zero,0(t0)`;

/** A jump to an address without code. */
const wild = (address: bigint): Guest => ({ source: jumpTo(address), becomes: 'SIGSEGV', pc: address, reached: address });

/** Makes the data executable, puts a half-word there, and jumps to it. */
const atDataEnd = (half: number): string => `
    li a0,${DATA}
    li a1,${PAGE}
    li a2,7
    call ${CALL.mprotect}
    li t0,${DATA_END - 2n}
    li t1,${half}
    sh t1,0(t0)
    fence.i
    jalr zero,0(t0)`;

const LOW_HALF_OF_ECALL = 0x73;
const C_NOP = 1;

describeGuests('a wild jump', {
  'to null': wild(0n),
  'to the first page': wild(0xffen),
  'into nothing': wild(0x5555_0000n),
  'to the end of user space': wild(2n ** 47n),
  'to an address that is no canonical one': wild(0x8000_0000_0000_0000n),
  'to the last address': wild(2n ** 64n - 2n),
  'to 2^53, where a double loses the lowest bit': wild(2n ** 53n + 2n),
  'into data, which is not executable': wild(BigInt(DATA)),
  'to an odd address, of which jalr drops the lowest bit': {
    source: `li a0,5\n li t0,${TEXT + 21}\n jalr zero,0(t0)\n ebreak\n call ${CALL.exit}`,
    becomes: 5,
  },
  'into the last two bytes of a page, behind which there is nothing, as half an instruction': {
    source: atDataEnd(LOW_HALF_OF_ECALL),
    becomes: 'SIGSEGV',
    pc: DATA_END - 2n,
    reached: DATA_END,
  },
  'into the last two bytes of a page, behind which there is nothing, as a short instruction': {
    source: atDataEnd(C_NOP),
    becomes: 'SIGSEGV',
    pc: DATA_END,
    reached: DATA_END,
  },
});

/** Does something to `address` by an instruction that has it in a1; `li` takes one instruction for 0, else two. */
const reaching = (instruction: string, address: bigint, becomes: Guest['becomes'], reached = address): Guest => ({
  source: `li a1,${address}\n ${instruction}\n ${EXIT}`,
  becomes,
  ...(typeof becomes === 'number' ? {} : { pc: BigInt(TEXT) + (address === 0n ? 4n : 8n), reached }),
});

describeGuests('memory that is not there, or not so', {
  'a load from null': reaching('ld a0,0(a1)', 0n, 'SIGSEGV'),
  'a load from nothing': reaching('lbu a0,0(a1)', 0x7000_0000n, 'SIGSEGV'),
  'a store to the text': reaching('sw a0,0(a1)', BigInt(TEXT), 'SIGSEGV'),
  'a load across the end of the data': reaching('ld a0,0(a1)', DATA_END - 4n, 'SIGSEGV', DATA_END),
  'a store across the end of the data': reaching('sd a0,0(a1)', DATA_END - 1n, 'SIGSEGV', DATA_END),
  'an atomic on the text': reaching('amoadd.w a0,a0,(a1)', BigInt(TEXT), 'SIGSEGV'),
  'a misaligned load and store, which are allowed': reaching('ld a0,0(a1)\n sd a0,-2(a1)', BigInt(DATA) + 3n, 0),
  'a misaligned lr.d': reaching('lr.d a0,(a1)', BigInt(DATA) + 4n, 'SIGBUS'),
  'a misaligned sc.w': {
    ...reaching('sc.w a0,a0,(a1)', BigInt(DATA) + 2n, 'SIGBUS'),
    notUnderQemu: 'it looks at the address only when there is a reservation',
  },
  'a misaligned amoswap.w': reaching('amoswap.w a0,a0,(a1)', BigInt(DATA) + 1n, 'SIGBUS'),
  'a misaligned amoadd.d across pages': reaching('amoadd.d a0,a0,(a1)', DATA_END - 4n, 'SIGBUS'),
});

/** Words that are no instructions, executed. */
const executing = (...words: readonly number[]): Guest => ({
  source: 'jal zero,end\nend:',
  lead: 12,
  constants: new Uint8Array(Uint32Array.from(words).buffer),
  becomes: 'SIGILL',
  pc: BigInt(TEXT) + 16n,
});
const CSRRW_CYCLE = 0xc000_1073;

describeGuests('an instruction that is none', {
  ebreak: { source: 'ebreak', becomes: 'SIGTRAP', pc: BigInt(TEXT) },
  'c.ebreak': { source: 'c.li a0,1\n c.ebreak', becomes: 'SIGTRAP', pc: BigInt(TEXT) + 2n },
  zeros: executing(0),
  ones: executing(0xffff_ffff),
  'a write to a counter': executing(CSRRW_CYCLE),
});
