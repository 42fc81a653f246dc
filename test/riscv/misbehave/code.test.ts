/** Code that changes while it runs: by its own stores, by the kernel's, by new mappings, in one process of two. */
import { DATA } from '../../helpers/tiny-elf.ts';
import { CALL, describeGuests, EXIT, type Guest } from './guest.ts';

const PAGE = 4096;
/** `addi a0,zero,value`, the instruction that is written over, and the one behind it: `jalr zero,0(t0)`, the way back. */
const liA0 = (value: number): number => 0x513 | (value << 20);
const RETURN = 0x2_8067;

/** Data whose instructions at `place` give 1. */
function dataWith(place: number): Uint8Array {
  const bytes = new Uint8Array(place + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(place, liA0(1), true);
  view.setUint32(place + 4, RETURN, true);
  return bytes;
}

/** Makes the data executable, and calls what lies in it, before and after `change`; ends with what that gave last. */
function changing(change: string, becomes: Guest['becomes'], place = 0x100): Guest {
  const source = `
    li a0,${DATA}
    li a1,${2 * PAGE}
    li a2,7
    call ${CALL.mprotect}
    li s0,${DATA + place}
    jalr t0,0(s0)
    li s1,${liA0(2)}
    ${change}
    jalr t0,0(s0)
    ${EXIT}`;
  return { source, data: dataWith(place), dataBytes: 2 * PAGE, becomes };
}

const LAST_OF_PAGE = PAGE - 2;

/** A pipe, the instruction into it, and out of it to where it is executed: no store of the program's. */
const BY_A_READ = `
    li sp,${DATA + 2 * PAGE - 64}
    c.mv a0,sp
    li a1,0
    call ${CALL.pipe2}
    sd s1,8(sp)
    lw a0,4(sp)
    addi a1,sp,8
    li a2,4
    call ${CALL.write}
    lw a0,0(sp)
    c.mv a1,s0
    li a2,4
    call ${CALL.read}`;

/** The child changes its code and ends with what it gives; the parent waits and goes on with its own. */
const IN_A_CHILD = `
    li a0,17
    li a1,0
    li a2,0
    li a3,0
    li a4,0
    call ${CALL.clone}
    bne a0,zero,parent
    sw s1,0(s0)
    fence.i
    jalr t0,0(s0)
    ${EXIT}
parent: li a0,-1
    li a1,${DATA + 2 * PAGE - 64}
    li a2,0
    li a3,0
    call ${CALL.wait4}`;

/** What was there is gone; in its place is fresh memory with the new instruction. */
const BY_A_NEW_MAPPING = `
    ld s2,0(s0)
    li a0,${DATA}
    li a1,${PAGE}
    call ${CALL.munmap}
    li a0,${DATA}
    li a1,${PAGE}
    li a2,7
    li a3,0x32
    li a4,-1
    li a5,0
    call ${CALL.mmap}
    sd s2,0(s0)
    sw s1,0(s0)
    fence.i`;

const NOT_EXECUTABLE = `
    li a0,${DATA}
    li a1,${PAGE}
    li a2,3
    call ${CALL.mprotect}
    sw s1,0(s0)`;

describeGuests('code that changes itself', {
  'by a store, then fence.i': changing('sw s1,0(s0)\n fence.i', 2),
  'by a store without fence.i, which here is seen at once': changing('sw s1,0(s0)', 2),
  'by four stores of a byte': changing('sb s1,0(s0)\n srli s1,s1,8\n sb s1,1(s0)\n srli s1,s1,8\n sb s1,2(s0)', 2),
  'by an atomic': changing('amoswap.w zero,s1,(s0)', 2),
  'across two pages': changing('sw s1,0(s0)\n fence.i', 2, LAST_OF_PAGE),
  'across two pages, of which only the second changes': changing('srli s1,s1,16\n sh s1,2(s0)', 2, LAST_OF_PAGE),
  'by a system call that writes there': changing(BY_A_READ, 2),
  'in a child, not in its parent': changing(IN_A_CHILD, 1),
  'by a new mapping in its place': changing(BY_A_NEW_MAPPING, 2),
  'and is no longer executable then': { ...changing(NOT_EXECUTABLE, 'SIGSEGV'), pc: BigInt(DATA) + 0x100n },
});

/** The store hits the very next instruction; the program is in memory that it may write and execute from the start. */
const NEXT: Guest = {
  source: `li t1,${liA0(2)}\n jal t0,here\nhere: sw t1,8(t0)\n fence.i\n addi a0,zero,1\n ${EXIT}`,
  textRights: 'rwx',
  becomes: 2,
};

/** Counts down by rewriting its own immediate, a thousand times. */
const A_THOUSAND_TIMES: Guest = {
  source: `
    li s1,1000
    jal t0,here
here: addi a0,zero,0
    lui t2,0x100
    lw t1,0(t0)
    addw t1,t1,t2
    sw t1,0(t0)
    addi s1,s1,-1
    bne s1,zero,here
    andi a0,a0,0x7f
    ${EXIT}`,
  textRights: 'rwx',
  becomes: 999 & 0x7f,
};

describeGuests('code that changes under its own feet', { 'the next instruction': NEXT, 'a thousand times': A_THOUSAND_TIMES });
